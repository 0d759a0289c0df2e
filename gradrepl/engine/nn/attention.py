"""Attention with several heads, as a function and as a module (torch.nn.MultiheadAttention)."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from gradrepl.engine.api import SPACES
from gradrepl.engine.nn import init
from gradrepl.engine.nn.linear import Linear, new_parameter
from gradrepl.engine.nn.module import Module
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.tensor import Tensor, make

functional, torch = SPACES["torch.nn.functional"], SPACES["torch"]


class NonDynamicallyQuantizableLinear(Linear):
    """The linear layer behind the heads."""


class Weights(NamedTuple):
    """The maps of queries, keys and values: one matrix for the three (packed), or one for each."""

    packed: Any
    query: Any
    key: Any
    value: Any
    bias: Any


def canonical_mask(mask: Any, kind: Any) -> Any:
    """Return a mask as what is added to the scores; raises AssertionError for a mask of integers."""
    if mask is None or mask.is_floating_point():
        return mask
    if mask._data.dtype != np.bool_:
        raise AssertionError("only bool and floating types of attn_mask are supported")
    return make(np.where(mask._data, kind.type(-np.inf), kind.type(0)))


def in_parts(mapped: Any, count: int) -> Any:
    """Split the last dimension into equal parts, which come first."""
    width = mapped.shape[-1] // count
    return mapped.unflatten(-1, (count, width)).unsqueeze(0).transpose(0, -2).squeeze(-2).contiguous()


def packed_projection(query: Any, key: Any, value: Any, weight: Any, bias: Any) -> list[Any]:
    """Map queries, keys and values by one matrix that holds the three maps."""
    linear, side = functional["linear"], query.shape[-1]
    if key is value and query is key:
        parts = in_parts(linear(query, weight, bias), 3)
        return [parts[0], parts[1], parts[2]]
    if key is value:
        first, rest = weight.split([side, side * 2])
        first_bias, rest_bias = (None, None) if bias is None else bias.split([side, side * 2])
        mapped = linear(query, first, first_bias)
        parts = in_parts(linear(key, rest, rest_bias), 2)
        return [mapped, parts[0], parts[1]]
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    return [linear(*each) for each in zip((query, key, value), weight.chunk(3), biases, strict=True)]


def projected(query: Any, key: Any, value: Any, weights: Weights) -> list[Any]:
    if weights.packed is not None:
        return packed_projection(query, key, value, weights.packed, weights.bias)
    biases = (None,) * 3 if weights.bias is None else weights.bias.chunk(3)
    maps = zip((query, key, value), (weights.query, weights.key, weights.value), biases, strict=True)
    return [functional["linear"](*each) for each in maps]


def merged_masks(mask: Any, padding: Any, batch: int, heads: int, source: int) -> Any:
    """Return the mask of all heads, with the padding of the keys in it."""
    if mask is not None and mask.dim() == 2:
        mask = mask.unsqueeze(0)
    if padding is None:
        return mask
    wide = padding.view(batch, 1, 1, source).expand(-1, heads, -1, -1).reshape(batch * heads, 1, source)
    return wide if mask is None else mask + wide


def weighted(q: Any, k: Any, v: Any, mask: Any, dropout: float) -> tuple[Any, Any]:
    """Return the weighted values of each head, and the weights."""
    scaled = q * math.sqrt(1.0 / float(q.shape[-1]))
    turned = k.transpose(-2, -1)
    raw = torch["bmm"](scaled, turned) if mask is None else torch["baddbmm"](mask, scaled, turned)
    weights = functional["softmax"](raw, dim=-1)
    if dropout > 0.0:
        weights = functional["dropout"](weights, p=dropout)
    return torch["bmm"](weights, v), weights


def check_shapes(query: Any, key: Any, value: Any, options: dict[str, Any], packed: bool) -> None:
    """Raise what PyTorch raises for inputs and masks of shapes that do not go together."""
    length, batch, width = query.shape
    if width != options["width"]:
        raise AssertionError(f"was expecting embedding dimension of {options['width']}, but got {width}")
    if packed and key.shape != value.shape:
        raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
    if not packed and key.shape[:2] != value.shape[:2]:
        raise AssertionError(f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}")
    mask, padding, source = options["mask"], options["padding"], key.shape[0]
    if mask is not None:
        wanted = {2: (length, source), 3: (batch * options["heads"], length, source)}.get(mask.dim())
        if wanted is None:
            raise RuntimeError(f"attn_mask's dimension {mask.dim()} is not supported")
        if tuple(mask.shape) != wanted:
            raise RuntimeError(f"The shape of the {mask.dim()}D attn_mask is {mask.shape}, but should be {wanted}.")
    if padding is not None and tuple(padding.shape) not in ((batch, source), (source,)):
        raise AssertionError(f"expecting key_padding_mask shape of {(batch, source)}, but got {padding.shape}")


def attended(query: Any, key: Any, value: Any, weights: Weights, out: Any, options: dict[str, Any]) -> Any:
    """Return the output (length, batch, width) of all heads, and their weights or None."""
    heads, dropout, need_weights = options["heads"], options["dropout"], options["need_weights"]
    length, batch, width = query.shape
    source, side = key.shape[0], width // heads
    check_shapes(query, key, value, options, weights.packed is not None)
    q, k, v = projected(query, key, value, weights)
    q = q.view(length, batch * heads, side).transpose(0, 1)
    k = k.view(source, batch * heads, side).transpose(0, 1)
    v = v.view(source, batch * heads, side).transpose(0, 1)
    mask = merged_masks(options["mask"], options["padding"], batch, heads, source)
    if need_weights:
        found, shares = weighted(q, k, v, mask, dropout)
        flat = found.transpose(0, 1).contiguous().view(length * batch, width)
        output = functional["linear"](flat, out.weight, out.bias).view(length, batch, width)
        shares = shares.view(batch, heads, length, source)
        return output, shares.mean(dim=1) if options["average"] else shares
    if mask is not None:
        mask = mask.unsqueeze(0) if mask.shape[0] == 1 and mask.dim() == 3 else mask.view(batch, heads, -1, source)
    q, k, v = (each.view(batch, heads, -1, side) for each in (q, k, v))
    causal = options["causal"] and mask is None
    found = functional["scaled_dot_product_attention"](q, k, v, mask, dropout, causal)
    flat = found.permute(2, 0, 1, 3).contiguous().view(batch * length, width)
    return functional["linear"](flat, out.weight, out.bias).view(length, batch, width), None


class MultiheadAttention(Module):
    """Attention with several heads (torch.nn.MultiheadAttention).

    Inputs are (length, batch, width), (batch, length, width) with batch_first, or (length, width).
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and num_heads={num_heads} "
                "instead"
            )
        if add_bias_kv or add_zero_attn:
            raise NotImplementedError(
                "gradrepl's builtin engine has no add_bias_kv and add_zero_attn. Start gradrepl with --engine torch "
                "to use them."
            )
        self.embed_dim, self.num_heads, self.dropout, self.batch_first = embed_dim, num_heads, dropout, batch_first
        self.kdim, self.vdim = (embed_dim if side is None else side for side in (kdim, vdim))
        self._qkv_same_embed_dim = self.kdim == embed_dim == self.vdim
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")
        self.add_weights(bias, device=device, dtype=dtype)
        self._reset_parameters()

    def add_weights(self, bias: bool, **factory: Any) -> None:
        """Give the module its parameters, in PyTorch's order."""
        side = self.embed_dim
        if self._qkv_same_embed_dim:
            self.in_proj_weight = new_parameter(3 * side, side, **factory)
            for name in ("q_proj_weight", "k_proj_weight", "v_proj_weight"):
                self.register_parameter(name, None)
        else:
            self.q_proj_weight = new_parameter(side, side, **factory)
            self.k_proj_weight = new_parameter(side, self.kdim, **factory)
            self.v_proj_weight = new_parameter(side, self.vdim, **factory)
            self.register_parameter("in_proj_weight", None)
        if bias:
            self.in_proj_bias = new_parameter(3 * side, **factory)
        else:
            self.register_parameter("in_proj_bias", None)
        self.out_proj = NonDynamicallyQuantizableLinear(side, side, bias=bias, **factory)
        self.bias_k = self.bias_v = None
        self.add_zero_attn = False

    def _reset_parameters(self) -> None:
        """Draw new numbers."""
        names = ("in_proj_weight",) if self._qkv_same_embed_dim else ("q_proj_weight", "k_proj_weight", "v_proj_weight")
        for name in names:
            init.xavier_uniform_(getattr(self, name))
        if self.in_proj_bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            init.constant_(self.out_proj.bias, 0.0)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> Any:
        batched = query.dim() == 3
        if query.dim() not in (2, 3):
            raise AssertionError(
                f"query should be unbatched 2D or batched 3D tensor but received {query.dim()}-D query tensor"
            )
        if is_causal and attn_mask is None:
            raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
        kind = query._data.dtype
        options = {
            "padding": canonical_mask(key_padding_mask, kind),
            "mask": canonical_mask(attn_mask, kind),
            "causal": is_causal,
            "heads": self.num_heads,
            "width": self.embed_dim,
            "dropout": self.dropout if self.training else 0.0,
            "need_weights": need_weights,
            "average": average_attn_weights,
        }
        if is_causal and options["padding"] is None and not need_weights:
            options["mask"] = None
        weights = Weights(
            self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight, self.in_proj_bias
        )
        turn = self.batch_first and batched
        query, key, value = self.arranged(query, key, value, turn, batched)
        output, shares = attended(query, key, value, weights, self.out_proj, options)
        if not batched:
            return output.squeeze(1), None if shares is None else shares.squeeze(0)
        return (output.transpose(1, 0) if turn else output), shares

    def arranged(self, query: Any, key: Any, value: Any, turn: bool, batched: bool) -> tuple[Any, Any, Any]:
        """Return the inputs as (length, batch, width), the same object where they were."""

        def change(tensor: Any) -> Any:
            return tensor.transpose(1, 0) if turn else tensor if batched else tensor.unsqueeze(1)

        new_key = change(key)
        new_query = new_key if query is key else change(query)
        return new_query, new_key, new_key if value is key else change(value)


export("torch.nn.modules.linear", NonDynamicallyQuantizableLinear, also=())
export("torch.nn.modules.activation", MultiheadAttention)
