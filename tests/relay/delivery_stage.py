"""A stage for delivery tests: made-up time, made-up systems behind httpx, a real outbox."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from relay.delivery import DeliveryLoop
from relay.destinations import (
    DONE,
    IN_FLIGHT,
    Answer,
    Event,
    Judgement,
    Request,
    judge_transport,
)
from relay.outbox import DeliveryRow
from relay.outbox.sqlite import SqliteOutbox
from tests.relay.records import NOW, record

WEEK_S = 7 * 86_400

System = Callable[[list[str]], httpx.Response | Awaitable[httpx.Response]]
"""How an outside system answers a request with these event IDs; it may raise httpx's errors."""


class FakeDestination:
    """A destination whose requests are the event IDs, and whose system speaks plain HTTP."""

    kind = "fake"
    categories: Sequence[str] = ()

    def __init__(
        self,
        name: str = "meta",
        *,
        batch: int = 1,
        repeatable: bool = True,
        max_age_s: int = WEEK_S,
        in_flight: int = IN_FLIGHT,
        per_second: float = 0.0,
    ) -> None:
        self.name = name
        self.batch = batch
        self.max_age_s = max_age_s
        self.in_flight = in_flight
        self.per_second = per_second
        self._repeatable = repeatable

    def skips(self, event: Event) -> str | None:
        return None

    def sent_as(self, event: Event) -> str | None:
        return None

    def requests(self, events: Sequence[Event]) -> list[Request]:
        ids = [event["event_id"] for event in events]
        url = f"https://{self.name}.example/events?access_token=T0ken-in-the-url"
        headers = {"authorization": "Bearer T0ken-in-the-header"}
        return [Request(url, json.dumps(ids).encode(), headers, events, self._repeatable)]

    def judge(self, request: Request, answer: Answer, now: float) -> Judgement:
        shared = judge_transport(request, answer, now)
        if shared is not None:
            return shared
        if answer.status == 200:
            return DONE
        return Judgement("dead", answer.body.decode(), took_nothing=answer.status == 400)


class FakeTime:
    """A clock that only tests move; who rests is known, so a test knows when all is quiet.

    `ahead_ms`: how far the date is ahead of the time that passes, once somebody has set it.
    """

    def __init__(self) -> None:
        self.now = NOW
        self.ahead_ms = 0
        self.rests: list[float] = []
        self._resting: dict[asyncio.Event, tuple[float, asyncio.Event]] = {}

    def now_ms(self) -> int:
        return self.now + self.ahead_ms

    def clock_ms(self) -> int:
        return self.now

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        self.rests.append(seconds)
        elapsed = asyncio.Event()
        self._resting[elapsed] = (self.now + math.ceil(seconds * 1000), event)
        either = [asyncio.ensure_future(one.wait()) for one in (event, elapsed)]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            del self._resting[elapsed]
            for one in either:
                one.cancel()

    def resting(self) -> int:
        """How many rest with nothing to wake them."""
        return sum(
            not (event.is_set() or elapsed.is_set())
            for elapsed, (_, event) in self._resting.items()
        )

    def next_end(self) -> float:
        return min(until for until, _ in self._resting.values())

    def pass_to(self, moment: float) -> None:
        self.now = max(self.now, int(moment))
        for elapsed, (until, _) in self._resting.items():
            if until <= self.now:
                elapsed.set()


class Stage:
    """A running delivery loop, its outbox, and what each system was sent at what time."""

    def __init__(
        self, outbox: SqliteOutbox, destinations: Sequence[FakeDestination], **more: Any
    ) -> None:
        self.time = FakeTime()
        self.chance = 1.0
        self.outbox = outbox
        self.systems: dict[str, System] = {}
        self.calls: list[tuple[float, str, list[str]]] = []
        self._workers = len(destinations)
        self.loop = DeliveryLoop(
            outbox,
            [("toko", destination) for destination in destinations],
            transport=lambda: httpx.MockTransport(self._answer),
            now_ms=self.time.now_ms,
            clock_ms=self.time.clock_ms,
            chance=lambda: self.chance,
            wait=self.time.wait,
            **more,
        )

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        name = request.url.host.removesuffix(".example")
        ids = json.loads(request.content)
        self.calls.append(((self.time.now - NOW) / 1000, name, ids))
        answer = self.systems.get(name, accept)(ids)
        return answer if isinstance(answer, httpx.Response) else await answer

    async def put(self, *event_ids: str, to: Sequence[str] = ("meta",), **more: Any) -> None:
        """The events are stored and their workers woken, as the ingest does it."""
        records = [record(event_id, *to, **more) for event_id in event_ids]
        for site, destination in await self.outbox.put(records):
            self.loop.wake(site, destination)

    async def quiet(self, stalled: int = 0, resting: int | None = None) -> None:
        """Nobody has anything to do but so many requests that a test holds back."""
        everyone = self._workers + 1 if resting is None else resting  # the hourly purge is one
        async with asyncio.timeout(20):
            while self.time.resting() < everyone or self.loop.under_way != stalled:  # noqa: ASYNC110
                await asyncio.sleep(0)  # the outbox's threads have no event to wait for

    async def asked(self, times: int) -> None:
        """The systems have been asked so often, all in all."""
        async with asyncio.timeout(20):
            while len(self.calls) < times:  # noqa: ASYNC110
                await asyncio.sleep(0)

    async def passes(self, seconds: float, stalled: int = 0) -> None:
        """The time passes, with all that happens in it."""
        end = self.time.now + seconds * 1000
        while (moment := self.time.next_end()) <= end:
            self.time.pass_to(moment)
            await self.quiet(stalled)
        self.time.pass_to(end)

    def times(self, name: str = "meta") -> list[float]:
        """The seconds since the start at which this system was asked."""
        return [at for at, system, _ in self.calls if system == name]

    def sent(self, name: str = "meta") -> list[list[str]]:
        """The event IDs of each request to this system."""
        return [ids for _, system, ids in self.calls if system == name]

    async def rows(self, **which: Any) -> dict[str, DeliveryRow]:
        """The deliveries by event ID."""
        return {row["event_id"]: row for row in await self.outbox.deliveries("toko", **which)}

    async def states(self, destination: str = "meta") -> dict[str, str]:
        """The state of each event's delivery."""
        rows = await self.rows(destination=destination)
        return {event_id: row["state"] for event_id, row in sorted(rows.items())}


@asynccontextmanager
async def stage(
    path: Path,
    *destinations: FakeDestination,
    store: type[SqliteOutbox] = SqliteOutbox,
    **more: Any,
) -> AsyncIterator[Stage]:
    """A stage with these destinations of the site `toko`, started and quiet."""
    async with await store.open(path) as outbox:
        one = Stage(outbox, destinations or [FakeDestination()], **more)
        one.loop.start()
        await one.quiet()
        try:
            yield one
        finally:
            await one.loop.stop(0)


def accept(ids: list[str]) -> httpx.Response:
    """A system that takes everything."""
    return httpx.Response(200)


def says(status: int, words: str = "", **headers: str) -> System:
    """A system that always answers so."""
    return lambda ids: httpx.Response(status, text=words, headers=headers)


def fails(error: Exception) -> System:
    """A system that is never reached, or never answers."""

    def answer(ids: list[str]) -> httpx.Response:
        raise error

    return answer


class Held:
    """A system that answers when the test lets it."""

    def __init__(self, only: str | None = None) -> None:
        self._only = only
        self.let_go = asyncio.Event()

    async def __call__(self, ids: list[str]) -> httpx.Response:
        if self._only is None or self._only in ids:
            await self.let_go.wait()
        return httpx.Response(200)
