"""What was accepted reaches every destination that wants it, whatever happens in between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from relay import routing
from relay.outbox import OutboxUnavailable, Payment, Record
from relay.outbox.sqlite import SqliteOutbox
from relay.record import Received
from relay.refusals import Refusal
from relay.routing import HOLD_MOST
from tests.relay.disk import full_disk
from tests.relay.records import raw, states
from tests.relay.relay_stage import EVENT, NOW, site
from tests.relay.routing_stage import MIDTRANS, PAGE, RECEIVED, Relaying, both, event_of

pytestmark = pytest.mark.anyio

# --- what becomes of a request ---


async def test_a_request_is_there_for_each_destination_once_routing_has_caught_up(
    outbox: SqliteOutbox,
) -> None:
    """Delivery is woken then, and nothing is left of the request itself."""
    on = Relaying(outbox)
    on.routing.start()
    await on.accept("e1", "e2")
    await on.accept("e3")
    await on.routing.caught_up()
    assert await states(outbox) == both("e1", "e2", "e3")
    assert set(on.woken) == {("toko", "one"), ("toko", "two")}
    assert await outbox.arrivals(9, 0) == []
    await on.routing.stop(1)


async def test_nobody_is_woken_before_there_is_something_to_find(outbox: SqliteOutbox) -> None:
    """Nor by a request that is only accepted."""
    on = Relaying(outbox)
    found: list[Any] = []
    on.routing._wake = lambda *route: found.append(route)
    await on.accept("e1")
    assert found == []
    await on.routing.caught_up()
    assert len(found) == 2


async def test_what_is_counted_is_counted_when_it_is_true(outbox: SqliteOutbox) -> None:
    """Accepted events with their 204, skipped deliveries when they are decided against."""
    on = Relaying(outbox)
    await on.accept("skip-1", "e1")
    assert on.metrics.value("events_accepted_total", site="toko") == 2
    skipped = {"site": "toko", "destination": "one", "reason": "not_configured"}
    assert on.metrics.value("deliveries_skipped_total", **skipped) == 0
    await on.routing.caught_up()
    assert on.metrics.value("deliveries_skipped_total", **skipped) == 1


async def test_what_is_not_accepted_is_refused_and_wakes_nobody(outbox: SqliteOutbox) -> None:
    """503, and the caller keeps it."""
    on = Relaying(outbox)
    with full_disk(), pytest.raises(Refusal) as caught:
        await on.accept("e1")
    assert (caught.value.code, caught.value.retry_after_s) == ("not_durable", 2)
    await on.routing.caught_up()
    assert (on.woken, on.routing.turns.under_way) == ([], 0)
    assert on.metrics.value("events_accepted_total", site="toko") == 0


async def test_a_repeat_changes_nothing(outbox: SqliteOutbox) -> None:
    """In the same transaction, in a later one, and after a restart."""
    on = Relaying(outbox)
    await on.accept("e1", user={"email": "first@example.com"})
    await on.accept("e1", "e1", user={"email": "second@example.com"})
    await on.routing.caught_up()
    again = Relaying(outbox)
    await again.accept("e1", user={"email": "third@example.com"})
    await again.routing.caught_up()
    assert await states(outbox) == both("e1")
    assert (await event_of(outbox, "e1"))["user"] == {"email": "first@example.com"}
    assert again.woken == []


async def test_the_first_of_a_hundred_requests_is_the_one_that_counts(outbox: SqliteOutbox) -> None:
    """Their order is kept, from memory and from disk."""
    on = Relaying(outbox)
    await asyncio.gather(
        *(on.accept("e1", f"e1-{n}", page={"url": f"https://toko.example/{n}"}) for n in range(150))
    )
    await on.routing.caught_up()
    assert (await event_of(outbox, "e1"))["page"]["url"] == "https://toko.example/0"
    assert len(await states(outbox, limit=1000)) == 2 * 151


async def test_events_are_stored_as_they_were_accepted(outbox: SqliteOutbox) -> None:
    """Checked ones, and those of a body that the check would have left as it is."""
    on = Relaying(outbox)
    await on.accept("raw")
    await on.ingest.store(on.site, [{**EVENT, "event_id": "checked", "odd": 1}], RECEIVED)
    await on.routing.caught_up()
    assert (await event_of(outbox, "raw"))["params"] == EVENT["params"]
    assert (await event_of(outbox, "checked"))["odd"] == 1


@pytest.mark.parametrize("status", ["granted", "denied"])
async def test_commanders_acts_cookie_is_the_visitors_where_he_consents(
    outbox: SqliteOutbox, status: str
) -> None:
    """It was read off the request, and stands in no body."""
    on = Relaying(outbox)
    received = Received(NOW, NOW, PAGE, "202612345678901234567890")
    await on.accept("e1", received=received, consent={"status": status})
    await on.routing.caught_up()
    rows = await outbox.deliveries("toko", event_id="e1", destination="two")
    has_caid = False
    if rows[0]["state"] == "waiting":
        has_caid = "caid" in (await event_of(outbox, "e1"))["attribution"]
    assert has_caid == (status == "granted")


async def test_a_storefront_route_feeds_its_own_destinations(outbox: SqliteOutbox) -> None:
    """The copy for the others is yet to come, under the same event ID."""
    on = Relaying(outbox)
    await on.accept("e1", received=Received(NOW, None, None, feed="meta"))
    await on.routing.caught_up()
    assert await states(outbox) == [("e1", "one", "waiting")]


async def test_a_payment_finds_what_was_accepted_before_it(outbox: SqliteOutbox) -> None:
    """The checkout of the same second, not yet routed when the payment comes."""
    on = Relaying(outbox, **MIDTRANS)
    on.routing.start()
    order = {"id": "O1", "items": EVENT["params"]["items"], "currency": "IDR"}
    await on.accept("c1", event_name="begin_checkout", params=order)
    await on.ingest.pay(
        on.site, Payment("toko", "O1", "purchase", 120000, "IDR", "settlement", NOW, NOW)
    )
    paid = await event_of(outbox, "O1-purchase")
    assert paid["user"]["email"] == EVENT["user"]["email"]
    await on.routing.stop(1)


# --- restarts ---


async def test_what_a_killed_process_left_is_routed_by_the_next(path: Path) -> None:
    """Before anything new, and without a request to wake it."""
    async with await SqliteOutbox.open(path) as outbox:
        await Relaying(outbox).accept("e1")
    async with await SqliteOutbox.open(path) as outbox:
        on = Relaying(outbox)
        on.routing.start()
        await on.accept("e2")
        await on.routing.caught_up()
        assert await states(outbox) == both("e1", "e2")
        await on.routing.stop(1)


async def test_a_kill_between_putting_and_forgetting_changes_nothing(path: Path) -> None:
    """The request is routed once more, as any repeat is: no delivery twice, none again."""
    async with await SqliteOutbox.open(path) as outbox:
        on = Relaying(outbox)
        await on.accept("e1", "e2")
        kept = await outbox.arrivals(9, 0)
        await on.routing.caught_up()
        for one in kept:
            await outbox.accept(one.site, one.received_at, one.facts, one.body)
    async with await SqliteOutbox.open(path) as outbox:
        on = Relaying(outbox)
        await on.routing.caught_up()
        assert await states(outbox) == both("e1", "e2")
        assert on.woken == []
        assert await outbox.arrivals(9, 0) == []


@pytest.mark.parametrize("is_paid_first", [True, False])
async def test_what_was_told_of_an_order_may_be_told_again(path: Path, is_paid_first: bool) -> None:
    """By the same kill: one purchase in the end, complete, whether it was paid before or after."""
    paid = Payment("toko", "O1", "purchase", 120000, "IDR", "settlement", NOW, NOW)
    order = {"id": "O1", "items": EVENT["params"]["items"], "currency": "IDR", "value": 120000}
    async with await SqliteOutbox.open(path) as outbox:
        on = Relaying(outbox, **MIDTRANS)
        if is_paid_first:
            await on.ingest.pay(on.site, paid)
        await on.accept("c1", event_name="begin_checkout", params=order)
        await on.accept("O1-purchase", event_name="purchase", params=order)
        kept = await outbox.arrivals(9, 0)
        await on.routing.caught_up()
        if not is_paid_first:
            await on.ingest.pay(on.site, paid)
        before = await outbox.deliveries("toko"), await outbox.payments("toko")
        for one in kept:
            await outbox.accept(one.site, one.received_at, one.facts, one.body)
    async with await SqliteOutbox.open(path) as outbox:
        on = Relaying(outbox, **MIDTRANS)
        await on.routing.caught_up()
        assert (await outbox.deliveries("toko"), await outbox.payments("toko")) == before
        assert await states(outbox) == both("O1-purchase", "c1")
        assert (await event_of(outbox, "O1-purchase"))["user"]["email"] == "siti@example.com"
        assert on.woken == []


@pytest.mark.parametrize(("deadline_s", "left"), [(5.0, 0), (0.0, 100)])
async def test_a_stop_routes_what_there_is_time_for(
    outbox: SqliteOutbox, deadline_s: float, left: int
) -> None:
    """The rest waits on disk for the next start."""
    on = Relaying(outbox)
    await asyncio.gather(*(on.accept(f"e{n}") for n in range(100)))
    on.routing.start()
    await on.routing.stop(deadline_s)
    assert len(await outbox.arrivals(1000, 0)) == left
    await Relaying(outbox).routing.caught_up()
    assert len(await states(outbox, limit=1000)) == 200


async def test_memory_is_bounded_whatever_arrives(
    outbox: SqliteOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is too much is read from disk when its turn comes, in its order; none is lost."""
    read: list[int] = []
    arrivals = outbox.arrivals

    async def counted(limit: int, after: int) -> Any:
        found = await arrivals(limit, after)
        read.append(len(found))
        return found

    monkeypatch.setattr(outbox, "arrivals", counted)
    on = Relaying(outbox)
    count = HOLD_MOST + 300
    for first in range(0, count, 50):
        await asyncio.gather(*(on.accept(f"e{first + n}", "first") for n in range(50)))
    assert len(on.routing._held) == HOLD_MOST
    on.routing.start()
    await on.routing.caught_up(60)
    assert 0 < max(read) <= routing.TOGETHER
    assert len(await states(outbox, limit=10_000)) == 2 * (count + 1)
    await on.accept("late")
    await on.routing.caught_up()
    assert await states(outbox, event_id="late") == both("late")
    await on.routing.stop(1)


async def test_large_bodies_are_left_on_disk(
    outbox: SqliteOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few of them fill as much memory as many small ones."""
    monkeypatch.setattr(routing, "HOLD_BYTES", 1000)
    on = Relaying(outbox)
    for n in range(5):
        await on.accept(f"e{n}", page={"url": "https://toko.example/", "title": "x" * 600})
    assert len(on.routing._held) == 1
    await on.routing.caught_up()
    assert await states(outbox) == both(*(f"e{n}" for n in range(5)))


# --- trouble ---


async def test_a_request_that_cannot_be_routed_stands_in_nobodys_way(
    outbox: SqliteOutbox, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told without personal data, kept, and routed by the next start if that can."""
    on = Relaying(outbox)
    on.one.mistake_at = "bad"
    on.routing.start()
    for event_id in ("e1", "bad", "e2"):
        await on.accept(event_id)
    await on.routing.caught_up()
    assert await states(outbox) == both("e1", "e2")
    assert "internal error: a request is not routed" in caplog.text
    assert "siti" not in caplog.text
    assert on.routing.aside == 1
    await on.routing.stop(1)
    assert len(await outbox.arrivals(9, 0)) == 1
    await Relaying(outbox).routing.caught_up()
    assert await states(outbox) == both("bad", "e1", "e2")


class Odd(SqliteOutbox):
    """An outbox with a mistake in it, about one event."""

    async def tell(self, records: Sequence[Record], told: Any, join: Any) -> Any:
        if any(event["event_id"] == "bad" for event, _ in records):
            raise KeyError("siti@example.com")
        return await super().tell(records, told, join)


async def test_one_that_cannot_be_put_stands_in_nobodys_way(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever is put with it is put without it."""
    async with await Odd.open(path) as outbox:
        on = Relaying(outbox)
        for event_id in ("e1", "bad", "e2"):
            await on.accept(event_id)
        await on.routing.caught_up()
        assert await states(outbox) == both("e1", "e2")
        assert [json.loads(one.body)["events"][0]["event_id"] for one in await left(outbox)] == [
            "bad"
        ]
    assert "siti" not in caplog.text


async def left(outbox: SqliteOutbox) -> Any:
    return await outbox.arrivals(9, 0)


async def test_a_site_that_is_gone_keeps_what_it_was_sent(
    outbox: SqliteOutbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Until its file is there again; that is said once."""
    on = Relaying(outbox)
    body = json.dumps({"events": [EVENT]}).encode()
    for _ in range(3):
        await on.ingest.accept(site(site="gone"), body, RECEIVED, 1)
    await on.accept("e1")
    await on.routing.caught_up()
    assert await states(outbox) == both("e1")
    assert len(await left(outbox)) == 3
    assert caplog.text.count("no site file has any more") == 1


class FullForPuts(SqliteOutbox):
    """An outbox in which events can arrive, but not be put; so many times."""

    refusals = 0

    async def tell(self, records: Sequence[Record], told: Any, join: Any) -> Any:
        if self.refusals:
            self.refusals -= 1
            raise OutboxUnavailable("the outbox can't do this now: database or disk is full")
        return await super().tell(records, told, join)


async def test_without_room_it_is_tried_again(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is lost, nobody waits for it meanwhile; what arrives next is the sign to try."""
    async with await FullForPuts.open(path) as outbox:
        on = Relaying(outbox)
        on.routing.start()
        outbox.refusals = 1
        await on.accept("e1")
        await on.routing.caught_up()
        assert (await states(outbox), on.routing.trouble != "") == ([], True)
        assert "not routed yet" in caplog.text
        await on.accept("e2")
        async with asyncio.timeout(20):
            while on.routing.trouble:  # noqa: ASYNC110 (the outbox's threads have no event)
                await asyncio.sleep(0)
        await on.routing.caught_up()
        assert await states(outbox) == both("e1", "e2")
        await on.routing.stop(1)


async def test_without_a_task_it_is_tried_again_by_whoever_reads(path: Path) -> None:
    """As before the start and after the stop."""
    async with await FullForPuts.open(path) as outbox:
        on = Relaying(outbox)
        outbox.refusals = 1
        await on.accept("e1")
        await on.routing.caught_up()
        assert await states(outbox) == []
        await on.routing.caught_up()
        assert await states(outbox) == both("e1")


async def test_nothing_personal_is_left_of_what_nobody_wants(path: Path) -> None:
    """The request held it for a moment; what is stored of it, never."""
    async with await SqliteOutbox.open(path) as outbox:
        on = Relaying(outbox)
        await on.accept("skip-1", destinations=["one"])
        await on.routing.caught_up()
        assert {state for _, _, state in await states(outbox)} == {"skipped"}
    assert b"siti@example.com" not in raw(path)
    assert b"203.0.113.7" not in raw(path)
