"""Warnings that PyTorch gives once a process."""

from __future__ import annotations

import warnings


class _Given:
    """Which of them were given, and whether torch.set_warn_always wants them every time."""

    def __init__(self) -> None:
        self.messages: set[str] = set()
        self.always = False


given = _Given()


def warn_once(message: str, category: type[Warning] = UserWarning, stacklevel: int = 2, place: str = "") -> None:
    """Warn the first time (TORCH_WARN_ONCE); stacklevel counts from the caller, as in warnings.warn.

    place: what counts as the same warning where messages differ.
    """
    if given.always or (place or message) not in given.messages:
        given.messages.add(place or message)
        warnings.warn(message, category, stacklevel=stacklevel + 1)


def set_warn_always(b: bool) -> None:
    """Choose whether warnings that come once a process come every time (torch.set_warn_always)."""
    given.always = b


def is_warn_always_enabled() -> bool:
    """Return whether warnings that come once a process come every time (torch.is_warn_always_enabled)."""
    return given.always
