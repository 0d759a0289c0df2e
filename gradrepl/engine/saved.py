"""What nodes keep for backward, as a learner may look at it and hook into it (torch.autograd.graph)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine.api import functions
from gradrepl.engine.graph import SECOND_TIME, Node
from gradrepl.engine.node import OpNode
from gradrepl.engine.packing import Hooks, Packed, pack
from gradrepl.engine.tensor import Tensor, make

Hook = Callable[[Any], Any]

NAMES = {"a": "self", "b": "other", "input": "self"}
"""What PyTorch calls the arguments of our entries."""
NAMES_OF = {
    "pow_tensor": {"b": "exponent"},
    "pow_base": {"base": "self", "b": "exponent"},
    "mul_number": {"number": "other"},
    "linalg_det": {"a": "A"},
    "linalg_slogdet": {"a": "A", "out0": "sign"},
    "inverse": {"out": "inverse"},
    "solve_matrix": {"a": "A"},
    "solve_vector": {"a": "A"},
    "cholesky_lower": {"out": "L"},
    "qr": {"out0": "Q", "out1": "R"},
    "eigh": {"out0": "eigenvalues", "out1": "eigenvectors"},
    "svd": {"out0": "U", "out1": "S", "out2": "Vh"},
    "least_squares": {"a": "self"},
}
"""Where an entry's names differ from that."""
CONSTANTS: dict[str, dict[str, Any]] = {"add": {"alpha": 1}, "sub": {"alpha": 1}, "rsub": {"alpha": 1}}
"""What PyTorch keeps for an entry and we do not need to, because it never varies."""
SUFFIXES = {"tensor": "", "value": "", "shape": "_sym_sizes", "dtype": "_scalar_type"}


def shown_name(entry: Any, field: tuple[str, int]) -> str:
    """Return PyTorch's name of a kept thing, without the `_saved_` before it."""
    kind, index = field
    own = NAMES_OF.get(entry.name, {})
    if kind == "out":
        return own.get(f"out{index}" if entry.several else "out", f"result{index or ''}")
    name = entry.arguments[index]
    return own.get(name, NAMES.get(name, name)) + SUFFIXES[kind]


def all_names(entry: Any) -> list[str]:
    """Return the names of everything that an entry keeps where all its inputs require gradients."""
    fields = entry.plan((1 << len(entry.tensors)) - 1).fields
    kept = [shown_name(entry, field) for field in fields if field[0] != "dtype" and not in_list(entry, field)]
    return [*kept, *CONSTANTS.get(entry.name, ())]


def in_list(entry: Any, field: tuple[str, int]) -> bool:
    """Whether a field tells of the tensors of a list, which PyTorch does not show."""
    return entry.variadic and field == ("shape", 0)


def saved_attribute(node: OpNode, name: str) -> Any:
    """Return `_saved_NAME` of a node, None where it was not needed; raises RuntimeError once it was freed."""
    raw = name.startswith("_raw_saved_")
    wanted = name.removeprefix("_raw_saved_" if raw else "_saved_")
    if wanted == name or wanted not in all_names(node.op):
        raise AttributeError(f"'{type(node).__name__}' object has no attribute '{name}'", name=name, obj=node)
    if wanted in CONSTANTS.get(node.op.name, ()):
        return CONSTANTS[node.op.name][wanted]
    if node.saved is None:
        raise RuntimeError(SECOND_TIME)
    for index, field in enumerate(node.plan.fields):
        if shown_name(node.op, field) == wanted:
            return SavedTensor(node, index) if raw else shown(node, index)
    return None


def shown(node: OpNode, index: int) -> Any:
    assert node.saved is not None
    item = node.saved[index]
    if index >= node.plan.tensors:
        return make(item) if isinstance(item, np.ndarray) else item
    tensor = node.unpack(index, item, True)
    return tuple(tensor) if isinstance(tensor, list) else tensor


def names_of(node: OpNode) -> list[str]:
    saved = [f"_saved_{name}" for name in all_names(node.op)]
    return sorted({*object.__dir__(node), *saved, *(f"_raw{name}" for name in saved[: node.plan.tensors])})


OpNode.__getattr__ = saved_attribute  # type: ignore[attr-defined]
OpNode.__dir__ = names_of  # type: ignore[method-assign, assignment]


class SavedTensor:
    """One saved tensor of a node, to hang hooks on (torch._C._autograd.SavedTensor)."""

    def __init__(self, node: OpNode, index: int) -> None:
        self._node = node
        self._index = index

    @property
    def data(self) -> Tensor:
        """The saved tensor, without its history."""
        return make(shown(self._node, self._index)._data)

    def register_hooks(self, pack_hook: Hook, unpack_hook: Hook) -> None:
        """Keep pack_hook(tensor) instead of the tensor; backward gets what unpack_hook makes of it."""
        node, index = self._node, self._index
        if node.saved is None:
            raise RuntimeError(SECOND_TIME)
        if isinstance(node.saved[index], Packed):
            raise RuntimeError(
                "Calling register_hooks on a saved tensor whose hooks have already been set. "
                "Hint: only one pair of hooks is allowed at a time."
            )
        tensor = shown(node, index)
        packed = pack(tensor, pack_hook, unpack_hook)
        node.saved = (*node.saved[:index], packed, *node.saved[index + 1 :])


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
        if Hooks.disabled is not None:
            raise RuntimeError(Hooks.disabled)
        if not (callable(self.pack_hook) and callable(self.unpack_hook)):
            raise TypeError(NOT_CALLABLE.format(self.pack_hook, self.unpack_hook))
        Hooks.stack = (*Hooks.stack, (self.pack_hook, self.unpack_hook))

    def __exit__(self, *exception: object) -> None:
        Hooks.stack = Hooks.stack[:-1]


class save_on_cpu(saved_tensors_hooks):  # noqa: N801
    """Keep saved tensors as copies in the memory of the processor (torch.autograd.graph.save_on_cpu)."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda tensor: tensor.clone(), lambda tensor: tensor)


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
