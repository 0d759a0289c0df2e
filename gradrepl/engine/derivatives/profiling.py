"""Blocks that PyTorch measures: they run here as they do there, and what a profile tells is left to PyTorch."""

from __future__ import annotations

from contextlib import ContextDecorator
from enum import Enum
from typing import Any

from gradrepl.engine.absent import LACKING
from gradrepl.engine.api import functions


class record_function(ContextDecorator):  # noqa: N801
    """Give a block a name in a profile (torch.autograd.profiler.record_function)."""

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name
        self.args = args

    def __enter__(self) -> record_function:
        return self

    def __exit__(self, *exception: object) -> None:
        pass


class Profile:
    """A block that PyTorch would measure; raises AttributeError for whatever is asked of it then."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(LACKING.format(f"{type(self).__module__}.profile.{name}"), name=name, obj=None)


class profile(Profile):  # noqa: N801
    """Measure the operations in a block (torch.autograd.profiler.profile); `with` gives None where not `enabled`."""

    def __init__(self, enabled: bool = True, **settings: Any) -> None:
        self.enabled = enabled
        self.entered = False

    def __enter__(self) -> profile | None:
        if not self.enabled:
            return None
        if self.entered:
            raise RuntimeError("Profiler context manager is not reentrant")
        self.entered = True
        return self

    def __exit__(self, *exception: object) -> None:
        pass


class ProfilerActivity(Enum):
    """What a profile may measure (torch.profiler.ProfilerActivity)."""

    CPU = 0
    XPU = 1
    MTIA = 2
    CUDA = 3
    HPU = 4
    PrivateUse1 = 5


class whole_profile(Profile):  # noqa: N801
    """Measure the operations in a block or between start() and stop() (torch.profiler.profile)."""

    def __init__(self, *, activities: Any = None, schedule: Any = None, **settings: Any) -> None:
        self.activities = {ProfilerActivity.CPU} if activities is None else set(activities)

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""

    def step(self) -> None:
        """Say that the next step of what is measured begins."""

    def __enter__(self) -> whole_profile:
        return self

    def __exit__(self, *exception: object) -> None:
        pass


whole_profile.__name__ = whole_profile.__qualname__ = "profile"
whole_profile.__module__ = "torch.profiler"
ProfilerActivity.__module__ = "torch._C._profiler"
for _thing in (record_function, profile):
    _thing.__module__ = "torch.autograd.profiler"
functions("torch.autograd.profiler", record_function=record_function, profile=profile)
functions(
    "torch.profiler",
    record_function=record_function,
    profile=whole_profile,
    ProfilerActivity=ProfilerActivity,
    supported_activities=lambda: {ProfilerActivity.CPU},
)
