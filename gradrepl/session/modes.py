"""Watch the grad mode while code runs: which switches are in force, on any engine."""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Literal, NamedTuple

from gradrepl.session.engine import Engine
from gradrepl.session.outcome import GradMode, ModeSwitch

SWITCHES = ("no_grad", "enable_grad", "set_grad_enabled", "inference_mode")
MOST = 1000  # switches kept of one statement: a loop may make millions


def label(switch: Any) -> str:
    """Return a switch as one reads it in code: no_grad, set_grad_enabled(False)."""
    name = type(switch).__name__
    if name == "set_grad_enabled" or (name == "inference_mode" and not switch.mode):
        return f"{name}({switch.mode})"
    return name


class ModeWatch:
    """The stack of switches of one session, kept up to date while it runs code.

    Each entry is the switch object itself and whether it is a block, so that a generator may leave its
    block out of order. A call of set_grad_enabled is an entry too; it takes the place of an earlier call at
    its depth and ends with the block that encloses it.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.torch = engine.torch
        self.inside = tuple(f"{root}{os.sep}" for root in engine.roots)
        self.stack: list[tuple[Any, bool]] = []
        self.displaced: tuple[Any, bool] | None = None
        self.switches: list[ModeSwitch] = []
        self.noted: Any = None
        self.thread = 0
        self.patches: list[Patch] = []
        self.deepest = self.deepest_before = self.now()

    def now(self) -> GradMode:
        """Return the mode of this moment."""
        return GradMode(bool(self.torch.is_grad_enabled()), tuple(label(switch) for switch, _ in self.stack))

    def start(self) -> None:
        """Begin a statement."""
        self.switches = []
        self.deepest = self.now()

    def entered(self, switch: Any, frame: FrameType | None) -> None:
        """Note the start of a block; what looked like a call a moment ago was the making of its switch."""
        self.take_back_call(switch)
        self.stack.append((switch, True))
        self.note("enter", switch, frame)

    def left(self, switch: Any, frame: FrameType | None) -> None:
        """Note the end of a block, and of the calls inside it."""
        places = [i for i, (entry, _) in enumerate(self.stack) if entry is switch]
        if places:
            self.stack[places[-1] :] = [entry for entry in self.stack[places[-1] + 1 :] if entry[1]]
        self.note("exit", switch, frame)

    def called(self, switch: Any, frame: FrameType | None) -> None:
        """Note a call of set_grad_enabled."""
        self.displaced = self.stack.pop() if self.stack and not self.stack[-1][1] else None
        self.stack.append((switch, False))
        self.note("call", switch, frame)

    def decorated(self, switch: Any) -> None:
        """Note that a switch was made to decorate a function: its making switched nothing."""
        if self.take_back_call(switch):
            self.deepest = max(self.deepest_before, self.now(), key=lambda mode: len(mode.stack))

    def leave_inference(self) -> None:
        """Leave the inference modes that were entered and never left."""
        for switch, block in reversed(self.stack):
            if block and type(switch).__name__ == "inference_mode":
                switch.__exit__(None, None, None)

    def take_back_call(self, switch: Any) -> bool:
        if not self.stack or self.stack[-1] != (switch, False):
            return False
        self.stack.pop()
        if self.displaced is not None:
            self.stack.append(self.displaced)
            self.displaced = None
        if self.noted is switch:
            self.switches.pop()
            self.noted = None
        return True

    def is_learners(self, frame: FrameType | None) -> bool:
        """Whether the learner's code switched, itself or through a decorator; not the engine for its own ends."""
        while frame is not None and frame.f_globals.get("__name__") in self.engine.decorators:
            frame = frame.f_back
        return frame is None or not (self.inside and frame.f_code.co_filename.startswith(self.inside))

    def note(self, kind: Literal["enter", "exit", "call"], switch: Any, frame: FrameType | None) -> None:
        mode = self.now()
        self.noted = None
        if len(self.switches) < MOST:
            self.switches.append(ModeSwitch(kind, label(switch), mode.enabled, line_of(frame)))
            self.noted = switch
        if kind != "exit" and len(mode.stack) >= len(self.deepest.stack):
            self.deepest_before, self.deepest = self.deepest, mode


def line_of(frame: FrameType | None) -> int | None:
    """Return the line in the learner's own source that switched the mode."""
    while frame is not None:
        if frame.f_globals.get("__name__") == "__main__":
            return frame.f_lineno
        frame = frame.f_back
    return None


class Patch(NamedTuple):
    """A method of the engine and the one that stands in for it while a session watches."""

    owner: type
    name: str
    inherited: bool
    original: Any
    watched: Any


def patches(watch: ModeWatch) -> list[Patch]:
    """Return what to put in place so that `watch` hears of every switch that its thread makes."""

    def after(tell: Callable[[Any, FrameType | None], None]) -> Callable[[Any], Any]:
        def make(original: Any) -> Any:
            def method(self: Any, *args: Any, **kwargs: Any) -> Any:
                result = original(self, *args, **kwargs)
                frame = sys._getframe(1)
                if threading.get_ident() == watch.thread and watch.is_learners(frame):
                    tell(self, frame)
                return result

            return method

        return make

    def decorating(original: Any) -> Any:
        def method(self: Any, function: Any) -> Any:
            if threading.get_ident() == watch.thread:
                watch.decorated(self)
            return original(self, function)

        return method

    def patch(owner: type, name: str, make: Callable[[Any], Any]) -> Patch:
        original = getattr(owner, name)
        watched = functools.wraps(original)(make(original))
        return Patch(owner, name, name not in owner.__dict__, original, watched)

    owners = [getattr(watch.torch, name) for name in SWITCHES]
    caller = watch.torch.set_grad_enabled
    return [
        *(patch(owner, "__enter__", after(watch.entered)) for owner in owners),
        *(patch(owner, "__exit__", after(watch.left)) for owner in owners),
        patch(caller, "__init__", after(watch.called)),
        patch(caller, "__call__", decorating),
    ]


@contextmanager
def watching(watch: ModeWatch) -> Iterator[None]:
    """Tell `watch` of every switch that this thread makes inside the block; the engine is as before afterwards."""
    watch.thread = threading.get_ident()
    watch.patches = watch.patches or patches(watch)
    for patch in watch.patches:
        setattr(patch.owner, patch.name, patch.watched)
    try:
        yield
    finally:
        for patch in watch.patches:
            if patch.inherited:
                delattr(patch.owner, patch.name)
            else:
                setattr(patch.owner, patch.name, patch.original)
