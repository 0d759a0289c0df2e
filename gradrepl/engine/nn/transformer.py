"""Transformers: encoder and decoder layers, stacks of them, and the whole (torch.nn.Transformer)."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import SPACES
from gradrepl.engine.grad_mode import is_grad_enabled
from gradrepl.engine.nn import init
from gradrepl.engine.nn.attention import MultiheadAttention
from gradrepl.engine.nn.containers import ModuleList
from gradrepl.engine.nn.dropout import Dropout
from gradrepl.engine.nn.linear import Linear
from gradrepl.engine.nn.module import Module
from gradrepl.engine.nn.normalization import LayerNorm
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.tensor import Tensor, make

functional = SPACES["torch.nn.functional"]

NOT_NESTED = "enable_nested_tensor is True, but self.use_nested_tensor is False because encoder_layer"
NESTED = (
    "The PyTorch API of nested tensors is in prototype stage and will change in the near future. We recommend "
    "specifying layout=torch.jagged when constructing a nested tensor, as this layout receives active development, has "
    "better operator coverage, and works with torch.compile."
)


def activation_of(given: str | Callable[..., Any]) -> Callable[..., Any]:
    """Return an activation by its name; raises RuntimeError for an unknown one."""
    if not isinstance(given, str):
        return given
    if given not in ("relu", "gelu"):
        raise RuntimeError(f"activation should be relu/gelu, not {given}")
    found: Callable[..., Any] = functional[given]
    return found


class Layer(Module):
    """What encoder and decoder layers share; norms: how many normalizations there are."""

    norms = 2

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Any = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        factory = {"bias": bias, "device": device, "dtype": dtype}
        attention = {"dropout": dropout, "batch_first": batch_first, **factory}
        self.self_attn = MultiheadAttention(d_model, nhead, **attention)
        if self.norms == 3:
            self.multihead_attn = MultiheadAttention(d_model, nhead, **attention)
        self.linear1 = Linear(d_model, dim_feedforward, **factory)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **factory)
        self.norm_first = norm_first
        for number in range(1, self.norms + 1):
            setattr(self, f"norm{number}", LayerNorm(d_model, eps=layer_norm_eps, **factory))
        for number in range(1, self.norms + 1):
            setattr(self, f"dropout{number}", Dropout(dropout))
        self.activation = activation_of(activation)

    def attend(self, module: Any, drop: Any, query: Any, source: Any, mask: Any, padding: Any, causal: bool) -> Any:
        """Run an attention without weights, and drop some of what it gives."""
        found = module(
            query, source, source, attn_mask=mask, key_padding_mask=padding, need_weights=False, is_causal=causal
        )
        return drop(found[0])

    def feed_forward(self, x: Any) -> Any:
        last = getattr(self, f"dropout{self.norms}")
        return last(self.linear2(self.dropout(self.activation(self.linear1(x)))))

    def added(self, number: int, x: Any, block: Callable[[Any], Any]) -> Any:
        """Add what a block makes of x to x, normalized before or after it."""
        norm = getattr(self, f"norm{number}")
        return x + block(norm(x)) if self.norm_first else norm(x + block(x))


class TransformerEncoderLayer(Layer):
    """Self-attention and two linear layers (torch.nn.TransformerEncoderLayer)."""

    def forward(
        self, src: Tensor, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False
    ) -> Any:
        rest = (src_mask, src_key_padding_mask, is_causal)
        x = self.added(1, src, lambda part: self.attend(self.self_attn, self.dropout1, part, part, *rest))
        return self.added(2, x, self.feed_forward)


class TransformerDecoderLayer(Layer):
    """Self-attention, attention to an encoder's output, two linear layers (torch.nn.TransformerDecoderLayer)."""

    norms = 3

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Any:
        own = (tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        other = (memory_mask, memory_key_padding_mask, memory_is_causal)
        x = self.added(1, tgt, lambda part: self.attend(self.self_attn, self.dropout1, part, part, *own))
        x = self.added(2, x, lambda part: self.attend(self.multihead_attn, self.dropout2, part, memory, *other))
        return self.added(3, x, self.feed_forward)


class Stack(Module):
    """Copies of one layer, one behind the other."""

    def __init__(self, layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm

    def finished(self, x: Any) -> Any:
        return x if self.norm is None else self.norm(x)


def why_not_nested(layer: Any) -> str:
    """Return why PyTorch keeps padded places of such encoder layers, empty where it leaves them out."""
    attention = getattr(layer, "self_attn", None)
    if not isinstance(layer, TransformerEncoderLayer) or attention is None:
        return " was not TransformerEncoderLayer"
    reasons = (
        (layer.norm_first, ".norm_first was True"),
        (
            not attention.batch_first,
            ".self_attn.batch_first was not True(use batch_first for better inference performance)",
        ),
        (not attention._qkv_same_embed_dim, ".self_attn._qkv_same_embed_dim was not True"),
        (attention.in_proj_bias is None, ".self_attn was passed bias=False"),
        (layer.activation not in (functional["relu"], functional["gelu"]), ".activation_relu_or_gelu was not True"),
        (layer.norm1.eps != layer.norm2.eps, ".norm1.eps was not equal to encoder_layer.norm2.eps"),
        (attention.num_heads % 2 == 1, ".self_attn.num_heads is odd"),
    )
    return next((words for holds, words in reasons if holds), "")


class TransformerEncoder(Stack):
    """A stack of encoder layers (torch.nn.TransformerEncoder).

    As in PyTorch, padded places come out as zeros where no gradient is asked for, in evaluation.
    """

    def __init__(
        self,
        encoder_layer: Any,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__(encoder_layer, num_layers, norm)
        reason = why_not_nested(encoder_layer)
        self.enable_nested_tensor, self.use_nested_tensor = enable_nested_tensor, enable_nested_tensor and not reason
        self.mask_check = mask_check
        if enable_nested_tensor and reason:
            warnings.warn(f"{NOT_NESTED}{reason}", UserWarning, stacklevel=2)

    def forward(
        self, src: Tensor, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool | None = None
    ) -> Any:
        left_out = self.left_out(src, src_key_padding_mask)
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask, bool(is_causal))
        if left_out is not None:
            warnings.warn(NESTED, UserWarning, stacklevel=2)
            src = src.masked_fill(left_out, 0.0)  # type: ignore[attr-defined]
        return self.finished(src)

    def left_out(self, src: Any, padding: Any) -> Any:
        """Return which places come out as zeros, None for no place: the sequences must begin at the left."""
        if padding is None or not self.use_nested_tensor or self.layers[0].training or src.dim() != 3:
            return None
        if is_grad_enabled() and any(tensor.requires_grad for tensor in (src, *self.layers[0].parameters())):
            return None
        outside = padding._data if padding._data.dtype.kind == "b" else np.isneginf(padding._data)
        if self.mask_check and (outside[:, :-1] & ~outside[:, 1:]).any():
            return None
        return make(outside[..., None])


class TransformerDecoder(Stack):
    """A stack of decoder layers (torch.nn.TransformerDecoder)."""

    def __init__(self, decoder_layer: Any, num_layers: int, norm: Module | None = None) -> None:
        super().__init__(decoder_layer, num_layers, norm)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Any:
        masks = (tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)
        for layer in self.layers:
            tgt = layer(tgt, memory, *masks, bool(tgt_is_causal), memory_is_causal)
        return self.finished(tgt)


class Transformer(Module):
    """An encoder and a decoder (torch.nn.Transformer)."""

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Any = "relu",
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        factory = {"bias": bias, "device": device, "dtype": dtype}
        layers = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first)
        made = []
        for custom, kind, stack, count in (
            (custom_encoder, TransformerEncoderLayer, TransformerEncoder, num_encoder_layers),
            (custom_decoder, TransformerDecoderLayer, TransformerDecoder, num_decoder_layers),
        ):
            layer = None if custom is not None else kind(*layers, **factory)
            norm = None if custom is not None else LayerNorm(d_model, eps=layer_norm_eps, **factory)
            made.append(custom if layer is None else stack(layer, count, norm))
        self.encoder, self.decoder = made
        for parameter in self.parameters():
            if parameter.dim() > 1:
                init.xavier_uniform_(parameter)
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Any:
        batch = 0 if self.batch_first else 1
        if len(src.shape) == 3 and src.shape[batch] != tgt.shape[batch]:
            raise RuntimeError("the batch number of src and tgt must be equal")
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise RuntimeError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        masks = (tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)
        return self.decoder(tgt, memory, *masks, tgt_is_causal, memory_is_causal)

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """Return the mask that hides what comes later: -inf above the diagonal, 0 elsewhere."""
        kind = dtypes.default.float if dtype is None else dtype
        return make(np.triu(np.full((sz, sz), -np.inf, kind.numpy), 1))


export(
    "torch.nn.modules.transformer",
    *(TransformerEncoderLayer, TransformerDecoderLayer, TransformerEncoder, TransformerDecoder, Transformer),
)
