"""What layers are made of: linear maps, embeddings, distances."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import SPACES, functions, public
from gradrepl.engine.dtype import CATEGORY, FLOAT, INT64, OF_NUMPY, Array, Fixed, promote
from gradrepl.engine.grad_mode import no_grad
from gradrepl.engine.op import analytic, op
from gradrepl.engine.operands import check_broadcast
from gradrepl.engine.ops.linear import matmul, mm
from gradrepl.engine.ops.linear_sums import add_mm
from gradrepl.engine.ops.number import plus_number
from gradrepl.engine.ops.shape import cast, summed_to, without
from gradrepl.engine.ops.view import t, view_at
from gradrepl.engine.tensor import make
from gradrepl.engine.wanted import wants

SPACE = "torch.nn.functional"


@op("AddmmBackward0", samples=(((4,), (2, 3), (3, 4)),))
def affine(input: Array, mat1: Array, mat2: Array) -> Any:
    """mat1 @ mat2 + input, for a mat2 that is a matrix turned over"""
    if mat1.dtype is not mat2.dtype:
        found, other = (dtypes.of(array).tensor_type for array in (mat1, mat2))
        raise RuntimeError(f"mat1 and mat2 must have the same dtype, but got {found} and {other}")
    return add_mm.forward(input, mat1, mat2, 1, 1)


# the gradient of a matrix that lies turned over in memory is computed turned over: so it needs no copying
affine.grad(
    input=lambda g, input_shape: summed_to(g, input_shape),
    mat1=lambda g, mat2: mm(g, t(mat2)),
    mat2=lambda g, mat1: t(mm(t(g), mat1)),
)


@op("MmBackward0", samples=(((2, 3), (3, 4)),))
def project(input: Array, mat2: Array) -> Any:
    """input @ mat2, for a mat2 that is a matrix turned over"""
    return mm.forward(input, mat2)


project.grad(input=lambda g, mat2: mm(g, t(mat2)), mat2=lambda g, input: t(mm(t(g), input)))
analytic(affine, project)


@public("Tensor input, Tensor weight, Tensor? bias=None", space=SPACE, method=False)
def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """input @ weight.T + bias (torch.nn.functional.linear)."""
    shape = input._data.shape
    if not shape or not weight._data.ndim:
        raise RuntimeError(
            f"both arguments to linear need to be at least 1D, but they are {len(shape)}D and {weight._data.ndim}D"
        )
    if weight._data.ndim == 1:
        out = matmul(input, weight)
        return out if bias is None else out + bias
    turned = t.call(weight)
    if len(shape) == 2:
        return project(input, turned) if bias is None else affine(bias, input, turned)
    if bias is None:
        return matmul(input, turned)
    if not input._data.flags.c_contiguous:
        return matmul(input, turned) + bias
    rows = math.prod(shape[:-1])
    out = affine(bias, view_at(input, (rows, shape[-1])), turned)
    return view_at(out, (*shape[:-1], out._data.shape[1]))


def check_indices(indices: Array, rows: int) -> None:
    """Raise what PyTorch raises for indices that are no row of an embedding."""
    if indices.dtype.kind not in "iu" or indices.itemsize < 4:
        found = dtypes.of(indices)
        name = "CPUBoolType" if found is dtypes.bool_ else f"torch.{found.tensor_type}Tensor"
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"{name} instead (while checking arguments for embedding)"
        )
    if indices.size and (indices.min() < 0 or indices.max() >= rows):
        raise IndexError("index out of range in self")


@op("EmbeddingBackward0", samples=(((4, 3), np.array([1, 2, 1]), -1),))
def embedding_rows(weight: Array, indices: Fixed, padding: int) -> Any:
    """The rows of weight at the indices"""
    check_indices(indices, len(weight))
    return weight[indices]


@op("EmbeddingDenseBackwardBackward0")
def embedding_gradient(g: Array, shape: tuple[int, ...], indices: Any, padding: int) -> Any:
    """Zeros of a shape, with the rows of g added at the indices; the padding row stays zero"""
    whole = np.zeros(shape, g.dtype)
    np.add.at(whole, indices, g)
    if padding >= 0:
        whole[padding] = 0
    return whole


embedding_rows.grad(
    weight=lambda g, weight_shape, indices, padding: embedding_gradient(g, weight_shape, indices, padding)
)


def without_padding(rows: Any, indices: Any, padding: int) -> Any:
    """Return rows with zeros where the padding was looked up."""
    return rows if padding < 0 else without((indices == padding)[..., None], rows)


embedding_gradient.grad(
    g=lambda gg, indices, padding: without_padding(embedding_rows(gg, indices, padding), indices, padding)
)


def shorten_rows(weight: Any, indices: Array, max_norm: float, norm_type: float) -> None:
    """Shorten the rows of a table that are looked up and longer than max_norm, in place."""
    for row in np.unique(indices):
        length = np.linalg.norm(weight._data[row], norm_type)
        if length > max_norm:
            weight._data[row] *= max_norm / (length + 1e-7)
    if weight._counter is not None:
        weight._counter[0] += 1


@wants("embedding", "weight", "indices:input")
def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """Look up rows (torch.nn.functional.embedding)."""
    if scale_grad_by_freq or sparse:
        raise NotImplementedError(
            "gradrepl's builtin engine has no scale_grad_by_freq or sparse for embeddings. "
            "Start gradrepl with --engine torch to use them."
        )
    if padding_idx is not None:
        rows = weight.size(0)
        assert -rows <= padding_idx < rows, "Padding_idx must be within num_embeddings"
    if weight._data.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    rows = weight._data.shape[0]
    if max_norm is not None:
        check_indices(input._data, rows)
        shorten_rows(weight, input._data, float(max_norm), norm_type)
    padding = -1 if padding_idx is None else padding_idx % rows
    return embedding_rows(weight, input, padding)


@public("Tensor input, int num_classes=-1", space=SPACE, method=False)
def one_hot(input: Any, num_classes: int = -1) -> Any:
    """Write classes as rows with a single 1 (torch.nn.functional.one_hot)."""
    classes = input._data
    if classes.dtype != INT64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if classes.size == 0 and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    if classes.size and classes.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    if num_classes == -1:
        num_classes = int(classes.max()) + 1
    elif num_classes < 1:
        raise RuntimeError("num_classes should be positive")
    elif classes.size and classes.max() >= num_classes:
        raise RuntimeError("Class values must be smaller than num_classes.")
    return make((classes[..., None] == np.arange(num_classes)).astype(INT64))


def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Any = None) -> Any:
    """Divide by the norm along a dimension (torch.nn.functional.normalize)."""
    return input / input.norm(p, dim, keepdim=True).clamp_min(eps).expand_as(input)


@public("Tensor x1, Tensor x2, int dim=1, float eps=1e-08", method=False)
def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """Return the cosine of the angle between vectors along a dimension (torch.cosine_similarity)."""
    kind = promote(x1._data, x2._data)
    if CATEGORY[kind] != FLOAT:
        found = OF_NUMPY[kind].tensor_type
        raise RuntimeError(f"expected common dtype to be floating point, yet common dtype is {found}")
    x1, x2 = (x if x._data.dtype == kind or CATEGORY[x._data.dtype] == FLOAT else cast(x, kind) for x in (x1, x2))
    if x1._data.shape != x2._data.shape:
        check_broadcast((x1._data, x2._data))
        shape = np.broadcast_shapes(x1._data.shape, x2._data.shape)
        x1, x2 = (x if x._data.shape == shape else x.expand(shape) for x in (x1, x2))
    norms = [x.norm(2, dim, keepdim=True).clone() for x in (x1, x2)]
    with no_grad():
        for norm in norms:
            norm.clamp_min_(eps)
    return ((x1 / norms[0]) * (x2 / norms[1])).sum(dim)


@op("NormBackward1", samples=(((2, 3), 2.0, 1, False),))
def norm_along(a: Array, p: float, dim: int, keepdim: bool) -> Any:
    """The p-norm along a dimension"""
    return np.linalg.norm(a, p, dim, keepdim)


def norm_rule(g: Any, a: Any, out: Any, p: float, dim: int, keepdim: bool) -> Any:
    if not keepdim:
        g, out = (np.expand_dims(x, dim) if isinstance(x, np.ndarray) else x.unsqueeze(dim) for x in (g, out))
    if p == 2.0:
        return a * (g / out)
    if p == 1.0:
        return g * (a > 0) - g * (a < 0)
    size = abs(a)
    return g * (a * size ** (p - 2) / out ** (p - 1))


norm_along.grad(a=norm_rule)


@public("Tensor x1, Tensor x2, float p=2, float eps=1e-06, bool keepdim=False", method=False)
def pairwise_distance(x1: Any, x2: Any, p: float = 2, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """Return the p-norm of the differences of rows (torch.pairwise_distance)."""
    difference = plus_number(x1 - x2, eps)
    return norm_along(difference, float(p), difference._data.ndim - 1, keepdim)


@op("TrilinearBackward0", samples=(((2, 3), (2, 3, 4), (2, 4)),))
def bilinear_form(a: Array, weight: Array, b: Array) -> Any:
    """The sums of a · weight · b, for every output"""
    return np.einsum("ni,oij,nj->no", a, weight, b)


@op("TrilinearBackwardBackward0", samples=(((2, 2), (2, 3, 4), (2, 4)),))
def bilinear_left(g: Array, weight: Array, b: Array) -> Any:
    """The sums of g · weight · b, for every first input"""
    return np.einsum("no,oij,nj->ni", g, weight, b)


@op("TrilinearBackwardBackward0", samples=(((2, 2), (2, 3, 4), (2, 3)),))
def bilinear_right(g: Array, weight: Array, a: Array) -> Any:
    """The sums of g · weight · a, for every second input"""
    return np.einsum("no,oij,ni->nj", g, weight, a)


@op("TrilinearBackwardBackward0", samples=(((2, 2), (2, 3), (2, 4)),))
def bilinear_weight(g: Array, a: Array, b: Array) -> Any:
    """The sums of g · a · b over the batch"""
    return np.einsum("no,ni,nj->oij", g, a, b)


bilinear_form.grad(
    a=lambda g, weight, b: bilinear_left(g, weight, b),
    weight=lambda g, a, b: bilinear_weight(g, a, b),
    b=lambda g, weight, a: bilinear_right(g, weight, a),
)
bilinear_left.grad(
    g=lambda gg, weight, b: bilinear_form(gg, weight, b),
    weight=lambda gg, g, b: bilinear_weight(g, gg, b),
    b=lambda gg, g, weight: bilinear_right(g, weight, gg),
)
bilinear_right.grad(
    g=lambda gg, weight, a: bilinear_form(a, weight, gg),
    weight=lambda gg, g, a: bilinear_weight(g, a, gg),
    a=lambda gg, g, weight: bilinear_left(g, weight, gg),
)
bilinear_weight.grad(
    g=lambda gg, a, b: bilinear_form(a, gg, b),
    a=lambda gg, g, b: bilinear_left(g, gg, b),
    b=lambda gg, g, a: bilinear_right(g, gg, a),
)


def check_bilinear(first: tuple[int, ...], second: tuple[int, ...], weight: tuple[int, ...]) -> None:
    """Raise what PyTorch raises for the shapes of two inputs and a weight that do not go together."""
    if len(first) != len(second):
        raise RuntimeError(f"bilinear(): input dimensions do not match: got {len(first)} and {len(second)}")
    for dim, (a, b) in enumerate(zip(first[:-1], second[:-1], strict=True)):
        if a != b:
            raise RuntimeError(f"bilinear(): input batch dimensions do not match at dim {dim}: got {a} and {b}")
    for number, shape in enumerate((first, second), 1):
        if shape[-1] != weight[number]:
            raise RuntimeError(
                f"bilinear(): input{number} size does not match weight size: got {shape[-1]} but expected "
                f"{weight[number]}"
            )


@public("Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None", space=SPACE, method=False)
def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """input1 @ weight @ input2 + bias, for every output (torch.nn.functional.bilinear)."""
    check_bilinear(input1._data.shape, input2._data.shape, weight._data.shape)
    shape = input1._data.shape
    a, b = (x.reshape(-1, x._data.shape[-1]) for x in (input1, input2))
    out = bilinear_form(a, weight, b).reshape(*shape[:-1], weight._data.shape[0])
    return out if bias is None else out + bias


for _function in (embedding, normalize):
    functions(SPACE, **{_function.__name__: _function})
functions(SPACE, **{name: SPACES["torch"][name] for name in ("cosine_similarity", "pairwise_distance")})
