"""Run the same Python text on either engine and catch everything that it shows."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from pathlib import Path
from typing import Any

from gradrepl.app import engines
from gradrepl.session.core import engine_as_torch

SNIPPETS = Path(__file__).resolve().parents[1] / "engine" / "snippets"
ADDRESS = re.compile(r"0x[0-9a-f]+")
TRIGGERED = re.compile(r" ?\(Triggered internally at [^)]*\)")


def has_torch() -> bool:
    """Whether real PyTorch can be imported."""
    try:
        engines.load("torch")
    except engines.EngineUnavailableError:
        return False
    return True


def snippets(path: Path) -> list[str]:
    """Return the programs of a file, which lines `# ---` separate."""
    parts = re.split(r"(?m)^# ---.*\n?", path.read_text(encoding="utf-8"))
    return [part for part in parts if part.strip()]


def clean(text: str) -> str:
    """Leave out what differs from run to run: addresses, and where PyTorch's C++ code warned from."""
    return TRIGGERED.sub("", ADDRESS.sub("0x...", text))


def shown_by(source: str, engine_name: str) -> str:
    """Return what a program prints on an engine, its warnings among it and the error that ended it last."""
    engine = engines.load(engine_name)
    out = io.StringIO()

    def show(message: Any, category: type[Warning], *rest: Any, **kwargs: Any) -> None:
        out.write(f"{category.__name__}: {message}\n")

    torch = engine.torch
    names: dict[str, Any] = {"__name__": "__main__", "torch": torch}
    with contextlib.ExitStack() as stack:
        if engine.modules:
            stack.enter_context(engine_as_torch(engine.modules))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("always")
        warnings.showwarning = show
        default = torch.get_default_dtype()
        torch.manual_seed(0)
        torch.set_warn_always(True)
        try:
            exec(compile(source, "<snippet>", "exec", dont_inherit=True), names)
        except Exception as error:
            out.write(f"{type(error).__name__}: {error}\n")
        finally:
            torch.set_grad_enabled(True)
            torch.set_default_dtype(default)
            torch.set_printoptions(profile="default")
    return clean(out.getvalue())
