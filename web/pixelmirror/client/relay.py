"""`Relay` and `AsyncRelay`: they send what `sending` says, and wait as long as it says."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Self, Unpack

import httpx

from .caller import Caller, Fields, Settings, Told
from .page import PageTransport
from .sending import Answer, Steps

PATH = "/v1/events"
IN_PAGE = sys.platform == "emscripten"


class Relay(Caller):
    """The relay at `url` for one site, by that site's secret key.

        with Relay("https://t.shop.example", "toko", os.environ["TOKO_SECRET"]) as relay:
            relay.track("purchase", {"id": "ORD-77", "value": 147000, "items": [...]})

    One serves a whole process with all its threads. No answer, 429 and 5xx are tried again, `tries`
    times in all and for `patience_s`, which holds the caller up; what the relay got twice it keeps
    once. `transport` is httpx's: a proxy, other certificates, a test's. In a Pyodide page it is
    `PageTransport`, and a wait holds the page up too.
    """

    def __init__(
        self,
        url: str,
        site: str,
        secret: str,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], object] = time.sleep,
        **settings: Unpack[Settings],
    ) -> None:
        super().__init__(url, site, secret, **settings)
        if IN_PAGE and transport is None:
            transport = PageTransport()
        self._http = httpx.Client(
            headers=self._headers, timeout=self._timeout_s, transport=transport
        )
        self._sleep = sleep

    def track(self, name: str, params: Fields | None = None, **told: Unpack[Told]) -> str:
        """The event is stored; returns its event ID. `told`: user, page, client ..., see `Told`.

        `relay.track("refund", {"id": "ORD-77", "value": 147000})` is `"ORD-77-refund"`.
        Raises EventError before anything is sent, Refused and Unreachable after.
        """
        event = self.event(name, params, **told)
        self._send([event])
        return str(event["event_id"])

    def send(self, events: Iterable[Fields]) -> list[str]:
        """All events are stored; returns their event IDs.

        Each is one of `event`, or has its shape. All are checked first; then they go in their
        order, as many in one request as the relay takes. Raises as `track`; the error's `stored`
        and `not_stored` tell how far it came.
        """
        checked = self._events.all_checked(events)
        self._send(checked)
        return [event["event_id"] for event in checked]

    def close(self) -> None:
        """Its connections are closed."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, events: Sequence[Fields]) -> None:
        steps = self._steps(events)
        answer: Answer | None = None
        while (step := _next(steps, answer)) is not None:
            answer = self._post(step) if isinstance(step, bytes) else None
            if not isinstance(step, bytes):
                self._sleep(step)

    def _post(self, body: bytes) -> Answer:
        try:
            return _answer(self._http.post(self.url + PATH, content=body))
        except httpx.RequestError as error:
            return _no_answer(error)


class AsyncRelay(Caller):
    """`Relay` for asyncio: the same, awaited.

        async with AsyncRelay("https://t.shop.example", "toko", secret) as relay:
            await relay.track("login", user={"id": "C-77"})

    In a Pyodide page there is only `Relay`: pyodide-http has nothing to await.
    """

    def __init__(
        self,
        url: str,
        site: str,
        secret: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        **settings: Unpack[Settings],
    ) -> None:
        super().__init__(url, site, secret, **settings)
        if IN_PAGE and transport is None:
            raise RuntimeError("in a page pyodide-http sends, which can't be awaited: use Relay")
        self._http = httpx.AsyncClient(
            headers=self._headers, timeout=self._timeout_s, transport=transport
        )
        self._sleep = sleep

    async def track(self, name: str, params: Fields | None = None, **told: Unpack[Told]) -> str:
        """As `Relay.track`."""
        event = self.event(name, params, **told)
        await self._send([event])
        return str(event["event_id"])

    async def send(self, events: Iterable[Fields]) -> list[str]:
        """As `Relay.send`."""
        checked = self._events.all_checked(events)
        await self._send(checked)
        return [event["event_id"] for event in checked]

    async def close(self) -> None:
        """Its connections are closed."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _send(self, events: Sequence[Fields]) -> None:
        steps = self._steps(events)
        answer: Answer | None = None
        while (step := _next(steps, answer)) is not None:
            answer = await self._post(step) if isinstance(step, bytes) else None
            if not isinstance(step, bytes):
                await self._sleep(step)

    async def _post(self, body: bytes) -> Answer:
        try:
            return _answer(await self._http.post(self.url + PATH, content=body))
        except httpx.RequestError as error:
            return _no_answer(error)


def _next(steps: Steps, answer: Answer | None) -> bytes | float | None:
    """What to do next; None when all is stored."""
    try:
        return steps.send(answer)
    except StopIteration:
        return None


def _answer(response: httpx.Response) -> Answer:
    return Answer(response.status_code, response.content, response.headers.get("retry-after", ""))


def _no_answer(error: httpx.RequestError) -> Answer:
    return Answer(None, reason=f"{type(error).__name__}: {error}".rstrip(": "))
