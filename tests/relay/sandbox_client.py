"""A sandbox in this process, whose clock stands still."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from relay.sandbox import create_sandbox

NOW_S = 1_760_000_000


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
