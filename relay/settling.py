"""What became of a destination's deliveries, on its way into the outbox.

Nobody waits for it: the next request is sent meanwhile. What ends while one settlement is being
stored is stored with the next, all of it together.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from structlog.stdlib import BoundLogger

from relay.outbox import Outbox, OutboxError, Outcome
from relay.surroundings import Surroundings

TROUBLE_S = 5.0
"""Seconds before the next try when the outbox can't store."""

SAID = {
    "done": (logging.DEBUG, "delivered"),
    "retry": (logging.INFO, "to be tried again"),
    "dead": (logging.WARNING, "dead letter"),
}


class Settling:
    """Stores outcomes, however long the outbox can't: they happened.

    `told` hears of each settlement that is over. Once `stopping` is set, what can't be stored is
    left as the outbox has it.
    """

    def __init__(
        self,
        outbox: Outbox,
        around: Surroundings,
        log: BoundLogger,
        told: Callable[[Sequence[Outcome]], None],
        stopping: asyncio.Event,
    ) -> None:
        self._outbox = outbox
        self._around = around
        self._log = log
        self._told = told
        self._stopping = stopping
        self.count = 0  # of what is not durable yet
        self._waiting: list[Outcome] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Something is not durable yet."""
        return self._task is not None

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """These are stored soon."""
        self._waiting += outcomes
        self.count += len(outcomes)
        if self._task is None and outcomes:
            self._task = asyncio.create_task(self._run())

    async def finish(self) -> None:
        """All of it is durable, or can't be."""
        while self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while self._waiting:
            outcomes, self._waiting = self._waiting, []
            try:
                if await self._is_stored(outcomes):
                    self._count(outcomes)
            except Exception as error:
                self._log.error("internal error", exc_info=error)
            self.count -= len(outcomes)
            self._told(outcomes)
        self._task = None

    async def _is_stored(self, outcomes: Sequence[Outcome]) -> bool:
        while True:
            try:
                await self._outbox.settle(outcomes, self._around.now_ms())
                return True
            except OutboxError as error:
                self._log.error("an outcome is not stored yet", why=str(error))
                if self._stopping.is_set():
                    return False
                await self._around.wait(self._stopping, TROUBLE_S)

    def _count(self, outcomes: Sequence[Outcome]) -> None:
        now_ms = self._around.now_ms()
        for one in outcomes:
            delivery = one.delivery
            age_s = (now_ms - delivery.event["received_at"]) / 1000
            self._around.metrics.settled(delivery.site, delivery.destination, one.verdict, age_s)
            level, words = SAID[one.verdict]
            if level >= self._log.getEffectiveLevel():  # a line that is not written costs as much
                self._log.log(
                    level,
                    words,
                    event_id=delivery.event_id,
                    attempt=delivery.attempts + one.attempted,
                    status=one.status,
                    reason=one.reason or None,
                )
