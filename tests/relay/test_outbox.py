"""What the outbox promises: nothing lost, nothing twice, nothing personal kept for no reason."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from relay.outbox import (
    OutboxUnavailable,
    Outcome,
)
from relay.outbox.sqlite import SqliteOutbox
from tests.relay.disk import full_disk
from tests.relay.records import NOW, claim, end, event, raw, record, states, to

pytestmark = pytest.mark.anyio


class TestPut:
    async def test_an_event_is_stored_once_however_often_it_is_put(self, path: Path) -> None:
        """Each (site, event ID, destination) is one delivery: within a call, across calls, after
        it is done, and after a restart."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([record(), record(), record("e1", "meta", "meta")])
            await asyncio.gather(*(outbox.put([record()]) for _ in range(20)))
            assert len(await claim(outbox)) == 1
        async with await SqliteOutbox.open(path) as outbox:
            await end(outbox, "done")
            await outbox.put([record()])
            assert await states(outbox) == [("e1", "meta", "done")]

    async def test_the_same_event_id_of_two_sites_is_two_events(self, path: Path) -> None:
        """A shop cannot take another shop's event IDs."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([record(), record(site="warung")])
            assert len(await outbox.claim("warung", "meta", 9, NOW)) == 1
            assert len(await claim(outbox)) == 1

    async def test_a_later_copy_adds_only_the_destinations_that_have_no_delivery(
        self, path: Path
    ) -> None:
        """The first word about a destination stands, a skip too."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([(event(), [to("meta"), to("kwai", "skipped")])])
            await outbox.put([record("e1", "meta", "kwai", "tiktok")])
            assert await states(outbox) == [
                ("e1", "kwai", "skipped"),
                ("e1", "meta", "waiting"),
                ("e1", "tiktok", "waiting"),
            ]

    async def test_a_later_copy_brings_the_event_back_where_it_was_erased(self, path: Path) -> None:
        """A destination added after the others were done gets the event in full."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([record()])
            await end(outbox, "done")
            await outbox.put([record("e1", "tiktok")])
            (delivery,) = await claim(outbox, "tiktok")
            assert delivery.event == event()

    async def test_put_tells_which_destinations_have_new_work(self, path: Path) -> None:
        """A repeat and a skip wake nobody."""
        async with await SqliteOutbox.open(path) as outbox:
            new = await outbox.put([(event(), [to("meta"), to("kwai", "skipped")])])
            assert new == {("toko", "meta")}
            assert await outbox.put([record()]) == set()
            assert await outbox.put([(event("e2"), [])]) == set()

    async def test_an_event_that_nothing_waits_for_is_stored_without_personal_data(
        self, path: Path
    ) -> None:
        """A refused consent leaves a row that says so, and nothing of the shopper on disk."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([(event(), [to("meta", "skipped")])])
            (row,) = await outbox.deliveries("toko")
            assert (row["state"], row["reason"]) == ("skipped", "no consent")
            assert b"siti" not in raw(path)

    async def test_a_call_is_stored_as_a_whole_or_not_at_all(self, path: Path) -> None:
        """One record that can't be stored leaves nothing of its call, and all of the others."""
        async with await SqliteOutbox.open(path) as outbox:
            bad = event("bad", received_at=None)
            ends = await asyncio.gather(
                outbox.put([record("e1")]),
                outbox.put([record("e2"), (bad, [to("meta")])]),
                outbox.put([record("e3")]),
                return_exceptions=True,
            )
            assert [isinstance(one, OutboxUnavailable) for one in ends] == [False, True, False]
            assert [one[0] for one in await states(outbox)] == ["e1", "e3"]

    async def test_an_event_comes_back_as_it_was_put(self, path: Path) -> None:
        """Text of any script, half a surrogate pair, and Rp 3 000 000 000 survive."""
        odd = event(
            user={"name": "Dewi 🛒 Ñ 衣", "broken": "\ud83d"}, params={"value": 3e9, "n": 2**53}
        )
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([(odd, [to("meta")])])
            (delivery,) = await claim(outbox)
            assert delivery.event == odd

    async def test_a_full_disk_refuses_and_recovers(self, path: Path) -> None:
        """What can't be stored is refused with an error, never half stored, and works again."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([record("e1")])
            with full_disk():
                with pytest.raises(OutboxUnavailable):
                    await outbox.put([record("e2")])
                with pytest.raises(OutboxUnavailable):
                    await outbox.check()
            await outbox.check()
            await outbox.put([record("e3")])
            assert [one[0] for one in await states(outbox)] == ["e1", "e3"]

    async def test_a_closed_outbox_refuses(self, path: Path) -> None:
        """After `close` each call fails at once instead of hanging."""
        outbox = await SqliteOutbox.open(path)
        await outbox.close()
        with pytest.raises(OutboxUnavailable, match="closed"):
            await outbox.put([record()])
        with pytest.raises(OutboxUnavailable, match="closed"):
            await outbox.deliveries("toko")


class TestClaim:
    async def test_the_oldest_due_come_first(self, path: Path) -> None:
        """At most `limit`, nothing that is not due yet, nothing of other destinations."""
        async with await SqliteOutbox.open(path) as outbox:
            for n in (3, 1, 2, 4):
                await outbox.put([record(f"e{n}", received_at=NOW - 10 * (4 - n))])
            await outbox.put([record("later", received_at=NOW + 1), record("other", "tiktok")])
            assert [one.event_id for one in await claim(outbox, limit=2)] == ["e1", "e2"]
            assert [one.event_id for one in await claim(outbox)] == ["e3", "e4"]
            assert await outbox.next_due("toko", "meta") == NOW + 1

    async def test_what_is_claimed_is_in_no_other_claim(self, path: Path) -> None:
        """Claims at the same time share nothing and leave nothing."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([record(f"e{n}") for n in range(50)])
            found = await asyncio.gather(*(claim(outbox, limit=7) for _ in range(10)))
            ids = [one.event_id for part in found for one in part]
            assert sorted(ids) == sorted(f"e{n}" for n in range(50))
            assert await outbox.next_due("toko", "meta") is None

    async def test_what_is_released_can_be_claimed_again(self, path: Path) -> None:
        """As if it had not been claimed: no attempt is counted."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([record()])
            await outbox.release(await claim(outbox))
            (again,) = await claim(outbox)
            assert again.attempts == 0

    async def test_what_was_claimed_waits_again_after_a_restart(self, path: Path) -> None:
        """A claim is no promise that it was sent."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([record()])
            assert len(await claim(outbox)) == 1
        async with await SqliteOutbox.open(path) as outbox:
            assert len(await claim(outbox)) == 1

    async def test_what_must_not_be_repeated_is_a_dead_letter_after_a_restart(
        self, path: Path
    ) -> None:
        """Begun and neither settled nor released: it may have arrived. Released: it has not."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([record(f"e{n}") for n in range(3)])
            found = await claim(outbox)
            await outbox.begin(found)
            await outbox.release(found[:1])
            await outbox.settle([Outcome(found[1], "retry", None, "no connection", NOW)], NOW)
        async with await SqliteOutbox.open(path, now_ms=NOW + 5) as outbox:
            assert [state for *_, state in await states(outbox)] == ["waiting", "waiting", "dead"]
            (letter,) = await outbox.dead_letters("toko")
            assert "may have arrived" in letter["reason"]
            assert (letter["attempts"], letter["updated_at"]) == (1, NOW + 5)

    async def test_a_destination_gets_the_event_as_the_copy_told_it_that_added_it(
        self, path: Path
    ) -> None:
        """Meta's copy of an action and TikTok's come one after the other, under one event ID."""
        copies = {name: {"ttclid": name} for name in ("meta", "tiktok", "scalev.tiktok")}
        async with await SqliteOutbox.open(path) as outbox:
            for name, attribution in copies.items():
                await outbox.put([record("e1", "meta", name, attribution=attribution)])
            await outbox.put([record("e1", *copies, attribution={"ttclid": "a repeat"})])
            for name, attribution in copies.items():
                (one,) = await claim(outbox, name)
                assert one.event == event("e1", attribution=attribution)

    async def test_what_a_later_copy_told_is_erased_with_the_event(self, path: Path) -> None:
        """Once nobody needs either; also what comes when the first was done before."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([record("e1", "meta")])
            await outbox.put([record("e1", "tiktok", user={"email": "rina@example.com"})])
            for name in ("meta", "tiktok"):
                await end(outbox, "done", name)
            await outbox.put([record("e1", "kwai", user={"email": "dewi@example.com"})])
            (one,) = await claim(outbox, "kwai")
            assert one.event["user"] == {"email": "dewi@example.com"}
            await outbox.settle([Outcome(one, "done")], NOW)
        for shopper in (b"siti", b"rina", b"dewi"):
            assert shopper not in raw(path)


class TestSettle:
    async def test_each_outcome_is_a_state_with_its_reason(self, path: Path) -> None:
        """Attempts are counted, but for what was never sent."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([record(f"e{n}") for n in range(4)])
            done, again, dead, unsent = await claim(outbox)
            await outbox.settle(
                [
                    Outcome(done, "done", 200),
                    Outcome(again, "retry", 503, "server error (503)", NOW + 2000),
                    Outcome(dead, "dead", 400, "bad currency"),
                    Outcome(unsent, "dead", None, "older than 7 days", attempted=False),
                ],
                NOW + 1,
            )
            rows = sorted(await outbox.deliveries("toko"), key=lambda row: row["event_id"])
            assert [
                (row["state"], row["attempts"], row["status"], row["reason"]) for row in rows
            ] == [
                ("done", 1, 200, ""),
                ("waiting", 1, 503, "server error (503)"),
                ("dead", 1, 400, "bad currency"),
                ("dead", 0, None, "older than 7 days"),
            ]
            assert await outbox.next_due("toko", "meta") == NOW + 2000
            assert await outbox.claim("toko", "meta", 9, NOW + 1999) == []
            (delivery,) = await outbox.claim("toko", "meta", 9, NOW + 2000)
            assert (delivery.attempts, delivery.reason) == (1, "server error (503)")

    async def test_personal_data_leaves_the_disk_with_the_last_delivery(self, path: Path) -> None:
        """Not a byte of it is left in the file or its log, though the relay runs on."""
        async with await SqliteOutbox.open(path) as outbox:
            long = {"email": "siti@example.com", "name": "siti " * 3000}  # more than one page
            await outbox.put([record("e1", "meta", "tiktok", user=long)])
            await end(outbox, "done")
            assert b"siti" in raw(path)
            await end(outbox, "done", "tiktok")
            await outbox.check()  # answered after the clean-up that follows the settling
            assert b"siti" not in raw(path)
            assert len(await outbox.deliveries("toko", state="done")) == 2

    async def test_a_dead_letter_keeps_its_event_until_it_is_dropped(self, path: Path) -> None:
        """Otherwise it could not be replayed."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([record("e1", "meta", "tiktok")])
            await end(outbox, "dead")
            await end(outbox, "done", "tiktok")
            await outbox.check()
            assert b"siti" in raw(path)
            assert await outbox.drop("toko", now_ms=NOW) == 1
            await outbox.check()
            assert b"siti" not in raw(path)
