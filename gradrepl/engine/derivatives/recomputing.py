"""What a checkpointed function saves: numbers first, the tensors when the function has been run again."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from gradrepl.engine.derivatives.saved import saved_tensors_hooks
from gradrepl.engine.grad_mode import enable_grad
from gradrepl.engine.node import modified
from gradrepl.engine.packing import Hooks, pack
from gradrepl.engine.task import current_task_id
from gradrepl.engine.tensor import Tensor

TIP = """
Tip: To see a more detailed error message, either pass `debug=True` to
`torch.utils.checkpoint.checkpoint(...)` or wrap the code block
with `with torch.utils.checkpoint.set_checkpoint_debug_enabled(True):` to
enable checkpoint‑debug mode globally.

If this error occurs under torch.compile with automatic_dynamic_shapes enabled,
it may be because the recomputation selected a different compiled graph than the
forward pass (e.g., a dynamic graph instead of the original static graph).
To fix this, either:
  - Use torch._dynamo.mark_dynamic() to explicitly mark varying dimensions as
    dynamic upfront, avoiding the static-to-dynamic transition.
  - Call torch._C._dynamo.eval_frame._set_lru_cache(False) to disable LRU cache
    reordering, which can change which graph is checked first between forward
    and recompute.
See https://github.com/pytorch/pytorch/issues/166926 for more details and
workaround examples.
"""
NO_LOG = (
    "\nPyTorch adds a log of every operation where `debug=True`, but gradrepl's builtin engine keeps none. Start "
    "gradrepl with --engine torch to see it."
)
MORE = (
    "torch.utils.checkpoint: trying to save more tensors during recomputation than during the original forward pass.\n"
)
OTHER_COUNT = (
    "torch.utils.checkpoint: A different number of tensors was saved during the original forward and recomputation.\n"
    "Number of tensors saved during forward: {}\nNumber of tensors saved during recomputation: {}.\n"
)
OTHER_KIND = (
    "torch.utils.checkpoint: Recomputed values for the following tensors have different metadata than during the "
    "forward pass.\n{}.\n"
)
ONE_OF_OTHER_KIND = "tensor at position {}:\nsaved metadata: {}\nrecomputed metadata: {}\n"
UNPACKED_TWICE = (
    "torch.utils.checkpoint: Unpack is being triggered for a tensor that was already unpacked once. If you are calling "
    "ctx.saved_tensors in backward, make sure to do so only once. Otherwise please open an issue with details on your "
    "use case."
)


class CheckpointError(RuntimeError):
    """The function saved other tensors when it was run again (torch.utils.checkpoint.CheckpointError)."""


class StopRecomputationError(Exception):
    """Ends a recomputation early: all that is needed is there."""


StopRecomputationError.__name__ = StopRecomputationError.__qualname__ = "_StopRecomputationError"

CHECKS: dict[str, Callable[[Any], Any]] = {
    "default": lambda tensor: {"shape": tensor.shape, "dtype": tensor.dtype, "device": tensor.device},
    "none": lambda tensor: None,
}
"""What must be the same of a tensor that is saved again."""


class EarlyStop:
    """Whether recomputation ends as soon as it can; None where each checkpoint says so itself."""

    forced: bool | None = None


class Debug:
    """Whether checkpoints are debugged; None where each says so itself."""

    forced: bool | None = None


@contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Debug all checkpoints in a block, or none; None leaves it to each (torch.utils.checkpoint)."""
    before, Debug.forced = Debug.forced, enabled
    try:
        yield
    finally:
        Debug.forced = before


@contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Let recomputation end as soon as it can, or not, for all checkpoints in a block (torch.utils.checkpoint)."""
    before, EarlyStop.forced = EarlyStop.forced, enable
    try:
        yield
    finally:
        EarlyStop.forced = before


class Holder:
    """What a node keeps in the place of a saved tensor; tensors: by task, None once it was unpacked there."""

    __slots__ = ("__weakref__", "tensors")

    def __init__(self) -> None:
        self.tensors: dict[int, Tensor | None] = {}


class Input:
    """An argument of the function: a tensor is saved as a node would save it, and checked against writes."""

    def __init__(self, value: Any) -> None:
        tensor = isinstance(value, Tensor)
        self.packed = pack(value, *Hooks.stack[-1]) if tensor and Hooks.stack else None
        self.value = None if self.packed else value
        self.version = value._counter[0] if tensor and value._counter is not None else None

    def get(self) -> Any:
        """Return the argument; raises RuntimeError for a tensor that was written to."""
        if self.packed is not None:
            tensor = self.packed.unpack()
            return tensor if self.packed.origin is None else self.packed.origin.given_to(tensor)
        value: Any = self.value
        if self.version is not None and value._counter[0] != self.version:
            raise RuntimeError(modified(value._data, value._counter, self.version, value.grad_fn, value._output_nr))
        return value


class Frame:
    """One call of a checkpointed function.

    holders: in the order of the forward; kinds: what the check wants to know of each tensor. counts: for each task
    how many tensors were saved again. finished: whether the forward is through; lenient: a backward ran within it.
    tip: what an error ends with.
    """

    def __init__(self, run_again: Callable[..., None], check: Callable[[Any], Any], early_stop: bool) -> None:
        self.run_again = run_again
        self.check = check
        self.early_stop = early_stop if EarlyStop.forced is None else EarlyStop.forced
        self.inputs: list[Input] = []
        self.holders: list[weakref.ref[Holder]] = []
        self.kinds: list[Any] = []
        self.counts: dict[int, int] = {}
        self.finished = self.lenient = False
        self.tip = TIP

    def keep_inputs(self, args: Sequence[Any]) -> None:
        """Keep the arguments for the next run."""
        self.inputs = [Input(arg) for arg in args]

    def pack(self, tensor: Tensor) -> Holder:
        """Keep a place for a tensor only."""
        holder = Holder()
        self.holders.append(weakref.ref(holder))
        self.kinds.append(self.check(tensor))
        return holder

    def unpack(self, holder: Holder) -> Tensor:
        """Return a saved tensor; raises CheckpointError where the function saves other tensors now."""
        task = current_task_id()
        if task < 0:
            task = next(outside)
        if task not in self.counts:
            self.recompute(task)
        tensor = holder.tensors[task]
        if tensor is None:
            raise CheckpointError(UNPACKED_TWICE)
        holder.tensors[task] = None
        return tensor

    def recompute(self, task: int) -> None:
        """Run the function again and put what it saves into the holders that are still wanted."""
        inputs = [one.get() for one in self.inputs]
        self.counts[task] = 0
        try:
            with saved_tensors_hooks(lambda tensor: self.fill(task, tensor), lambda tensor: tensor), enable_grad():
                self.run_again(*inputs)
        except StopRecomputationError:
            pass
        except BaseException:
            del self.counts[task]
            raise
        if not self.lenient:
            self.compare(task)

    def fill(self, task: int, tensor: Any) -> Tensor:
        """Take a tensor that is saved again; raises StopRecomputationError behind the last that is needed."""
        kept: Tensor = tensor.detach() if tensor.requires_grad else tensor
        index = self.counts[task]
        self.counts[task] += 1
        if index >= len(self.holders):
            if self.finished:
                raise CheckpointError(f"{MORE}{self.tip}")
            self.lenient = True
            return kept
        if (holder := self.holders[index]()) is not None:
            holder.tensors[task] = kept
        if self.early_stop and index + 1 == len(self.holders):
            raise StopRecomputationError
        return kept

    def compare(self, task: int) -> None:
        """Raise CheckpointError where other tensors were saved than in the forward."""
        if len(self.holders) != self.counts[task]:
            raise CheckpointError(OTHER_COUNT.format(len(self.holders), self.counts[task]) + self.tip)
        holders = [reference() for reference in self.holders]
        found = [None if holder is None else self.check(holder.tensors[task]) for holder in holders]
        misfits = [
            ONE_OF_OTHER_KIND.format(index, self.kinds[index], found[index])
            for index, holder in enumerate(holders)
            if holder is not None and found[index] != self.kinds[index]
        ]
        if misfits:
            raise CheckpointError(OTHER_KIND.format("".join(misfits)) + self.tip)


outside = itertools.count(-2, -1)
"""Numbers for looks at saved tensors outside of a backward."""


def keeping_numbers(frame: Frame) -> saved_tensors_hooks:
    """Return the block in which a frame keeps places for what is saved."""
    return saved_tensors_hooks(frame.pack, frame.unpack)
