"""Write docs/differences.md from the list in tests/engine/known_differences.py."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "engine"))

from known_differences import page  # noqa: E402

if __name__ == "__main__":
    (ROOT / "docs" / "differences.md").write_text(page(), encoding="utf-8")
