"""What nodes keep for backward, as a learner may look at it and hook into it (torch.autograd.graph)."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine.api import functions
from gradrepl.engine.derivatives.saved_names import (
    ARE_TENSORS,
    COMMON,
    CONSTANTS,
    LACKING,
    NAMES,
    NUMBERS_OF,
    POSITIONS,
    REDUCTIONS,
)
from gradrepl.engine.dtype import INEXACT
from gradrepl.engine.graph import SECOND_TIME, AccumulateGrad, Node, read_only
from gradrepl.engine.node import NUMBERS, TENSORS, OpNode
from gradrepl.engine.op import planned
from gradrepl.engine.operands import FromEnd
from gradrepl.engine.packing import Hooks, Origin, Packed, SameLeaf, pack
from gradrepl.engine.tensor import Tensor, make
from gradrepl.engine.values.access import detach

Hook = Callable[[Any], Any]

SUFFIXES = {
    "tensor": "",
    "fixed": "",
    "value": "",
    "shape": "_sym_sizes",
    "strides": "_sym_strides",
    "dtype": "_scalar_type",
}
LACKED = (
    "_saved_{} of {} is part of PyTorch, but gradrepl's builtin engine does not keep it. "
    "Start gradrepl with --engine torch to look at it."
)


def shown_name(entry: Any, field: tuple[str, int]) -> str:
    """Return PyTorch's name of a kept thing, without the `_saved_` before it; empty where PyTorch keeps none."""
    kind, index = field
    own = NAMES.get(entry.name, {})
    if kind == "out":
        return own.get(f"out{index}" if entry.several else "out", f"result{index or ''}")
    name = entry.arguments[index]
    if kind in ("shape", "strides") and f"{name}_{kind}" in own:
        return own[f"{name}_{kind}"]
    return own.get(name, COMMON.get(name, name)) + SUFFIXES[kind]


def kept_names(entry: Any) -> list[str]:
    """Return the names of everything that an entry keeps where all its inputs require gradients."""
    fields = entry.plan((1 << len(entry.tensors)) - 1).fields
    kept = [shown_name(entry, field) for field in fields if field[0] != "dtype" and not in_list(entry, field)]
    return [name for name in kept if name]


def all_names(entry: Any) -> list[str]:
    """Return all names under which PyTorch shows what its node of an entry keeps."""
    return [*kept_names(entry), *constants(entry), *LACKING.get(entry.name, ())]


def constants(entry: Any) -> dict[str, Any]:
    return CONSTANTS.get(entry.name, {})


def in_list(entry: Any, field: tuple[str, int]) -> bool:
    """Whether a field tells of the tensors of a list, which PyTorch does not show."""
    return entry.variadic and field == ("shape", 0)


def saved_attribute(node: OpNode, name: str) -> Any:
    """Return `_saved_NAME` of a node, None where it was not needed; raises RuntimeError once it was freed."""
    raw = name.startswith("_raw_saved_")
    wanted = name.removeprefix("_raw_saved_" if raw else "_saved_")
    if wanted == name or wanted not in all_names(node.op) or (raw and name not in raw_names(node)):
        raise AttributeError(f"'{type(node).__name__}' object has no attribute '{name}'", name=name, obj=node)
    if wanted in LACKING.get(node.op.name, ()):
        return derived(node, wanted)
    if wanted in constants(node.op):
        return constants(node.op)[wanted]
    found = (index for index, field in enumerate(node.plan.fields) if shown_name(node.op, field) == wanted)
    index = next(found, None)
    if raw:
        item = None if index is None or node.saved is None else node.saved[index]
        if isinstance(item, list):
            return tuple(SavedTensor(node, index, part) for part in range(len(item)))
        return SavedTensor(node, index)
    if node.saved is None:
        raise RuntimeError(SECOND_TIME)
    return None if index is None else shown(node, index)


def derived(node: OpNode, name: str) -> Any:
    """Return a size or stride of a kept tensor, or the count of a kept shape; raises AttributeError for all else."""
    source, _, part = name.partition("_sym_")
    if part in MEASURES:
        of = source if part != "numel" else f"{source}_sym_sizes"
        kept = saved_attribute(node, f"_saved_{of}") if of in kept_names(node.op) else None
        if kept is not None:
            return MEASURES[part](kept)
    raise AttributeError(LACKED.format(name, type(node).__name__), name=name, obj=None)


MEASURES: dict[str, Callable[[Any], Any]] = {
    "sizes": lambda tensor: tuple(tensor._data.shape),
    "strides": lambda tensor: tuple(side // tensor._data.itemsize for side in tensor._data.strides),
    "numel": math.prod,
}
"""What PyTorch keeps of a tensor beside or in place of it."""


def shown(node: OpNode, index: int) -> Any:
    """Return something that a node keeps as PyTorch shows it."""
    assert node.saved is not None
    item, (kind, position) = node.saved[index], node.plan.fields[index]
    if index >= node.plan.tensors:
        return plain(node.op.arguments[position], item)
    if type(item) is tuple and item[0] is item[1] is None:
        return None
    if type(item) is tuple and item[1] is None:
        return make(np.array(item[2])) if type(item[2]) in NUMBERS else make(item[0])
    tensor = node.unpack(index, item, True)
    if kind == "out" and tensor._data.dtype not in INEXACT:
        return make(tensor._data)
    if isinstance(item, Packed):
        return unpacked(tensor)
    return tuple(tensor) if isinstance(tensor, list) else tensor


def unpacked(tensor: Tensor) -> Tensor:
    """Return what an unpack hook gave as a tensor of its own; one that stands for a leaf is a leaf."""
    shown = make(tensor._data)
    shown._requires_grad, shown._output_nr = tensor._requires_grad, tensor._output_nr
    shown._grad_fn = None if isinstance(tensor._grad_fn, SameLeaf) else tensor._grad_fn
    return shown


def plain(argument: str, item: Any) -> Any:
    """Return a kept value, as C++ keeps it: words of losses as numbers, positions without a sign."""
    if argument == "reduction":
        return REDUCTIONS.get(item)
    if argument in POSITIONS and type(item) is int and item < 0:
        return item + 2**64
    return as_tensors(item)


def as_tensors(item: Any) -> Any:
    """Return a kept value with tensors in the place of arrays."""
    if isinstance(item, np.ndarray):
        return make(item)
    if type(item) is FromEnd:
        return item.given + 2**64
    return tuple(map(as_tensors, item)) if type(item) is tuple else item


def raw_names(node: OpNode) -> list[str]:
    """Return the names of what PyTorch keeps as tensors."""
    fields = node.op.plan((1 << len(node.op.tensors)) - 1).fields
    tensors = {shown_name(node.op, field) for field in fields if field[0] in TENSORS}
    return [
        f"_raw_saved_{name}"
        for name in all_names(node.op)
        if name in tensors or (name in ARE_TENSORS and name not in NUMBERS_OF.get(node.op.name, ()))
    ]


def names_of(node: OpNode) -> list[str]:
    return sorted({*dir_of_node(node), *(f"_saved_{name}" for name in all_names(node.op)), *raw_names(node)})


ABSTRACT = ("_input_metadata", "_register_hook_dict", "_sequence_nr", "metadata", "name", "next_functions")
Node.__abstractmethods__ = frozenset((*ABSTRACT, "register_hook", "register_prehook"))  # type: ignore[attr-defined]

OF_OBJECT = (*dir(object), "__call__")
OF_NODE = (
    *("_input_metadata", "_register_hook_dict", "_sequence_nr", "_set_sequence_nr", "metadata", "name"),
    *("next_functions", "register_hook", "register_prehook", "requires_grad"),
)


def dir_of_node(node: Node) -> list[str]:
    """Return the names that PyTorch's nodes have."""
    return [*OF_OBJECT, *OF_NODE, *(("variable",) if type(node) is AccumulateGrad else ())]


@functools.cache
def saved_property(name: str) -> property:
    """Return the property of nodes that shows what they keep under a name."""

    def getter(node: OpNode) -> Any:
        return saved_attribute(node, name)

    getter.__name__ = name
    return read_only(getter)


def show_saved(entry: Any) -> None:
    """Give the node of an entry the names under which PyTorch shows what it keeps.

    A `__getattr__` would do too, but with one Python takes four times as long for every attribute that is there.
    """
    names = [f"{start}{name}" for start in ("_saved_", "_raw_saved_") for name in all_names(entry)]
    for name in names:
        setattr(entry.node, name, saved_property(name))


planned.append(show_saved)
Node.__dir__ = dir_of_node  # type: ignore[method-assign, assignment]
OpNode.__dir__ = names_of  # type: ignore[method-assign, assignment]


FREED = (
    "Calling register_hooks on a saved tensor after it has been freed. Saved intermediate values of the graph are "
    "freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
    "graph a second time or if you need to access saved variables after calling backward."
)
NOT_HOOKS = (
    "register_hooks(): incompatible function arguments. The following argument types are supported:\n    1. (self: "
    "torch._C._autograd.SavedTensor, arg0: collections.abc.Callable, arg1: collections.abc.Callable) -> None\n\n"
    "Invoked with: {!r}, {!r}, {!r}"
)


class SavedTensor:
    """One saved tensor of a node, to hang hooks on (torch._C._autograd.SavedTensor)."""

    def __init__(self, node: Any = None, index: int | None = None, part: int | None = None) -> None:
        if node is None:
            raise RuntimeError("Trying to create a SavedTensor object from Python is forbidden.")
        self._node = node
        self._index = index
        self._part = part

    @property
    def data(self) -> Any:
        """The saved tensor, an output without its history, or what a pack hook made of it; None where nothing is."""
        item = None if self._node.saved is None else self._item()
        if isinstance(item, Packed):
            return item.packed
        tensor: Tensor | None = self.unpack()
        return detach(tensor) if tensor is not None and tensor.grad_fn is self._node else tensor

    def unpack(self) -> Tensor | None:
        """Return the saved tensor; None where nothing was saved, or no longer."""
        found = None if self._index is None or self._node.saved is None else self._shown()
        tensor: Tensor | None = found
        return tensor

    def _shown(self) -> Any:
        assert self._index is not None
        found = shown(self._node, self._index)
        return found if self._part is None else found[self._part]

    def _item(self) -> Any:
        if self._index is None:
            return None
        item = self._node.saved[self._index]
        return item if self._part is None else item[self._part]

    def _keep(self, item: Any) -> None:
        """Put something in the place of what was saved."""
        saved, index = list(self._node.saved), self._index
        assert index is not None
        if self._part is not None:
            item = [item if part == self._part else other for part, other in enumerate(saved[index])]
        saved[index] = item
        self._node.saved = tuple(saved)

    def register_hooks(self, pack_hook: Hook, unpack_hook: Hook) -> None:
        """Keep pack_hook(tensor) instead of the tensor; backward gets what unpack_hook makes of it."""
        node = self._node
        if not (callable(pack_hook) and callable(unpack_hook)):
            raise TypeError(NOT_HOOKS.format(self, pack_hook, unpack_hook))
        if node.saved is None:
            raise RuntimeError(FREED)
        item = self._item()
        if item is None or (isinstance(item, tuple) and item[0] is item[1] is None):
            raise RuntimeError("Calling register_hooks on a saved tensor with value None is forbidden")
        if isinstance(item, Packed):
            raise RuntimeError(
                "Calling register_hooks on a saved tensor whose hooks have already been set. "
                "Hint: only one pair of hooks is allowed at a time."
            )
        tensor: Tensor = self._shown()
        packed = pack(detach(tensor), pack_hook, unpack_hook, is_input=False)
        if tensor.grad_fn is not node:
            packed.origin = Origin(tensor)
        self._keep(packed)


NOT_CALLABLE = (
    "_push_saved_tensors_default_hooks(): incompatible function arguments. The following argument types are "
    "supported:\n    1. (arg0: collections.abc.Callable, arg1: collections.abc.Callable) -> None\n\n"
    "Invoked with: {!r}, {!r}"
)
SavedTensor.__module__ = "torch._C._autograd"


class saved_tensors_hooks:  # noqa: N801
    """Pass every tensor that is saved for backward through a pair of hooks (torch.autograd.graph)."""

    def __init__(self, pack_hook: Hook, unpack_hook: Hook) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> None:
        push_hooks(self.pack_hook, self.unpack_hook)

    def __exit__(self, *exception: object) -> None:
        pop_hooks()


def push_hooks(pack_hook: Hook, unpack_hook: Hook) -> None:
    """Begin to pass what is saved through a pair of hooks (torch._C._autograd); raises where that is forbidden."""
    if Hooks.disabled is not None:
        raise RuntimeError(Hooks.disabled)
    if not (callable(pack_hook) and callable(unpack_hook)):
        raise TypeError(NOT_CALLABLE.format(pack_hook, unpack_hook))
    Hooks.stack = (*Hooks.stack, (pack_hook, unpack_hook))


def pop_hooks() -> None:
    """End what push_hooks began."""
    Hooks.stack = Hooks.stack[:-1]


class save_on_cpu(saved_tensors_hooks):  # noqa: N801
    """Keep saved tensors in the memory of the processor, where they are (torch.autograd.graph.save_on_cpu)."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda tensor: (tensor.device, tensor), lambda packed: packed[1])


class disable_saved_tensors_hooks:  # noqa: N801
    """Forbid saved_tensors_hooks in a block, with a message of one's own (torch.autograd.graph)."""

    def __init__(self, error_message: str) -> None:
        self.error_message = error_message

    def __enter__(self) -> None:
        if Hooks.stack:
            raise RuntimeError(self.error_message)
        self.before, Hooks.disabled = Hooks.disabled, self.error_message

    def __exit__(self, *exception: object) -> None:
        Hooks.disabled = self.before

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function running in such a block."""

        def call(*args: Any, **kwargs: Any) -> Any:
            with disable_saved_tensors_hooks(self.error_message):
                return function(*args, **kwargs)

        return call


for _switch in (saved_tensors_hooks, save_on_cpu, disable_saved_tensors_hooks):
    _switch.__module__ = "torch.autograd.graph"
functions(
    "torch.autograd.graph",
    Node=Node,
    saved_tensors_hooks=saved_tensors_hooks,
    save_on_cpu=save_on_cpu,
    disable_saved_tensors_hooks=disable_saved_tensors_hooks,
)
