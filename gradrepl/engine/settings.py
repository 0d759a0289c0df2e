"""Constants of torch and switches that a program may set: threads, determinism, default device and tensor type."""

from __future__ import annotations

import math
import os
import warnings
from typing import Any

from gradrepl.engine import dtype as dtypes
from gradrepl.engine import formats
from gradrepl.engine.api import SPACES, functions
from gradrepl.engine.arguments import type_name
from gradrepl.engine.device import require_cpu
from gradrepl.engine.tensor import Tensor

TENSOR_TYPE_IS_OLD = (
    "torch.set_default_tensor_type() is deprecated as of PyTorch 2.1, please use torch.set_default_dtype() and "
    "torch.set_default_device() as alternatives."
)
PRECISIONS = ("highest", "high", "medium")


class Settings:
    """What a program has set; nothing here changes what operations compute."""

    deterministic = False
    warn_only = False
    precision = "highest"
    threads = os.cpu_count() or 1


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Note that only deterministic algorithms are wanted, which all are here."""
    Settings.deterministic, Settings.warn_only = bool(mode), bool(warn_only)


def set_float32_matmul_precision(precision: str) -> None:
    """Note the precision that is wanted of matrix products; raises RuntimeError for an unknown one."""
    if precision not in PRECISIONS:
        warnings.warn(
            f"{precision} is not one of 'highest', 'high', or 'medium'; the current "
            "setFloat32MatmulPrecision call has no effect.",
            UserWarning,
            stacklevel=2,
        )
        return
    Settings.precision = precision


def set_num_threads(int: int) -> None:
    """Note how many threads are wanted; numpy decides itself. Raises RuntimeError for less than one."""
    if not type_is_int(int):
        raise TypeError(f"set_num_threads expects an int, but got {type_name(int)}")
    if int < 1:
        raise RuntimeError("set_num_threads expects a positive integer")
    Settings.threads = int


def type_is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def set_default_device(device: Any) -> None:
    """Set where new tensors are made; raises what the device itself raises where it is not the CPU."""
    require_cpu(device)


def set_default_tensor_type(t: Any) -> None:
    """Set the default dtype by an old name such as torch.DoubleTensor (torch.set_default_tensor_type)."""
    warnings.warn(TENSOR_TYPE_IS_OLD, UserWarning, stacklevel=2)
    name = t if isinstance(t, str) else f"{t.__module__}.{t.__name__}"
    found = [kind for kind in dtypes.ALL if f"torch.{kind.tensor_type}Tensor" == name]
    if not found:
        raise TypeError(f"invalid type name: {name}")
    dtypes.set_default_dtype(found[0])


def typename(obj: Any, /) -> str:
    """Return the name of an object's type (torch.typename)."""
    if isinstance(obj, Tensor):
        return f"torch.{dtypes.of(obj._data).tensor_type}Tensor"
    named = obj if hasattr(obj, "__qualname__") else type(obj)
    module = getattr(named, "__module__", "") or ""
    return named.__qualname__ if module in ("", "builtins") else f"{module}.{named.__qualname__}"


functions(
    set_default_device=set_default_device,
    set_default_tensor_type=set_default_tensor_type,
    typename=typename,
    use_deterministic_algorithms=use_deterministic_algorithms,
    are_deterministic_algorithms_enabled=lambda: Settings.deterministic,
    is_deterministic_algorithms_warn_only_enabled=lambda: Settings.warn_only,
    set_float32_matmul_precision=set_float32_matmul_precision,
    get_float32_matmul_precision=lambda: Settings.precision,
    set_num_threads=set_num_threads,
    get_num_threads=lambda: Settings.threads,
    set_num_interop_threads=lambda int: None,
    get_num_interop_threads=lambda: Settings.threads,
    set_flush_denormal=lambda mode: True,
)
SPACES["torch"].update(
    pi=math.pi,
    e=math.e,
    inf=math.inf,
    nan=math.nan,
    newaxis=None,
    channels_last=formats.channels_last,
    channels_last_3d=formats.channels_last_3d,
)
functions("torch.accelerator", is_available=lambda: False, current_accelerator=lambda: None, device_count=lambda: 0)
functions("torch.cuda", manual_seed=lambda seed: None, manual_seed_all=lambda seed: None, empty_cache=lambda: None)
SPACES.setdefault("torch.backends.cudnn", {}).update(enabled=True, deterministic=False, benchmark=False)
functions("torch.backends.cudnn", is_available=lambda: False, version=lambda: None)
SPACES.setdefault("torch.version", {}).update(cuda=None, hip=None, git_version="", debug=False)
