"""Normalization: layer, batch, group, instance and root mean square."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import functions, own_names, public
from gradrepl.engine.dtype import FLOAT, FLOAT32, Array
from gradrepl.engine.op import op
from gradrepl.engine.ops.nonlinearity import need_float
from gradrepl.engine.ops.number import plus_number
from gradrepl.engine.ops.power import sqrt
from gradrepl.engine.ops.reduction import sum_dims
from gradrepl.engine.ops.view import view_as
from gradrepl.engine.precision.fused import fused
from gradrepl.engine.precision.moments import FEW, LONG, row_moments
from gradrepl.engine.tensor import Tensor, make
from gradrepl.engine.wanted import wants

Ints = tuple[int, ...]


def count_over(x: Any, dims: Ints) -> int:
    return math.prod(x.shape[dim] for dim in dims)


def standardized(a: Any, dims: Ints, eps: float) -> tuple[Any, Any]:
    """Return a less its mean, over its standard deviation, and 1 over the latter; arrays and tensors alike."""
    count = count_over(a, dims)
    centred = a - sum_dims(a, dims, True) / count
    inverse = 1 / sqrt(sum_dims(centred * centred, dims, True) / count + eps)
    return centred * inverse, inverse


def standardized_rule(g: Any, a: Any, dims: Ints, eps: float) -> Any:
    """Carry the gradient of the standardized numbers back to the numbers."""
    count = count_over(a, dims)
    x, inverse = standardized(a, dims, eps)
    return inverse * (g - sum_dims(g, dims, True) / count - x * (sum_dims(g * x, dims, True) / count))


def leading(ndim: int, count: int) -> Ints:
    return tuple(range(ndim - count))


def trailing(ndim: int, count: int) -> Ints:
    return tuple(range(ndim - count, ndim))


@op("NativeLayerNormBackward0", samples=(((2, 3, 4), (4,), (4,), 1, 1e-5), ((2, 3, 4), (3, 4), (3, 4), 2, 1e-5)))
def layer_normalized(a: Array, weight: Array, bias: Array, count: int, eps: float) -> Any:
    """a standardized over its last `count` dimensions, times weight plus bias"""
    need_float(a, "LayerNormKernelImpl")
    if a.dtype is FLOAT32 and 0 < a.size <= FEW and (side := math.prod(a.shape[a.ndim - count :])) < LONG:
        mean, variance = row_moments(a.reshape(-1, side))
        inverse = 1 / np.sqrt(variance + a.dtype.type(eps))
        out = ((a.reshape(-1, side) - mean[:, None]) * inverse[:, None]).reshape(a.shape)
        return out * weight if bias is None else fused(out, weight, np.broadcast_to(bias, a.shape))
    out = standardized(a, trailing(a.ndim, count), eps)[0] * weight
    return out if bias is None else out + bias


layer_normalized.grad(
    a=lambda g, a, weight, count, eps: standardized_rule(g * weight, a, trailing(a.ndim, count), eps),
    weight=lambda g, a, count, eps: sum_dims(
        g * standardized(a, trailing(a.ndim, count), eps)[0], leading(a.ndim, count), False
    ),
    bias=lambda g, count: sum_dims(g, leading(g.ndim, count), False),
)


def channels(values: Array, ndim: int) -> Any:
    return values.reshape(1, -1, *(1,) * (ndim - 2))


def but_channel(ndim: int) -> Ints:
    return tuple(dim for dim in range(ndim) if dim != 1)


@op("NativeBatchNormBackward0", samples=(((3, 2, 4), (2,), (2,), 1e-5), ((4, 3), (3,), (3,), 1e-5)))
def batch_normalized(a: Array, weight: Array, bias: Array, eps: float) -> Any:
    """a standardized over all but its channels, times weight plus bias"""
    need_float(a, "batch_norm")
    dims = but_channel(a.ndim)
    if a.dtype is not FLOAT32:
        out = standardized(a, dims, eps)[0] * channels(weight, a.ndim)
        return out if bias is None else out + channels(bias, a.ndim)
    count = count_over(a, dims)
    mean = sum_dims(a, dims, True) / count
    centred = a - mean
    scale = inverse_deviation(sum_dims(centred * centred, dims, True), count, eps) * channels(weight, a.ndim)
    shift = fused(-mean, scale, np.zeros_like(scale) if bias is None else channels(bias, a.ndim))
    return fused(a, scale, np.broadcast_to(shift, a.shape))


def inverse_deviation(squares: Any, count: int, eps: float) -> Any:
    """Return 1 over the standard deviation, from a sum of squares; arrays are rounded once, as by PyTorch."""
    if isinstance(squares, Tensor):
        return 1 / sqrt(squares / count + eps)  # type: ignore[operator]
    return (1 / np.sqrt(squares.astype(np.float64) / count + eps)).astype(squares.dtype)


def batch_rule(g: Any, a: Any, weight: Any, eps: float) -> Any:
    """Carry the gradient back to the numbers, in PyTorch's order: where it cancels out, digits depend on that."""
    dims = but_channel(a.ndim)
    count = count_over(a, dims)
    centred = a - sum_dims(a, dims, True) / count
    inverse = inverse_deviation(sum_dims(centred * centred, dims, True), count, eps)
    slope = sum_dims(centred * g, dims, True) * inverse * inverse / count
    return (g - sum_dims(g, dims, True) / count - centred * slope) * inverse * spread_weight(weight, g)


batch_normalized.grad(
    a=lambda g, a, weight, eps: batch_rule(g, a, weight, eps),
    weight=lambda g, a, eps: sum_dims(g * standardized(a, but_channel(a.ndim), eps)[0], but_channel(a.ndim), False),
    bias=lambda g: sum_dims(g, but_channel(g.ndim), False),
)


def spread_weight(weight: Any, like: Any) -> Any:
    return weight.reshape((1, -1, *(1,) * (like.ndim - 2)))


@op("NativeBatchNormBackward0", samples=(((3, 2, 4), (2,), (2,), np.zeros(2), np.ones(2), 1e-5),))
def batch_normalized_by(a: Array, weight: Array, bias: Array, mean: Any, var: Any, eps: float) -> Any:
    """a less a given mean, over a given deviation, times weight plus bias"""
    need_float(a, "batch_norm")
    inverse = 1 / np.sqrt(var + eps)
    out = (a - channels(mean, a.ndim)) * channels(inverse * weight, a.ndim)
    return out if bias is None else out + channels(bias, a.ndim)


def as_like(values: Array, like: Any) -> Any:
    return make(values) if isinstance(like, Tensor) else values


def by_rule(g: Any, weight: Any, var: Any, eps: float) -> Any:
    return g * spread_weight(weight, g) * as_like(channels(1 / np.sqrt(var + eps), g.ndim), g)


def by_weight_rule(g: Any, a: Any, mean: Any, var: Any, eps: float) -> Any:
    shifted = a - as_like(channels(mean, g.ndim), g)
    return sum_dims(g * (shifted * as_like(channels(1 / np.sqrt(var + eps), g.ndim), g)), but_channel(g.ndim), False)


batch_normalized_by.grad(
    a=lambda g, weight, var, eps: by_rule(g, weight, var, eps),
    weight=lambda g, a, mean, var, eps: by_weight_rule(g, a, mean, var, eps),
    bias=lambda g: sum_dims(g, but_channel(g.ndim), False),
)


def grouped(a: Any, groups: int) -> Any:
    """Return an array or tensor with its channels put together in groups, (batch, groups, rest)."""
    return a.reshape((a.shape[0], groups, math.prod(a.shape[1:]) // groups))


@op("NativeGroupNormBackward0", samples=(((2, 4, 3), (4,), (4,), 2, 1e-5),))
def group_normalized(a: Array, weight: Array, bias: Array, groups: int, eps: float) -> Any:
    """a standardized over groups of channels, times weight plus bias"""
    need_float(a, "GroupNormKernelImpl")
    out = standardized(grouped(a, groups), (2,), eps)[0].reshape(a.shape) * channels(weight, a.ndim)
    return out if bias is None else out + channels(bias, a.ndim)


def group_rule(g: Any, a: Any, weight: Any, groups: int, eps: float) -> Any:
    inner = grouped(g * spread_weight(weight, g), groups)
    return standardized_rule(inner, grouped(a, groups), (2,), eps).reshape(a.shape)


def group_weight_rule(g: Any, a: Any, groups: int, eps: float) -> Any:
    return sum_dims(g * standardized(grouped(a, groups), (2,), eps)[0].reshape(a.shape), but_channel(g.ndim), False)


group_normalized.grad(
    a=lambda g, a, weight, groups, eps: group_rule(g, a, weight, groups, eps),
    weight=lambda g, a, groups, eps: group_weight_rule(g, a, groups, eps),
    bias=lambda g: sum_dims(g, but_channel(g.ndim), False),
)


def ones_for(weight: Any, shape: Ints, like: Any) -> Any:
    """Return the weight, or ones that need no gradient."""
    return make(np.ones(shape, like._data.dtype)) if weight is None else weight


@public(
    "Tensor input, ints normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, "
    "bool cudnn_enable=True",
    method=False,
)
@wants("layer_norm", "input", "normalized_shape=any", "weight?", "bias?")
def layer_norm(
    input: Any,
    normalized_shape: Any,
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> Any:
    """Standardize over the last dimensions (torch.layer_norm)."""
    size, shape = tuple(normalized_shape), input._data.shape
    check_normalized(size, (("weight", weight), ("bias", bias)))
    if shape[-len(size) :] != size:
        wanted = ", ".join(["*", *map(str, size)])
        raise RuntimeError(
            f"Given normalized_shape={list(size)}, expected input with shape [{wanted}], but got input of "
            f"size{list(shape)}"
        )
    check_one_dtype("layer_norm", input, weight, bias)
    return layer_normalized(input, ones_for(weight, size, input), bias, len(size), eps)


def check_normalized(size: Ints, given: tuple[tuple[str, Any], ...]) -> None:
    """Raise what PyTorch raises for a shape to standardize over, and for weights that are not of that shape."""
    if not size:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
    for name, tensor in given:
        if tensor is not None and tensor._data.shape != size:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(tensor._data.shape)} and normalized_shape = {list(size)}"
            )


def functional_layer_norm(
    input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Standardize over the last dimensions (torch.nn.functional.layer_norm)."""
    if not isinstance(normalized_shape, (tuple, list)):
        kind = type(normalized_shape).__name__
        raise TypeError(f"layer_norm(): argument 'normalized_shape' (position 2) must be tuple of ints, not {kind}")
    return layer_norm(input, normalized_shape, weight, bias, eps)


def check_one_dtype(kernel: str, input: Any, *others: Any) -> None:
    """Raise what PyTorch raises where weights or figures are of another dtype than the input; half may go beside."""
    kinds = [dtypes.of(tensor._data) for tensor in others if tensor is not None]
    found = dtypes.of(input._data)
    if found.category != FLOAT and kernel == "batch_norm":
        need_float(input._data, kernel)
    if all(kind is found for kind in kinds) or found.itemsize == 2:
        return
    wide = (dtypes.float32, dtypes.float64)
    if found is dtypes.float32 or not all(kind in wide for kind in kinds):
        raise RuntimeError("mixed dtype (CPU): expect parameter to have scalar type of Float")
    raise RuntimeError("mixed dtype (CPU): all inputs must share same datatype.")


def check_channels(name: str, tensor: Any, wanted: int) -> None:
    if tensor is not None and tensor._data.size != wanted:
        raise RuntimeError(f"{name} should contain {wanted} elements not {tensor._data.size}")


@wants("batch_norm", "input.size", "weight?", "bias?", "running_mean?", "running_var?")
def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Standardize over the batch, or by running figures (torch.nn.functional.batch_norm)."""
    data = input._data
    if training and math.prod((data.shape[0], *data.shape[2:])) == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {input.size()}")
    if eps < 0.0 or (training and eps == 0.0):
        wanted = "positive during training" if training else "non-negative"
        raise ValueError(f"batch_norm eps must be {wanted}, but got {eps}")
    if not data.size:
        return empty_normalized(input, weight, bias)
    if data.ndim == 1:
        input.size(1)
    given = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    for name, tensor in given.items():
        check_channels(name, tensor, data.shape[1])
        if tensor is None and not training and name.startswith("running"):
            raise RuntimeError(f"{name} must be defined in evaluation mode")
    check_one_dtype("batch_norm", input, *given.values())
    scale = ones_for(weight, (data.shape[1],), input)
    if not training:
        return batch_normalized_by(input, scale, bias, running_mean._data, running_var._data, eps)
    if running_mean is not None:
        keep_running(data, running_mean, running_var, momentum)
    return batch_normalized(input, scale, bias, eps)


def empty_normalized(input: Any, weight: Any, bias: Any) -> Any:
    """Return a copy of no numbers at all, to which weight and bias belong nevertheless."""
    out = input.clone()
    out = out if weight is None else out * weight[0]
    return out if bias is None else out + bias[0]


def keep_running(data: Array, mean: Any, var: Any, momentum: float) -> None:
    """Move the running mean and variance towards those of a batch."""
    dims = but_channel(data.ndim)
    for running, batch in ((mean, data.mean(axis=dims)), (var, data.var(axis=dims, ddof=1))):
        running._data[...] = (1 - momentum) * running._data + momentum * batch
        running._counter[0] += 1


@wants("group_norm", "input.dim", "num_groups=any", "weight?", "bias?")
def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Standardize over groups of channels (torch.nn.functional.group_norm)."""
    shape = input._data.shape
    if len(shape) < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {len(shape)}")
    if shape[1] % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{list(shape)} and num_groups={num_groups}"
        )
    check_one_dtype("group_norm", input, weight, bias)
    return group_normalized(input, ones_for(weight, shape[1:2], input), bias, num_groups, eps)


@wants("instance_norm", "input.size")
def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Standardize every channel of every example (torch.nn.functional.instance_norm)."""
    batch, count, *rest = input._data.shape
    if use_input_stats and math.prod(rest) == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {input.size()}")
    if not use_input_stats and (running_mean is None or running_var is None):
        raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
    flat = view_as(input.contiguous(), (1, batch * count, *rest))
    mean, var, scale, shift = (
        None if tensor is None else tensor.repeat(batch) for tensor in (running_mean, running_var, weight, bias)
    )
    out = batch_norm(flat, mean, var, scale, shift, use_input_stats, momentum, eps)
    for running, repeated in ((running_mean, mean), (running_var, var)):
        if running is not None and repeated is not None:
            running._data[...] = repeated._data.reshape(batch, count).mean(axis=0)
            running._counter[0] += 1
    return view_as(out, input._data.shape)


@wants("rms_norm", "input", "normalized_shape=any", "weight?")
def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    """Divide by the root of the mean square over the last dimensions (torch.nn.functional.rms_norm)."""
    size, shape = tuple(normalized_shape), input._data.shape
    check_normalized(size, (("weight", weight),))
    if shape[-len(size) :] != size:
        wanted = ", ".join(map(str, size))
        raise RuntimeError(
            f"Given normalized_shape={list(size)}, expected input with shape [*{wanted}], but got input of "
            f"size{list(shape)}"
        )
    least = float(np.finfo(input._data.dtype).eps) if eps is None else eps
    dims = list(trailing(len(shape), len(size)))
    out = input * plus_number((input**2).mean(dims, True), least).rsqrt()
    return out if weight is None else out * weight


def all_but(dim: int, count: int) -> tuple[int, ...]:
    """Return all dimensions but one; all for -1."""
    return tuple(place for place in range(count) if place != dim)


@op("WeightNormInterfaceBackward0", samples=(((2, 3), (2, 1), 0), ((2, 3), (1, 3), 1)))
def weight_normed(v: Array, g: Array, dim: int) -> Any:
    """v with the lengths g along a dimension"""
    return v * (g / np.sqrt(np.add.reduce(v * v, axis=all_but(dim, v.ndim), keepdims=True)))


def length(v: Any, dim: int) -> Any:
    return sum_dims(v * v, all_but(dim, len(v.shape)), True) ** 0.5


def along(grad: Any, v: Any, dim: int) -> Any:
    """Return how far a gradient points along the directions of v."""
    return sum_dims(grad * v, all_but(dim, len(v.shape)), True)


weight_normed.grad(
    v=lambda grad, v, g, dim: (g / length(v, dim)) * (grad - v * (along(grad, v, dim) / length(v, dim) ** 2)),
    g=lambda grad, v, dim: along(grad, v, dim) / length(v, dim),
)


functions(
    "torch.nn.functional",
    **own_names(layer_norm=functional_layer_norm),
    batch_norm=batch_norm,
    group_norm=group_norm,
    instance_norm=instance_norm,
    rms_norm=rms_norm,
)
