"""The watch: what waits, and what is wrong for so long that somebody should be told again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from relay.delivery import DeliveryLoop
from relay.disk import Disk
from relay.logs import get_logger
from relay.metrics import Metrics
from relay.outbox import Backlog, Outbox, OutboxError

log = get_logger("pixelmirror.watch")

LOOK_EVERY_S = 60.0

SAY_AGAIN_MS = 10 * 60 * 1000
"""What is still wrong is said again after ten minutes."""

FRESH_MS = 15_000
"""What waits is counted again only then: counting a million takes half a second."""

STILL_PAUSED = "still PAUSED: nothing is delivered before its credentials are taken"
LATE = "deliveries wait for more than an hour"
NOT_ROUTED = "requests wait for more than ten minutes to be routed"
FULL = "the outbox's disk is in trouble"

Trouble = tuple[str, str, str]
"""What, and of which site and destination; these are empty where it is of none."""

LATE_MS = 60 * 60 * 1000
"""Deliveries that wait for longer than an hour are worth a warning."""


NOT_ROUTED_MS = 10 * 60 * 1000
"""It takes milliseconds as a rule, and seconds after a great rush."""


class Watch:
    """Looks after a running relay: `run()`. `disk` is None for an outbox that has none here."""

    def __init__(
        self,
        outbox: Outbox,
        delivery: DeliveryLoop,
        metrics: Metrics,
        disk: Disk | None,
        now_ms: Callable[[], int],
    ) -> None:
        self._outbox = outbox
        self._delivery = delivery
        self._metrics = metrics
        self._disk = disk
        self._now_ms = now_ms
        self._backlogs: Sequence[Backlog] = ()
        self._arrived: Sequence[Backlog] = ()
        self._counted_ms: int | None = None
        self._counting = asyncio.Lock()
        self._said_ms: dict[Trouble, int] = {}

    async def run(self) -> None:
        """A look every minute, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.look()
            except OutboxError as error:
                log.error("what waits can't be counted", why=str(error))
            except Exception as error:
                log.error("internal error", exc_info=error)

    async def look(self) -> None:
        """What is wrong was said in the last ten minutes; that it is over is said once."""
        wrong = await self._wrong()
        for key in [key for key in self._said_ms if key not in wrong]:
            del self._said_ms[key]
            what, site, destination = key
            log.warning("over", what=what, site=site or None, destination=destination or None)
        now_ms = self._now_ms()
        for key, pairs in wrong.items():
            if now_ms - self._said_ms.get(key, -SAY_AGAIN_MS) >= SAY_AGAIN_MS:
                self._said_ms[key] = now_ms
                what, site, destination = key
                log.error(what, site=site or None, destination=destination or None, **pairs)

    async def measure(self) -> None:
        """The metrics say what is true at the moment, as far as it is known."""
        backlogs: Sequence[Backlog] | None = None
        with suppress(OutboxError):  # the counters are worth reading then, too
            backlogs = await self._waiting()
        self._metrics.now(self._now_ms(), backlogs, self._delivery.states)
        self._metrics.arrived(self._now_ms(), None if backlogs is None else self._arrived)
        if self._disk is not None:
            with suppress(OSError):
                self._metrics.disk(self._disk.outbox_bytes(), self._disk.free_bytes())

    async def trouble(self) -> str:
        """Why the relay can take no events, in words; empty while it can."""
        try:
            await self._outbox.check()
        except OutboxError as error:
            return str(error)
        return self._disk.trouble() if self._disk is not None else ""

    async def _wrong(self) -> dict[Trouble, dict[str, object]]:
        """What is wrong, and the pairs to tell of it."""
        now_ms = self._now_ms()
        found: dict[Trouble, dict[str, object]] = {}
        for site, destination in self._delivery.paused:
            found[STILL_PAUSED, site, destination] = {}
        for one in await self._waiting():
            age_ms = now_ms - one.oldest_ms
            if age_ms >= LATE_MS:
                pairs: dict[str, object] = {"waiting": one.count, "oldest_s": age_ms // 1000}
                found[LATE, one.site, one.destination] = pairs
        for one in self._arrived:
            age_ms = now_ms - one.oldest_ms
            if age_ms >= NOT_ROUTED_MS:
                found[NOT_ROUTED, one.site, ""] = {"waiting": one.count, "oldest_s": age_ms // 1000}
        if trouble := self._disk.trouble() if self._disk is not None else "":
            found[FULL, "", ""] = {"why": trouble}
        return found

    async def _waiting(self) -> Sequence[Backlog]:
        """What waits, as it was at most 15 seconds ago."""
        async with self._counting:
            now_ms = self._now_ms()
            if self._counted_ms is None or abs(now_ms - self._counted_ms) >= FRESH_MS:
                self._backlogs = await self._outbox.waiting()
                self._arrived = await self._outbox.arrivals_waiting()
                self._counted_ms = now_ms
            return self._backlogs
