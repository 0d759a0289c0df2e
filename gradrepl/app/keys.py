"""What keys do at the prompt: Enter runs a complete input, else opens a line with the right indent."""

from __future__ import annotations

import re

from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import Condition, has_focus
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from gradrepl.session.read import Incomplete, read

INDENT = "    "
_COMMENT = re.compile(r"""#[^'"]*$""")


def bindings() -> KeyBindings:
    """The bindings of the code prompt."""
    keys = KeyBindings()

    @keys.add("enter", filter=has_focus(DEFAULT_BUFFER))
    def _run_or_open_line(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if not buffer.document.text_after_cursor.strip() and is_complete(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n" + next_indent(buffer.document.current_line_before_cursor))

    @keys.add("escape", "enter")
    def _open_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("tab", filter=has_focus(DEFAULT_BUFFER))
    def _indent(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text(INDENT)

    @keys.add("backspace", filter=Condition(_stands_in_indent))
    def _dedent(event: KeyPressEvent) -> None:
        before = event.current_buffer.document.current_line_before_cursor
        event.current_buffer.delete_before_cursor(len(before) % len(INDENT) or len(INDENT))

    return keys


def is_complete(text: str) -> bool:
    """Whether Enter at the end runs the text rather than opening another line."""
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


def _stands_in_indent() -> bool:
    buffer: Buffer = get_app().current_buffer
    before = buffer.document.current_line_before_cursor
    return len(before) >= len(INDENT) and not before.strip(" ") and not buffer.selection_state
