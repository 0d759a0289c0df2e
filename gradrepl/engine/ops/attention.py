"""Attention: weighted means of values, the weights from queries and keys."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradrepl.engine.api import SPACES, public
from gradrepl.engine.dtype import FLOAT32, Array
from gradrepl.engine.op import op
from gradrepl.engine.ops.linear import adjoint
from gradrepl.engine.ops.shape import cast
from gradrepl.engine.ops.softmax import less_maximum, softmax_along, softmax_gradient
from gradrepl.engine.precision.bfloat16 import BRAIN
from gradrepl.engine.precision.half import HALF
from gradrepl.engine.precision.steps import now, put_down
from gradrepl.engine.tensor import Tensor, make

SPACE = "torch.nn.functional"
HEADS = (1, 2, 3, 4)


def raw_scores(q: Any, k: Any, bias: Any, scale: float) -> Any:
    """Return how well each key fits each query."""
    raw = (q @ adjoint(k)) * scale
    return raw if bias is None else raw + (make(bias) if isinstance(raw, Tensor) else bias)


def scores(q: Any, k: Any, bias: Any, scale: float) -> Any:
    """Return the weight of each key for each query."""
    return softmax_along(raw_scores(q, k, bias, scale), -1)


def scores_gradient(g: Any, q: Any, k: Any, v: Any, bias: Any, scale: float) -> Any:
    """Return the gradient of q @ k.T."""
    return softmax_gradient(g @ adjoint(v), scores(q, k, bias, scale), -1) * scale


@op("ScaledDotProductFlashAttentionForCpuBackward0", samples=((HEADS, HEADS, HEADS, None, 0.5),))
def attend(q: Array, k: Array, v: Array, bias: Any, scale: float) -> Any:
    """softmax(q @ k.T · scale + bias) @ v"""
    if now.rounding is None:
        return scores(q, k, bias, scale) @ v
    powers = np.exp(less_maximum(raw_scores(q, k, bias, scale), -1))
    return (put_down(powers) @ v) / np.add.reduce(powers, -1, keepdims=True)


attend.grad(
    q=lambda g, q, k, v, bias, scale: scores_gradient(g, q, k, v, bias, scale) @ k,
    k=lambda g, q, k, v, bias, scale: adjoint(scores_gradient(g, q, k, v, bias, scale)) @ q,
    v=lambda g, q, k, v, bias, scale: adjoint(scores(q, k, bias, scale)) @ g,
)


def hidden(mask: Any, kind: Any) -> Any:
    """Return what a mask adds to the scores: a mask of bools adds -inf where it is False."""
    if mask._data.dtype == np.bool_:
        return make(np.where(mask._data, kind.type(0), kind.type(-np.inf)))
    return mask


def causal(queries: int, keys: int, kind: Any) -> Any:
    """Return what hides later keys from each query."""
    return make(np.where(np.tri(queries, keys, dtype=np.bool_), kind.type(0), kind.type(-np.inf)))


@public(
    "Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float dropout_p=0.0, bool is_causal=False, *, "
    "float? scale=None, bool enable_gqa=False",
    space=SPACE,
    method=False,
)
def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """Attention (torch.nn.functional.scaled_dot_product_attention)."""
    kind, width = query._data.dtype, query.shape[-1]
    if is_causal and attn_mask is not None:
        raise RuntimeError("_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")
    bias = causal(query.shape[-2], key.shape[-2], kind) if is_causal else None
    if attn_mask is not None:
        bias = hidden(attn_mask, kind)
    factor = 1.0 / math.sqrt(width) if scale is None else scale
    flash = query.dim() == 4 and not dropout_p and (bias is None or not bias.requires_grad)
    if flash:
        return attend(query, key, value, None if bias is None else bias._data, factor)
    short = kind is HALF or kind is BRAIN
    if short:
        query, key, value = (cast(each, FLOAT32) for each in (query, key, value))
    root = math.sqrt(factor)
    raw = (query * root) @ (key.transpose(-2, -1) * root)
    weights = softmax_along(raw if bias is None else raw + bias, -1)
    if dropout_p:
        weights = SPACES[SPACE]["dropout"](weights, dropout_p, True)
    out = weights @ value
    return cast(out, kind) if short else out
