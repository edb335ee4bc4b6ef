"""A backlog lives on disk: what waits costs neither memory nor time, however much it is."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from relay.outbox import Delivery, Outcome, sqlite_lookup
from relay.outbox import sqlite_put as puts
from relay.outbox import sqlite_statements as statements
from relay.outbox.sqlite import SqliteOutbox
from relay.outbox.sqlite_file import connect, prepare
from relay.supply import PROBE_AMONG
from tests.relay.backlog import Steps, fill, plans
from tests.relay.delivery_stage import FakeDestination, fails, stage
from tests.relay.records import NOW, event, record

pytestmark = pytest.mark.anyio

FEW, MANY = 500, 50_000
ROUTE = ("toko", "meta")
HOUR_MS = 3_600_000


def laid_out(folder: Path) -> Path:
    path = folder / "outbox.db"
    os.close(prepare(path, NOW))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return laid_out(tmp_path)


Work = Callable[[sqlite3.Connection], Any]
CLAIMED = frozenset(range(1, 101))
OUTCOME = Outcome(Delivery(*ROUTE, "meta", event(), 0, "", None, 7), "retry", 503, "no", NOW)

# Whatever is done for one event or one request, with the backlog in the way.
WORK: dict[str, Work] = {
    "claim": lambda db: statements.find_due(db, ROUTE, 100, NOW, frozenset()),
    "claim beside what is claimed": lambda db: statements.find_due(db, ROUTE, 100, NOW, CLAIMED),
    "claim with nothing due": lambda db: statements.find_due(
        db, ROUTE, 100, NOW - HOUR_MS, CLAIMED
    ),
    "claim for another": lambda db: statements.find_due(db, ("toko", "kwai"), 9, NOW, frozenset()),
    "when the next is due": lambda db: statements.next_due(db, ROUTE, CLAIMED),
    "when another's is due": lambda db: statements.next_due(db, ("toko", "kwai"), frozenset()),
    "what became of an event": lambda db: sqlite_lookup.rows(
        db, "toko", None, statements.Filter(event_id="waits_5"), 100
    ),
    "the dead letters": lambda db: sqlite_lookup.rows(
        db, "toko", "dead", statements.Filter(destination="meta"), 100
    ),
    "replay one": lambda db: statements.replay(
        db, "toko", statements.Filter(event_id="waits_5", since_ms=0), 100, NOW
    ),
    "put": lambda db: puts.put(db, [puts.stored(record("new", "meta", "kwai"))]),
    "settle": lambda db: statements.settle(db, [OUTCOME], NOW),
}


@pytest.fixture(scope="module")
def backlogs(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Path]:
    """Outboxes with little and with much waiting."""
    paths = [laid_out(tmp_path_factory.mktemp(str(count))) for count in (FEW, MANY)]
    for path, count in zip(paths, (FEW, MANY), strict=True):
        fill(path, count, "meta")
    return paths


@pytest.mark.parametrize("name", WORK)
def test_no_step_is_more_for_a_hundred_times_the_backlog(
    backlogs: Sequence[Path], name: str
) -> None:
    """Counted, not timed: SQLite does the same for 50 000 waiting deliveries as for 500."""
    counts = []
    for path in backlogs:
        with closing(connect(path)) as db:
            db.execute("BEGIN")
            steps = Steps(db)
            WORK[name](db)
            counts.append(steps.count)
            db.execute("ROLLBACK")
    few, many = counts
    assert 0 < many <= few + 10


@pytest.mark.parametrize(
    ("statement", "values"),
    [(statements.DUE, (*ROUTE, NOW, "[7]", 100)), (statements.NEXT_DUE, (*ROUTE, "[7]"))],
)
def test_what_is_due_is_found_by_its_index_alone(
    backlogs: Sequence[Path], statement: str, values: tuple[Any, ...]
) -> None:
    """In its order: nothing is sorted, no other row is looked at but its event's."""
    with closing(connect(backlogs[1])) as db:
        first, *rest = plans(db, statement, values)
    assert "USING INDEX deliveries_due (site=? AND destination=?" in first
    assert not any("TEMP B-TREE" in step or step.startswith("SCAN d") for step in rest)


class Counted(SqliteOutbox):
    """Knows how many deliveries were ever out of it at once."""

    out = most_out = claims = 0

    async def claim(self, *args: Any) -> list[Delivery]:
        found = await super().claim(*args)
        self.claims += 1
        self.out += len(found)
        self.most_out = max(self.most_out, self.out)
        return found

    async def settle(self, outcomes: Any, now_ms: int) -> None:
        await super().settle(outcomes, now_ms)
        self.out -= len(outcomes)

    async def release(self, deliveries: Any) -> None:
        await super().release(deliveries)
        self.out -= len(deliveries)


DEAD = fails(httpx.ConnectError("refused"))


@pytest.mark.parametrize(("batch", "most"), [(1, 16 + 32), (40, 640 + 200)])
async def test_no_more_is_in_memory_than_the_next_requests_carry(
    path: Path, batch: int, most: int
) -> None:
    """Those under way, as many that have just ended, and some that are ready to be sent.

    Of a dead destination, what a probe is chosen from.
    """
    fill(path, 1000 * min(batch, 10), "meta")
    async with stage(path, FakeDestination(batch=batch), store=Counted) as on:
        outbox = cast(Counted, on.outbox)
        assert set((await on.states()).values()) == {"done"}
        assert batch <= outbox.most_out <= most
        on.systems["meta"] = DEAD
        await on.put(*(f"e{n}" for n in range(400)))
        await on.passes(60)
        assert outbox.most_out <= max(most, PROBE_AMONG)
        assert outbox.out == 0


async def test_a_dead_destination_s_backlog_delays_no_other(path: Path) -> None:
    """50 000 wait for one; what comes for the other is delivered as if there were none."""
    fill(path, MANY, "meta")
    async with stage(
        path, FakeDestination("meta", batch=100), FakeDestination("tiktok"), store=Counted
    ) as on:
        on.systems["meta"] = DEAD
        await on.passes(3600)
        outbox = cast(Counted, on.outbox)
        before, at = outbox.claims, on.time.now
        await on.put(*(f"e{n}" for n in range(50)), to=["tiktok"], event_time=on.time.now)
        await on.quiet()
        assert len(await on.rows(destination="tiktok", state="done", limit=200)) == 50
        assert on.time.now == at
        assert outbox.claims - before <= 60  # none of them for the dead one


async def test_the_oldest_of_a_backlog_is_first(path: Path) -> None:
    """And each of it is delivered once."""
    fill(path, 1000, "meta")
    async with stage(path, FakeDestination(batch=100, in_flight=1)) as on:
        sent = [event_id for ids in on.sent() for event_id in ids]
        assert sent == [f"waits_{n}" for n in range(1, 1001)]


async def test_large_events_are_claimed_a_few_at_a_time(path: Path) -> None:
    """A mebibyte together, or one that is larger: what waits stays on disk."""
    large = 400_000
    fill(path, 10, "meta", title=large)
    async with await SqliteOutbox.open(path) as outbox:
        found = [len(await outbox.claim("toko", "meta", 100, NOW)) for _ in range(6)]
    assert found == [2, 2, 2, 2, 2, 0]
    fill(path, 2, "kwai", title=3 * large)
    async with await SqliteOutbox.open(path) as outbox:
        found = [len(await outbox.claim("toko", "kwai", 100, NOW)) for _ in range(3)]
    assert found == [1, 1, 0]
