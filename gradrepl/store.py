"""What learners did and which lessons they trust, in one SQLite file."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Literal, TypeVar

APPLICATION, VERSION = 0x67726164, 1
PATIENT, HASTY = 5.0, 0.2  # seconds to wait for another process; hasty once that was in vain
MOST_MISSES = 1000
SCHEMA = (
    "CREATE TABLE events (id TEXT PRIMARY KEY, time TEXT NOT NULL, lesson TEXT NOT NULL, step TEXT NOT NULL,"
    " code TEXT NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL)",
    "CREATE INDEX events_of_lesson ON events (lesson)",
    "CREATE TABLE trusted (path TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (path, hash))",
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {VERSION}",
)

Fault = Literal["full", "failing", "unwritable", "busy", "other"]
Flaw = Literal["damaged", "newer"]
Result = TypeVar("Result")
FAULTS: dict[int, Fault] = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_IOERR: "failing",
    sqlite3.SQLITE_READONLY: "unwritable",
    sqlite3.SQLITE_CANTOPEN: "unwritable",
    sqlite3.SQLITE_PERM: "unwritable",
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that a learner did; never changed once it is written.

    id: 32 hexadecimal digits, different for every event; time: UTC; lesson, step: ids; code: the hash of the
    step's code as it was then; kind: one of "predicted", "chose", "attempted", "hinted", "done", "reviewed";
    data: what belongs to that kind, JSON values.
    """

    id: str
    time: datetime
    lesson: str
    step: str
    code: str
    kind: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Aside:
    """A file that could not be used and was put under another name, with the reason.

    rescued: how many events were read from it and are in the new file.
    """

    flaw: Flaw
    path: Path
    rescued: int


class StoreError(Exception):
    """The file can't be read or written now; the text is SQLite's or the system's."""

    def __init__(self, fault: Fault, reason: str) -> None:
        super().__init__(reason)
        self.fault = fault


class _UnusableError(Exception):
    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw)
        self.flaw = flaw


class Store:
    """The file, opened for each piece of work: whatever another process does to it is seen at once.

    SQLite's rollback journal is used, not its log (WAL): it needs one file, works in a home that can only be read
    and on a network drive, and survives the end of the process at any moment as well.
    asides: files set aside since the start.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asides: list[Aside] = []
        self._patience = PATIENT

    def append(self, events: Iterable[Event]) -> int:
        """Add events, all or none; those that are there already count as added. Returns how many are new.

        Raises StoreError.
        """
        rows = [_row(event) for event in events]
        return self._write(lambda connection: _insert(connection, rows))

    def events(self, lesson: str | None = None) -> list[Event]:
        """The events of a lesson, or all, in the order of time. Raises StoreError."""

        def read(connection: sqlite3.Connection) -> list[Event]:
            where, values = ("", ()) if lesson is None else (" WHERE lesson = ?", (lesson,))
            rows = connection.execute(f"SELECT * FROM events{where} ORDER BY time, rowid", values)
            return [event for row in rows if (event := _event(row)) is not None]

        return self._read(read, [])

    def forget(self, lesson: str) -> int:
        """Delete the events of a lesson; returns how many there were. Raises StoreError."""
        return self._write(lambda c: c.execute("DELETE FROM events WHERE lesson = ?", (lesson,)).rowcount)

    def trust(self, path: str, hash: str) -> None:
        """Remember that the file of this path and hash may run. Raises StoreError."""
        self._write(lambda c: c.execute("INSERT OR IGNORE INTO trusted VALUES (?, ?)", (path, hash)).rowcount)

    def trusted(self) -> frozenset[tuple[str, str]]:
        """Path and hash of each file that may run. Raises StoreError."""
        return self._read(lambda c: frozenset(c.execute("SELECT path, hash FROM trusted")), frozenset())

    def _write(self, work: Callable[[sqlite3.Connection], int]) -> int:
        def attempt() -> int:
            _make(self.path)
            return self._on(lambda connection: _transaction(connection, work))

        return self._usable(attempt)

    def _read(self, work: Callable[[sqlite3.Connection], Result], nothing: Result) -> Result:
        def within(connection: sqlite3.Connection) -> Result:
            return work(connection) if _is_ours(connection) else nothing

        return self._usable(lambda: self._on(within) if self.path.exists() else nothing)

    def _usable(self, attempt: Callable[[], Result]) -> Result:
        """Try; if the file can't be used, set it aside and try without it."""
        try:
            try:
                return attempt()
            except _UnusableError:
                return self._try_apart(attempt)
        except sqlite3.Error as error:
            fault = FAULTS.get(_code(error), "other")
            self._patience = HASTY if fault == "busy" else PATIENT
            raise StoreError(fault, str(error)) from error
        except OSError as error:
            raise StoreError(_FULL.get(error.errno or 0, "unwritable"), error.strerror or str(error)) from error

    def _on(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            with closing(_connect(self.path, self._patience)) as connection:
                result = work(connection)
        except sqlite3.Error as error:
            if _code(error) in _DAMAGE:
                raise _UnusableError("damaged") from error
            raise
        self._patience = PATIENT
        return result

    def _try_apart(self, attempt: Callable[[], Result]) -> Result:
        """Try again with other processes kept out: one of them may have set the file aside meanwhile."""
        with self._alone():
            try:
                return attempt()
            except _UnusableError as error:
                self._set_aside(error.flaw)
            return attempt()

    def _set_aside(self, flaw: Flaw) -> None:
        """Rename the file, with its journal; what can be read of it begins a new one."""
        aside = _free(self.path, flaw)
        journal = _beside(self.path, "-journal")
        if journal.exists():
            journal.rename(_beside(aside, "-journal"))
        self.path.rename(aside)
        rows = list(_readable(aside)) if flaw == "damaged" else []
        self.asides.append(Aside(flaw, aside, len(rows)))
        if rows:
            _make(self.path)
            self._on(lambda connection: _transaction(connection, lambda c: _insert(c, rows)))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes out: SQLite's own locks, on an empty file, work everywhere and end with the process."""
        lock = _beside(self.path, "-lock")
        _make(lock)
        with closing(_connect(lock, PATIENT)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            yield


_DAMAGE = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR)  # the last: tables that aren't ours
_FULL: dict[int, Fault] = {errno.ENOSPC: "full", getattr(errno, "EDQUOT", errno.ENOSPC): "full"}


def default_path() -> Path:
    """The file's place in the user's data folder."""
    import platformdirs

    return Path(platformdirs.user_data_dir("gradrepl", appauthor=False)) / "progress.db"


def _make(path: Path) -> None:
    """Make a file if it isn't there, for its owner alone; SQLite gives its journal the same rights."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _connect(path: Path, patience: float) -> sqlite3.Connection:
    """A connection to a file that is there, to read only where it can't be written.

    Reading may have to write: what a killed process left half-done is undone first.
    """
    place = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(place, uri=True, timeout=patience, isolation_level=None)
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    return connection


def _transaction(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], int]) -> int:
    """Work in one transaction, in which the tables are made if the file is empty."""
    connection.execute("BEGIN IMMEDIATE")
    if not _is_ours(connection):
        for statement in SCHEMA:
            connection.execute(statement)
    result = work(connection)
    connection.execute("COMMIT")
    return result


def _insert(connection: sqlite3.Connection, rows: Iterable[tuple[str, ...]]) -> int:
    before = connection.total_changes
    connection.executemany("INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    return connection.total_changes - before


def _readable(path: Path) -> Iterator[tuple[str, ...]]:
    """The rows that can be read of a damaged file, one by one past the places that can't."""
    rowid = misses = 0
    with closing(_connect(path, PATIENT)) as connection:
        while misses < MOST_MISSES:
            try:
                for row in connection.execute("SELECT rowid, * FROM events WHERE rowid > ? ORDER BY rowid", (rowid,)):
                    rowid, misses = row[0], 0
                    event = _event(row[1:])
                    if event is not None:
                        yield _row(event)
                return
            except sqlite3.Error:
                rowid, misses = rowid + 1, misses + 1


def _is_ours(connection: sqlite3.Connection) -> bool:
    """Whether the file has our tables; an empty one has not. Raises _UnusableError for any other file."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application == APPLICATION and version > VERSION:
        raise _UnusableError("newer")
    if (application, version) == (APPLICATION, VERSION):
        return True
    (count,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if (application, version, count) != (0, 0, 0):
        raise _UnusableError("damaged")
    return False


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary code of an error; 0 where it has none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _free(path: Path, flaw: Flaw) -> Path:
    """A name that no file has."""
    names = (path.with_name(f"{path.stem}-{flaw}-{number}{path.suffix}") for number in count(1))
    return next(name for name in names if not name.exists())


def _row(event: Event) -> tuple[str, ...]:
    return (event.id, timestamp(event.time), event.lesson, event.step, event.code, event.kind, as_json(event.data))


def _event(row: tuple[str, ...]) -> Event | None:
    """The event of a row; None if its time or data make no sense."""
    id, time, lesson, step, code, kind, data = row
    try:
        values = json.loads(data)
        return Event(id, datetime.fromisoformat(time), lesson, step, code, kind, values)
    except (ValueError, TypeError, RecursionError):
        return None


def as_json(values: Mapping[str, Any]) -> str:
    """Values as readable JSON; half a surrogate pair, which UTF-8 can't hold, is written as its escape."""
    return json.dumps(dict(values), ensure_ascii=False).encode("utf-8", "backslashreplace").decode("utf-8")


def timestamp(time: datetime) -> str:
    """A time in UTC to the microsecond: texts that sort as the times do."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")
