"""A block of prose on a rich console: wrapped to a readable width, with a hanging indent."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from gradrepl.view.prose import Block

WIDEST = 88
_STYLES = {"": "", "bold": "bold", "italic": "italic", "code": "bold cyan"}


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Draws one block, its list bullet or number left of the text."""

    block: Block

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        margin = self.block.indent + len(self.block.lead) + (4 if self.block.kind == "code" else 0)
        width = max(min(options.max_width, WIDEST) - margin, 20)
        for number, line in enumerate(_text(self.block).wrap(console, width)):
            line.rstrip()
            lead = self.block.lead if number == 0 else ""
            yield Text.assemble(f"{lead:>{margin}}", line)


def _text(block: Block) -> Text:
    text = Text(style="bold" if block.kind == "heading" else "")
    for span in block.spans:
        text.append(span.text, _STYLES[span.style] if block.kind == "text" else "")
    return text
