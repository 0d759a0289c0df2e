"""Write gradrepl/engine/rest_names.txt: what of torch comes only when it is asked for (gradrepl/engine/rest.py).

Run after adding or moving a function of torch: python tests/tools/rest_names.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gradrepl.engine import torch as namespace
from gradrepl.engine.api import SPACES
from gradrepl.engine.tensor import Tensor

TARGET = Path(__file__).resolve().parents[2] / "gradrepl" / "engine" / "rest_names.txt"


def there() -> dict[str, set[str]]:
    """Return the names of Tensor and of every space that are there now."""
    own: dict[str, Any] = namespace.OWN
    spaces = namespace.with_parents({*own, *SPACES})
    names = {space: {*SPACES.get(space, ()), *own.get(space, ())} for space in spaces}
    plain = {name for name, value in vars(Tensor).items() if not hasattr(value, "comes_later")}
    return {**names, "torch.Tensor": plain}


def text() -> str:
    """Return the file's text: a line a module or Tensor, and what the rest adds to it."""
    before = there()
    namespace.load_rest()
    after = there()
    lines = []
    for space in sorted(after):
        added = sorted(after[space] - before.get(space, set()))
        if added or space not in before:
            lines.append(f"{space}: {' '.join(added)}".rstrip() + "\n")
    return "".join(lines)


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
