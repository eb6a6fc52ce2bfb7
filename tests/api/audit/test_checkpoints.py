"""Checkpoints outside the database: in time, by several workers at once, after crashes, never against another."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from api.audit import checkpointing
from api.audit.checkpointing import Checkpointer
from api.audit.checkpoints import Finding, Folder, Keyring, Signed, Signer
from api.store.database import Database
from api.store.queries import AuditEvent, append_audit
from api.store.queries.audit import audit_tail
from tests.support.service import Clock
from tests.support.witnessing import FILE, KEYRING, NOW, SIGNER, disarm, findings, words_of

EVENT = AuditEvent("officer", "risk", "note", "app_1")


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A database of either kind with an empty chain."""
    with Database.open(url) as opened:
        yield opened


@pytest.fixture
def lone(sqlite_url: str) -> Iterator[Database]:
    """The same on SQLite alone, where the database makes no difference."""
    with Database.open(sqlite_url) as opened:
        yield opened


def grow(database: Database, entries: int = 1) -> None:
    """Add entries to the chain."""
    with database.transaction() as connection:
        for _ in range(entries):
            append_audit(connection, EVENT, NOW)


def worker(database: Database, folder: Path, clock: Clock | None = None, *, first: bool = True) -> Checkpointer:
    """What one worker has."""
    return Checkpointer(database, Folder(folder), SIGNER, KEYRING, clock or Clock(NOW), first=first)


def kept(folder: Path) -> list[Signed]:
    """Every checkpoint of a folder, all of which hold."""
    found = list(Folder(folder).all(KEYRING))
    assert not [each for each in found if isinstance(each, Finding)], found
    return [each for each in found if isinstance(each, Signed)]


def covered(folder: Path) -> list[int]:
    """The entries that have a checkpoint of their own."""
    return [each.told.seq for each in kept(folder)]


def unheld(database: Database, folder: Path) -> str:
    """What verification finds."""
    with database.transaction(read_only=True) as connection:
        return words_of(findings(connection, Folder(folder)))


def test_a_checkpoint_a_minute_while_the_chain_grows(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of an empty chain, none without growth, one a minute otherwise, and one at the end whatever the time."""
    moment = [1_000.0]
    monkeypatch.setattr(checkpointing, "time", SimpleNamespace(monotonic=lambda: moment[0]))
    clock, folder = Clock(NOW), tmp_path / "kept"
    one = worker(database, folder, clock)

    async def minutes() -> None:
        for entries, seconds, expected in (
            (0, 61, []),
            (3, 59, []),
            (0, 2, [3]),
            (2, 59, [3]),
            (0, 2, [3, 5]),
            (0, 61, [3, 5]),
        ):
            grow(database, entries)
            moment[0] += seconds
            clock.advance(seconds)
            await one.tick()
            assert covered(folder) == expected
        grow(database)
        await one.finish()
        await one.finish()

    asyncio.run(minutes())
    assert covered(folder) == [3, 5, 6]
    assert unheld(database, folder) == ""
    with database.transaction(read_only=True) as connection:
        assert kept(folder)[-1].told.head == audit_tail(connection, 1)[0].sha256


def test_several_workers_write_one_series(database: Database, tmp_path: Path) -> None:
    """Six threads, each with a worker of its own, while the chain grows: no line is lost, doubled or out of order."""
    folder, barrier, failures = tmp_path / "kept", threading.Barrier(6), list[BaseException]()

    def work() -> None:
        try:
            one = worker(database, folder)
            barrier.wait(30)
            for _ in range(8):
                grow(database)
                asyncio.run(one.finish())
                assert one.finding is None
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert covered(folder)[-1] == 48
    assert len(kept(folder)) >= 8
    assert unheld(database, folder) == ""


def test_a_line_that_was_overtaken_is_not_kept(lone: Database, tmp_path: Path) -> None:
    """A checkpoint that does not follow the last line any more is refused, and nothing is written."""
    folder = tmp_path / "kept"
    grow(lone)
    asyncio.run(worker(lone, folder).finish())
    (first,) = kept(folder)
    assert not Folder(folder).append(first)
    assert covered(folder) == [1]


def test_a_torn_last_line_is_passed_over(lone: Database, tmp_path: Path) -> None:
    """Whatever a crash left of a line at the end of a file, the series goes on in a new file and holds."""
    folder, draw = tmp_path / "kept", Random(5)
    for number in range(1, 7):
        grow(lone)
        asyncio.run(worker(lone, folder).finish())
        newest = sorted(folder.iterdir())[-1]
        line = newest.read_bytes().splitlines()[-1]
        with newest.open("ab") as file:
            file.write(line[: draw.randrange(1, len(line))])
        assert covered(folder) == [*range(1, number + 1)]
    assert len(list(folder.iterdir())) == 6
    assert unheld(lone, folder) == ""


def test_files_stay_small(lone: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a day's worth of lines a new file is begun."""
    monkeypatch.setattr("api.audit.checkpoints._LINES_A_FILE", 3)
    folder = tmp_path / "kept"
    for _ in range(7):
        grow(lone)
        asyncio.run(worker(lone, folder).finish())
    assert [len(file.read_bytes().splitlines()) for file in sorted(folder.iterdir())] == [3, 3, 1]
    assert covered(folder) == [1, 2, 3, 4, 5, 6, 7]


def test_a_long_chain_is_signed_in_pieces(lone: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many entries are read for one checkpoint at most; the end is reached nevertheless."""
    monkeypatch.setattr(checkpointing.follow_on, "__defaults__", (10,))
    grow(lone, 35)
    asyncio.run(worker(lone, tmp_path / "kept").finish())
    assert covered(tmp_path / "kept") == [10, 20, 30, 35]


@pytest.mark.parametrize(
    ("tampering", "told"),
    [
        ("UPDATE audit SET body = replace(body, 'risk', 'none') WHERE seq = 8", "entry 8 was altered"),
        ("DELETE FROM audit WHERE seq > 4", "entries 5 to 6 are missing"),
        ("DELETE FROM audit WHERE seq = 7", "entry 7 is missing"),
        ("DELETE FROM audit WHERE seq = 6", "entry 6 is not the one that was signed for"),
        ("UPDATE audit SET sha256 = prev WHERE seq = 1", "another database"),
        ("DELETE FROM audit", "another database"),
    ],
)
def test_nothing_is_signed_that_contradicts_a_checkpoint(
    database: Database, tmp_path: Path, tampering: str, told: str
) -> None:
    """The end of the chain does not hold: the worker says so, signs nothing more, and repairs nothing."""
    folder = tmp_path / "kept"
    grow(database, 6)
    asyncio.run(worker(database, folder).finish())
    grow(database, 3)
    disarm(database, "audit")
    with database.transaction() as connection:
        connection.execute(text(tampering))
    before = (folder / FILE).read_bytes()
    one = worker(database, folder)
    asyncio.run(one.finish())
    assert one.finding is not None
    assert told in one.finding.what
    assert not asyncio.run(one.holds())
    assert (folder / FILE).read_bytes() == before


def test_a_chain_without_any_checkpoint_is_not_taken_on_trust(lone: Database, tmp_path: Path) -> None:
    """Unless it is told that this is the first, a worker does not sign a chain that somebody else wrote."""
    grow(lone)
    one = worker(lone, tmp_path / "kept", first=False)
    asyncio.run(one.finish())
    assert one.finding is not None
    assert "no checkpoint covers the chain" in one.finding.what
    assert not (tmp_path / "kept").exists()


def test_a_chain_that_begins_under_a_worker_needs_no_first(lone: Database, tmp_path: Path) -> None:
    """A worker that saw the empty chain signs what follows."""
    one = worker(lone, tmp_path / "kept", first=False)
    assert asyncio.run(one.holds())
    grow(lone, 2)
    asyncio.run(one.tick())
    assert covered(tmp_path / "kept") == [2]


@pytest.mark.parametrize("left", [0, 1])
def test_checkpoints_taken_away_while_a_worker_runs_are_missed(lone: Database, tmp_path: Path, left: int) -> None:
    """A worker remembers the newest checkpoint that it saw; an older series, or none, is not extended."""
    folder = tmp_path / "kept"
    one = worker(lone, folder)
    for _ in range(2):
        grow(lone)
        asyncio.run(one.finish())
    (folder / FILE).write_bytes(b"".join((folder / FILE).read_bytes().splitlines(keepends=True)[:left]))
    grow(lone)
    asyncio.run(one.finish())
    assert one.finding is not None
    assert "missing" in one.finding.what
    assert len(kept(folder)) == left


def test_a_checkpoint_of_another_key_is_not_believed(lone: Database, tmp_path: Path) -> None:
    """Neither the worker nor verification takes a line that a stranger signed."""
    folder, stranger = tmp_path / "kept", Signer(b"s" * 32)
    grow(lone)
    asyncio.run(Checkpointer(lone, Folder(folder), stranger, Keyring(stranger.public), Clock(NOW), first=True).finish())
    one = worker(lone, folder)
    assert not asyncio.run(one.holds())
    assert "a key that is not trusted" in unheld(lone, folder)


def test_the_key_can_be_changed(lone: Database, tmp_path: Path) -> None:
    """The next key signs on behind the last one's lines while both are trusted."""
    folder, following = tmp_path / "kept", Signer(b"n" * 32)
    both = Keyring(SIGNER.public, following.public)
    for signer in (SIGNER, following, following):
        grow(lone)
        asyncio.run(Checkpointer(lone, Folder(folder), signer, both, Clock(NOW), first=True).finish())
    keys = [each.told.key for each in Folder(folder).all(both) if isinstance(each, Signed)]
    assert keys == [SIGNER.key_id, following.key_id, following.key_id]


def test_the_clock_may_go_back(lone: Database, tmp_path: Path) -> None:
    """After a jump of the clock the next checkpoint is not dated before the last one."""
    folder, clock = tmp_path / "kept", Clock(NOW)
    for _ in range(2):
        grow(lone)
        asyncio.run(worker(lone, folder, clock).finish())
        clock.now -= timedelta(days=400)
    first, second = kept(folder)
    assert second.told.at == first.told.at


def test_what_cannot_be_read_is_not_ready(lone: Database, tmp_path: Path) -> None:
    """A folder that is a file is nothing to hold the chain against."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / FILE).mkdir()
    assert not asyncio.run(worker(lone, tmp_path / "kept").holds())
