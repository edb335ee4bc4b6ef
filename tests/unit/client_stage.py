"""A relay that answers as it is told, and a client of it whose clocks only tests move."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

import httpx

from pixelmirror.client import AsyncRelay, Relay
from tests.unit.samples import NOW_MS

URL = "https://t.toko.example"
SECRET = "the-secret-key-of-toko"
CHANCE = bytes(range(10))
UUID = "0199c82c-c000-7001-8203-040506070809"
"""The UUID of that time and chance."""

Told = int | httpx.Response | Exception


def no(status: int, code: str, message: str = "no", field: str = "", **headers: str) -> Told:
    """A refusal as the relay tells it."""
    error = {"code": code, "message": message, **({"field": field} if field else {})}
    return httpx.Response(status, json={"error": error}, headers=headers)


class Stage:
    """`answers` are given one after the other, then 204. A wait is noted, and moves the clocks."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.answers: list[Told] = []
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []
        self.now_ms = float(NOW_MS)
        self.try_s = 0.0  # how long each answer takes
        self._runner = asyncio.Runner()

    def client(self, url: str = URL, **settings: Any) -> Relay | AsyncRelay:
        clocks: dict[str, Any] = {
            "now_ms": lambda: int(self.now_ms),
            "clock_s": lambda: self.now_ms / 1000,
            "chance": lambda: 1.0,
            "urandom": lambda count: CHANCE[:count],
        }
        told = {**clocks, **settings}
        transport = httpx.MockTransport(self._answer)
        if self.kind == "threads":
            return Relay(url, "toko", SECRET, transport=transport, sleep=self._wait, **told)
        return AsyncRelay(url, "toko", SECRET, transport=transport, sleep=self._wait_async, **told)

    def track(self, *words: Any, **told: Any) -> str:
        """What `track` of a client with the default settings returns."""
        event_id: str = self.run(self.client().track(*words, **told))
        return event_id

    def send(self, events: Any, **settings: Any) -> list[str]:
        """What `send` returns."""
        event_ids: list[str] = self.run(self.client(**settings).send(events))
        return event_ids

    def run(self, result: Any) -> Any:
        return self._runner.run(result) if isinstance(result, Coroutine) else result

    def close(self) -> None:
        self._runner.close()

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(request.content) for request in self.requests]

    @property
    def event(self) -> Any:
        """The only event of the only request."""
        (body,) = self.bodies
        (event,) = body["events"]
        return event

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.now_ms += self.try_s * 1000
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            return httpx.Response(answer)
        # A copy: the table that it is from has more than one test.
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now_ms += seconds * 1000

    async def _wait_async(self, seconds: float) -> None:
        self._wait(seconds)
