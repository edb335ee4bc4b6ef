"""What the outbox promises about orders: told and paid find each other, once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from relay.outbox import HOLD_MS, Payment, Record, Told
from relay.outbox.sqlite import SqliteOutbox
from tests.relay.outbox_orders import (
    WITHOUT_TOLD,
    copy,
    join,
    payment,
    put_purchases,
    told,
    waiting,
)
from tests.relay.records import DAY_MS, NOW, end, raw, states, to

pytestmark = pytest.mark.anyio


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

    @pytest.mark.parametrize("name", ["purchase", "subscribe"])
    async def test_the_pages_copy_counts_however_much_is_told_after_it(
        self, outbox: SqliteOutbox, name: str
    ) -> None:
        """A page that waits for the payment may be reloaded all day; the newest stays first."""
        await outbox.tell([], [told(name, "own@x.id")], join)
        many = [told(email=f"{n}@x.id", at=NOW + n) for n in range(1, 100)]
        await outbox.tell([], many, join)
        await outbox.pay(payment(NOW + 100), join)
        (sent,) = await waiting(outbox, "meta", NOW + 100)
        emails = sent["user"]["emails"]
        assert (len(emails), emails[0], emails[-1]) == (20, "99@x.id", "own@x.id")

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
