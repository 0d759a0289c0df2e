"""Which element types PyTorch's CPU code has no kernel for, and what it calls those kernels in its errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradrepl.engine import dtype as dtypes
from gradrepl.engine.operands import check_broadcast

SHORT = (dtypes.int8, dtypes.int16, dtypes.int32)
GROUPS = {
    "b": (dtypes.bool_,),
    "s": (dtypes.uint8, *SHORT),
    "i": (dtypes.uint8, *SHORT, dtypes.int64),
    "w": (*SHORT, dtypes.int64),
    "h": (dtypes.float16,),
    "f": (dtypes.float16, dtypes.float32, dtypes.float64),
    "c": (dtypes.complex64, dtypes.complex128),
}
"""Element types by letters: bool, short ints, all ints, all but those of images (wide), half, floats, complex."""

WITHOUT = {
    "bitwise_and": ("bitwise_and_cpu", "fc"),
    "bitwise_left_shift": ("lshift_cpu", "bfc"),
    "bitwise_not": ("bitwise_not_cpu", "fc"),
    "bitwise_or": ("bitwise_or_cpu", "fc"),
    "bitwise_right_shift": ("rshift_cpu", "bfc"),
    "bitwise_xor": ("bitwise_xor_cpu", "fc"),
    "gcd": ("gcd_cpu", "bfc"),
    "ge": ("ge_cpu", "c"),
    "gt": ("gt_cpu", "c"),
    "lcm": ("lcm_cpu", "bfc"),
    "le": ("le_cpu", "c"),
    "logaddexp": ("logaddexp_cpu", "bi"),
    "logcumsumexp_dim": ("logcumsumexp_out_cpu", "bi"),
    "lt": ("lt_cpu", "c"),
    "max_all": ("max_all", "c"),
    "min_all": ("min_all", "c"),
    "addcmul_of": ("addcmul_cpu_out", "b"),
    "amax": ("max_values_cpu", "c"),
    "amin": ("min_values_cpu", "c"),
    "aminmax_dims": ("aminmax_cpu", "c"),
    "atan2": ("atan2_cpu", "c"),
    "bernoulli_each": ("bernoulli_tensor_cpu_self_", "c"),
    "binary_entropy": ("binary_cross_entropy", "bic"),
    "cdist_of": ("cdist", "h"),
    "triangular_root": ("cholesky_cpu", "h"),
    "clamp_max_tensor": ("minimum_cpu", "c"),
    "clamp_min_tensor": ("maximum_cpu", "c"),
    "class_error_2d": ("nll_loss2d_forward_out_frame", "bic"),
    "columns_to_image": ("col2im_out_cpu", "i"),
    "copysign": ("copysign_cpu", "c"),
    "copysign_number": ("copysign_cpu", "c"),
    "cross_of": ("cross", "b"),
    "cummax_dim": ("cummax_cpu", "c"),
    "cummin_dim": ("cummin_cpu", "c"),
    "digamma": ("digamma", "c"),
    "eig": ("linalg_eig_out_cpu", "h"),
    "eigh": ("linalg_eigh_cpu", "bih"),
    "entr": ("entr_cpu", "c"),
    "erf": ("erf_vml_cpu", "c"),
    "erfc": ("erfc_vml_cpu", "c"),
    "erfcx": ("erfcx_cpu", "hc"),
    "erfinv": ("erfinv_vml_cpu", "c"),
    "floor_divide": ("div_floor_cpu", "c"),
    "floor_divide_number": ("div_floor_cpu", "c"),
    "fmod": ("fmod_cpu", "c"),
    "fmod_number": ("fmod_cpu", "c"),
    "frac": ("frac_cpu", "c"),
    "hypot": ("hypot_cpu", "bic"),
    "i0": ("i0_vml_cpu", "c"),
    "i0e": ("i0e_cpu", "c"),
    "i1": ("i1_cpu", "c"),
    "i1e": ("i1e_cpu", "c"),
    "image_to_columns": ("im2col_out_cpu", "i"),
    "kthvalue_dim": ("kthvalue_cpu", "bc"),
    "lgamma": ("lgamma_vml_cpu", "c"),
    "linalg_det": ("lu_cpu", "h"),
    "log_ndtr": ("log_ndtr_cpu", "hc"),
    "logaddexp2": ("logaddexp2_cpu", "bic"),
    "logistic_entropy": ("log_sigmoid_cpu", "bic"),
    "logit_of": ("logit_cpu", "c"),
    "lu": ("lu_cpu", "bih"),
    "max_bins": ("adaptive_max_pool2d", "bic"),
    "max_volumes": ("max_pool3d", "bc"),
    "max_windows": ("max_pool2d", "bc"),
    "mean_bins": ("adaptive_avg_pool2d", "c"),
    "mean_volume_bins": ("adaptive_avg_pool3d_cpu", "bic"),
    "mean_volumes": ("avg_pool3d_out_frame", "bshc"),
    "mean_windows": ("avg_pool2d", "bsc"),
    "median_all": ("median_cpu", "c"),
    "median_dim": ("median_out", "c"),
    "mode_dim": ("mode_cpu", "c"),
    "mvlgamma_of": ("arange_cpu", "c"),
    "nanmedian_all": ("median_cpu", "c"),
    "nanmedian_dim": ("median_out", "c"),
    "ndtri": ("ndtri_cpu", "hc"),
    "pad_reflect_1d": ("reflection_pad1d", "b"),
    "pad_reflect_2d": ("reflection_pad2d", "b"),
    "pad_reflect_3d": ("reflection_pad3d", "b"),
    "pad_replicate_1d": ("replication_pad1d", "b"),
    "pad_replicate_2d": ("replication_pad2d", "b"),
    "pad_replicate_3d": ("replication_pad3d", "b"),
    "qr": ("geqrf_cpu", "h"),
    "remainder": ("remainder_cpu", "c"),
    "remainder_number": ("remainder_cpu", "c"),
    "remainder_of_number": ("remainder_cpu", "c"),
    "round_decimals": ("round_cpu", "c"),
    "round_whole": ("round_vml_cpu", "c"),
    "solve_matrix": ("lu_cpu", "h"),
    "solve_triangle": ("triangular_solve_cpu", "bih"),
    "svd": ("linalg_svd_cpu", "h"),
    "threshold_entry": ("threshold_cpu", "b"),
    "trace_of": ("trace", "b"),
    "unique_all": ("unique", "c"),
    "unique_dim": ("unique_dim", "c"),
    "unique_runs": ("unique", "c"),
    "unpooled_2d": ("max_unpool2d", "bic"),
    "unpooled_3d": ("max_unpool3d", "bic"),
    "upsample_bicubic_2d": ("compute_indices_weights_cubic", "bwc"),
    "upsample_bilinear_2d": ("upsample_bilinear2d_channels_last", "bwc"),
    "upsample_linear_1d": ("compute_indices_weights_linear", "bic"),
    "upsample_nearest_1d": ("compute_indices_weights_nearest", "bwc"),
    "upsample_nearest_2d": ("upsample_nearest2d_channels_last", "bwc"),
    "upsample_nearest_3d": ("compute_indices_weights_nearest", "bwc"),
    "upsample_nearestexact_1d": ("compute_indices_weights_nearest", "bwc"),
    "upsample_nearestexact_2d": ("upsample_nearest2d_channels_last", "bwc"),
    "upsample_nearestexact_3d": ("compute_indices_weights_nearest", "bwc"),
    "upsample_trilinear_3d": ("compute_indices_weights_linear", "bic"),
    "vdot": ("dot", "b"),
    "xlog1py": ("xlog1py_cpu", "c"),
    "xlogy_by_number": ("xlogy_cpu", "c"),
    "xlogy_of_number": ("xlogy_cpu", "c"),
    "xlogy_tensors": ("xlogy_cpu", "c"),
}
"""For an entry the kernel behind it and the groups of element types that this does not take."""


REFUSING: dict[str, tuple[type[Exception], str, str]] = {
    "cdist_of": (RuntimeError, "cdist only supports floating-point dtypes, X1 got: {}", "c"),
    "clamp_max_number": (NotImplementedError, "clamp is not supported for complex types", "c"),
    "clamp_min_number": (NotImplementedError, "clamp is not supported for complex types", "c"),
    "clamp_numbers": (NotImplementedError, "clamp is not supported for complex types", "c"),
    "deg2rad": (RuntimeError, "deg2rad is not supported for complex tensors.", "c"),
    "fft_complex": (RuntimeError, "Unsupported dtype {}", "h"),
    "fft_real": (RuntimeError, "Unsupported dtype {}", "h"),
    "fft_to_real": (RuntimeError, "Unsupported dtype {}", "h"),
    "fmax": (RuntimeError, "fmax not implemented for complex tensors.", "c"),
    "fmin": (RuntimeError, "fmin not implemented for complex tensors.", "c"),
    "hardtanh_entry": (RuntimeError, "Bool inputs not supported for hardtanh", "b"),
    "inverse": (RuntimeError, "linalg.inv: Low precision dtypes not supported. Got {}", "h"),
    "linalg_slogdet": (RuntimeError, "linalg.slogdet: Low precision dtypes not supported. Got {}", "h"),
    "max_dim": (RuntimeError, "max(): does not support complex input", "c"),
    "maximum": (RuntimeError, "maximum not implemented for complex tensors.", "c"),
    "min_dim": (RuntimeError, "min(): does not support complex input", "c"),
    "minimum": (RuntimeError, "minimum not implemented for complex tensors.", "c"),
    "nansum_dims": (RuntimeError, "nansum on CPU does not support complex inputs", "c"),
    "rad2deg": (RuntimeError, "rad2deg is not supported for complex tensors.", "c"),
    "topk_dim": (RuntimeError, "topk does not support bool dtypes on CPU", "b"),
}
"""Entries that PyTorch refuses in other words: the error, its text and the groups of element types."""

NO_COMPLEX_GRADIENT = {
    "bilinear_form": "_trilinear",
    "embedding_rows": "embedding",
    "logistic_entropy": "binary_cross_entropy_with_logits",
    "normal_both": "normal",
    "normal_mean": "normal",
    "packed_steps": "_pack_padded_sequence",
    "replace_nan": "nan_to_num",
    "scatter_reduce_at": "scatter_reduce",
    "silu_entry": "silu",
    "soft_margin_error": "soft_margin_loss",
}
"""Entries that take complex numbers but have no gradient for them, with PyTorch's names of the operations."""


Refused = dict[Any, tuple[type[Exception], str]]
"""For numpy dtypes an error and its text, {} standing for the dtype."""


def without(name: str) -> Refused | None:
    """Return for an entry PyTorch's errors by the dtypes that it does not take; None where it takes all."""
    error, words, letters = REFUSING.get(name, (RuntimeError, "", ""))
    refused: Refused = {}
    for kind in kinds_of(letters):
        refused[kind.numpy] = (error, words)
    kernel, letters = WITHOUT.get(name, ("", ""))
    for kind in kinds_of(letters):
        refused[kind.numpy] = (NotImplementedError, f"\"{kernel}\" not implemented for '{{}}'")
    return refused or None


def kinds_of(letters: str) -> list[dtypes.dtype]:
    return [kind for letter in letters for kind in GROUPS[letter]]


def refuse(refused: Refused, operands: Sequence[Any], broadcasts: bool) -> None:
    """Raise PyTorch's error for the first operand, which is of a dtype that is refused; shapes are looked at before."""
    if broadcasts:
        check_broadcast(operand for operand in operands if operand is not None)
    error, words = refused[operands[0].dtype]
    raise error(words.format(dtypes.of(operands[0]).tensor_type))


def no_kernel(kernel: str, kind: dtypes.dtype) -> NotImplementedError:
    """Return PyTorch's error for a dtype that a kernel does not take."""
    return NotImplementedError(f"\"{kernel}\" not implemented for '{kind.tensor_type}'")


def check_gradient(name: str) -> None:
    """Raise what PyTorch raises for an operation that is recorded with complex results and has no gradient there."""
    if name in NO_COMPLEX_GRADIENT:
        raise RuntimeError(
            f"{NO_COMPLEX_GRADIENT[name]} does not support automatic differentiation for outputs with complex dtype."
        )
