"""Routing: what has arrived becomes, for each destination, what that is to get of it.

A request is answered once it is on disk whole (`relay.ingest`). This task takes what has arrived,
oldest first: from memory what was just accepted, from disk all else, such as what a killed process
left. Some requests at a time, what comes of them is put and they are gone in one transaction.
Requests that keep coming go first (`relay.turns`).
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from relay import canonical, checkout
from relay.destinations import Destination
from relay.logs import get_logger
from relay.metrics import Metrics
from relay.outbox import Arrival, Outbox, OutboxUnavailable, Payment, Record, Told
from relay.record import Received, enrich, record
from relay.site import Site
from relay.turns import Turns

log = get_logger("pixelmirror.routing")

Fed = Mapping[str, Mapping[str, Sequence[Destination]]]
"""The destinations of each site, by the way a request came in (`Received.feed`)."""

HOLD_MOST = 2000
HOLD_BYTES = 8 * 1024 * 1024
"""Of what was accepted, so much is held in memory; the rest is read from disk in its turn."""

TOGETHER = 64
EVENTS_TOGETHER = 256
"""Requests, and events, that are put in one transaction."""

PATIENCE_S = 2.0
"""Who reads waits no longer for what was accepted before."""

FIRST_WAIT_S, MOST_WAIT_S = 0.5, 30.0
"""Between two tries while the outbox can't store; a request that it takes ends the wait."""

_received = msgspec.json.Decoder(Received).decode


@dataclass
class _Work:
    """What one request comes to."""

    id: int
    site: str
    records: list[Record] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.records) + len(self.told)


class Routing:
    """Routes what arrives in the outbox: `start()`, `await stop()`.

    `wake(site, destination)` tells delivery of new work. Whoever accepts a request says so to
    `turns`.
    """

    def __init__(
        self,
        outbox: Outbox,
        sites: Mapping[str, Site],
        fed: Fed,
        wake: Callable[[str, str], None],
        metrics: Metrics | None = None,
        turns: Turns | None = None,
    ) -> None:
        self._outbox = outbox
        self._sites = sites
        self._fed = fed
        self._wake = wake
        self._metrics = metrics or Metrics()
        self.turns = turns or Turns()
        self.trouble = ""
        self.aside = 0
        self._held: deque[Arrival] = deque()
        self._held_bytes = 0
        self._unknown = set[str]()
        self._work: list[_Work] = []
        self._has_news = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._barriers: list[tuple[int, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None
        # All that is durable up to `_have` has been held; up to `_passed`, all is routed.
        self._have = self._passed = 0
        self._newest = outbox.on_arrivals(self._arrived)

    def start(self) -> None:
        """What is there is routed from now on, and what arrives."""
        self._task = asyncio.create_task(self._run())

    async def stop(self, deadline_s: float) -> None:
        """Nothing is routed any more; what was not waits on disk for the next start."""
        if self._task is not None:
            await self.caught_up(deadline_s)
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def caught_up(self, within_s: float = PATIENCE_S) -> None:
        """Everything accepted so far is routed, unless it can't be, or not within this time."""
        newest = self._newest
        if self._task is None:
            with suppress(OutboxUnavailable):
                while self._passed < newest:
                    await self._route()
        elif self._passed < newest and not self.trouble:
            passed = asyncio.get_running_loop().create_future()
            self._barriers.append((newest, passed))
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await passed

    def join(self, payment: Payment, contexts: Sequence[Mapping[str, Any]]) -> Record:
        """The record of a paid order, as `Outbox` asks for it."""
        site = self._sites[payment.site]
        every = self._fed[payment.site][""]
        return record(checkout.joined(payment, contexts, site, every), every)

    def announce(self, records: Sequence[Record], fresh: set[tuple[str, str]]) -> None:
        """These are durable: delivery knows of its new work, and what was skipped is counted."""
        for event, deliveries in records:
            self._metrics.routed(event["site"], deliveries)
        for site, destination in fresh:
            self._wake(site, destination)

    # --- the task ---

    async def _run(self) -> None:
        wait_s = FIRST_WAIT_S
        while True:
            self._has_news.clear()
            try:
                if not await self._route():
                    await self._has_news.wait()
                wait_s = FIRST_WAIT_S
            except Exception as error:
                if isinstance(error, OutboxUnavailable):
                    self.trouble = str(error)
                    log.error("not routed yet", why=self.trouble, again_in_s=wait_s)
                else:
                    self.trouble = "a mistake of ours"
                    log.error("internal error", exc_info=error)
                self._release()
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._has_news.wait()
                wait_s = min(2 * wait_s, MOST_WAIT_S)

    async def _route(self) -> bool:
        """Some of what has arrived is routed; False where there was nothing.

        Raises `OutboxUnavailable`, and then it is tried again with the next call.
        """
        async with self._one_at_a_time:
            self.turns.begin()
            while len(self._work) < TOGETHER and sum(w.size for w in self._work) < EVENTS_TOGETHER:
                if (arrival := await self._next()) is None:
                    break
                await self._work_out(arrival)
                self._held_bytes -= len(self._held.popleft().body)
            has_worked = bool(self._work)
            if has_worked:
                await self._put()
            before, self._passed = self._passed, self._held[0].id - 1 if self._held else self._have
            self.trouble = ""
            self._release()
            return has_worked or self._passed > before

    async def _next(self) -> Arrival | None:
        """The oldest that is not worked out yet; None where all are."""
        if not self._held and self._have < self._newest:
            newest = self._newest
            self._hold(await self._outbox.arrivals(TOGETHER, self._have))
            self._have = self._held[-1].id if self._held else newest
        return self._held[0] if self._held else None

    def _arrived(self, arrivals: Sequence[Arrival]) -> None:
        """These are durable; they are held unless older ones are not, or there is no room."""
        has_room = len(self._held) < HOLD_MOST and self._held_bytes < HOLD_BYTES
        if self._have == self._newest and has_room:
            self._hold(arrivals)
            self._have = arrivals[-1].id
        self._newest = arrivals[-1].id
        self._has_news.set()

    def _hold(self, arrivals: Sequence[Arrival]) -> None:
        self._held.extend(arrivals)
        self._held_bytes += sum(len(one.body) for one in arrivals)

    async def _work_out(self, arrival: Arrival) -> None:
        """What it comes to is with the rest. If it can't be told, it stays where it is on disk."""
        work = _Work(arrival.id, arrival.site)
        try:
            for one, tells in self._made(arrival):
                work.records += [one] if one else []
                work.told += [tells] if tells else []
                self.turns.worked += 1
                if self.turns.is_over:
                    await self.turns.give_way(is_urgent=bool(self._barriers))
        except Exception as error:
            self._set_aside(arrival.id, arrival.site, error)
        else:
            self._work.append(work)

    def _made(self, arrival: Arrival) -> Iterator[tuple[Record | None, Told | None]]:
        """What is to be put, and what is told of an order, of each event; either may be none."""
        site, received = self._sites[arrival.site], _received(arrival.facts)
        destinations = self._fed[site.site][received.feed]
        is_page = received.client is not None
        for event in _events(arrival.body, received):
            full = enrich(event, site, received)
            is_sent = not checkout.waits_for_payment(full, site)
            one = record(full, destinations) if is_sent else None
            tells = checkout.told(full, site, is_page=is_page)
            if one and tells and tells.is_order_event:
                yield None, replace(tells, record=one)
            else:
                yield one, tells

    def _set_aside(self, number: int, site: str, error: Exception) -> None:
        """It stands in nobody's way, and the next start tries it again."""
        self.aside += 1
        if site not in self._sites:
            if site not in self._unknown:
                self._unknown.add(site)
                log.warning(
                    "requests of a site that no site file has any more are not routed; they stay "
                    "until it is there again, at most 30 days",
                    site=site,
                )
            return
        log.error(
            "internal error: a request is not routed, and kept for the next start",
            site=site,
            arrival=number,
            exc_info=error,
        )

    async def _put(self) -> None:
        """The work is durable and its arrivals are gone, but those that were set aside."""
        try:
            await self._put_together(self._work)
        except OutboxUnavailable:
            raise
        except Exception:
            while self._work:  # to find the one
                try:
                    await self._put_together(self._work[:1])
                except OutboxUnavailable:
                    raise
                except Exception as error:
                    self._set_aside(self._work[0].id, self._work[0].site, error)
                del self._work[0]
        self._work = []

    async def _put_together(self, work: Sequence[_Work]) -> None:
        records = [one for each in work for one in each.records]
        told = [one for each in work for one in each.told]
        fresh = await self._outbox.routed([each.id for each in work], records, told, self.join)
        self.announce([*records, *(one.record for one in told if one.record)], fresh)

    def _release(self) -> None:
        """Those who wait for what is routed now go on; all of them, while nothing can be."""
        for newest, passed in self._barriers:
            if (self.trouble or newest <= self._passed) and not passed.done():
                passed.set_result(None)
        self._barriers = [one for one in self._barriers if not one[1].done()]


def _events(body: bytes, received: Received) -> list[dict[str, Any]]:
    """The checked events of a request: whoever accepted it has checked them, or known them."""
    if received.is_checked:
        return list(json.loads(body)["events"])
    return canonical.events(body)
