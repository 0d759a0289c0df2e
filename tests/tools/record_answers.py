"""Write what PyTorch prints for each program of tests/engine/snippets beside it: TOPIC.json beside TOPIC.txt.

Run with PyTorch 2.13 installed: python tests/tools/record_answers.py [--differences]
With --differences it also runs the builtin engine and prints where the two differ.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[depth]) for depth in (1, 2)]

from support.running import SNIPPETS, shown_by, snippets  # noqa: E402


def main() -> int:
    wanted = [name for name in sys.argv[1:] if not name.startswith("--")]
    bad = total = 0
    for path in sorted(SNIPPETS.glob("*.txt")):
        if wanted and path.stem not in wanted:
            continue
        sources = snippets(path)
        answers = [shown_by(source, "torch") for source in sources]
        path.with_suffix(".json").write_text(json.dumps(answers, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
        total += len(sources)
        if "--differences" in sys.argv:
            bad += sum(differs(path.stem, *pair) for pair in zip(sources, answers, strict=True))
    print(f"{total} programs, {bad} different")
    return 0


def differs(topic: str, source: str, answer: str) -> bool:
    own = shown_by(source, "builtin")
    if own == answer:
        return False
    print(f"=== {topic}\n{source.rstrip()}\n--- PyTorch\n{answer.rstrip()}\n--- builtin\n{own.rstrip()}\n")
    return True


if __name__ == "__main__":
    raise SystemExit(main())
