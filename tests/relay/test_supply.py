"""The next requests are made beforehand, and none of it is lost, late or sent in small change."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any, cast

import pytest

from relay.outbox import Delivery
from relay.outbox.sqlite import SqliteOutbox
from tests.relay.delivery_stage import FakeDestination, Held, Stage, accept, says, stage
from tests.relay.records import NOW, record

pytestmark = pytest.mark.anyio


class Watched(SqliteOutbox):
    """Knows what is out of it, and how often it was asked."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.out: set[str] = set()
        self.looks = 0

    async def claim(self, *args: Any) -> list[Delivery]:
        found = await super().claim(*args)
        self.looks += 1
        self.out |= {one.event_id for one in found}
        return found

    async def settle(self, outcomes: Any, now_ms: int) -> None:
        await super().settle(outcomes, now_ms)
        self.out -= {one.delivery.event_id for one in outcomes}

    async def release(self, deliveries: Any) -> None:
        await super().release(deliveries)
        self.out -= {one.event_id for one in deliveries}


def outbox(on: Stage) -> Watched:
    return cast(Watched, on.outbox)


async def put(on: Stage, first: int, last: int) -> None:
    await on.put(*(f"e{n}" for n in range(first, last)))


async def test_a_backlog_s_next_requests_are_ready_while_the_first_are_under_way(
    path: Path,
) -> None:
    """So that a request goes out as soon as another has ended, without a look into the outbox."""
    async with stage(path, FakeDestination(batch=4, in_flight=1), store=Watched) as on:
        on.systems["meta"] = held = Held()
        await put(on, 0, 100)
        await on.asked(1)
        while len(outbox(on).out) < 16:  # noqa: ASYNC110 - the reader's thread tells of no end
            await asyncio.sleep(0)
        held.let_go.set()
        await on.quiet()
        assert [len(ids) for ids in on.sent()] == [4] * 25
        assert on.sent() == [[f"e{n + m}" for m in range(4)] for n in range(0, 100, 4)]


async def test_what_comes_while_there_is_no_room_travels_together(path: Path) -> None:
    """Made into requests one by one, ten events would be ten requests."""
    async with stage(path, FakeDestination(batch=10, in_flight=1), store=Watched) as on:
        on.systems["meta"] = held = Held()
        await on.put("first")
        await on.quiet(stalled=1)
        for n in range(9):
            await put(on, n, n + 1)
            await on.quiet(stalled=1)
        assert outbox(on).out == {"first"}
        held.let_go.set()
        await on.quiet()
        assert on.sent() == [["first"], [f"e{n}" for n in range(9)]]


async def test_what_is_ready_waits_in_the_outbox_while_the_system_says_wait(path: Path) -> None:
    """It is nobody's then: replaced, replayed or delivered by the next process."""
    async with stage(path, FakeDestination(batch=2, in_flight=1), store=Watched) as on:
        on.systems["meta"] = says(429, **{"Retry-After": "60"})
        await put(on, 0, 20)
        await on.quiet()
        assert on.times() == [0]
        assert outbox(on).out == set()
        on.systems["meta"] = accept
        await on.passes(60)
        assert set((await on.states()).values()) == {"done"}


async def test_what_is_ready_waits_in_the_outbox_when_the_relay_stops(path: Path) -> None:
    """And is sent by the next one, without an attempt counted."""
    async with stage(path, FakeDestination(in_flight=1), store=Watched) as on:
        on.systems["meta"] = Held()
        await put(on, 0, 5)
        await on.asked(1)
        await on.loop.stop(0)
        assert len(on.calls) == 1
        assert outbox(on).out <= {"e0"}
        assert [row["attempts"] for row in (await on.rows()).values()].count(0) == 4


async def test_what_must_not_be_repeated_is_marked_only_when_it_is_sent(
    path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Killed with two under way, a relay buries these two, and none of what was ready."""
    async with stage(path, FakeDestination(in_flight=2, repeatable=False)) as on:
        on.systems["meta"] = Held()
        await put(on, 0, 9)
        await on.asked(2)
        left = tmp_path_factory.mktemp("left")  # the disk as a kill would leave it
        for one in path.parent.glob(f"{path.name}*"):
            shutil.copy(one, left)
    async with await SqliteOutbox.open(left / path.name) as after:
        assert len(await after.dead_letters("toko")) == 2


async def test_a_look_that_finds_nothing_is_not_repeated_for_a_request_that_ends(
    path: Path,
) -> None:
    """One look for what was put, and none after it."""
    async with stage(path, FakeDestination(), store=Watched) as on:
        before = outbox(on).looks
        await on.put("e1")
        await on.quiet()
        assert outbox(on).looks == before + 1


async def test_a_delivery_held_for_later_is_looked_for_when_it_is_due(path: Path) -> None:
    """Not every half minute only."""
    async with stage(path) as on:
        on.systems["meta"] = says(503)
        await on.put("e1")
        await on.quiet()
        on.systems["meta"] = accept
        await on.passes(2)
        assert on.times() == [0, 2]


async def test_another_s_put_is_found_without_being_told(path: Path) -> None:
    """A command beside the relay has replayed it: it is found within half a minute."""
    async with stage(path) as on:
        await on.outbox.put([record("e1", received_at=NOW)])
        await on.passes(31)
        assert on.sent() == [["e1"]]
