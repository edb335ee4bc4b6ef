"""Requests go before background work, and the work goes on where they leave it room."""

from __future__ import annotations

import pytest

from relay.turns import NAP_S, REST, SLICE_S, Turns

pytestmark = pytest.mark.anyio

SLICE_OF = 10
"""Events that a slice works off."""


class Day:
    """A clock, and requests that come while the work naps: so many events in each nap."""

    def __init__(self, coming: int, under_way: int = 0) -> None:
        self.now = 0.0
        self.naps: list[float] = []
        self.turns = Turns(lambda: self.now, self.nap)
        self.turns.under_way = under_way
        self._coming = coming

    async def nap(self, seconds: float) -> None:
        if seconds:
            self.naps.append(seconds)
        self.now += seconds
        self.turns.begun += self._coming

    def work(self) -> None:
        """A slice of it."""
        self.turns.begin()
        assert not self.turns.is_over
        self.turns.worked += SLICE_OF
        self.now += SLICE_S
        assert self.turns.is_over


# Events that come in each nap, requests under way, whether it is urgent, and how many naps follow.
ROOM = {
    "nobody is there": (0, 0, False, 0),
    "a request is being stored": (0, 1, False, 1),
    "as many come as can be worked off": (SLICE_OF, 1, False, 1),
    "more come": (SLICE_OF + 1, 1, False, REST),
    "more come, and somebody waits for the work": (SLICE_OF + 1, 1, True, 1),
}


@pytest.mark.parametrize(("coming", "under_way", "urgent", "naps"), ROOM.values(), ids=ROOM)
async def test_between_two_slices_requests_have_their_turn(
    coming: int, under_way: int, urgent: bool, naps: int
) -> None:
    """A moment where the work keeps up with them, its multiple where it can't."""
    day = Day(coming, under_way)
    day.work()
    await day.turns.give_way(is_urgent=urgent)
    assert day.naps == [NAP_S] * naps
    assert not day.turns.is_over


async def test_a_rush_that_is_over_is_not_waited_for() -> None:
    """The first nap that brings few ends the rest."""
    day = Day(1000, under_way=1)
    day.work()

    async def nap(seconds: float) -> None:
        await Day.nap(day, seconds)
        if len(day.naps) == 3:
            day._coming = 0

    day.turns._nap = nap
    await day.turns.give_way()
    assert len(day.naps) == 4


async def test_long_work_rests_the_longer() -> None:
    """A single event that takes long is a long slice."""
    day = Day(1000, under_way=1)
    day.work()
    day.now += 4 * SLICE_S
    await day.turns.give_way()
    assert sum(day.naps) == pytest.approx(REST * 5 * SLICE_S, abs=NAP_S)
