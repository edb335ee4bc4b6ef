"""Work that takes long on the event loop, a slice at a time: whoever asks the relay goes first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

REST = 8
"""How many times as long as a slice took all others may have before the next one."""

QUIET_S = 0.0001
"""A turn of the event loop that takes no longer had nothing to do: nobody needs the rest."""


class Slices:
    """Lets one slice at a time run, and none before the others have had their share."""

    def __init__(self, cpu_s: Callable[[], float] = time.thread_time) -> None:
        self._cpu_s = cpu_s
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
            start = self._cpu_s()
            await asyncio.sleep(0)
            taken_s = self._cpu_s() - start
            self._owed_s = 0.0 if taken_s < QUIET_S else self._owed_s - taken_s
