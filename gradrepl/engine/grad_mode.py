"""Whether operations are recorded: one state a thread, and the switches that change it."""

from __future__ import annotations

import functools
import inspect
import threading
import warnings
from collections.abc import Callable, Generator
from typing import Any, Self

from gradrepl.engine.dtype import c_name
from gradrepl.engine.precision.floating_errors import be_silent

OFF, ON, INFERENCE, ENABLED_INFERENCE = 0, 1, -1, -2

new = object.__new__


class _Mode(threading.local):
    """The state of one thread; a new thread starts with gradients on, as in PyTorch.

    recording: ON, OFF, or in inference mode INFERENCE or less (where enable_grad may be on, and has no effect).
    mapping: whether a function runs that vmap maps over a dimension; drawing_refused: without random numbers.
    walk: the backward that is running, the innermost where one runs within another.
    multithreading: whether backward could run on several threads, which it never does here.
    """

    recording = ON
    mapping = False
    drawing_refused = False
    walk: Any = None
    multithreading = True

    def __init__(self) -> None:
        be_silent()  # numpy's settings are each thread's own, and a thread comes by here before it computes

    @property
    def enabled(self) -> bool:
        return self.recording in (ON, ENABLED_INFERENCE)

    @property
    def inference(self) -> bool:
        return self.recording <= INFERENCE


mode = _mode = _Mode()


def set_mode(enabled: bool, inference: bool) -> None:
    """Change this thread's state."""
    if inference:
        mode.recording = ENABLED_INFERENCE if enabled else INFERENCE
    else:
        mode.recording = ON if enabled else OFF


def is_grad_enabled(*args: Any) -> bool:
    """Return whether grad mode is on in this thread (torch.is_grad_enabled)."""
    if args:
        raise TypeError(f"torch.is_grad_enabled() takes no arguments ({len(args)} given)")
    return mode.enabled


def is_inference_mode_enabled() -> bool:
    """Return whether inference mode is on in this thread (torch.is_inference_mode_enabled)."""
    return mode.inference


def _through_generator(make: Callable[[], Any], function: Callable[..., Any]) -> Callable[..., Any]:
    """Run each stretch of a generator under the switch, and its caller under the caller's own mode."""

    @functools.wraps(function)
    def generator(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        inner = function(*args, **kwargs)
        resume: Callable[[], Any] = functools.partial(next, inner)
        while True:
            try:
                with make():
                    item = resume()
            except StopIteration as stop:
                return stop.value
            try:
                resume = functools.partial(inner.send, (yield item))
            except GeneratorExit:
                with make():
                    inner.close()
                raise
            except BaseException as error:
                resume = functools.partial(inner.throw, error)

    return generator


def context_decorator(switch: Any, function: Any) -> Any:
    """Return `function` running under the switch; `switch` is a context manager or makes one a call."""
    make = switch.clone if hasattr(switch, "clone") else switch
    if inspect.isclass(function):
        warnings.warn(
            "Decorating classes is deprecated and will be disabled in future versions. You should only "
            "decorate functions or methods. To preserve the current behavior of class decoration, you can "
            "directly decorate the `__init__` method and nothing else.",
            FutureWarning,
            stacklevel=3,
        )
        function = functools.partial(function)
    if inspect.isgeneratorfunction(function):
        return _through_generator(make, function)

    @functools.wraps(function)
    def decorate_context(*args: Any, **kwargs: Any) -> Any:
        with make():
            return function(*args, **kwargs)

    return decorate_context


class DecoratorContextManager:
    """A context manager that is a decorator too (torch.utils._contextlib)."""

    def __call__(self, function: Any) -> Any:
        return context_decorator(self, function)

    def __enter__(self) -> Any:
        raise NotImplementedError

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        raise NotImplementedError

    def clone(self) -> Self:
        return self.__class__()


class NoParamDecoratorContextManager(DecoratorContextManager):
    """A decorator that may be written without parentheses."""

    prev = False

    def __new__(cls, orig_func: Any = None) -> Any:
        return new(cls) if orig_func is None else new(cls)(orig_func)


class no_grad(NoParamDecoratorContextManager):  # noqa: N801
    """Switch recording off in a block or a function (torch.no_grad); the mode before comes back at its end."""

    def __enter__(self) -> None:
        if mode.recording == ON:
            self.prev = True
            mode.recording = OFF
        else:
            self.prev = mode.enabled
            set_mode(False, mode.inference)

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        if self.prev and mode.recording == OFF:
            mode.recording = ON
        else:
            set_mode(self.prev, mode.inference)


class enable_grad(NoParamDecoratorContextManager):  # noqa: N801
    """Switch recording on in a block or a function (torch.enable_grad); the mode before comes back at its end."""

    def __enter__(self) -> None:
        self.prev = mode.enabled
        set_mode(True, mode.inference)

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        set_mode(self.prev, mode.inference)


def check_bool(function: str, name: str, value: object) -> None:
    """Raise PyTorch's TypeError for an argument that is not a bool."""
    if type(value) is not bool:
        kind = c_name(value)
        raise TypeError(f"{function}(): argument '{name}' (position 1) must be bool, not {kind}")


class set_grad_enabled(DecoratorContextManager):  # noqa: N801
    """Set the grad mode by a bool: at once and for good as a call, and back at the end of a block or function."""

    def __init__(self, mode: bool) -> None:
        self.prev = is_grad_enabled()
        self.mode = mode
        _set(mode)

    def __call__(self, orig_func: Any) -> Any:
        _set(self.prev)
        return super().__call__(orig_func)

    def __enter__(self) -> None:
        _set(self.mode)

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        set_mode(self.prev, mode.inference)

    def __str__(self) -> str:
        return f"{self.__class__.__module__}.{self.__class__.__qualname__}(mode={self.mode})"

    def __repr__(self) -> str:
        return str(self)

    def clone(self) -> set_grad_enabled:
        return self.__class__(self.mode)


def _set(enabled: bool) -> None:
    check_bool("set_grad_enabled", "enabled", enabled)
    set_mode(enabled, mode.inference)


class inference_mode(DecoratorContextManager):  # noqa: N801
    """Run without recording and without version counters (torch.inference_mode); enable_grad does not undo it."""

    def __new__(cls, mode: Any = True) -> Any:
        if isinstance(mode, bool):
            return super().__new__(cls)
        return cls()(mode)

    def __init__(self, mode: bool = True) -> None:
        self.mode = mode

    def __enter__(self) -> None:
        self.before = (mode.enabled, mode.inference)
        set_mode(not self.mode, self.mode)

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        set_mode(*self.before)

    def clone(self) -> inference_mode:
        return self.__class__(self.mode)


class set_multithreading_enabled(DecoratorContextManager):  # noqa: N801
    """Exists for programs that call it: backward always runs on one thread here."""

    def __init__(self, mode: bool) -> None:
        check_bool("_set_multithreading_enabled", "enabled", mode)
        self.mode = mode
        self.prev, _mode.multithreading = _mode.multithreading, mode

    def __enter__(self) -> None:
        pass

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        _mode.multithreading = self.prev

    def clone(self) -> set_multithreading_enabled:
        return self.__class__(self.mode)


for _switch in (no_grad, enable_grad, set_grad_enabled, inference_mode, set_multithreading_enabled):
    _switch.__module__ = "torch.autograd.grad_mode"
