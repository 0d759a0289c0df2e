"""Drawn things as HTML, for notebooks."""

from __future__ import annotations

import io

from rich.console import Console, RenderableType

WIDTH = 110
_FRAME = '<pre style="white-space: pre; overflow-x: auto; line-height: normal; font-family: monospace">{code}</pre>'


def html(renderable: RenderableType) -> str:
    """One <pre> element with its styles inside, nothing from elsewhere."""
    console = Console(
        width=WIDTH, file=io.StringIO(), record=True, force_terminal=True, color_system="standard", highlight=False
    )
    console.print(renderable)
    return console.export_html(inline_styles=True, code_format=_FRAME)
