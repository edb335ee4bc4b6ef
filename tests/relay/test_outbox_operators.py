"""What operators see of the outbox and may do to it, and what time does by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from relay.outbox import (
    Backlog,
    Outcome,
)
from relay.outbox.sqlite import SqliteOutbox
from tests.relay.records import DAY_MS, NOW, claim, end, event, raw, record, states, to

pytestmark = pytest.mark.anyio


class TestDeadLetters:
    async def test_a_replayed_dead_letter_waits_as_if_never_tried(self, path: Path) -> None:
        """Due at once, with the whole event."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([record()])
            await end(outbox, "dead")
            assert await claim(outbox) == []
            assert await outbox.replay("toko", now_ms=NOW) == 1
            (delivery,) = await claim(outbox)
            assert (delivery.attempts, delivery.event) == (0, event())

    @pytest.mark.parametrize(
        ("which", "expected"),
        [
            ({}, {"e1 meta", "e2 meta", "e1 scalev.meta", "e2 scalev.meta"}),
            ({"destination": "meta"}, {"e1 meta", "e2 meta"}),
            ({"destination": "scalev"}, {"e1 scalev.meta", "e2 scalev.meta"}),
            ({"event_id": "e1"}, {"e1 meta", "e1 scalev.meta"}),
            ({"since_ms": NOW + 5}, {"e1 scalev.meta", "e2 scalev.meta"}),
            ({"event_id": "e3"}, set()),
        ],
    )
    async def test_the_dead_letters_meant_are_replayed_and_no_others(
        self, path: Path, which: dict[str, Any], expected: set[str]
    ) -> None:
        """By destination, event and time of death."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put(
                [record("e1", "meta", "scalev.meta"), record("e2", "meta", "scalev.meta")]
            )
            await end(outbox, "dead")
            await end(outbox, "dead", "scalev.meta", NOW + 5)
            assert await outbox.replay("toko", now_ms=NOW, **which) == len(expected)
            waiting = await outbox.deliveries("toko", state="waiting")
            assert {f"{row['event_id']} {row['destination']}" for row in waiting} == expected
            assert len(await outbox.dead_letters("toko")) == 4 - len(expected)

    async def test_a_dropped_dead_letter_is_not_stored_again(self, path: Path) -> None:
        """The page may send the event once more; dropped is dropped, and says why it died."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([record()])
            await end(outbox, "dead")
            assert await outbox.drop("toko", now_ms=NOW) == 1
            assert await outbox.put([record()]) == set()
            (row,) = await outbox.deliveries("toko")
            assert (row["state"], row["reason"]) == ("skipped", "dropped: words")


class TestLookUp:
    async def test_a_row_has_what_operators_are_promised(self, path: Path) -> None:
        """The keys of DESIGN 5.4 and both event IDs, nothing of the shopper."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([record()])
            assert await outbox.deliveries("toko") == [
                {
                    "event_id": "e1",
                    "event_name": "add_to_cart",
                    "destination": "meta",
                    "state": "waiting",
                    "attempts": 0,
                    "status": None,
                    "reason": "",
                    "updated_at": NOW,
                    "sent_as": "sent-e1",
                }
            ]

    async def test_the_last_changed_comes_first(self, path: Path) -> None:
        """Across all states, cut at the limit."""
        async with await SqliteOutbox.open(path) as outbox:
            for n in range(4):
                await outbox.put([record(f"e{n}", received_at=NOW + n)])
            (oldest,) = await outbox.claim("toko", "meta", 1, NOW + 9)
            await outbox.settle([Outcome(oldest, "done", 200)], NOW + 50)
            rows = await outbox.deliveries("toko", limit=3)
            assert [row["event_id"] for row in rows] == ["e0", "e3", "e2"]

    async def test_a_destination_stands_for_those_below_it(self, path: Path) -> None:
        """`scalev` is `scalev.meta` and `scalev.tiktok`, not `scalevx` or `scalev-eu`."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([record("e1", "scalev.meta", "scalev.tiktok", "scalevx", "scalev-eu")])
            rows = await outbox.deliveries("toko", destination="scalev")
            assert {row["destination"] for row in rows} == {"scalev.meta", "scalev.tiktok"}
            assert len(await outbox.deliveries("toko", destination="scalev.meta")) == 1

    async def test_an_order_is_found_by_its_id_after_its_personal_data_is_gone(
        self, path: Path
    ) -> None:
        """All events of the order, also where the shop's order IDs are numbers."""
        async with await SqliteOutbox.open(path) as outbox:
            for name in ("begin_checkout", "add_payment_info", "purchase", "refund"):
                await outbox.put([record(f"1001-{name}", name=name, params={"id": 1001})])
            await outbox.put(
                [record("cart", params={"id": "1001"}), record("1002", name="purchase")]
            )
            await end(outbox, "done")
            assert {one[0] for one in await states(outbox, order_id="1001")} == {
                "1001-begin_checkout",
                "1001-add_payment_info",
                "1001-purchase",
                "1001-refund",
            }
            assert await states(outbox, order_id="1001", state="dead") == []

    async def test_the_backlog_is_counted_by_destination(self, path: Path) -> None:
        """With the time at which its oldest event was received."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([record("e1", "meta", "tiktok", received_at=NOW - 50), record("e2")])
            await outbox.put([record("e3", site="warung")])
            await end(outbox, "done", "tiktok")
            assert await outbox.waiting() == [
                Backlog("toko", "meta", 2, NOW - 50),
                Backlog("warung", "meta", 1, NOW),
            ]


class TestPurge:
    async def test_what_is_over_is_remembered_for_seven_days(self, path: Path) -> None:
        """A repeat within seven days of the end stores nothing; afterwards nothing is left."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([(event(), [to("meta"), to("kwai", "skipped")])])
            await end(outbox, "done")
            assert await outbox.purge(NOW + 7 * DAY_MS, {}) == 0
            assert await outbox.put([record()]) == set()
            assert await outbox.purge(NOW + 7 * DAY_MS + 1, {}) == 2
            assert await outbox.deliveries("toko") == []
            assert await outbox.put([record()]) == {("toko", "meta")}

    async def test_what_waits_is_never_purged(self, path: Path) -> None:
        """Neither is the event of a delivery that waits, though its other deliveries are."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([record("e1", "meta", "tiktok")])
            await end(outbox, "done")
            assert await outbox.purge(NOW + 400 * DAY_MS, {}) == 1
            (delivery,) = await claim(outbox, "tiktok")
            assert delivery.event == event()

    async def test_dead_letters_go_after_the_sites_retention(self, path: Path) -> None:
        """Their personal data at once; that they were there is remembered for seven days more."""
        async with await SqliteOutbox.open(path) as outbox:
            other = record(site="warung", user={"email": "dewi@example.com"})
            await outbox.put([record(), other])
            await end(outbox, "dead")
            (delivery,) = await outbox.claim("warung", "meta", 1, NOW)
            await outbox.settle([Outcome(delivery, "dead", 400, "words")], NOW)
            await outbox.purge(NOW + 3 * DAY_MS + 1, {"toko": 3})
            await outbox.check()
            assert await outbox.dead_letters("toko") == []
            assert b"siti" not in raw(path)
            assert b"dewi" in raw(path)
            (row,) = await outbox.deliveries("toko")
            assert (row["state"], row["reason"]) == ("skipped", "dropped after 3 days: words")
            await outbox.purge(NOW + 30 * DAY_MS + 1, {"toko": 3})
            assert await outbox.dead_letters("warung") == []

    async def test_a_purge_of_many_works_in_small_transactions(self, path: Path) -> None:
        """More than one chunk goes in one purge."""
        async with await SqliteOutbox.open(path, synchronous="NORMAL") as outbox:
            await outbox.put([(event(f"e{n}"), [to("meta", "skipped")]) for n in range(2500)])
            assert await outbox.purge(NOW + 8 * DAY_MS, {}) == 2500
