"""The requests that one destination is sent next: claimed and made before there is room for them.

So that a request goes out the moment another has ended. What is ready is ours in memory only: a
killed process leaves it waiting as if nobody had looked.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from structlog.stdlib import BoundLogger

from relay.destinations import Destination
from relay.loading import Load, in_batches, loads, too_old
from relay.outbox import Delivery, Outbox, Outcome
from relay.redaction import safe_reason
from relay.surroundings import Surroundings

AHEAD = 4
"""Requests made beforehand for each that may be under way, as far as `CLAIM_MOST` goes."""

CLAIM_MOST = 200
"""Deliveries that are ready at most, unless a single request may carry more."""

PROBE_AMONG = 100
"""A probe is made with the one of so many that failed least, so that events at which the system
breaks, and which are always due, do not hold up the others."""

IDLE_S = 30.0
"""Where nothing is known to be due, a look is taken this often; what is put is told at once."""

SLICE = 32
"""Deliveries whose requests are made in one turn, or a whole batch."""

INTERNAL = "internal error"


class Supply:
    """Looks for what is due and makes requests of it; `over` is called when a look has ended.

    `ready`: what to send next. `is_for_probe`: it is one delivery, to see whether others may
    follow. `buried` is given what can't be sent at all.
    """

    def __init__(
        self,
        site: str,
        destination: Destination,
        outbox: Outbox,
        around: Surroundings,
        log: BoundLogger,
        buried: Callable[[Sequence[Outcome]], None],
        over: Callable[[], None],
    ) -> None:
        self.ready: deque[Load] = deque()
        self.is_for_probe = False
        self._site = site
        self._destination = destination
        self._outbox = outbox
        self._around = around
        self._log = log
        self._buried = buried
        self._over = over
        self._most = _most_ready(destination)
        self._look: asyncio.Task[list[Load]] | None = None
        self._looked_ms = around.clock_ms()
        self._from_ms = -math.inf  # the date from which a look may find something
        self._is_short = False  # the last look found too little to make a request beforehand

    @property
    def is_looking(self) -> bool:
        """A look is not over yet."""
        return self._look is not None

    def due(self, at_ms: float = -math.inf) -> None:
        """Something is due then."""
        self._from_ms = min(self._from_ms, at_ms)

    def rest_s(self, now_ms: int) -> float:
        """Seconds until something may be due, or a look is worth it all the same."""
        return min(max(self._from_ms - now_ms, 0) / 1000, IDLE_S)

    def look(self, has_room: Callable[[], bool], *, is_probe: bool) -> None:
        """A look is under way, where it may find what is of use now.

        Without room for one more request only whole batches are: what comes until there is room
        travels with the rest.
        """
        count = sum(len(load.deliveries) for load in self.ready)
        clock_ms, now_ms = self._around.clock_ms(), self._around.now_ms()
        is_time = now_ms >= self._from_ms or clock_ms >= self._looked_ms + IDLE_S * 1000
        is_of_use = has_room() if is_probe or self._is_short else 2 * count <= self._most
        if self._look or not is_time or not is_of_use or (is_probe and count):
            return
        self._looked_ms = clock_ms
        self._from_ms = math.inf
        self.is_for_probe = is_probe
        size = self._destination.batch
        most = PROBE_AMONG if is_probe else max((self._most - count) // size * size, size)
        self._look = asyncio.create_task(self._find(most, has_room, is_probe))
        self._look.add_done_callback(lambda _: self._over())

    def collect(self) -> None:
        """What a look that is over has found is ready. Raises what went wrong with it."""
        if self._look is not None and self._look.done():
            look, self._look = self._look, None
            self.ready.extend(look.result())

    def take(self, count: int) -> list[Load]:
        """So many of the requests that are ready, to be sent now."""
        return [self.ready.popleft() for _ in range(min(count, len(self.ready)))]

    async def put_back(self, some: Iterable[Load] | None = None) -> None:
        """These, or all that are ready, wait in the outbox again."""
        if some is None:
            some = self.take(len(self.ready))
        await self._release([one for load in some for one in load.deliveries])

    async def close(self) -> None:
        """Nothing is ours any more."""
        if self._look is not None:
            await asyncio.wait([self._look])
            self.collect()
        await self.put_back()

    async def loads(self, deliveries: Sequence[Delivery]) -> list[Load]:
        """The requests to send; what can't be sent at all is buried."""
        now_ms = self._around.now_ms()
        fresh: list[Delivery] = []
        hopeless: list[Outcome] = []
        for delivery in deliveries:
            reason = too_old(delivery, self._destination.max_age_s, now_ms)
            if reason is None:
                fresh.append(delivery)
            else:
                hopeless.append(
                    Outcome(delivery, "dead", None, safe_reason(reason), attempted=False)
                )
        made: list[Load] = []
        for batches in _slices(in_batches(fresh, self._destination.batch)):
            for some, failed in await self._around.slices.run(partial(self._made, batches)):
                made += some
                for delivery, error in failed:
                    self._log.error(INTERNAL, event_id=delivery.event_id, exc_info=error)
                    hopeless.append(
                        Outcome(delivery, "dead", None, internal(error), attempted=False)
                    )
        self._buried(hopeless)
        return made

    def _made(
        self, batches: Sequence[Sequence[Delivery]]
    ) -> list[tuple[list[Load], list[tuple[Delivery, Exception]]]]:
        return [loads(self._destination, batch) for batch in batches]

    async def _find(self, most: int, has_room: Callable[[], bool], is_probe: bool) -> list[Load]:
        name, now_ms = self._destination.name, self._around.now_ms()
        try:
            claimed = await self._outbox.claim(self._site, name, most, now_ms)
        except Exception:
            self.due()
            raise
        try:
            is_rest = len(claimed) < most
            due_ms = await self._outbox.next_due(self._site, name) if is_rest else now_ms
            self.due(math.inf if due_ms is None else due_ms)
            if is_probe:
                return await self.loads(await self._for_probe(claimed, now_ms))
            self._is_short = len(claimed) < self._destination.batch
            if self._is_short and not has_room():
                await self._release(claimed)
                return []
            return await self.loads(claimed)
        except Exception:
            await self._release(claimed)
            raise

    async def _for_probe(self, claimed: Sequence[Delivery], now_ms: int) -> list[Delivery]:
        """Of what was claimed, the one to try and those that are too old; the others wait again."""
        max_age_s = self._destination.max_age_s
        fresh = [one for one in claimed if too_old(one, max_age_s, now_ms) is None]
        probe = min(fresh, key=lambda one: one.attempts, default=None)
        await self._release([one for one in fresh if one is not probe])
        old = [one for one in claimed if too_old(one, max_age_s, now_ms) is not None]
        return [*old, probe] if probe else old

    async def _release(self, deliveries: Sequence[Delivery]) -> None:
        if deliveries:
            self.due()
            await self._outbox.release(deliveries)


def internal(error: Exception) -> str:
    """What is told of a fault of ours: its own words may quote the shopper."""
    return f"{INTERNAL}: {type(error).__name__}"


def _most_ready(destination: Destination) -> int:
    ahead = AHEAD * destination.in_flight * destination.batch
    return min(ahead, max(destination.batch, CLAIM_MOST))


def _slices(batches: Sequence[Sequence[Delivery]]) -> Iterator[Sequence[Sequence[Delivery]]]:
    """The batches, as many together as are a turn's work."""
    start = size = 0
    for end, batch in enumerate(batches):
        if size and size + len(batch) > SLICE:
            yield batches[start:end]
            start, size = end, 0
        size += len(batch)
    if size:
        yield batches[start:]
