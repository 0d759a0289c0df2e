"""Print how long all recordings of all lessons take, beside `gradrepl play --all --json`.

python tests/bench/export.py [--rounds N]

Each row is the least of the rounds; the ratio is what counts.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PLAY = ("play", "--all", "--json", "--no-input")
FORMS = ("cast", "txt", "svg", "md", "ipynb", "json", "html")


def seconds(*arguments: str) -> float:
    """How long one run of gradrepl takes."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "gradrepl", *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def export(*more: str) -> float:
    """How long an export of all lessons takes."""
    with tempfile.TemporaryDirectory() as folder:
        return seconds("export", "--all", "--to", f"{folder}/", *more)


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=3)
    rounds = range(arguments.parse_args().rounds)
    base = min(seconds(*PLAY) for _ in rounds)
    print(f"{'what':<14}{'seconds':>9}{'ratio':>8}")
    print(f"{'play --json':<14}{base:>9.2f}{1:>8.1f}")
    for name in FORMS:
        taken = min(export("--format", name) for _ in rounds)
        print(f"{name:<14}{taken:>9.2f}{taken / base:>8.1f}")
    taken = min(export() for _ in rounds)
    print(f"{'all forms':<14}{taken:>9.2f}{taken / base:>8.1f}")


if __name__ == "__main__":
    main()
