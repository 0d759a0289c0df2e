"""Write tests/engine/known_calls.txt: where calls still differ from PyTorch, by kind of difference."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "engine")]

from support.calls import KNOWN  # noqa: E402

KINDS = ("refused here", "values", "refused there", "words", "nodes")


def text() -> str:
    """Return the list: kinds, below each its calls, below each its cases."""
    import torch
    from test_entries_pytorch import CALLS, compared

    torch.set_num_threads(1)  # as in the tests: with several threads last digits differ
    lines: list[str] = []
    for kind in KINDS:
        lines.append(f"## {kind}")
        for index, call in enumerate(CALLS):
            names = sorted(name for name, found in compared(index).differences if found == kind)
            if names:
                lines.extend((call.text, *(f"    {name}" for name in names)))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if not KNOWN.exists():
        KNOWN.write_text("", encoding="utf-8")
    KNOWN.write_text(text(), encoding="utf-8")
