"""gradrepl: a REPL that lets you see autograd."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradrepl.app.embedding import embed
    from gradrepl.app.notebook import load_ipython_extension, unload_ipython_extension

__version__ = "0.1.0"
__all__ = ["__version__", "embed", "load_ipython_extension", "unload_ipython_extension"]


def __getattr__(name: str) -> Any:
    """What joins a program that is running comes in when it is asked for: `import gradrepl` alone costs nothing."""
    if name == "embed":
        from gradrepl.app.embedding import embed

        return embed
    if name in ("load_ipython_extension", "unload_ipython_extension"):
        from gradrepl.app import notebook

        return getattr(notebook, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
