"""Print how much memory it takes to play and to record lessons that print much.

python tests/bench/memory.py [--megabytes N]

Each row is a process of its own: the most memory that it took beyond what it had when the lesson began. "play" runs
the lesson and keeps nothing; a recording should take no more than that.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from gradrepl.app import engines
from gradrepl.app.recording.export import Target, in_language, recording
from gradrepl.app.recording.forms import FORMS, take
from gradrepl.lesson.load import load
from gradrepl.record.writer import Setting

FRONT = '+++\nid = "made"\ntitle.vi = "Bài"\ntitle.en = "Made"\ngoal.vi = "Xem."\ngoal.en = "See."\n+++\n'
STEP = "\n## s{number}\n<!--vi-->\nLời.\n<!--en-->\nWords.\n<!--code-->\n```pycon\n>>> {code}\n...\n\n```\n"
PLAY = "play"
LESSONS = {
    "one line": ("print('x' * {size})", 1),
    "many lines": ("print(('x' * 49 + chr(10)) * ({size} // 50))", 1),
    "many prints": ("for _ in range({size} // 50): print('x' * 49)", 1),
    "300 steps": ("print('x' * ({size} // 300))", 300),
}


def peak() -> int:
    """The most memory that this process has taken so far, in kB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measured(form: str, code: str, steps: int) -> None:
    """Play a lesson of such steps, record it, and print the MB of memory and of the file."""
    with tempfile.TemporaryDirectory() as folder:
        path, file = Path(folder, "made.md"), Path(folder, f"made{form}")
        path.write_text(FRONT + "".join(STEP.format(number=number, code=code) for number in range(steps)), "utf-8")
        lesson, engine = load(path), engines.load("builtin")
        setting = in_language(Setting(engine, "en", lambda _explanation: ()), "en")
        before = peak()
        targets = [] if form == PLAY else [Target(file, "en")]
        with recording(targets, setting) as record:
            for event in take(lesson, engine):
                record(event)
        written = file.stat().st_size if targets else 0
        print((peak() - before) / 1e3, written / 1e6)


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--megabytes", type=float, default=10.0)
    size = int(arguments.parse_args().megabytes * 1e6)
    print(f"{'form':<8}{'lesson':<14}{'memory MB':>10}{'of play':>9}{'file MB':>9}")
    for name, (code, steps) in LESSONS.items():
        alone = 0.0
        for form in (PLAY, *FORMS):
            command = [sys.executable, __file__, form, code.format(size=size), str(steps)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            taken, written = map(float, done.stdout.split())
            alone = alone or taken
            print(f"{form:<8}{name:<14}{taken:>10.1f}{taken / alone:>9.2f}{written:>9.1f}")


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in (PLAY, *FORMS):
        measured(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    else:
        main()
