"""A clock that is set forward or back: nothing is stuck, nothing is lost, nothing is sent twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay.outbox import Outcome
from relay.outbox.sqlite import SqliteOutbox
from tests.relay.delivery_stage import FakeDestination, says, stage
from tests.relay.records import DAY_MS, NOW, record

pytestmark = pytest.mark.anyio

JUMPS = {"a day back": -DAY_MS, "a year back": -365 * DAY_MS, "a day forward": DAY_MS}


@pytest.mark.parametrize("jump_ms", JUMPS.values(), ids=JUMPS)
async def test_what_waits_is_delivered_after_a_jump(path: Path, jump_ms: int) -> None:
    """What was to be tried again in two seconds is not put off until the clock is there again."""
    async with stage(path, FakeDestination()) as toko:
        toko.systems["meta"] = says(503)
        await toko.put("e1", "e2", to=("meta",))
        await toko.quiet()
        del toko.systems["meta"]
        toko.time.ahead_ms = jump_ms
        await toko.put("e3")
        await toko.quiet()
        await toko.passes(60)
        assert set((await toko.states()).values()) == {"done"}


@pytest.mark.parametrize("jump_ms", JUMPS.values(), ids=JUMPS)
async def test_a_repeat_stores_nothing_after_a_jump(path: Path, jump_ms: int) -> None:
    """Each (event ID, destination) once, through a purge by either clock."""
    async with stage(path, FakeDestination()) as toko:
        await toko.put("e1", "e2")
        await toko.quiet()
        toko.time.ahead_ms = jump_ms
        await toko.outbox.purge(toko.time.now_ms(), {})
        await toko.put("e1", "e2")
        await toko.quiet()
        assert sorted(toko.sent()) == [["e1"], ["e2"]]


async def test_a_wait_goes_on_as_long_as_it_had_to(path: Path) -> None:
    """Set back by a day, a wait of ten minutes is still one of ten minutes, and in its order."""
    async with await SqliteOutbox.open(path) as outbox:
        await outbox.put([record("later"), record("sooner")])
        later, sooner = await outbox.claim("toko", "meta", 9, NOW)
        await outbox.settle(
            [
                Outcome(later, "retry", 429, "throttled", NOW + 600_000),
                Outcome(sooner, "retry", 503, "error", NOW + 2000),
            ],
            NOW,
        )
        now_ms = NOW - DAY_MS
        assert await outbox.claim("toko", "meta", 9, now_ms) == []
        assert await outbox.next_due("toko", "meta") == now_ms + 2000
        (first,) = await outbox.claim("toko", "meta", 9, now_ms + 2000)
        assert (first.event_id, first.attempts) == ("sooner", 1)
        (second,) = await outbox.claim("toko", "meta", 9, now_ms + 600_000)
        assert (second.event_id, second.attempts) == ("later", 1)


async def test_a_jump_is_no_step_of_the_story(path: Path) -> None:
    """It tells what became of the delivery, by the clock of its time."""
    async with await SqliteOutbox.open(path) as outbox:
        await outbox.put([record()])
        (one,) = await outbox.claim("toko", "meta", 9, NOW)
        await outbox.settle([Outcome(one, "retry", 503, "error", NOW + 2000)], NOW)
        assert await outbox.claim("toko", "meta", 9, NOW - DAY_MS) == []
        (one,) = await outbox.claim("toko", "meta", 9, NOW - DAY_MS + 2000)
        await outbox.settle([Outcome(one, "done", 200)], NOW - DAY_MS + 2000)
        (row,) = await outbox.deliveries("toko", event_id="e1")
        assert [step["what"] for step in row["history"]] == ["queued", "retry", "done"]


async def test_a_clock_far_ahead_buries_but_loses_nothing(path: Path) -> None:
    """What looks too old for its destination is a dead letter; once the clock is right, a replay
    delivers it."""
    async with stage(path, FakeDestination(max_age_s=3600)) as toko:
        toko.systems["meta"] = says(503)
        await toko.put("e1")
        await toko.quiet()
        del toko.systems["meta"]
        toko.time.ahead_ms = DAY_MS
        toko.loop.wake("toko")
        await toko.passes(60)
        assert await toko.states() == {"e1": "dead"}
        toko.time.ahead_ms = 0
        await toko.outbox.replay("toko", now_ms=toko.time.now_ms())
        toko.loop.wake("toko")
        await toko.quiet()
        assert await toko.states() == {"e1": "done"}
