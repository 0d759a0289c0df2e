"""The backward that a thread is running: its number, what is to follow it, and room for one deep within others."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradrepl.engine.grad_mode import INFERENCE, OFF, ON, mode, set_mode
from gradrepl.engine.operands import check_broadcast
from gradrepl.engine.packing import Hooks

next_task = itertools.count().__next__
SAME_THREAD = 30
"""So many backwards may run within each other on one thread; Python's own limit lies at about twice as many."""
NOT_RUNNING = "{} should only be called during the backward pass"


def in_own_mode(walk: Any, run: Callable[[], None], create_graph: bool) -> None:
    """Run a walk (one of its methods) in the grad mode that its hooks and functions are to see."""
    before, outer = mode.recording, mode.walk
    mode.walk = walk
    if before <= INFERENCE:
        set_mode(create_graph, True)
    else:
        mode.recording = ON if create_graph else OFF
    try:
        if outer is None:
            run()
        else:
            run_within(outer, walk, run)
        for callback in walk.callbacks:
            callback()
    except ValueError as error:
        say_as_pytorch(error)
        raise
    finally:
        mode.recording, mode.walk = before, outer


def say_as_pytorch(error: ValueError) -> None:
    """Raise PyTorch's RuntimeError for numpy's words about gradients whose shapes do not go together."""
    message = str(error)
    if message.startswith("operands could not be broadcast"):
        sides = [[int(side) for side in re.findall(r"\d+", shape)] for shape in re.findall(r"\(([\d, ]*)\)", message)]
        check_broadcast(np.broadcast_to(np.zeros(()), shape) for shape in sides[:2])


def run_within(outer: Any, walk: Any, run: Callable[[], None]) -> None:
    """Run a walk that another one waits for."""
    walk.outer, walk.depth = outer, outer.depth + 1
    if walk.depth % SAME_THREAD:
        run()
    else:
        on_a_fresh_stack(run)


def on_a_fresh_stack(run: Callable[[], None]) -> None:
    """Run a function on another thread, with this thread's modes, and wait for it."""
    locals_ = [(state, dict(vars(state))) for state in (mode, Hooks)]
    errors: list[BaseException] = []

    def work() -> None:
        for state, values in locals_:
            vars(state).update(values)
        try:
            run()
        except BaseException as error:  # handed over to the thread that waits
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if errors:
        raise errors.pop()


def current_walk(function: str = "") -> Any:
    """Return the walk that this thread is in, or None; raises RuntimeError for a `function` that needs one."""
    if mode.walk is None and function:
        raise RuntimeError(NOT_RUNNING.format(function))
    return mode.walk


def walks_under_way() -> Iterator[Any]:
    """Go through the walks that this thread is in, the innermost first."""
    walk = mode.walk
    while walk is not None:
        yield walk
        walk = walk.outer


def current_task_id() -> int:
    """Return the number of the backward that is running, -1 where there is none."""
    walk = mode.walk
    if walk is None:
        return -1
    if walk.number is None:
        walk.number = next_task()
    return int(walk.number)


def queue_callback(callback: Callable[[], None]) -> None:
    """Call a function at the end of the backward that is running; raises RuntimeError where there is none."""
    if mode.walk is None:
        raise RuntimeError("Final callbacks can only be installed during backward pass.")
    if not mode.walk.callbacks:
        mode.walk.callbacks = []
    mode.walk.callbacks.append(callback)
