"""Turns: how background work shares the event loop with requests, which go first.

Work is done in slices. While no requests are under way, one slice follows the other. While they
are, the loop is theirs between two slices: of the time that they leave, the work takes the share
that this is of all time, so that the scarcer it is the less is taken of it. One request is held to
cost what one event of the work does, and so are every ten events of it. (How long the thread
computes would tell, too, were it alone on the machine.)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

SLICE_S = 0.001
"""Nothing else has its turn for so long."""

NAP_S = 0.001
"""The shortest time that the event loop's timers know."""

LEAST = 1 / 120
"""The share of all time that it has in any case. It costs requests a twentieth of their rate: what
the work asks of other threads is on top of it, and each slice lets requests gather."""

EVENTS_ALIKE = 10
"""So many events of a request cost what the rest of it does."""


class Turns:
    """Says when a slice is over, and waits until the next may begin.

    Who takes requests says so (`request`), and keeps up to date how many of them are `under_way`,
    not answered yet; who works, how many events it has `worked` off so far. `begun` is what the
    requests so far are held to cost, in events of the work. `clock_s` tells how time passes.
    """

    def __init__(
        self,
        clock_s: Callable[[], float] = time.perf_counter,
        nap: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock_s = clock_s
        self._nap = nap
        self.under_way = 0
        self.begun = 0
        self.worked = 0
        self._began_at = 0.0
        self._had = (0, 0)

    def request(self, events: int) -> None:
        """One with so many events has begun, and is under way."""
        self.begun += 1 + events // EVENTS_ALIKE
        self.under_way += 1

    def begin(self) -> None:
        """A slice begins."""
        self._began_at = self._clock_s()
        self._had = self.begun, self.worked

    @property
    def is_over(self) -> bool:
        """The slice is."""
        return self._clock_s() - self._began_at >= SLICE_S

    async def give_way(self, *, is_urgent: bool = False) -> None:
        """The others have had their turn, and a slice begins; soon, where the work is urgent."""
        took_s = self._clock_s() - self._began_at
        begun, worked = self._had
        pace = (self.worked - worked) / took_s
        await self._nap(0)
        while self.under_way or self.begun != begun:
            await self._nap(NAP_S)
            passed_s = self._clock_s() - self._began_at
            room = max(1 - (self.begun - begun) / passed_s / pace, 0)
            if is_urgent or took_s <= passed_s * max(room * room, LEAST):
                break
        self.begin()
