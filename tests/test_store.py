"""The file of events: nothing is lost, whatever happens to the process, the disk or the file."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gradrepl.store import PATIENT, VERSION, Event, Store, StoreError, timestamp

ROOT = Path(__file__).parent.parent
START = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


def event(id: int, lesson: str = "one", /, **data: object) -> Event:
    return Event(f"{id:032x}", START + timedelta(seconds=id), lesson, "step", "c0de", "hinted", data)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "data" / "progress.db")


def rows(store: Store) -> list[int]:
    return [int(found.id, 16) for found in store.events()]


def test_events_come_back_as_they_were(store: Store) -> None:
    first = event(1, cell="y.grad", answer="không có", right=False, misconception=None)
    assert store.append([event(2, number=1), first]) == 2
    assert store.events() == [first, event(2, number=1)]
    assert store.events("one") == store.events()
    assert store.events("other") == []


def test_a_file_that_is_not_there_is_not_made_by_reading(store: Store) -> None:
    assert (store.events(), store.trusted()) == ([], frozenset())
    assert not store.path.parent.exists()


def test_the_same_event_counts_once(store: Store) -> None:
    assert [store.append([event(1)]), store.append([event(1), event(2)]), len(store.events())] == [1, 1, 2]


def test_forgetting_takes_one_lesson_and_leaves_the_others(store: Store) -> None:
    store.append([event(1), event(2), event(3, "two")])
    assert store.forget("one") == 2
    assert rows(store) == [3]
    assert b"c0de" in store.path.read_bytes()
    store.forget("two")
    assert b"c0de" not in store.path.read_bytes()


def test_trust_is_for_a_path_and_its_hash(store: Store) -> None:
    store.trust("/a", "1")
    store.trust("/a", "1")
    assert store.trusted() == {("/a", "1")}


def test_times_sort_as_texts() -> None:
    times = [START.replace(microsecond=n) + timedelta(seconds=m) for m in (0, 60, 86400) for n in (0, 1, 999999)]
    assert [timestamp(time) for time in times] == sorted(timestamp(time) for time in times)


def test_the_file_is_for_its_owner_alone(store: Store) -> None:
    old = os.umask(0)
    try:
        store.append([event(1)])
    finally:
        os.umask(old)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700


def spoiled_in_the_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    place = data.rindex(b"c0dehinted", 0, len(data) // 2) // 4096 * 4096
    data[place : place + 4096] = b"\xff" * 4096
    path.write_bytes(data)


def of_another_program(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipes (name)")
    connection.close()


def without_its_tables(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE events")
    connection.close()


DAMAGES: list[Callable[[Path], object]] = [
    lambda path: path.write_bytes(b"not a database" * 100),
    lambda path: path.write_bytes(path.read_bytes()[:5000]),
    spoiled_in_the_middle,
    of_another_program,
    without_its_tables,
]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("reading", [True, False])
def test_a_damaged_file_is_set_aside_whole(store: Store, damage: Callable[[Path], object], reading: bool) -> None:
    store.append(event(n, text="x" * 500) for n in range(40))
    damage(store.path)
    damaged = store.path.read_bytes()
    later = Store(store.path)
    if reading or damage is spoiled_in_the_middle:  # a page that isn't touched is no obstacle to writing
        later.events()
    later.append([event(99)])
    assert 99 in rows(later)
    (aside,) = later.asides
    assert (aside.flaw, aside.path.name, aside.path.read_bytes()) == ("damaged", "progress-damaged-1.db", damaged)
    assert aside.rescued == len(rows(later)) - 1


def test_what_can_be_read_of_a_damaged_file_is_taken_over(store: Store) -> None:
    store.append(event(n, text="x" * 500) for n in range(200))
    spoiled_in_the_middle(store.path)
    later = Store(store.path)
    assert 150 < len(later.events()) < 200
    assert len(later.events()) == later.asides[0].rescued
    assert {0, 199} <= set(rows(later))


def test_a_file_of_a_newer_version_is_set_aside(store: Store) -> None:
    store.append([event(1)])
    with sqlite3.connect(store.path) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    newer = store.path.read_bytes()
    assert store.events() == []
    assert store.asides[0].flaw == "newer"
    store.append([event(2)])
    assert rows(store) == [2]
    assert (store.path.parent / "progress-newer-1.db").read_bytes() == newer


def test_files_set_aside_do_not_overwrite_each_other(store: Store) -> None:
    for number in range(3):
        store.path.parent.mkdir(exist_ok=True)
        store.path.write_bytes(b"junk %d" % number * 200)
        store.append([event(number)])
    names = [store.path.with_name(f"progress-damaged-{n}.db") for n in (1, 2, 3)]
    assert [name.read_bytes()[:6] for name in names] == [b"junk 0", b"junk 1", b"junk 2"]


def test_two_that_find_the_damage_at_once_keep_what_the_first_saved(store: Store) -> None:
    store.path.parent.mkdir()
    store.path.write_bytes(b"junk" * 2000)
    first, second = Store(store.path), Store(store.path)
    keep_out = second._alone

    def after_the_first() -> AbstractContextManager[None]:
        first.append([event(1)])
        return keep_out()

    second._alone = after_the_first  # type: ignore[method-assign]
    second.append([event(2)])
    assert (len(first.asides), second.asides, rows(second)) == (1, [], [1, 2])


def test_an_entry_that_makes_no_sense_is_passed_over(store: Store) -> None:
    store.append([event(1), event(2), event(3)])
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE events SET data = '{' WHERE id = ?", (event(2).id,))
        connection.execute("UPDATE events SET time = x'ff' WHERE id = ?", (event(3).id,))
    connection.close()
    assert rows(store) == [1]


def test_an_empty_file_is_a_new_one(store: Store) -> None:
    store.path.parent.mkdir()
    store.path.touch()
    assert store.events() == []
    store.append([event(1)])
    assert (rows(store), store.asides) == ([1], [])


def test_a_full_disk_is_an_error_and_keeps_what_was_there(store: Store) -> None:
    store.append([event(1)])
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (store.path.stat().st_size, old[1]))
    try:
        with pytest.raises(StoreError) as raised:
            store.append([event(2, text="x" * 100_000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert raised.value.fault in ("full", "failing")
    assert (rows(store), store.asides) == ([1], [])
    assert store.append([event(2, text="x" * 100_000)]) == 1


@pytest.mark.parametrize("errno", ["ENOSPC", "EDQUOT"])
def test_a_full_disk_may_show_before_sqlite_sees_it(store: Store, errno: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno as numbers

    def full(*arguments: object) -> int:
        raise OSError(getattr(numbers, errno), "No room")

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(StoreError) as raised:
        store.append([event(1)])
    assert raised.value.fault == "full"


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError) as raised:
        Store(tmp_path / "file" / "progress.db").append([event(1)])
    assert raised.value.fault == "unwritable"
    (tmp_path / "progress.db").mkdir()
    for work in (lambda s: s.events(), lambda s: s.append([event(1)])):
        with pytest.raises(StoreError) as raised:
            work(Store(tmp_path / "progress.db"))
        assert raised.value.fault in ("unwritable", "failing")


def without_rights(work: Callable[[], None]) -> int:
    """Do it in a process that isn't root's, for whom nothing can be forbidden; returns its exit status."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        if os.geteuid() == 0:
            os.setuid(65534)
        work()
    except BaseException as error:
        os.write(2, f"{error!r}\n".encode())
        os._exit(1)
    os._exit(0)


def test_a_home_that_can_only_be_read_is_read() -> None:
    def look() -> None:
        assert rows(store) == [1]
        with pytest.raises(StoreError) as raised:
            store.append([event(2)])
        assert raised.value.fault == "unwritable"

    with TemporaryDirectory() as folder:
        store = Store(Path(folder) / "progress.db")
        store.append([event(1)])
        store.path.chmod(0o444)
        store.path.parent.chmod(0o555)
        try:
            assert without_rights(look) == 0
        finally:
            store.path.parent.chmod(0o700)


def test_a_file_that_another_holds_is_an_error_and_the_next_try_is_quick(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.append([event(1)])
    monkeypatch.setattr("gradrepl.store.PATIENT", 0.1)
    other = sqlite3.connect(store.path)
    other.execute("BEGIN EXCLUSIVE")
    hurried = Store(store.path)
    hurried._patience = 0.1
    with pytest.raises(StoreError) as raised:
        hurried.append([event(2)])
    assert raised.value.fault == "busy"
    assert hurried._patience < PATIENT
    other.close()
    assert hurried.append([event(2)]) == 1


WRITER = """
import sys
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from gradrepl.store import Event, Store
store, name = Store(Path(sys.argv[1])), int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for number in range(40):
    store.append([Event(f"{name:016x}{number:016x}", datetime.now(UTC), "one", "step", "c", "hinted", {})])
"""


def test_eight_processes_that_write_at_once_lose_nothing(store: Store) -> None:
    command = [sys.executable, "-c", WRITER, str(store.path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    writers = [
        subprocess.Popen([*command, str(n)], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for n in range(8)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.close()
    assert [writer.wait(120) for writer in writers] == [0] * 8
    assert len(store.events()) == 8 * 40
