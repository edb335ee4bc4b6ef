"""A sandbox in this process, whose clock stands still, and right requests to break."""

from __future__ import annotations

import asyncio
import copy
import json
from dataclasses import dataclass, field
from typing import Any

import httpx

from relay.sandbox import create_sandbox

NOW_S = 1_760_000_000
GONE: Any = object()
"""Stands for: no value there."""
Broken = tuple[str, str, Any]
"""Name of the sample, where in it, the wrong value."""


class Sandbox:
    """Asks a sandbox of its own; paths are those below `/sandbox`."""

    def __init__(self) -> None:
        self.app = create_sandbox(lambda: NOW_S * 1000)

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        return asyncio.run(self.ask_async(method, path, **request))

    async def ask_async(self, method: str, path: str, **request: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.test") as client:
            return await client.request(method, "/sandbox" + path, **request)

    def calls(self, **query: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.ask("GET", "/calls", params=query).json()["calls"]
        return rows

    def behave(self, **wanted: Any) -> httpx.Response:
        return self.ask("POST", "/behaviour", json=wanted)


@dataclass(frozen=True)
class Sample:
    """A right request: path below `/sandbox/api`, headers, body, and what is answered."""

    system: str
    path: str
    body: Any
    status: int = 200
    answer: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    event_name: str | None = None
    event_id: str | None = None
    pixel: str | None = None
    deduplicates: bool = True


def changed(held: Any, where: str, value: Any) -> Any:
    """A copy of the JSON value with another value at the dotted path, or none there."""
    held = copy.deepcopy(held)
    *steps, last = [int(step) if step.isdigit() else step for step in where.split(".")]
    at = held
    for step in steps:
        at = at[step]
    if value is GONE:
        del at[last]
    else:
        at[last] = value
    return held


def send(sandbox: Sandbox, sample: Sample, *, where: str = "", value: Any = None) -> httpx.Response:
    """The sample, sent. `where`: `body`, `path`, `header X`, or a dotted path into the body."""
    body, path = copy.deepcopy(sample.body), sample.path
    headers = {"Content-Type": "application/json", **sample.headers}
    if where.startswith("header "):
        headers = changed(headers, where.removeprefix("header "), value)
    elif where == "path":
        path = value
    elif where == "body":
        body = value
    elif where:
        body = changed(body, where, value)
    content = body if isinstance(body, str) else json.dumps(body)
    return sandbox.ask("POST", "/api" + path, headers=headers, content=content)
