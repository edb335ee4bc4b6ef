"""Long work on the event loop never stands before those who ask the relay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest

from relay.slices import REST, Slices

pytestmark = pytest.mark.anyio

SLICE_S = 0.002


class Clock:
    """Passes only as somebody works."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.log: list[str] = []

    def works(self, name: str, seconds: float) -> Callable[[], str]:
        def work() -> str:
            self.now_s += seconds
            self.log.append(name)
            return name

        return work


async def asked(clock: Clock, times: int, seconds: float) -> None:
    """A request in each turn of the event loop."""
    for _ in range(times):
        clock.works("request", seconds)()
        await asyncio.sleep(0)


async def test_with_nobody_asking_one_slice_follows_the_other() -> None:
    """And each comes back with what it made."""
    clock = Clock()
    slices = Slices(cpu_s=lambda: clock.now_s)
    made = [await slices.run(clock.works(str(n), SLICE_S)) for n in range(3)]
    assert made == ["0", "1", "2"]


async def test_while_requests_come_the_work_has_its_share_and_no_more() -> None:
    """After a slice the others have eight times as long, however many wait to work."""
    clock = Clock()
    slices = Slices(cpu_s=lambda: clock.now_s)
    asking = asyncio.create_task(asked(clock, 80, SLICE_S / 2))
    await asyncio.gather(*(slices.run(clock.works("work", SLICE_S)) for _ in range(4)))
    worked = [n for n, what in enumerate(clock.log) if what == "work"]
    between = [later - earlier - 1 for earlier, later in pairwise(worked)]
    assert all(2 * REST <= requests <= 2 * REST + 1 for requests in between), between
    await asking


async def test_while_requests_are_under_way_the_event_loop_is_free_for_as_long() -> None:
    """Though it has nothing to do: the next of them may come at any moment."""
    clock = Clock()
    naps: list[float] = []

    async def nap(seconds: float) -> None:
        naps.append(seconds)

    slices = Slices(lambda: True, lambda: clock.now_s, nap)
    for n in range(2):
        await slices.run(clock.works(str(n), SLICE_S))
    assert sum(naps) == pytest.approx(REST * SLICE_S)


async def test_work_that_fails_stops_no_other() -> None:
    """Whoever asked for it hears of it."""
    slices = Slices()
    with pytest.raises(ZeroDivisionError):
        await slices.run(lambda: 1 // 0)
    assert await slices.run(lambda: 1) == 1
