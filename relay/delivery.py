"""Delivery: everything in the outbox reaches its destination, or becomes a dead letter.

One worker for each destination of each site, and the hourly purge. The promises are those of
DESIGN 5.5; `relay.worker` keeps them for one destination.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from relay.destinations import Destination
from relay.logs import get_logger
from relay.metrics import Metrics
from relay.outbox import Outbox, Outcome
from relay.pace import State
from relay.sending import Sender, Transport, quiet_http_logs
from relay.slices import Slices, nobody
from relay.surroundings import Surroundings, Wait
from relay.worker import Worker

log = get_logger("pixelmirror.delivery")

PURGE_EVERY_S = 3600.0

FORSAKEN_AFTER_MS = 24 * 60 * 60 * 1000
"""What no site file has a destination for is a dead letter after a day of waiting: time enough to
start again with the right files."""

FORSAKEN = "no site file has this destination any more"

FORSAKEN_AT_ONCE = 200
"""Deliveries of one claim that become dead letters together."""


def system_now_ms() -> int:
    """The system's clock."""
    return time.time_ns() // 1_000_000


def passing_ms() -> int:
    """Milliseconds since some moment; no change of the date moves them."""
    return time.monotonic_ns() // 1_000_000


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    """The event is set or the seconds have passed."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


class DeliveryLoop:
    """Delivers what waits in the outbox: `start()`, `wake()` after each put, `await stop()`.

    `transport` makes the connections of one destination (httpx's own by default); `is_asked` says
    whether requests are under way to the relay, which go before deliveries; `now_ms` (the
    date), `clock_ms` (how it passes), `chance` (0 to 1) and `wait` are for tests to replace.
    """

    def __init__(
        self,
        outbox: Outbox,
        destinations: Iterable[tuple[str, Destination]],
        *,
        retention_days: Mapping[str, int] | None = None,
        transport: Transport | None = None,
        now_ms: Callable[[], int] = system_now_ms,
        clock_ms: Callable[[], int] = passing_ms,
        metrics: Metrics | None = None,
        is_asked: Callable[[], bool] = nobody,
        chance: Callable[[], float] = random.random,
        wait: Wait = wait_for,
    ) -> None:
        quiet_http_logs()
        self.metrics = metrics or Metrics()
        around = Surroundings(now_ms, clock_ms, chance, wait, self.metrics, Slices(is_asked))
        self._outbox = outbox
        self._around = around
        self._retention_days = dict(retention_days or {})
        self._workers = {
            (site, destination.name): Worker(site, destination, outbox, Sender(transport), around)
            for site, destination in destinations
        }
        self._running: list[tuple[Worker, asyncio.Task[None]]] = []
        self._never = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None

    @property
    def under_way(self) -> int:
        """How many requests are under way."""
        return sum(worker.under_way for worker in self._workers.values())

    @property
    def paused(self) -> dict[tuple[str, str], str]:
        """Each (site, destination) that refuses our credentials, with its words."""
        workers = self._workers.items()
        return {route: worker.pace.paused for route, worker in workers if worker.pace.paused}

    @property
    def states(self) -> dict[tuple[str, str], State]:
        """How each (site, destination) is asked: `closed` is as usual."""
        clock_ms = self._around.clock_ms()
        return {route: worker.pace.state(clock_ms) for route, worker in self._workers.items()}

    def start(self) -> None:
        """Deliveries are under way from now on."""
        self._running = [
            (worker, asyncio.create_task(worker.run())) for worker in self._workers.values()
        ]
        self._keeping = asyncio.create_task(self._keep_house())

    def wake(self, site: str, destination: str | None = None) -> None:
        """Something was put for this destination, or for any of the site."""
        for (its_site, name), worker in self._workers.items():
            if its_site == site and destination in (None, name):
                worker.wake()

    async def stop(self, deadline_s: float) -> None:
        """Nothing is under way any more; what was not sent waits for the next start."""
        if self._keeping is not None:
            self._keeping.cancel()
        await asyncio.gather(
            *(worker.stop(running, deadline_s) for worker, running in self._running)
        )

    async def _keep_house(self) -> None:
        """Every hour: what is over is purged, what nobody will deliver is a dead letter."""
        while True:
            try:
                await self._bury_forsaken()
                await self._outbox.purge(self._around.now_ms(), self._retention_days)
            except Exception as error:
                log.error("the outbox was not purged; the next try is in an hour", exc_info=error)
            await self._around.wait(self._never, PURGE_EVERY_S)

    async def _bury_forsaken(self) -> None:
        """What waits for a destination that is gone is told, and after a day a dead letter."""
        for backlog in await self._outbox.waiting():
            route = (backlog.site, backlog.destination)
            if route in self._workers:
                continue
            log.warning(
                "deliveries wait for a destination that no site file has any more; "
                "they stay until it is there again, but become dead letters after a day",
                site=backlog.site,
                destination=backlog.destination,
                waiting=backlog.count,
            )
            while await self._bury(*route):
                pass

    async def _bury(self, site: str, destination: str) -> int:
        """How many of a destination that is gone are dead letters now; at most a claim of them."""
        now_ms = self._around.now_ms()
        claimed = await self._outbox.claim(site, destination, FORSAKEN_AT_ONCE, now_ms)
        since_ms = now_ms - FORSAKEN_AFTER_MS
        old = [one for one in claimed if one.event["received_at"] <= since_ms]
        ends = [Outcome(one, "dead", None, FORSAKEN, attempted=False) for one in old]
        try:
            await self._outbox.settle(ends, now_ms)
        finally:
            await self._outbox.release(claimed)
        return len(old)
