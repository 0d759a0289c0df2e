"""What torch.autocast changes while it is enabled: which operations take their operands in which dtype."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any

from gradrepl.engine.api import SPACES
from gradrepl.engine.builtin_method import BuiltinMethod
from gradrepl.engine.dtype import bfloat16, float16, float32, of
from gradrepl.engine.op import Op
from gradrepl.engine.tensor import Tensor

Function = Callable[..., Any]

IN_LOWER = (
    "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d mm bmm addmm addbmm baddbmm matmul linear "
    "vecdot prelu scaled_dot_product_attention __matmul__ __rmatmul__"
)
LOWER = frozenset(IN_LOWER.split())
"""What is computed in the dtype of the block."""
IN_SINGLE = (
    "mse_loss nll_loss cross_entropy l1_loss smooth_l1_loss huber_loss binary_cross_entropy kl_div ctc_loss "
    "binary_cross_entropy_with_logits poisson_nll_loss hinge_embedding_loss cosine_embedding_loss margin_ranking_loss "
    "soft_margin_loss triplet_margin_loss multi_margin_loss multilabel_margin_loss prod quantile nanquantile cdist "
    "trace cholesky cholesky_inverse cholesky_solve inverse pinverse polar view_as_complex inv pinv solve cond svd "
    "svdvals eig eigh eigvals eigvalsh qr lstsq matrix_rank tensorinv tensorsolve fft ifft rfft irfft"
)
SINGLE = frozenset(IN_SINGLE.split())
"""What is computed in float32."""
PROMOTED = frozenset(("cat", "stack", "index_copy"))
"""What takes the widest dtype among its operands."""
SPACES_WITH_THEM = ("torch", "torch.nn.functional", "torch.linalg", "torch.fft")
WITH_LOSSES = tuple(f"gradrepl.engine.ops.{name}" for name in ("criterion", "classification", "alignment", "margin"))
KINDS = (float32, bfloat16, float16)


NO_LSTM = (
    "gradrepl's builtin engine computes an LSTM in the dtype of its weights, also where torch.autocast is enabled. "
    "Start gradrepl with --engine torch to use it there."
)


class State(threading.local):
    """What holds in this thread: the dtype of an enabled block, else None, and the one that was chosen last.

    depth: how many blocks are open; casts: those of parameters, kept as long as one is, if it caches.
    """

    dtype: Any = None
    chosen: Any = bfloat16
    depth = 0
    caches = True

    def __init__(self) -> None:
        self.casts: dict[int, tuple[Tensor, Tensor]] = {}


state = State()


@contextmanager
def computing_in(dtype: Any) -> Iterator[None]:
    """Set the dtype of a block; None for one that computes as ever."""
    before, state.dtype = state.dtype, dtype
    try:
        yield
    finally:
        state.dtype = before


def cast_to(value: Any, dtype: Any) -> Any:
    """Return a tensor of at most 32 bits in a dtype, the tensors of a list too, and anything else as it is."""
    if isinstance(value, (list, tuple)):
        return type(value)(cast_to(one, dtype) for one in value) if any(map(is_tensor, value)) else value
    if not isinstance(value, Tensor) or (found := of(value._data)) is dtype or found not in KINDS:
        return value
    if not (state.caches and dtype is not float32 and found is float32 and value.requires_grad and value.is_leaf):
        return value.to(dtype)  # type: ignore[attr-defined]
    kept = state.casts.get(id(value))
    if kept is None:
        kept = state.casts[id(value)] = (value, value.to(dtype))  # type: ignore[attr-defined]
    return kept[1]


def is_tensor(value: Any) -> bool:
    return isinstance(value, Tensor)


def widest(values: Any) -> Any:
    """Return float32 where it is among the operands, else the dtype of the block."""
    tensors = [one for value in values for one in (value if isinstance(value, (list, tuple)) else (value,))]
    return float32 if any(is_tensor(one) and of(one._data) is float32 for one in tensors) else state.dtype


def casting(name: str, plain: Function) -> Function:
    """Return a function that casts its operands first, by its name, in blocks where that is wanted."""

    @functools.wraps(plain)
    def call(*args: Any, **kwargs: Any) -> Any:
        dtype = state.dtype
        if dtype is None:
            return plain(*args, **kwargs)
        if name not in LOWER:
            dtype = float32 if name in SINGLE else widest((*args, *kwargs.values()))
        if kwargs.get("out") is None:
            args = tuple(cast_to(value, dtype) for value in args)
            kwargs = {key: cast_to(value, dtype) for key, value in kwargs.items()}
        with computing_in(None):
            return plain(*args, **kwargs)

    call.casts = True  # type: ignore[attr-defined]
    return call


def refusing(plain: Function) -> Function:
    """Return the forward of a module that has none in a dtype of 16 bits."""

    @functools.wraps(plain)
    def call(*args: Any, **kwargs: Any) -> Any:
        if state.dtype is not None:
            raise NotImplementedError(NO_LSTM)
        return plain(*args, **kwargs)

    return call


def replace(holder: dict[str, Any], names: frozenset[str]) -> None:
    """Put functions that cast in the place of those of a module."""
    for name in names & holder.keys():
        thing = holder[name]
        if isinstance(thing, Op):
            if not hasattr(thing.call, "casts"):
                thing.call = casting(name, thing.call)
        elif isinstance(thing, FunctionType) and not hasattr(thing, "casts"):
            holder[name] = casting(name, thing)


@functools.cache
def install() -> None:
    """Let the operations ask from now on whether a block is enabled; until then they don't lose time with it."""
    from gradrepl.engine.torch import fill, modules

    every = LOWER | SINGLE | PROMOTED
    for space in SPACES_WITH_THEM:
        replace(SPACES[space], every)
    fill(modules())
    for name, module in list(sys.modules.items()):
        if name in WITH_LOSSES:
            replace(vars(module), every)
        elif name.startswith(("gradrepl.engine.ops.", "gradrepl.engine.nn.")):
            replace(vars(module), LOWER)
    lstm = SPACES["torch.nn"]["LSTM"]
    lstm.forward = refusing(lstm.forward)
    for name in every & vars(Tensor).keys():
        call = casting(name, getattr(Tensor, name))
        setattr(Tensor, name, BuiltinMethod(call) if isinstance(vars(Tensor)[name], BuiltinMethod) else call)
