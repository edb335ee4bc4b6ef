"""Orders in the outbox's file: durable as a whole, of any version, found by an index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from relay.outbox import OutboxError, Payment, Record
from relay.outbox import sqlite_orders as orders
from relay.outbox.sqlite import SqliteOutbox
from relay.outbox.sqlite_file import connect
from tests.relay.killed import killed_after
from tests.relay.outbox_orders import join, payment, told
from tests.relay.records import NOW, plan

pytestmark = pytest.mark.anyio


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
    steps = await plan(path, statement, [None] * statement.count("?"))
    assert any(index in step for step in steps), steps
    assert not any(step.startswith("SCAN orders") for step in steps), steps
