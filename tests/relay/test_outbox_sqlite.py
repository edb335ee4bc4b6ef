"""The outbox in one SQLite file: group commit, kill -9, who may open it, flat statements."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from relay.outbox import (
    OutboxRefused,
    OutboxUnavailable,
    Outcome,
)
from relay.outbox import sqlite_lookup as lookup
from relay.outbox import sqlite_statements as statements
from relay.outbox.sqlite import SqliteOutbox
from relay.outbox.sqlite_file import DURABILITY, connect
from relay.outbox.sqlite_statements import Filter
from relay.outbox.sqlite_threads import Writer
from tests.relay.killed import killed_after
from tests.relay.records import DAY_MS, NOW, claim, plan, raw, record, states

pytestmark = pytest.mark.anyio


class TestGroupCommit:
    async def test_calls_that_wait_share_one_commit(self, path: Path) -> None:
        """While the disk is busy with one call, fifty more gather and are committed together."""
        path.parent.mkdir()
        db, said = connect(path), list[str]()
        db.set_trace_callback(said.append)
        writer, is_busy, all_asked = Writer(db), threading.Event(), threading.Event()

        def slow(_: sqlite3.Connection) -> None:
            is_busy.set()
            all_asked.wait()

        first = asyncio.ensure_future(writer.do(slow))
        await asyncio.to_thread(is_busy.wait)
        others = [
            asyncio.ensure_future(writer.do(lambda _, n=n: n))  # type: ignore[misc]
            for n in range(50)
        ]
        await asyncio.sleep(0)  # every call is in the queue
        all_asked.set()
        await first
        assert await asyncio.gather(*others) == list(range(50))
        assert said.count("COMMIT") == 2
        await writer.close()

    async def test_a_failed_commit_fails_every_call_in_it(self, path: Path) -> None:
        """Nobody is told `stored` by a transaction that was rolled back."""
        path.parent.mkdir()
        db = connect(path)
        db.execute("CREATE TABLE t (x)")
        db.execute("PRAGMA max_page_count = 2")
        writer = Writer(db)

        def fill(db: sqlite3.Connection) -> None:
            db.execute("INSERT INTO t VALUES (randomblob(100000))")

        async def small() -> None:
            await writer.do(lambda db: db.execute("INSERT INTO t VALUES (1)"))

        ends = await asyncio.gather(small(), writer.do(fill), small(), return_exceptions=True)
        (stored,) = await writer.do(lambda db: db.execute("SELECT count(*) FROM t").fetchone())
        assert isinstance(ends[1], OutboxUnavailable)
        assert stored == ends.count(None)
        await writer.close()


class TestFile:
    async def test_only_the_relays_user_can_read_it(self, path: Path) -> None:
        """Directory 0700, files 0600: it holds personal data while deliveries wait."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([record()])
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
            assert {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()} == {0o600}

    async def test_a_second_process_is_refused(self, path: Path) -> None:
        """It is told so at once; after the first has closed it may."""
        async with await SqliteOutbox.open(path):
            with pytest.raises(OutboxRefused, match="in use by another process"):
                await SqliteOutbox.open(path)
        await (await SqliteOutbox.open(path)).close()

    async def test_another_kind_of_file_is_refused(self, tmp_path: Path) -> None:
        """A wrong path destroys nothing."""
        other = tmp_path / "notes.txt"
        other.write_text("not an outbox\n" * 100)
        with pytest.raises(OutboxRefused, match=r"notes\.txt cannot be opened"):
            await SqliteOutbox.open(other)
        assert other.read_text() == "not an outbox\n" * 100

    async def test_a_power_cut_is_survived_unless_asked_otherwise(self, path: Path) -> None:
        """Each commit waits for the disk: SQLite's FULL, in its write-ahead log."""
        for chosen, expected in ({}, 2), ({"synchronous": DURABILITY["process"]}, 1):
            async with await SqliteOutbox.open(path, **chosen) as outbox:  # type: ignore[arg-type]
                assert await in_force(outbox, "synchronous") == expected
                assert await in_force(outbox, "journal_mode") == "wal"
                assert await in_force(outbox, "secure_delete") == 1

    async def test_the_names_of_what_was_made_are_durable_too(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The folder's in its own folder, the file's in its: a power cut takes no name away."""
        synced = set[str]()

        def fsync(descriptor: int) -> None:
            synced.add(os.readlink(f"/proc/self/fd/{descriptor}"))

        monkeypatch.setattr(os, "fsync", fsync)
        path = tmp_path / "new" / "var" / "outbox.db"
        await (await SqliteOutbox.open(path)).close()
        assert synced == {str(tmp_path), str(tmp_path / "new"), str(path.parent)}

    async def test_a_file_gets_smaller_when_much_is_forgotten(self, path: Path) -> None:
        """A day of trouble does not stay on the disk for ever; a little room is left in it."""
        async with await SqliteOutbox.open(path, synchronous="NORMAL") as outbox:
            for n in range(20):
                some = [record(f"e{n}-{m}", user={"name": "x" * 3000}) for m in range(200)]
                await outbox.put(some)
            await outbox.put([record("stays", received_at=NOW + 1)])
            while found := await claim(outbox, limit=4001):
                await outbox.settle([Outcome(one, "done", 200) for one in found], NOW)
        before = len(raw(path))
        async with await SqliteOutbox.open(path, synchronous="NORMAL") as outbox:
            assert await outbox.purge(NOW + 8 * DAY_MS, {}) == 4000
            assert await states(outbox) == [("stays", "meta", "waiting")]
        assert len(raw(path)) < before / 5

    async def test_a_directory_that_cannot_be_made_is_refused(self, tmp_path: Path) -> None:
        """With the path and the system's reason."""
        (tmp_path / "file").write_text("")
        with pytest.raises(OutboxRefused, match=r"file/outbox\.db cannot be made"):
            await SqliteOutbox.open(tmp_path / "file" / "outbox.db")


async def in_force(outbox: SqliteOutbox, setting: str) -> object:
    """What SQLite has as this setting where it writes."""
    return await outbox._writer.do(lambda db: db.execute(f"PRAGMA {setting}").fetchone()[0])


PUTS_FOR_EVER = """
import asyncio, itertools, sys
from relay.outbox.sqlite import SqliteOutbox
from tests.relay.killed import killed_after
from tests.relay.records import record

async def put_one_by_one(outbox, client):
    for n in itertools.count():
        await outbox.put([record(f"{client}-{n}")])
        print(f"{client}-{n}", flush=True)

async def main():
    outbox = await SqliteOutbox.open(sys.argv[1])
    await asyncio.gather(*(put_one_by_one(outbox, client) for client in range(8)))

asyncio.run(main())
"""


async def test_a_killed_process_loses_nothing_it_said_was_stored(path: Path) -> None:
    """SIGKILL in the middle of a stream of puts: each one that had returned is there again."""
    stored = await killed_after(300, PUTS_FOR_EVER, path)
    async with await SqliteOutbox.open(path) as outbox:
        found = {one.event_id for one in await claim(outbox, limit=1_000_000)}
    assert set(stored) <= found
    assert len(stored) >= 300


FLAT = {
    "claim": (statements.DUE, "deliveries_due"),
    "next due": (statements.NEXT_DUE, "deliveries_due"),
    "ahead": (statements.AHEAD, "deliveries_changed"),
    "set back": (statements.SET_BACK, "deliveries_changed"),
    "waiting": (statements.WAITING, "deliveries_due"),
    "sites": (statements.SITES, "deliveries_changed"),
    "purge": (statements.select("d.event", Filter(before_ms=NOW)), "deliveries_changed"),
    "list": (statements.select("d.event", Filter()), "deliveries_changed"),
    "dead since": (statements.select("d.event", Filter(since_ms=NOW)), "deliveries_changed"),
    "by event": (statements.select("d.event", Filter(event_id="e")), "sqlite_autoindex_events_1"),
    "by order": (statements.select("d.event", Filter(order_id="o")), "events_of_order"),
    "settle": (statements.SETTLE, "PRIMARY KEY"),
    "story": (lookup.STORY, "PRIMARY KEY"),
    "history": (lookup.HISTORY, "PRIMARY KEY"),
    "erase": (statements.ERASE, "INTEGER PRIMARY KEY"),
    "remove": (statements.REMOVE_EVENT, "INTEGER PRIMARY KEY"),
}


@pytest.mark.parametrize(("statement", "index"), FLAT.values(), ids=FLAT)
async def test_no_statement_gets_slower_with_a_long_backlog(
    path: Path, statement: str, index: str
) -> None:
    """Each finds its rows by an index, and none that has a limit sorts more than it needs."""
    named = dict.fromkeys(("site", "state", "limit", "now_ms", "latest_ms", *Filter._fields))
    values: Any = named if ":site" in statement else [None] * statement.count("?")
    steps = await plan(path, statement, values)
    assert any(index in step for step in steps), steps
    if index != "events_of_order" and index != "sqlite_autoindex_events_1":  # a handful of rows
        assert not any("TEMP B-TREE" in step for step in steps), steps
    if index != "deliveries_due":
        assert not any(step.startswith("SCAN deliveries") for step in steps), steps
