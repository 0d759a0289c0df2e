"""The bindings of keys that stand for commands while nothing is typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from prompt_toolkit.application import get_app
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import Condition, emacs_mode, has_focus, has_selection, vi_insert_mode
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from gradrepl.app.line.shortcut import Shortcut

# A Vietnamese input method leaves these alone: none of them is a letter, a digit, `[` or `]`.
KEYS = ("left", "pageup", "tab", "?", "f1")
_TYPING = has_focus(DEFAULT_BUFFER) & ~has_selection & (emacs_mode | vi_insert_mode)
Live = Callable[[], Sequence[Shortcut]]


def shortcut_bindings(live: Live) -> KeyBindings:
    """The bindings; live: the shortcuts that work at this moment."""
    keys = KeyBindings()
    for key in KEYS:
        _add(keys, key, live)
    return keys


def command_binding(offered: Callable[[], str]) -> KeyBindings:
    """A colon behind code that was offered, and is untouched, begins a command in its place."""
    keys = KeyBindings()

    def untouched() -> bool:
        buffer = get_app().current_buffer
        return bool(buffer.text) and buffer.text == offered() and buffer.document.is_cursor_at_the_end

    @keys.add(":", filter=Condition(untouched) & _TYPING)
    def _begin_command(event: KeyPressEvent) -> None:
        event.current_buffer.text = ":"
        event.current_buffer.cursor_position = 1

    return keys


def _add(keys: KeyBindings, key: str, live: Live) -> None:
    def found() -> Shortcut | None:
        return next((shortcut for shortcut in live() if shortcut.key == key), None)

    # The left side caches what it is joined with: _TYPING would keep every prompt there ever was.
    @keys.add(key, filter=Condition(lambda: found() is not None) & _TYPING)
    def _give_command(event: KeyPressEvent) -> None:
        shortcut = found()
        if shortcut is not None:
            # Shown as if it had been typed, and kept out of the history.
            event.current_buffer.text = shortcut.command
            event.app.exit(result=shortcut.command)


def live(shortcuts: Sequence[Shortcut], offered: str) -> Sequence[Shortcut]:
    """The shortcuts that work at this moment; offered: the code that stood at the prompt at first."""
    text = get_app().current_buffer.text
    if not text:
        return shortcuts
    return [shortcut for shortcut in shortcuts if shortcut.offered] if text == offered else ()
