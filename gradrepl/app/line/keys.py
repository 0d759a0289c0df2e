"""What keys do at the prompt: Enter runs a complete input, Tab completes, letters are moved over as they are seen."""

from __future__ import annotations

import re
from collections.abc import Callable

from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, get_common_complete_suffix
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import (
    Condition,
    emacs_mode,
    has_focus,
    has_selection,
    is_searching,
    vi_insert_mode,
    vi_navigation_mode,
)
from prompt_toolkit.filters.app import vi_waiting_for_text_object_mode
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.search import accept_search

from gradrepl.app.line.graphemes import width_after, width_before

INDENT = "    "
_COMMENT = re.compile(r"""#[^'"]*$""")


@Condition
def _may_take_suggestion() -> bool:
    buffer = get_app().current_buffer
    return bool(buffer.suggestion and buffer.suggestion.text and buffer.document.is_cursor_at_the_end)


@Condition
def _has_text() -> bool:
    return bool(get_app().current_buffer.text)


# Filters are made once: each keeps for good what it was joined with.
_PLAIN = has_focus(DEFAULT_BUFFER) & ~has_selection
_TYPING = _PLAIN & (emacs_mode | vi_insert_mode)
_MOVING = _PLAIN & vi_navigation_mode & ~vi_waiting_for_text_object_mode


def bindings(taken: Callable[[str], bool]) -> KeyBindings:
    """The bindings of the code prompt; taken: asked of a text that is pasted at an empty prompt, then left out."""
    keys = KeyBindings()
    _add_enter(keys)
    _add_tab(keys)
    _add_paste(keys, taken)
    _add_movement(keys)
    _add_deletion(keys)
    return keys


def _add_enter(keys: KeyBindings) -> None:
    @keys.add("enter", filter=has_focus(DEFAULT_BUFFER))
    def _run_or_open_line(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state and buffer.complete_state.current_completion:
            buffer.complete_state = None
        elif (vi_navigation_mode() or not buffer.document.text_after_cursor.strip()) and is_complete(buffer.text):
            buffer.validate_and_handle()
        else:
            # Where a terminal sends a paste as keys, the next line brings its own indent.
            coming = event.app.key_processor.input_queue
            indented = bool(coming) and coming[0].data in (" ", "\t")
            indent = "" if indented else next_indent(buffer.document.current_line_before_cursor)
            buffer.insert_text("\n" + indent)

    @keys.add("enter", filter=is_searching)
    def _take_found(event: KeyPressEvent) -> None:
        accept_search()
        event.current_buffer.cursor_position = len(event.current_buffer.text)

    @keys.add("escape", "enter", filter=emacs_mode)
    def _open_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")


def _add_tab(keys: KeyBindings) -> None:
    @keys.add("tab", filter=has_focus(DEFAULT_BUFFER))
    def _indent_or_complete(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if not buffer.document.current_line_before_cursor.strip():
            buffer.insert_text(INDENT)
        elif buffer.complete_state:
            buffer.complete_next()
        else:
            _complete(buffer)


def _add_paste(keys: KeyBindings, taken: Callable[[str], bool]) -> None:
    @keys.add(Keys.BracketedPaste, filter=has_focus(DEFAULT_BUFFER))
    def _paste(event: KeyPressEvent) -> None:
        from gradrepl.session.read import without_prompts

        text = event.data.replace("\r\n", "\n").replace("\r", "\n")
        if not event.current_buffer.text.strip() and taken(text):
            return
        code = without_prompts(text)
        if code != text and not event.current_buffer.document.text_before_cursor.strip():
            text = code
            text = text.rstrip("\n") if is_complete(text.rstrip("\n")) else text
        event.current_buffer.insert_text(text)


def _add_movement(keys: KeyBindings) -> None:
    @keys.add("left", filter=_PLAIN)
    @keys.add("c-b", filter=_TYPING & emacs_mode)
    @keys.add("h", filter=_MOVING)
    def _left(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        for _ in range(event.arg):
            buffer.cursor_position -= width_before(buffer.document.current_line_before_cursor)

    @keys.add("right", filter=_PLAIN & ~_may_take_suggestion)
    @keys.add("c-f", filter=_TYPING & emacs_mode & ~_may_take_suggestion)
    @keys.add("l", filter=_MOVING)
    def _right(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        for _ in range(event.arg):
            buffer.cursor_position += width_after(buffer.document.current_line_after_cursor)


def _add_deletion(keys: KeyBindings) -> None:
    @keys.add("backspace", filter=_TYPING)
    def _delete_before(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if _stands_in_indent(buffer):
            before = buffer.document.current_line_before_cursor
            buffer.delete_before_cursor(len(before) % len(INDENT) or len(INDENT))
            return
        for _ in range(max(event.arg, 1)):
            buffer.delete_before_cursor(width_before(buffer.document.text_before_cursor))

    @keys.add("delete", filter=_TYPING)
    @keys.add("c-d", filter=_TYPING & emacs_mode & _has_text)
    @keys.add("x", filter=_MOVING)
    def _delete_after(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        for _ in range(event.arg):
            buffer.delete(width_after(buffer.document.text_after_cursor))


def _complete(buffer: Buffer) -> None:
    """Insert what all completions have in common, at once: the next key may have come already."""
    completions = list(buffer.completer.get_completions(buffer.document, CompleteEvent(completion_requested=True)))
    common = get_common_complete_suffix(buffer.document, completions)
    if common:
        buffer.insert_text(common)
    if len(completions) > 1:
        buffer.start_completion()


def is_complete(text: str) -> bool:
    """Whether Enter at the end runs the text rather than opening another line."""
    from gradrepl.session.read import Incomplete, read

    return not isinstance(read(text + "\n"), Incomplete)


def next_indent(line: str) -> str:
    """The indent of the line after `line`: deeper after a colon, back after return, pass and the like."""
    indent = line[: len(line) - len(line.lstrip())]
    code = _COMMENT.sub("", line).strip()
    if code.endswith(":"):
        return indent + INDENT
    if code.split(" ")[0] in ("return", "pass", "raise", "break", "continue"):
        return indent.removesuffix(INDENT)
    return indent


def _stands_in_indent(buffer: Buffer) -> bool:
    before = buffer.document.current_line_before_cursor
    return len(before) >= len(INDENT) and not before.strip(" ") and not buffer.selection_state
