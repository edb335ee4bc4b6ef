"""Requests go before background work, and the work goes on where they leave it room."""

from __future__ import annotations

import pytest

from relay.turns import LEAST, SLICE_S, Turns

pytestmark = pytest.mark.anyio

SLICE_OF = 10
"""Events that a slice works off."""


class Day:
    """A clock, and requests that come at some pace all the time, or while the work rests."""

    def __init__(self, per_slice: float, *, under_way: int = 1, waits: bool = False) -> None:
        self.now = 0.0
        self.naps = 0
        self.turns = Turns(lambda: self.now, self.nap)
        self.turns.under_way = under_way
        self.per_slice = per_slice
        self._waits = waits

    async def nap(self, seconds: float) -> None:
        self.naps += seconds > 0
        self._pass(seconds, self.per_slice)

    def work(self, slices: int = 1) -> None:
        """So many slices of it, at one go."""
        self.turns.begin()
        assert not self.turns.is_over
        self.turns.worked += SLICE_OF * slices
        self._pass(SLICE_S * slices, 0 if self._waits else self.per_slice)
        assert self.turns.is_over

    def _pass(self, seconds: float, per_slice: float) -> None:
        self.now += seconds
        self.turns.begun += round(per_slice * seconds / SLICE_S)


LONGEST = round(1 / LEAST) - 1

# How many requests come in the time of a slice, and how many naps follow it.
ROOM = {
    "one that is being stored": (0, 1),
    "a tenth of what the work gets done": (SLICE_OF // 10, 1),
    "half of it": (SLICE_OF // 2, 3),
    "nearly as many": (SLICE_OF - 1, SLICE_OF**2 - 1),
    "as many": (SLICE_OF, LONGEST),
    "more": (SLICE_OF * 3, LONGEST),
}


@pytest.mark.parametrize(("per_slice", "naps"), ROOM.values(), ids=ROOM)
async def test_the_more_requests_come_the_longer_the_work_rests(per_slice: int, naps: int) -> None:
    """It takes of the time that they leave; and a little where they leave none."""
    day = Day(per_slice)
    day.work()
    await day.turns.give_way()
    assert day.naps == naps
    assert not day.turns.is_over


@pytest.mark.parametrize(("events", "begun"), {1: 1, 9: 1, 10: 2, 50: 6}.items())
async def test_a_request_with_many_events_leaves_less_room(events: int, begun: int) -> None:
    """Else those who send their events together would be held up by the work of their own."""
    turns = Day(0).turns
    turns.request(events)
    assert (turns.begun, turns.under_way) == (begun, 2)


async def test_nobody_is_waited_for() -> None:
    """Without requests one slice follows the other."""
    day = Day(0, under_way=0)
    day.work()
    await day.turns.give_way()
    assert day.naps == 0


async def test_requests_that_wait_for_their_answers_do_not_seem_few() -> None:
    """Who asks again as soon as he is answered asks nothing during a slice."""
    day = Day(SLICE_OF * 2, waits=True)
    day.work()
    await day.turns.give_way()
    assert day.naps == LONGEST


async def test_a_rush_that_is_over_is_not_waited_for() -> None:
    """Its rest ends with the next look."""
    day = Day(SLICE_OF * 2)
    day.work()

    async def nap(seconds: float) -> None:
        await Day.nap(day, seconds)
        if day.naps == 3:
            day.turns.under_way, day.turns.begun = 0, 0

    day.turns._nap = nap
    await day.turns.give_way()
    assert day.naps == 3


async def test_what_somebody_waits_for_is_done_soon() -> None:
    """Half of the time is the work's then, however many requests come."""
    day = Day(SLICE_OF * 3)
    day.work()
    await day.turns.give_way(is_urgent=True)
    assert day.naps == 1


async def test_long_work_rests_the_longer() -> None:
    """A single event that takes long is a long slice."""
    day = Day(SLICE_OF * 3)
    day.work(slices=4)
    await day.turns.give_way()
    assert day.naps == pytest.approx(4 * LONGEST, abs=1)
