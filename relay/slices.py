"""Work that takes long on the event loop, a slice at a time: whoever asks the relay goes first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from relay.turns import NAP_S

T = TypeVar("T")

REST = 8
"""How many times as long as a slice took all others may have before the next one."""

QUIET_S = 0.0001
"""A turn of the event loop that computes no longer had nothing to do: nobody needs the rest."""


def nobody() -> bool:
    """Nobody asks the relay."""
    return False


class Slices:
    """Lets one slice at a time run, and none before the others have had their share.

    While requests are under way (`is_asked`) that is time, for the next one may come at any moment;
    else what the event loop computes, until it has nothing to do. `cpu_s` tells how long this
    thread has computed.
    """

    def __init__(
        self,
        is_asked: Callable[[], bool] = nobody,
        cpu_s: Callable[[], float] = time.thread_time,
        nap: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._is_asked = is_asked
        self._cpu_s = cpu_s
        self._nap = nap
        self._one_at_a_time = asyncio.Lock()
        self._owed_s = 0.0

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns, in its turn."""
        async with self._one_at_a_time:
            await self._rest()
            start = self._cpu_s()
            try:
                return work()
            finally:
                self._owed_s = REST * (self._cpu_s() - start)

    async def _rest(self) -> None:
        while self._owed_s > 0:
            nap_s = NAP_S if self._is_asked() else 0.0
            start = self._cpu_s()
            await self._nap(nap_s)
            taken_s = max(self._cpu_s() - start, nap_s)
            self._owed_s = 0.0 if taken_s < QUIET_S else self._owed_s - taken_s
