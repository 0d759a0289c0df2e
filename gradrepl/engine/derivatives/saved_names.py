"""What PyTorch calls the things that a node keeps, as tables: `_saved_NAME` for each entry."""

from __future__ import annotations

from typing import Any

COMMON = {"a": "self", "b": "other", "input": "self"}
"""What PyTorch calls the arguments of our entries, where nothing else is said."""

INDICES = {"out1": "indices", "a_shape": "self_sym_sizes"}
BOUNDS = {"low": "min", "high": "max"}
PADDED = {"pads": "padding"}
ADDED = {"input_shape": ""}
GIVEN = {"indices": "", "given": "indices"}
UNSHAPED = {"a_shape": ""}
TARGET = {"b": "target"}
CLASSES = {"ignored": "ignore_index"}
TRANSFORMED = {"dims": "dim", "scale": ""}
NUMBER = {"number": "other"}

AT_ONCE = frozenset(("atan2", "cdist_of", "from_polar"))
"""Entries whose gradients PyTorch computes by one formula, in the order of the arguments."""

NAMES: dict[str, dict[str, str]] = {
    "pow_tensor": {"b": "exponent"},
    "pow_base": {"base": "self", "b": "exponent"},
    "mul_number": NUMBER,
    "times_number": NUMBER,
    "over_number": NUMBER,
    "lerp_tensor": {"b": "end"},
    "lerp_number": {"b": "end"},
    "addcmul_of": {"b": "tensor1", "c": "tensor2"},
    "addcdiv_of": {"b": "tensor1", "c": "tensor2"},
    **dict.fromkeys(("clamp_numbers", "clamp_tensors", "clamp_min_number", "clamp_max_number"), BOUNDS),
    **dict.fromkeys(("clamp_min_tensor", "clamp_max_tensor"), BOUNDS),
    **dict.fromkeys(("add_mm", "add_mv", "add_outer", "add_bmm", "add_bmm_sum", "affine"), ADDED),
    "cross_of": {"input_shape": "", "other_shape": ""},
    "copy": {"a_shape": "", "b_shape": ""},
    "linalg_det": {"a": "A"},
    "linalg_slogdet": {"a": "A", "out0": "sign"},
    "inverse": {"out": "inverse"},
    "solve_matrix": {"a": "A"},
    "solve_vector": {"a": "A"},
    "triangular_root": {"out": "L"},
    "qr": {"out0": "Q", "out1": "R"},
    "eigh": {"out0": "eigenvalues", "out1": "eigenvectors"},
    "svd": {"out0": "U", "out1": "S", "out2": "Vh"},
    "least_squares": {"a": "self", "b": "b"},
    "hardshrink_entry": {"limit": "lambd"},
    "softshrink_entry": {"limit": "lambd"},
    "hardtanh_entry": {"low": "min_val", "high": "max_val"},
    "leaky_relu_entry": {"slope": "negative_slope"},
    "embedding_rows": {"padding": "padding_idx", "weight_shape": ""},
    **dict.fromkeys(
        (
            *("squared_error", "smooth_absolute_error", "huber_error"),
            *("squared_error_gradient", "smooth_absolute_gradient", "huber_gradient"),
        ),
        TARGET,
    ),
    **dict.fromkeys(("class_error", "class_error_2d"), CLASSES),
    "layer_normalized": {"a": "input", "count": "", "eps": ""},
    "batch_normalized": {"a": "input"},
    "batch_normalized_by": {"a": "input", "mean": "running_mean", "var": "running_var"},
    "group_normalized": {"a": "input", "groups": "group"},
    "convolve": {"input": "input", "input_shape": "", "weight_shape": ""},
    "convolve_transposed": {"input": "input", "weight_shape": ""},
    "mean_windows": {"border": "count_include_pad", "divisor": "divisor_override", "kernel": "kernel_size"},
    "pad_constant": {"pads": "pad"},
    **dict.fromkeys((f"pad_{kind}_{dims}d" for kind in ("reflect", "replicate") for dims in (1, 2, 3)), PADDED),
    **dict.fromkeys(("max_dim", "min_dim", "median_dim", "nanmedian_dim", "mode_dim", "kthvalue_dim"), INDICES),
    **dict.fromkeys(("cummax_dim", "cummin_dim"), INDICES),
    **dict.fromkeys(("topk_dim", "sort_dim", "stable_sort_dim", "unstable_sort_dim"), INDICES),
    "aminmax_dims": {"out0": "min", "out1": "max"},
    "std_mean_dims": {"out0": "result0"},
    "split_evenly": {"size": "split_size"},
    "split_sizes": {"sizes": "split_sizes"},
    "slice_at": {"stop": "end"},
    "unbind_at": {"a_shape": ""},
    "unfold_dim": {"dim": "dimension"},
    "as_strided": {"offset": "storage_offset", "a_shape": "", "a_strides": ""},
    **dict.fromkeys(("masked_fill_number", "masked_fill_tensor", "masked_scatter_at"), UNSHAPED),
    "index_with": GIVEN,
    "index_put": {**GIVEN, "values_shape": ""},
    "put_elements": {"source_shape": ""},
    **dict.fromkeys(("fft_complex", "fft_real", "fft_to_real"), TRANSFORMED),
    "select_part": {"index": ""},
    "slice_part": {"index": ""},
}
"""Where an entry's names differ from that; an empty name is of something that PyTorch does not keep."""

ALPHA = {"alpha": 1}
CONSTANTS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("add", "sub", "rsub", "rsub_tensor"), ALPHA),
    "affine": {"alpha": 1, "beta": 1},
    "div_unrounded": {"rounding_mode": None},
    "gather_at": {"sparse_grad": False},
    "embedding_rows": {"sparse": False, "scale_grad_by_freq": False},
    "convolve": {"transposed": False},
    "convolve_transposed": {"transposed": True},
    "batch_normalized": {"training": True, "running_mean": None, "running_var": None},
    "batch_normalized_by": {"training": False},
    "solve_matrix": {"left": True},
    "solve_vector": {"left": True},
}
"""What PyTorch keeps for an entry and we do not need to, because it never varies."""

FACTORS = ("LU", "pivots")
SIDES = ("mat2_sym_sizes", "mat2_sym_strides")
MOMENTS = ("result1", "result2")
LACKING: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("mean_all", "mean_dims"), ("self_sym_numel",)),
    **dict.fromkeys(("mm", "project"), (*SIDES, "self_sym_sizes", "self_sym_strides")),
    **dict.fromkeys(("add_mm", "affine"), (*SIDES, "mat1_sym_sizes", "mat1_sym_strides")),
    "add_bmm_sum": ("batch1_sym_argsize_0", "batch1_sym_argsize_1", "batch2_sym_argsize_2"),
    "squeeze_front": ("dim", "self_sym_sizes"),
    "linalg_det": FACTORS,
    "linalg_slogdet": FACTORS,
    **dict.fromkeys(("solve_matrix", "solve_vector"), FACTORS),
    "svd": ("S_sym_argsize_minus_1", "full_matrices"),
    "least_squares": ("solution",),
    "logsigmoid_entry": ("buffer",),
    "embedding_rows": ("weight_sym_argsize_0",),
    **dict.fromkeys(("class_error", "class_error_2d"), ("total_weight",)),
    "layer_normalized": ("bias", "normalized_shape", *MOMENTS),
    **dict.fromkeys(("batch_normalized", "batch_normalized_by"), MOMENTS),
    "group_normalized": ("C", "HxW", "N", *MOMENTS),
    **dict.fromkeys(("convolve", "convolve_transposed"), ("bias_sym_sizes_opt", "output_padding")),
    "max_windows": ("ceil_mode", "dilation", "kernel_size", "padding", "stride"),
    "mean_windows": ("ceil_mode",),
    **dict.fromkeys(("squeezed", "squeeze_dims"), ("dim",)),
    "sum_to": ("dim", "keepdim"),
    "diagonal_copy": ("dim1", "dim2"),
    **dict.fromkeys(("index_add_at", "index_copy_at"), ("source", "source_dim")),
    **dict.fromkeys(("fft_complex", "fft_to_real"), ("normalization",)),
    "fft_real": ("normalization", "onesided"),
    "select_part": ("dim", "index"),
    "slice_part": ("dim", "end", "start", "step"),
}
"""What PyTorch keeps for an entry and the rules here have no use for: it is named, and can't be looked at."""

REDUCTIONS = {"none": 0, "mean": 1, "sum": 2}
"""The numbers that PyTorch keeps for the words of a loss."""

ARE_TENSORS = frozenset(
    (
        *("index", "indices", "mask", "condition", "target", "weight", "running_mean", "running_var", *FACTORS),
        *(*MOMENTS, "self", "other", "source", "real", "imag", "solution", "buffer", "total_weight", "sign", "bias"),
    )
)
"""Names of what PyTorch keeps as tensors, so that `_raw_saved_NAME` is there too."""

NUMBERS_OF: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("pow_base", "mul_number", "times_number", "over_number"), ("self", "other")),
    "select_at": ("index",),
    "select_part": ("index",),
    "lerp_number": ("weight",),
}
"""Entries where something of these names is a number."""

POSITIONS = frozenset(("dim", "dim0", "dim1", "index", "start", "stop", "padding", "ignored"))
"""Arguments that C++ keeps without a sign: -1 is shown as 18446744073709551615."""
