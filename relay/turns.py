"""Turns: how background work shares the event loop with requests, which go first.

Work is done in slices. While no requests are under way, one slice follows the other. While they
are, the loop is theirs between two slices: for a moment, or for `REST` times as long as the slice
while they bring more than could be worked off anyway.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

SLICE_S = 0.001
"""Nothing else has its turn for so long."""

NAP_S = 0.001
"""The shortest time that the event loop's timers know."""

REST = 16
"""The work has a seventeenth of the time then; what it asks of other threads is as much again."""


class Turns:
    """Says when a slice is over, and waits until the next may begin.

    Kept up to date by who takes requests: `begun`, the events of those that have come so far, and
    `under_way`, how many requests are not answered yet. By who works: `worked`, the events so far.
    `clock_s` tells how time passes.
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
        over_at = self._clock_s()
        took_s = over_at - self._began_at
        begun, worked = self._had
        per_s = (self.worked - worked) / took_s if took_s else 0.0
        await self._nap(0)
        rest_s = took_s if is_urgent else REST * took_s
        while self.under_way or self.begun != begun:
            begun, napped_at = self.begun, self._clock_s()
            await self._nap(NAP_S)
            now_s = self._clock_s()
            can_keep_up = self.begun - begun <= per_s * (now_s - napped_at)
            if can_keep_up or now_s - over_at >= rest_s:
                break
        self.begin()
