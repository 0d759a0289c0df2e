"""Lesson prose as blocks, plain lines and paragraphs on a console."""

from __future__ import annotations

from rich.console import Console

from gradrepl.view.paragraph import Paragraph
from gradrepl.view.prose import blocks, plain, split_label

TEXT = """Khối `with torch.no_grad():` chỉ ngừng *ghi lại* phép tính **mới**;
xem [tài liệu](https://pytorch.org).

- một
- hai

3. ba

```
a = 1
```
"""


def draw(markdown: str, width: int = 40) -> list[str]:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        for block in blocks(markdown):
            console.print(Paragraph(block))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_plain_prose_has_one_line_a_paragraph() -> None:
    assert [plain(block) for block in blocks(TEXT)] == [
        "Khối `with torch.no_grad():` chỉ ngừng ghi lại phép tính mới; xem tài liệu (https://pytorch.org).",
        "- một",
        "- hai",
        "3. ba",
        "    a = 1",
    ]


def test_prose_wraps_at_the_width_and_hangs_under_a_bullet() -> None:
    lines = draw("- " + "chữ " * 20)
    assert lines[0].startswith("- chữ")
    assert lines[1].startswith("  chữ")
    assert max(map(len, lines)) <= 40


def test_nested_lists_are_indented() -> None:
    assert draw("- a\n  - b\n") == ["- a", "  - b"]


def test_prose_cannot_send_escapes() -> None:
    assert draw("a \x1b[31m b &#27;[2J [c](<\x07>)") == ["a \\x1b[31m b \ufffd[2J c (%07)"]


def test_markup_of_rich_is_plain_text() -> None:
    assert draw("[bold]x[/bold] :smile:") == ["[bold]x[/bold] :smile:"]


def test_the_label_of_a_step_is_its_heading() -> None:
    assert split_label("### Tạo một tensor lá\n\nChữ.") == ("Tạo một tensor lá", "Chữ.")
    assert split_label("Chữ.\n\n### Sau") == ("", "Chữ.\n\n### Sau")
