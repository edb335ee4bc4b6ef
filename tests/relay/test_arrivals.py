"""A request is one row, durable before it is answered, and gone once it is routed."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from relay.outbox import Arrival, Backlog, OutboxRefused, OutboxUnavailable
from relay.outbox import sqlite_arrivals as statements
from relay.outbox.sqlite import SqliteOutbox
from relay.outbox.sqlite_file import arrivals_path
from tests.relay.disk import full_disk
from tests.relay.killed import killed_after
from tests.relay.outbox_orders import join
from tests.relay.records import DAY_MS, NOW, raw, record, states

pytestmark = pytest.mark.anyio

BODY = b'{"events":[{"email":"siti@example.com"}]}'


async def accept(outbox: SqliteOutbox, *marks: str, site: str = "toko") -> None:
    """These arrive in one turn of the event loop."""
    await asyncio.gather(*(outbox.accept(site, NOW, mark.encode(), BODY) for mark in marks))


async def marks(outbox: SqliteOutbox, limit: int = 1000, after: int = 0) -> list[str]:
    return [one.facts.decode() for one in await outbox.arrivals(limit, after)]


async def test_what_arrived_is_there_as_it_came_and_in_its_order(outbox: SqliteOutbox) -> None:
    """The oldest first; after one of them, or only so many."""
    names = [f"m{n}" for n in range(statements.STORE_MOST * 2 + 5)]
    await accept(outbox, *names)
    assert await marks(outbox) == names
    first, second, *_ = await outbox.arrivals(2, 0)
    assert first == Arrival(first.id, "toko", NOW, b"m0", BODY)
    assert await marks(outbox, limit=2, after=second.id) == ["m2", "m3"]


async def test_they_go_on_where_the_last_process_ended(path: Path) -> None:
    """What comes later has the higher mark, whatever was there before."""
    for n in range(3):
        async with await SqliteOutbox.open(path) as outbox:
            heard = list[Arrival]()
            newest = outbox.on_arrivals(heard.extend)
            await accept(outbox, f"m{n}")
            assert [one.id for one in heard] == [newest + 1]
            assert await marks(outbox) == [f"m{i}" for i in range(n + 1)]


@pytest.mark.parametrize("count", [1, 50, statements.STORE_MOST, statements.STORE_MOST + 1])
async def test_all_that_arrive_together_share_one_commit(outbox: SqliteOutbox, count: int) -> None:
    """One wait for the disk, and they are told together."""
    heard = list[Sequence[Arrival]]()
    outbox.on_arrivals(heard.append)
    said = list[str]()
    db = outbox._arrivals._writer._db
    db.set_trace_callback(said.append)
    await accept(outbox, *(f"m{n}" for n in range(count)))
    db.set_trace_callback(None)
    assert [len(some) for some in heard] == [count]
    assert said.count("COMMIT") == (count > statements.STORE_MOST)  # a statement alone is its own
    assert len([one for one in said if one.startswith("INSERT")]) == -(-count // 64)


@pytest.mark.parametrize("count", [3, statements.STORE_MOST + 1])
async def test_what_cannot_be_stored_is_refused_to_all_of_its_commit(
    outbox: SqliteOutbox, count: int
) -> None:
    """Nobody is told `stored`, nothing of it is there, and with room it goes on."""
    await accept(outbox, "before")
    heard = list[Arrival]()
    outbox.on_arrivals(heard.extend)
    with full_disk():
        asked = [outbox.accept("toko", NOW, b"no room", BODY) for _ in range(count)]
        ends = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(end) for end in ends} == {OutboxUnavailable}
    assert (heard, await marks(outbox)) == ([], ["before"])
    await accept(outbox, "after")
    assert await marks(outbox) == ["before", "after"]
    assert [one.facts for one in heard] == [b"after"]


async def test_what_nobody_waits_for_any_more_is_told_all_the_same(outbox: SqliteOutbox) -> None:
    """The caller has gone, but it is on disk, and must be routed."""
    heard = list[Arrival]()
    outbox.on_arrivals(heard.extend)
    gone = asyncio.ensure_future(outbox.accept("toko", NOW, b"gone", BODY))
    there = asyncio.ensure_future(outbox.accept("toko", NOW, b"there", BODY))
    gone.cancel()
    await there
    assert [one.facts for one in heard] == [b"gone", b"there"]


async def test_a_closed_outbox_takes_nothing(outbox: SqliteOutbox) -> None:
    """And stores what was given to it before."""
    last = asyncio.ensure_future(outbox.accept("toko", NOW, b"last", BODY))
    await outbox.close()
    await last
    with pytest.raises(OutboxUnavailable, match="closed"):
        await outbox.accept("toko", NOW, b"later", BODY)


async def test_what_is_routed_leaves_no_trace(path: Path) -> None:
    """Neither of the body nor of who sent it, in any file, from the next clean-up on."""
    async with await SqliteOutbox.open(path) as outbox:
        await accept(outbox, "203.0.113.7", "stays")
        assert b"siti@example.com" in raw(path)
        first, _ = await outbox.arrivals(9, 0)
        told = [record("e1", user={})]
        assert await outbox.routed([first.id], told, [], join) == {("toko", "meta")}
        assert await states(outbox) == [("e1", "meta", "waiting")]
        assert await marks(outbox) == ["stays"]
        (last,) = await outbox.arrivals(9, 0)
        await outbox.routed([last.id], [], [], join)
    assert b"siti@example.com" not in raw(path)
    assert b"203.0.113.7" not in raw(path)


async def test_what_waits_is_counted_by_site(path: Path) -> None:
    """Also from beside, while a relay has it; of an outbox that knew no arrivals it is none."""
    async with await SqliteOutbox.open(path) as outbox, await SqliteOutbox.beside(path) as other:
        await accept(outbox, "m1", "m2")
        await accept(outbox, "m3", site="batik")
        expected = [Backlog("batik", "", 1, NOW), Backlog("toko", "", 2, NOW)]
        assert await outbox.arrivals_waiting() == expected
        assert await other.arrivals_waiting() == expected
    arrivals_path(path).unlink()
    async with await SqliteOutbox.beside(path) as other:
        assert await other.arrivals_waiting() == []
    assert not arrivals_path(path).exists()


async def test_what_was_never_routed_is_kept_as_long_as_the_site_says(outbox: SqliteOutbox) -> None:
    """`retention_days`, 30 for a site that nobody knows any more."""
    await accept(outbox, "m1")
    await accept(outbox, "m2", site="gone")
    for days, left in ((3, ["m1", "m2"]), (4, ["m2"]), (30, ["m2"]), (31, [])):
        await outbox.purge(NOW + days * DAY_MS, {"toko": 3})
        assert await marks(outbox) == left


async def test_what_is_read_together_does_not_fill_memory(
    outbox: SqliteOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fewer where they are large, but always one."""
    monkeypatch.setattr(statements, "FIND_BYTES", len(BODY) + 1)
    await accept(outbox, *"abcde")
    assert [len(await outbox.arrivals(9, after)) for after in (0, 2, 4, 5)] == [2, 2, 1, 0]
    monkeypatch.setattr(statements, "FIND_BYTES", 1)
    assert len(await outbox.arrivals(9, 0)) == 1


ACCEPTS_FOR_EVER = """
import asyncio, itertools, sys
from relay.outbox.sqlite import SqliteOutbox

async def accept_one_by_one(outbox, client):
    for n in itertools.count():
        await outbox.accept("toko", 1, f"{client}-{n}".encode(), b"{}")
        print(f"{client}-{n}", flush=True)

async def main():
    outbox = await SqliteOutbox.open(sys.argv[1])
    await asyncio.gather(*(accept_one_by_one(outbox, client) for client in range(8)))

asyncio.run(main())
"""


async def test_a_killed_process_loses_nothing_that_it_accepted(path: Path) -> None:
    """SIGKILL in the middle of a stream of requests: each that was answered is there."""
    accepted = await killed_after(300, ACCEPTS_FOR_EVER, path)
    async with await SqliteOutbox.open(path) as outbox:
        assert set(accepted) <= set(await marks(outbox, limit=1_000_000))
    assert len(accepted) >= 300


async def test_arrivals_of_a_newer_version_are_refused(path: Path) -> None:
    """As an outbox of one is; nothing is touched."""
    await (await SqliteOutbox.open(path)).close()
    with sqlite3.connect(arrivals_path(path)) as db:
        db.execute("PRAGMA user_version = 9")
    db.close()
    with pytest.raises(OutboxRefused, match=r"arrivals has schema 9 .* knows up to 1"):
        await SqliteOutbox.open(path)
