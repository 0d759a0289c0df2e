"""Where tensors live: torch.device, of which only the CPU is here, and the layouts and memory formats by name."""

from __future__ import annotations

import re
from typing import Any

from gradrepl.engine.dtype import CNamed, name_with_module

TYPES = [
    "cpu",
    "cuda",
    "ipu",
    "xpu",
    "mkldnn",
    "opengl",
    "opencl",
    "ideep",
    "hip",
    "ve",
    "fpga",
    "maia",
    "xla",
    "lazy",
    "vulkan",
    "mps",
    "meta",
    "hpu",
    "mtia",
    "privateuseone",
]
INDEXED = re.compile(r"(?P<type>[a-z0-9_]+)(:(?P<index>0|[1-9]\d*))?")
NO_ACCELERATOR = "Cannot access accelerator device when none is available."


def parsed(text: str) -> tuple[str, int | None]:
    """Return the type and the index in a device string; raises RuntimeError in PyTorch's words."""
    if not text:
        raise RuntimeError("Device string must not be empty")
    found = INDEXED.fullmatch(text)
    if found is None or re.fullmatch(r"[a-z_]+", found["type"]) is None:
        raise RuntimeError(f"Invalid device string: '{text}'")
    kind = found["type"]
    if kind not in TYPES:
        raise RuntimeError(f"Expected one of {', '.join(TYPES)} device type at start of device string: {kind}")
    return kind, None if found["index"] is None else int(found["index"])


class device(metaclass=CNamed):  # noqa: N801
    """A device by type and index (torch.device)."""

    __slots__ = ("index", "type")

    type: str
    index: int | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = args[0] if args else kwargs.get("type", kwargs.get("device"))
        index = args[1] if len(args) > 1 else kwargs.get("index")
        if isinstance(given, int) and not isinstance(given, bool):
            raise RuntimeError(NO_ACCELERATOR)
        if not isinstance(given, (str, device)) or len(args) > 2:
            raise TypeError(self.misfit(args, kwargs))
        if index is not None and not isinstance(index, int):
            raise TypeError(f"device(): argument 'index' (position 2) must be int, not {index.__class__.__name__}")
        if isinstance(given, device):
            self.type, self.index = given.type, given.index
            return
        self.type, self.index = parsed(given)
        if index is None:
            return
        if self.index is not None:
            raise RuntimeError(f"type (string) must not include an index because index was passed explicitly: {given}")
        if index < 0:
            raise RuntimeError("Device index must not be negative")
        self.index = index

    @staticmethod
    def misfit(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """Return PyTorch's words for arguments of which no device can be made."""
        marks = ", ".join(f"!{value.__class__.__name__}!" for value in args)
        shown = [value.__class__.__name__ for value in args]
        named = [f"{name}={value.__class__.__name__}, " for name, value in kwargs.items()]
        lines = [
            f"device() received an invalid combination of arguments - got ({', '.join(shown)}{''.join(named)}), but "
            "expected one of:",
            " * (torch.device device)",
            f"      didn't match because some of the arguments have invalid types: ({marks})",
            f"      didn't match because some of the keywords were incorrect: {', '.join(kwargs)}",
            " * (str type, int index = -1)",
        ]
        if kwargs or len(args) != 1:
            del lines[2]
        if not kwargs:
            lines = [line for line in lines if "keywords" not in line]
        return "\n".join(lines) + "\n"

    def __repr__(self) -> str:
        tail = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{tail})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self) -> Any:
        return device, ((self.type,) if self.index is None else (self.type, self.index))

    def __enter__(self) -> device:
        require_cpu(self)
        return self

    def __exit__(self, *exception: object) -> None:
        pass


device.__module__ = "torch"
name_with_module(device)

CPU = device("cpu")


def require_cpu(given: Any) -> None:
    """Raise what PyTorch built for the CPU raises for a device that it can't use; None and the CPU pass."""
    if given is None or given == "cpu":
        return
    place = given if isinstance(given, device) else device(given)
    if place.type == "cpu":
        return
    if place.type in ("cuda", "xpu"):
        raise AssertionError(f"Torch not compiled with {place.type.upper()} enabled")
    if place.type == "mps":
        raise RuntimeError("PyTorch is not linked with support for mps devices")
    raise NotImplementedError(
        f"gradrepl's builtin engine has tensors on the CPU only, not on '{place}'. Start gradrepl with --engine torch "
        "to use other devices."
    )


class _Named:
    """A constant of torch that prints as its name."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


class layout(_Named):  # noqa: N801
    """How elements lie in memory (torch.layout)."""

    __slots__ = ()


class memory_format(_Named):  # noqa: N801
    """In what order dimensions lie in memory (torch.memory_format)."""

    __slots__ = ()


layout.__module__ = memory_format.__module__ = "torch"
name_with_module(layout)
name_with_module(memory_format)

strided = layout("strided")
contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
