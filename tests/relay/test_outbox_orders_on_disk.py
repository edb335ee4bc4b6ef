"""Orders in the outbox's file: durable as a whole, of any version, found by an index."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from relay.outbox import OutboxError, Payment, Record
from relay.outbox import sqlite_orders as orders
from relay.outbox.sqlite import SqliteOutbox
from relay.outbox.sqlite_file import connect
from tests.relay.killed import killed_after
from tests.relay.outbox_orders import join, payment, told, waiting
from tests.relay.records import NOW, states

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "outbox.db"


@pytest.fixture
async def outbox(path: Path) -> AsyncIterator[SqliteOutbox]:
    async with await SqliteOutbox.open(path) as one:
        yield one


TELLS_FOR_EVER = """
import asyncio, itertools, sys
from relay.outbox import Told
from relay.outbox.sqlite import SqliteOutbox
from tests.relay.killed import killed_after
from tests.relay.records import NOW, record
from tests.relay.outbox_orders import join, told

async def main():
    outbox = await SqliteOutbox.open(sys.argv[1])
    for n in itertools.count():
        one = Told("toko", f"O{n}", told().context)
        await outbox.tell([record(f"begin-{n}")], [one], join)
        print(n, flush=True)

asyncio.run(main())
"""


async def test_an_event_and_what_it_told_are_durable_together(path: Path) -> None:
    """SIGKILL in a stream of them: each that had returned is there, and none of the two alone."""
    done = await killed_after(100, TELLS_FOR_EVER, path)
    db = connect(path)
    told_of = {row[0][1:] for row in db.execute("SELECT order_id FROM contexts")}
    put = {row[0].removeprefix("begin-") for row in db.execute("SELECT event_id FROM events")}
    db.close()
    assert set(done) <= put
    assert put == told_of


async def test_what_cannot_be_stored_leaves_nothing_behind(outbox: SqliteOutbox) -> None:
    """A join that fails takes the payment with it: the next notification starts anew."""

    def broken(payment: Payment, contexts: Sequence[Mapping[str, Any]]) -> Record:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await outbox.pay(payment(), broken)
    assert await outbox.payments("toko") == []
    assert await outbox.pay(payment(), join)


async def test_a_closed_outbox_says_so(outbox: SqliteOutbox) -> None:
    await outbox.close()
    for work in (
        outbox.tell([], [told()], join),
        outbox.pay(payment(), join),
        outbox.reverse("toko", "O1", "deny", NOW, was_paid=True),
        outbox.payments("toko"),
    ):
        with pytest.raises(OutboxError, match="closed"):
            await work


VERSION_1 = """
CREATE TABLE events (
    id INTEGER PRIMARY KEY, site TEXT NOT NULL, event_id TEXT NOT NULL, event_name TEXT NOT NULL,
    order_id TEXT, received_at INTEGER NOT NULL, body TEXT, UNIQUE (site, event_id)
);
CREATE INDEX events_of_order ON events (site, order_id) WHERE order_id IS NOT NULL;
CREATE TABLE deliveries (
    event INTEGER NOT NULL, destination TEXT NOT NULL, site TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'dead', 'skipped')),
    due_ms INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, status INTEGER,
    reason TEXT NOT NULL, sent_as TEXT, begun INTEGER NOT NULL DEFAULT 0,
    updated_at INTEGER NOT NULL, PRIMARY KEY (event, destination)
) WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (site, destination, due_ms) WHERE state = 'waiting';
CREATE INDEX deliveries_changed ON deliveries (site, state, updated_at);
CREATE INDEX deliveries_begun ON deliveries (event) WHERE begun = 1;
CREATE TABLE proof (id INTEGER PRIMARY KEY CHECK (id = 1), written INTEGER NOT NULL);
INSERT INTO proof VALUES (1, 0);
INSERT INTO events VALUES (1, 'toko', 'e1', 'add_to_cart', NULL, 1760000000000, '{"params":{}}');
INSERT INTO deliveries VALUES
    (1, 'meta', 'toko', 'waiting', 1760000000000, 0, NULL, '', 'e1', 0, 1760000000000),
    (1, 'scalev', 'toko', 'waiting', 1760000000000, 1, NULL, '', 'e1', 1, 1760000000000);
PRAGMA user_version = 1;
"""


async def test_the_file_of_version_1_is_brought_up_to_date(path: Path) -> None:
    """What waits in it is delivered, what was being sent is buried, and orders are known."""
    path.parent.mkdir()
    db = sqlite3.connect(path)
    db.executescript(VERSION_1)
    db.close()
    async with await SqliteOutbox.open(path, now_ms=NOW) as outbox:
        assert await states(outbox) == [("e1", "meta", "waiting"), ("e1", "scalev", "dead")]
        assert await waiting(outbox, "meta") == [{"params": {}}]
        await outbox.tell([], [told("purchase")], join)
        await outbox.pay(payment(), join)
        rows = await outbox.deliveries("toko", order_id="O1")
        assert {row["event_id"] for row in rows} == {"O1-purchase"}
    async with await SqliteOutbox.open(path, now_ms=NOW) as outbox:
        assert len(await outbox.payments("toko")) == 1


FLAT = {
    "find": (orders.FIND_ORDER, "PRIMARY KEY"),
    "contexts": (orders.CONTEXTS, "sqlite_autoindex_contexts_1"),
    "payments": (orders.PAYMENTS, "orders_changed"),
    "one order's": (orders.PAYMENTS_OF_ORDER, "PRIMARY KEY"),
    "old contexts": (orders.REMOVE_OLD_CONTEXTS, "contexts_age"),
    "contexts of paid": (orders.REMOVE_CONTEXTS_OF_PAID, "orders_changed"),
    "old orders": (orders.REMOVE_ORDERS, "orders_changed"),
    "sites": (orders.SITES_WITH_ORDERS, "orders_changed"),
    "sites told of": (orders.SITES_WITH_CONTEXTS, "contexts_age"),
}


@pytest.mark.parametrize(("statement", "index"), FLAT.values(), ids=FLAT)
async def test_no_statement_gets_slower_with_many_orders(
    path: Path, statement: str, index: str
) -> None:
    """Each finds its rows by an index."""
    await (await SqliteOutbox.open(path)).close()
    db = connect(path)
    steps = [
        str(row[3])
        for row in db.execute(f"EXPLAIN QUERY PLAN {statement}", [None] * statement.count("?"))
    ]
    db.close()
    assert any(index in step for step in steps), steps
    assert not any(step.startswith("SCAN orders") for step in steps), steps
