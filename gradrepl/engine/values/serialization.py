"""Tensors and modules in files: torch.save and torch.load, in PyTorch's own zip format."""

from __future__ import annotations

import io
import os
import pickle
import warnings
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any, cast

import numpy as np

from gradrepl.engine import device
from gradrepl.engine import dtype as dtypes
from gradrepl.engine.api import SPACES, functions
from gradrepl.engine.nn.parameter import Parameter
from gradrepl.engine.ops.view import as_strided, owner
from gradrepl.engine.precision import bfloat16
from gradrepl.engine.tensor import Size, Tensor, make
from gradrepl.engine.values.storage import address, steps

NOT_SEEKABLE = (
    ". You can only torch.load from a file that is seekable. Please pre-load the data into a buffer like io.BytesIO "
    "and try to load from it instead."
)
NOT_ALLOWED = (
    "Weights only load failed. This file can still be loaded, to do so you have two options, "
    "\x1b[1mdo those steps only if you trust the source of the checkpoint\x1b[0m. \n\t(1) In PyTorch 2.6, we changed "
    "the default value of the `weights_only` argument in `torch.load` from `False` to `True`. Re-running `torch.load` "
    "with `weights_only` set to `False` will likely succeed, but it can result in arbitrary code execution. Do it only "
    "if you got the file from a trusted source.\n\t(2) Alternatively, to load with `weights_only=True` please check "
    "the recommended steps in the following error message.\n\tWeightsUnpickler error: Unsupported global: GLOBAL {0} "
    "was not an allowed global by default. Please use `torch.serialization.add_safe_globals([{0}])` or the "
    "`torch.serialization.safe_globals([{0}])` context manager to allowlist this global if you trust this "
    "class/function.\n\nCheck the documentation of torch.load to learn more about types accepted by default with "
    "weights_only https://pytorch.org/docs/stable/generated/torch.load.html."
)
NO_DEVICE = (
    "Attempting to deserialize object on a {0} device but torch.{1}.is_available() is False. If you are running on a "
    "CPU-only machine, please use torch.load with map_location=torch.device('cpu') to map your storages to the CPU."
)
NO_LOCATION = "don't know how to restore data location of torch.storage.UntypedStorage (tagged with {})"
KINDS = {f"{kind.tensor_type}Storage": kind for kind in (*dtypes.ALL, dtypes.bfloat16)}


class Name:
    """Something that the file names by its module, whether that can be imported here or not."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self) -> None:
        """Be callable, as pickle wants it of what rebuilds an object."""


class Stored:
    """A storage on its way into the file."""

    def __init__(self, array: Any, kind: dtypes.dtype) -> None:
        self.array, self.kind = owner(array), kind


class Pickler(pickle._Pickler):
    """Writes tensors as PyTorch does: their storages go into files of their own, each only once."""

    def __init__(self, file: Any) -> None:
        super().__init__(file, protocol=2)
        self.storages: dict[int, tuple[str, Stored]] = {}

    def persistent_id(self, obj: Any) -> Any:
        """Return what stands for a storage in the pickle, None for all else."""
        if not isinstance(obj, Stored):
            return None
        key, _ = self.storages.setdefault(address(obj.array), (str(len(self.storages)), obj))
        return ("storage", Name("torch", f"{obj.kind.tensor_type}Storage"), key, "cpu", obj.array.size)

    def reducer_override(self, obj: Any) -> Any:
        """Return how a tensor, a dtype or a class of torch is written; NotImplemented for all else."""
        no_hooks: OrderedDict[int, Any] = OrderedDict()
        if isinstance(obj, Parameter):
            return Name("torch._utils", "_rebuild_parameter"), (make(obj._data), obj._requires_grad, no_hooks)
        if isinstance(obj, Tensor):
            kind = dtypes.of(obj._data)
            offset = (address(obj._data) - address(owner(obj._data))) // obj._data.itemsize
            shape, strides = tuple(obj._data.shape), steps(obj._data)
            args = (Stored(obj._data, kind), offset, shape, strides, obj._requires_grad, no_hooks)
            return Name("torch._utils", "_rebuild_tensor_v2"), args
        if isinstance(obj, Size):
            return Name("torch", "Size"), (tuple(obj),)
        return NotImplemented

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        """Write one object: a name as it is, everything else as pickle does."""
        if isinstance(obj, dtypes.dtype):
            obj = Name("torch", obj.name)
        elif isinstance(obj, type) and obj.__module__.split(".")[0] == "torch":
            obj = Name(obj.__module__, obj.__qualname__)
        if isinstance(obj, Name):
            cast(Any, self).write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        else:
            super().save(obj, save_persistent_id)  # type: ignore[misc]


def save(
    obj: Any,
    f: Any,
    pickle_module: Any = None,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Write an object with tensors in it to a path or file (torch.save).

    Raises AttributeError for what is neither a path nor a file to write to.
    """
    if not isinstance(f, (str, os.PathLike)) and not hasattr(f, "write"):
        raise AttributeError("expected 'f' to be string, path, or a file-like object with a 'write' attribute")
    data = io.BytesIO()
    pickler = Pickler(data)
    pickler.dump(obj)
    with zipfile.ZipFile(f, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", data.getvalue())
        archive.writestr("archive/byteorder", "little")
        for key, stored in pickler.storages.values():
            archive.writestr(f"archive/data/{key}", as_bytes(stored))
        archive.writestr("archive/version", "3\n")


def as_bytes(stored: Stored) -> bytes:
    """Return a storage's elements in little-endian order."""
    array = stored.array
    if stored.kind is dtypes.bfloat16:
        return (bfloat16.stripped(array).view(np.uint32) >> np.uint32(16)).astype("<u2").tobytes()
    return bytes(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes(order="A"))


def from_bytes(data: bytes, kind: dtypes.dtype) -> Any:
    """Return a storage's elements as an array of one dimension."""
    if kind is dtypes.bfloat16:
        wide = np.frombuffer(data, "<u2").astype(np.uint32) << np.uint32(16)
        return bfloat16.rounded(wide.view(np.float32))
    return np.frombuffer(data, kind.numpy.newbyteorder("<")).astype(kind.numpy)


def rebuild_tensor(storage: Any, offset: int, size: Any, stride: Any, requires_grad: bool, *rest: Any) -> Tensor:
    """Return a tensor that looks into a storage."""
    array = as_strided.forward(storage, tuple(size), tuple(stride), offset)
    tensor = make(array.view(bfloat16.BRAIN).view(type(storage)) if isinstance(storage, bfloat16.Brain) else array)
    tensor._requires_grad = requires_grad
    return tensor


def rebuild_parameter(data: Tensor, requires_grad: bool, hooks: Any) -> Parameter:
    """Return a parameter around a tensor."""
    return Parameter(data, requires_grad)


def rebuild_parameter_with_state(data: Tensor, requires_grad: bool, hooks: Any, state: Any) -> Parameter:
    """Return a parameter with attributes of its own."""
    parameter = Parameter(data, requires_grad)
    parameter.__dict__.update(state)
    return parameter


SAFE: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "Counter"): Counter,
    ("torch._utils", "_rebuild_tensor_v2"): rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): rebuild_parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): rebuild_parameter_with_state,
    ("torch", "Size"): Size,
    ("torch", "device"): device.device,
    ("torch", "Tensor"): Tensor,
    ("torch.nn.parameter", "Parameter"): Parameter,
    ("torch.serialization", "_get_layout"): lambda name: device.strided,
    **{("torch", name): kind for name, kind in KINDS.items()},
    **{("torch", kind.name): kind for kind in KINDS.values()},
    **{("builtins", kind.__name__): kind for kind in (set, frozenset, complex, bytearray, slice)},
}
"""What a file may name when only weights are loaded."""


class Unpickler(pickle.Unpickler):
    """Reads what Pickler, or PyTorch, wrote; what else a file may name depends on `weights_only`.

    place: from the device that a storage was on to that on which it is wanted; options: pickle's.
    """

    def __init__(self, archive: zipfile.ZipFile, weights_only: bool, place: Any, options: dict[str, Any]) -> None:
        self.root = archive.namelist()[0].split("/")[0]
        super().__init__(io.BytesIO(archive.read(f"{self.root}/data.pkl")), **{"encoding": "utf-8", **options})
        self.archive, self.weights_only, self.place = archive, weights_only, place
        self.storages: dict[str, Any] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Return what a name in the file stands for; raises UnpicklingError where it may not be loaded."""
        found = SAFE.get((module, name), allowed.get(f"{module}.{name}"))
        if found is not None:
            return found
        if self.weights_only:
            raise pickle.UnpicklingError(NOT_ALLOWED.format(f"{module}.{name}"))
        if module.split(".")[0] == "torch" and name in SPACES.get(module, {}):
            return SPACES[module][name]
        return super().find_class(module, name)

    def persistent_load(self, pid: Any) -> Any:
        """Return the elements of a storage, the same array each time."""
        _, kind, key, location, *_ = pid
        if key not in self.storages:
            check_location(self.place(location))
            self.storages[key] = from_bytes(self.archive.read(f"{self.root}/data/{key}"), kind)
        return self.storages[key]


allowed: dict[str, Any] = {}
"""What programs allowed beside SAFE."""


def add_safe_globals(safe_globals: list[Any]) -> None:
    """Allow classes and functions in files of weights (torch.serialization.add_safe_globals)."""
    allowed.update({f"{thing.__module__}.{thing.__qualname__}": thing for thing in safe_globals})


def places(map_location: Any) -> Any:
    """Return the function from the device that a storage was on to that on which it is wanted."""
    if map_location is None:
        return str
    if isinstance(map_location, dict):
        return lambda location: map_location.get(location, location)
    if isinstance(map_location, (str, device.device)):
        return lambda location: str(map_location)
    if callable(map_location):
        return lambda location: "cpu"
    raise TypeError(f"{type(map_location).__name__!r} object is not callable")


def check_location(location: str) -> None:
    """Raise RuntimeError for a device that is not here."""
    kind = location.partition(":")[0]
    if kind in ("cuda", "xpu"):
        raise RuntimeError(NO_DEVICE.format(kind.upper(), kind))
    if kind not in device.TYPES:
        raise RuntimeError(NO_LOCATION.format(location))
    device.require_cpu(location)


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: Any = None,
    **pickle_load_args: Any,
) -> Any:
    """Read what torch.save wrote from a path or file (torch.load).

    Raises AttributeError for what is neither, UnpicklingError for a file that holds something else, or more than
    weights where only these are wanted, RuntimeError for a device that is not here.
    """
    only = pickle_module is None if weights_only is None else weights_only
    if only and pickle_module is not None:
        raise RuntimeError("Can not safely load weights when explicit pickle_module is specified")
    if only and pickle_load_args:
        warnings.warn("pickle_load_args only works if `weights_only=False`.", UserWarning, stacklevel=2)
        check_options(pickle_load_args)
    if isinstance(f, (str, os.PathLike)):
        with Path(f).open("rb") as file:
            return read(file, only, places(map_location), pickle_load_args)
    if mmap:
        raise ValueError("f must be a file path in order to use the mmap argument")
    return read(f, only, places(map_location), pickle_load_args)


def check_options(options: dict[str, Any]) -> None:
    """Raise TypeError for an option that PyTorch's own reader of weights lacks."""
    for name in options:
        if name != "encoding":
            raise TypeError(f"Unpickler.__init__() got an unexpected keyword argument '{name}'")


def read(f: Any, weights_only: bool, place: Any, options: dict[str, Any]) -> Any:
    """Return what an open file holds; see Unpickler."""
    if not hasattr(f, "seek"):
        raise AttributeError(f"{type(f).__name__!r} object has no attribute 'seek'{NOT_SEEKABLE}")
    if not zipfile.is_zipfile(f):
        f.seek(0)
        if not f.read(1):
            raise EOFError
        raise pickle.UnpicklingError("This is no file of torch.save: it is no zip archive.")
    with zipfile.ZipFile(f) as archive:
        return Unpickler(archive, weights_only, place, options).load()


functions(save=save, load=load)
functions("torch.serialization", save=save, load=load, add_safe_globals=add_safe_globals)
