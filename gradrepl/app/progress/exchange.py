"""Events as a readable JSON file, to move them to another computer or to a teacher."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from gradrepl.app.errors import UsageError
from gradrepl.i18n import Translate, mark
from gradrepl.store import Event, timestamp
from gradrepl.view.safe import as_json, one_line

FORMAT, VERSION, LARGEST = "gradrepl progress", 1, 100_000_000
ID = re.compile(r"[0-9a-f]{32}")
NOT_OURS = mark("{path}: expected a file that `gradrepl progress --export` wrote, found something else ({found}).")
NEWER = mark("{path}: it comes from a newer gradrepl (format {found}, this one reads {known}). Update gradrepl first.")
NOT_READ = mark("{path} can't be read: {reason}")
BAD_EVENT = mark("{path}: event {number}: expected {expected}, found {found}. Nothing was taken from the file.")
DATA: dict[str, dict[str, tuple[type, ...]]] = {
    "predicted": {"cell": (str,), "answer": (str,), "truth": (str,), "right": (bool,)},
    "chose": {"option": (int,), "right": (bool,)},
    "attempted": {"passed": (bool,)},
    "hinted": {"number": (int,)},
    "done": {"how": (str,)},
    "reviewed": {"right": (bool,)},
}


class _NotAnEventError(Exception):
    def __init__(self, expected: str, found: object) -> None:
        super().__init__(expected)
        self.expected = expected
        self.found = one_line(repr(found))[:80]


def written(events: Sequence[Event]) -> str:
    """Events as the text of a file."""
    listed = [as_json(_fields(event)) for event in events]
    body = ",\n    ".join(listed)
    return f'{{\n  "format": "{FORMAT}",\n  "version": {VERSION},\n  "events": [\n    {body}\n  ]\n}}\n'


def save(path: Path, events: Sequence[Event]) -> None:
    """Write a file, for its owner alone; what was there stays until the new one is whole. Raises OSError."""
    part = path.with_name(path.name + ".part")
    part.touch(mode=0o600)
    try:
        part.write_text(written(events), "utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def load(path: Path, translate: Translate) -> list[Event]:
    """The events of a file, all or none. Raises UsageError for a file that can't be read or is none of ours."""

    def refuse(message: str, **fields: object) -> UsageError:
        return UsageError(translate(message).format(path=one_line(str(path)), **fields))

    try:
        entries = _entries(path, refuse)
    except OSError as error:
        raise refuse(NOT_READ, reason=error.strerror) from error
    events = []
    for number, entry in enumerate(entries, 1):
        try:
            events.append(_event(entry))
        except _NotAnEventError as error:
            raise refuse(BAD_EVENT, number=number, expected=error.expected, found=error.found) from error
    return events


def _entries(path: Path, refuse: Callable[..., UsageError]) -> list[Any]:
    """The list of events in a file, not looked at yet."""
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise refuse(NOT_OURS, found=f"more than {LARGEST:,} bytes")
    try:
        whole = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise refuse(NOT_OURS, found=one_line(str(error))[:80]) from error
    if not isinstance(whole, dict) or whole.get("format") != FORMAT or not isinstance(whole.get("events"), list):
        raise refuse(NOT_OURS, found=f"no {FORMAT!r}")
    if whole.get("version") != VERSION:
        raise refuse(NEWER, found=one_line(repr(whole.get("version")))[:20], known=VERSION)
    entries: list[Any] = whole["events"]
    return entries


def _fields(event: Event) -> Mapping[str, Any]:
    fields = {"lesson": event.lesson, "step": event.step, "code": event.code, "kind": event.kind}
    return {"id": event.id, "time": timestamp(event.time), **fields, **event.data}


def _event(entry: object) -> Event:
    """The event of an entry; raises _NotAnEventError."""
    if not isinstance(entry, dict):
        raise _NotAnEventError("an object", entry)
    data = dict(entry)
    id, time, lesson, step, code, kind = (
        _text(data.pop(name, None), name) for name in ("id", "time", "lesson", "step", "code", "kind")
    )
    if not ID.fullmatch(id):
        raise _NotAnEventError("an id of 32 hexadecimal digits", id)
    for name, types in DATA.get(kind, {}).items():
        if type(data.get(name)) not in types:
            raise _NotAnEventError(f"{name}: {types[0].__name__}", data.get(name))
    if kind not in DATA:
        raise _NotAnEventError(f"kind: {', '.join(DATA)}", kind)
    if not isinstance(data.get("misconception"), str | None):
        raise _NotAnEventError("misconception: str or null", data["misconception"])
    return Event(id, _time(time), lesson, step, code, kind, data)


def _text(value: object, name: str) -> str:
    if isinstance(value, str) and value and value.isprintable():
        return value
    raise _NotAnEventError(f"{name}: text", value)


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise _NotAnEventError("time: such as 2026-01-31T20:15:00+00:00", text) from error
    if time.tzinfo is None:
        raise _NotAnEventError("time with its offset from UTC, such as +00:00", text)
    return time
