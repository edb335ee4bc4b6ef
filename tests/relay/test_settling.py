"""What became of deliveries is stored while the next are sent, and is never forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from relay.outbox import Delivery, OutboxUnavailable, Outcome
from relay.outbox.sqlite import SqliteOutbox
from tests.relay.delivery_stage import FakeDestination, Stage, stage

pytestmark = pytest.mark.anyio


class Slow(SqliteOutbox):
    """An outbox that stores what became of deliveries when the test lets it."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.may_store = asyncio.Event()
        self.settlements: list[list[str]] = []
        self.claimed: list[Delivery] = []
        self.is_broken = False

    async def claim(self, *args: Any) -> list[Delivery]:
        found = await super().claim(*args)
        self.claimed += found
        return found

    async def settle(self, outcomes: Sequence[Outcome], now_ms: int) -> None:
        self.settlements.append([one.delivery.event_id for one in outcomes])
        await self.may_store.wait()
        if self.is_broken:
            raise OutboxUnavailable("the disk is full")
        await super().settle(outcomes, now_ms)


@pytest.fixture
async def on(path: Path) -> AsyncIterator[Stage]:
    async with stage(path, FakeDestination(in_flight=2), store=Slow) as one:
        yield one


def outbox(on: Stage) -> Slow:
    return cast(Slow, on.outbox)


async def test_the_next_request_does_not_wait_for_the_disk(on: Stage) -> None:
    """Four are sent, two at a time, before what became of the first is stored; then no more."""
    await on.put(*(f"e{n}" for n in range(9)))
    await on.asked(4)
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(on.calls) == 4
    outbox(on).may_store.set()
    await on.quiet()
    assert set((await on.states()).values()) == {"done"}
    assert len(on.calls) == 9


async def test_what_ends_while_one_settlement_is_stored_is_stored_together(on: Stage) -> None:
    """One transaction for all of it."""
    await on.put(*(f"e{n}" for n in range(4)))
    await on.asked(4)
    outbox(on).may_store.set()
    await on.quiet()
    first, *others = outbox(on).settlements
    assert len(first) < 4
    assert [len(one) for one in others] == [4 - len(first)]


async def test_nothing_is_sent_again_before_its_end_is_stored(on: Stage) -> None:
    """However often the worker looks meanwhile."""
    await on.put("e1")
    await on.asked(1)
    for _ in range(5):
        on.loop.wake("toko")
        await asyncio.sleep(0)
    outbox(on).may_store.set()
    await on.quiet()
    assert on.sent() == [["e1"]]
    assert [one.event_id for one in outbox(on).claimed] == ["e1"]


async def test_a_relay_that_stops_stores_what_it_knows(on: Stage) -> None:
    """All of it is in the outbox when the end is told."""
    await on.put("e1", "e2", "e3")
    await on.asked(3)
    stopping = asyncio.ensure_future(on.loop.stop(30))
    await asyncio.sleep(0)
    assert not stopping.done()
    outbox(on).may_store.set()
    await stopping
    assert set((await on.states()).values()) == {"done"}


async def test_a_relay_that_stops_does_not_wait_for_a_disk_that_is_full(on: Stage) -> None:
    """What could not be stored waits as if it had not been sent: it is sent again."""
    await on.put("e1")
    await on.asked(1)
    outbox(on).is_broken = True
    outbox(on).may_store.set()
    async with asyncio.timeout(5):
        await on.loop.stop(0)
    assert await on.states() == {"e1": "waiting"}
