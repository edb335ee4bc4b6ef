"""What the outbox promises about orders: told and paid find each other, once, and are forgotten."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from relay.outbox import HOLD_MS, ORDER_DAYS, OutboxError, Payment, Record, Told
from relay.outbox import sqlite_orders as orders
from relay.outbox.sqlite import SqliteOutbox
from relay.outbox.sqlite_file import connect
from tests.relay.killed import killed_after
from tests.relay.records import DAY_MS, NOW, end, event, raw, record, states, to

pytestmark = pytest.mark.anyio

WITHOUT_TOLD: dict[str, Literal["waiting", "skipped"]] = {"meta": "skipped", "scalev": "waiting"}


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


def told(
    name: str = "begin_checkout", email: str = "siti@example.com", at: int = NOW, **more: Any
) -> Told:
    event_id = f"{name}-of-{email}"
    context = {"event_id": event_id, "event_name": name, "received_at": at, "email": email}
    more = {"is_order_event": name == "purchase", **more}
    return Told("toko", "O1", context, **more)


def copy(email: str = "siti@example.com", event_id: str = "O1-purchase") -> Told:
    """The page's copy where it is put at once (`purchase_on = "created"`)."""
    return told("purchase", email, record=record(event_id, "meta", "scalev", name="purchase"))


def payment(at: int = NOW) -> Payment:
    return Payment("toko", "O1", "purchase", 750000, "IDR", "settlement", at, at)


def join(payment: Payment, contexts: Sequence[Mapping[str, Any]]) -> Record:
    """An event with every e-mail told, which meta takes only where there is one."""
    emails = [context["email"] for context in contexts]
    body = event(f"{payment.order_id}-purchase", "purchase", user={"emails": emails})
    body["params"]["id"] = payment.order_id
    state = dict.fromkeys(WITHOUT_TOLD, "waiting") if emails else WITHOUT_TOLD
    return body, [to(name, state[name]) for name in WITHOUT_TOLD]  # type: ignore[arg-type]


async def waiting(outbox: SqliteOutbox, destination: str, at: int = NOW) -> list[dict[str, Any]]:
    """The events that are due at this destination; they wait again."""
    found = await outbox.claim("toko", destination, 100, at)
    await outbox.release(found)
    return [one.event for one in found]


async def put_purchases(outbox: SqliteOutbox) -> list[tuple[str, str, str]]:
    return [row for row in await states(outbox) if row[0].endswith("purchase")]


class TestJoin:
    async def test_what_was_told_reaches_the_payment_newest_first(
        self, outbox: SqliteOutbox
    ) -> None:
        """Each event of the order tells once, however often it comes."""
        await outbox.tell([], [told(email="a@x.id"), told("add_payment_info", "b@x.id")], join)
        await outbox.tell([], [told(email="c@x.id", at=NOW + 1)], join)
        await outbox.tell([], [told(email="a@x.id", at=NOW + 2)], join)
        assert await outbox.pay(payment(NOW + 2), join) == {("toko", "meta"), ("toko", "scalev")}
        (sent,) = await waiting(outbox, "meta", NOW + 2)
        assert sent["user"] == {"emails": ["c@x.id", "b@x.id", "a@x.id"]}

    async def test_of_much_that_was_told_the_newest_counts(self, outbox: SqliteOutbox) -> None:
        """A checkout reloaded a thousand times holds up nobody."""
        many = [told(email=f"{n}@x.id", at=NOW + n) for n in range(100)]
        await outbox.tell([], many, join)
        await outbox.pay(payment(NOW + 100), join)
        (sent,) = await waiting(outbox, "meta", NOW + 100)
        assert sent["user"]["emails"][0] == "99@x.id"
        assert len(sent["user"]["emails"]) == 20

    async def test_another_shops_or_another_orders_telling_is_not_joined(
        self, outbox: SqliteOutbox
    ) -> None:
        other = Told("toko", "O2", told().context)
        warung = Told("warung", "O1", told().context)
        await outbox.tell([], [other, warung], join)
        await outbox.pay(payment(), join)
        assert await put_purchases(outbox) == [
            ("O1-purchase", "meta", "skipped"),
            ("O1-purchase", "scalev", "waiting"),
        ]

    async def test_an_order_is_paid_once(self, outbox: SqliteOutbox) -> None:
        """A repeat changes nothing, also when its event was done and forgotten long ago."""
        await outbox.tell([], [told("purchase")], join)
        assert await outbox.pay(payment(), join)
        for destination in WITHOUT_TOLD:
            await end(outbox, "done", destination)
        await outbox.purge(NOW + 8 * DAY_MS, {})
        assert await states(outbox) == []
        assert await outbox.pay(payment(NOW + 8 * DAY_MS), join) == set()
        assert await states(outbox) == []

    async def test_the_pages_copy_that_was_put_is_the_only_one(self, outbox: SqliteOutbox) -> None:
        """Also where it has an event ID of its own, and was forgotten before the order was paid."""
        await outbox.tell([], [copy(event_id="my-own-purchase")], join)
        for destination in WITHOUT_TOLD:
            await end(outbox, "done", destination)
        await outbox.purge(NOW + 8 * DAY_MS, {})
        assert await outbox.pay(payment(NOW + 8 * DAY_MS), join) == set()
        assert await put_purchases(outbox) == []
        assert (await outbox.payments("toko"))[0]["event_id"] is None

    async def test_at_once_or_one_after_the_other_it_is_one_purchase(self, path: Path) -> None:
        """Payment and page in every order, and both at the same moment."""
        for n in range(20):
            async with await SqliteOutbox.open(path.with_name(f"{n}.db")) as outbox:
                work = [outbox.pay(payment(), join), outbox.tell([], [copy()], join)]
                await asyncio.gather(*(work if n % 2 else work[::-1]))
                assert await put_purchases(outbox) == [
                    ("O1-purchase", "meta", "waiting"),
                    ("O1-purchase", "scalev", "waiting"),
                ]
                assert len(await waiting(outbox, "meta")) == 1


class TestPaymentFirst:
    async def test_a_payment_nobody_told_of_is_held_a_moment(self, outbox: SqliteOutbox) -> None:
        """The page that comes meanwhile brings what it lacks; without one it goes as it is."""
        await outbox.pay(payment(), join)
        assert await waiting(outbox, "scalev", NOW + HOLD_MS - 1) == []
        assert await outbox.next_due("toko", "scalev") == NOW + HOLD_MS
        (sent,) = await waiting(outbox, "scalev", NOW + HOLD_MS)
        assert sent["user"] == {"emails": []}

    @pytest.mark.parametrize("page", [told("purchase"), copy(), told("begin_checkout")])
    async def test_the_page_completes_what_waits_and_what_was_skipped(
        self, outbox: SqliteOutbox, page: Told
    ) -> None:
        """What was held is due, what lacked something may wait now; both with what was told."""
        await outbox.pay(payment(), join)
        assert await outbox.tell([], [page], join) == {("toko", "meta"), ("toko", "scalev")}
        for destination in WITHOUT_TOLD:
            (sent,) = await waiting(outbox, destination)
            assert sent["user"] == {"emails": ["siti@example.com"]}
            assert sent["event_id"] == "O1-purchase"

    async def test_what_is_done_or_tried_stays_as_it_is(self, outbox: SqliteOutbox) -> None:
        """Sent again it would count twice; only what was skipped for want of data waits."""
        await outbox.pay(payment(), join)
        await end(outbox, "done", "scalev", NOW + HOLD_MS)
        await outbox.tell([], [copy()], join)
        assert await put_purchases(outbox) == [
            ("O1-purchase", "meta", "waiting"),
            ("O1-purchase", "scalev", "done"),
        ]

    async def test_what_the_page_tells_can_also_stop_what_is_held(
        self, outbox: SqliteOutbox, path: Path
    ) -> None:
        """A shopper who has refused is not sent, and nothing told is kept of the event."""

        def refused(payment: Payment, contexts: Sequence[Mapping[str, Any]]) -> Record:
            body, _ = join(payment, contexts)
            return body, [to(name, "skipped") for name in WITHOUT_TOLD]

        await outbox.tell([], [told()], join)
        await outbox.pay(payment(), join)
        assert await outbox.tell([], [told("purchase")], refused) == set()
        rows = await outbox.deliveries("toko")
        assert {(row["state"], row["reason"]) for row in rows} == {("skipped", "no consent")}
        await outbox.close()
        assert b"siti" not in raw(path)

    async def test_a_page_that_comes_when_all_is_forgotten_sends_nothing(
        self, outbox: SqliteOutbox
    ) -> None:
        """Its destinations know a repeat only for some days."""
        await outbox.pay(payment(), join)
        await end(outbox, "done", "scalev", NOW + HOLD_MS)
        await outbox.purge(NOW + 8 * DAY_MS, {})
        assert await outbox.tell([], [copy()], join) == set()
        assert await put_purchases(outbox) == []

    async def test_the_pages_own_event_id_makes_no_second_event(self, outbox: SqliteOutbox) -> None:
        await outbox.pay(payment(), join)
        await outbox.tell([], [copy(event_id="my-own")], join)
        assert {row[0] for row in await states(outbox)} == {"O1-purchase"}


class TestReversal:
    async def test_only_what_was_paid_is_taken_back(self, outbox: SqliteOutbox) -> None:
        """A denial of an order that is not paid is none; the first word of a refund is news."""
        assert not await outbox.reverse("toko", "O1", "deny", NOW, was_paid=False)
        await outbox.pay(payment(), join)
        assert await outbox.reverse("toko", "O1", "deny", NOW + 1, was_paid=False)
        assert not await outbox.reverse("toko", "O1", "deny", NOW + 2, was_paid=False)
        assert await outbox.payments("toko", order_id="O1") == [
            {
                "order_id": "O1",
                "state": "reversed",
                "status": "deny",
                "event_id": "O1-purchase",
                "updated_at": NOW + 1,
            }
        ]

    async def test_what_was_taken_back_is_neither_paid_nor_completed(
        self, outbox: SqliteOutbox
    ) -> None:
        """A refund that overtakes its payment counts, and a page that comes late adds nothing."""
        assert await outbox.reverse("toko", "O1", "refund", NOW, was_paid=True)
        assert await outbox.pay(payment(), join) == set()
        assert await outbox.tell([], [copy()], join) == set()
        assert await states(outbox) == []


class TestForgetting:
    async def test_nothing_told_is_kept_once_the_order_is_paid_and_the_page_came(
        self, outbox: SqliteOutbox, path: Path
    ) -> None:
        """Page first and payment first, put by the page and by the payment: the disk forgets."""
        await outbox.tell([], [told(), told("purchase")], join)
        await outbox.pay(payment(), join)
        for destination in WITHOUT_TOLD:
            await end(outbox, "done", destination)
        await outbox.close()
        assert b"siti" not in raw(path)

    async def test_the_pages_copy_that_was_put_needs_nothing_told(
        self, outbox: SqliteOutbox, path: Path
    ) -> None:
        await outbox.tell([], [told(), copy()], join)
        for destination in WITHOUT_TOLD:
            await end(outbox, "done", destination)
        await outbox.close()
        assert b"siti" not in raw(path)

    @pytest.mark.parametrize(("days", "is_kept"), [(30, True), (31, False)])
    async def test_an_order_never_paid_is_told_of_for_the_sites_retention(
        self, outbox: SqliteOutbox, path: Path, days: int, is_kept: bool
    ) -> None:
        """`retention_days`, 30 for a site that does not say."""
        await outbox.tell([], [told()], join)
        await outbox.purge(NOW + days * DAY_MS, {})
        await outbox.pay(payment(NOW + days * DAY_MS), join)
        assert bool(await waiting(outbox, "meta", NOW + days * DAY_MS)) is is_kept
        await outbox.close()
        assert (b"siti" in raw(path)) is is_kept

    async def test_a_paid_orders_telling_goes_when_nothing_is_left_to_complete(
        self, outbox: SqliteOutbox, path: Path
    ) -> None:
        """The page's copy may come for seven days."""
        await outbox.tell([], [told()], join)
        await outbox.pay(payment(), join)
        for destination in WITHOUT_TOLD:
            await end(outbox, "done", destination)
        await outbox.purge(NOW + 8 * DAY_MS, {"toko": 30})
        await outbox.close()
        assert b"siti" not in raw(path)

    @pytest.mark.parametrize(("days", "is_known"), [(ORDER_DAYS, True), (ORDER_DAYS + 1, False)])
    async def test_an_order_is_remembered_longer_than_a_chargeback_takes(
        self, outbox: SqliteOutbox, days: int, is_known: bool
    ) -> None:
        await outbox.pay(payment(), join)
        await outbox.purge(NOW + days * DAY_MS, {})
        assert bool(await outbox.payments("toko")) is is_known


TELLS_FOR_EVER = """
import asyncio, itertools, sys
from relay.outbox import Told
from relay.outbox.sqlite import SqliteOutbox
from tests.relay.killed import killed_after
from tests.relay.records import NOW, record
from tests.relay.test_outbox_contexts import join, told

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
