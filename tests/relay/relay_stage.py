"""A relay in this process: a real outbox, clocks that only tests move, and nothing delivered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from relay.app import Relay, create_app
from relay.assets import Assets
from relay.outbox.sqlite import SqliteOutbox
from relay.site import Site, parse

NOW = 1_760_000_000_500
"""The relay's clock, in milliseconds."""

ORIGIN = "https://toko.example"
HOST = "t.toko.example"
SHOPPER = "203.0.113.7"
USER_AGENT = "Mozilla/5.0 (Linux; Android 10; K)"
UUID = "0199cb23-8a00-7000-8000-0123456789ab"
KEY = "the-secret-key-of-toko"

TRACIFY = {"customer_site_id": "5f0c9c52-7f0e-4c55-9a7a-2f2c8b6d1e10", "token": "tracify-token"}
SITE: dict[str, Any] = {
    "site": "toko",
    "publishable_key": "pmk_toko",
    "secret_key": KEY,
    "origins": [ORIGIN, "https://m.toko.example"],
    "rate_limit": 0,
    "destinations": {
        "scalev": {"store_id": "store_1", "api_key": "sfpk_1"},
        "tracify": TRACIFY,
    },
}
BATIK: dict[str, Any] = {
    **SITE,
    "site": "batik",
    "publishable_key": "pmk_batik",
    "secret_key": "the-secret-key-of-batik",
    "origins": ["https://batik.example"],
}

ITEM = {
    "id": "variant_a1",
    "quantity": 2,
    "product": {"id": "p1", "name": "Kaos", "price": 60000},
}

EVENT: dict[str, Any] = {
    "event_id": f"add_to_cart_{UUID}",
    "event_name": "add_to_cart",
    "event_time": 1_760_000_000_000,
    "page": {
        "url": "https://toko.example/p/kaos?utm_source=fb",
        "referrer": "https://m.facebook.com/",
        "title": "Kaos",
    },
    "params": {"value": 120000, "currency": "IDR", "items": [ITEM]},
    "user": {"id": "C-77", "email": "siti@example.com", "phone": "+6281234567890"},
    "visitor_id": "5d0c",
    "attribution": {
        "fbc": "fb.1.1760000000000.AbC",
        "fbp": "fb.1.1750000000000.4821",
        "ttclid": "E.C.P.x",
        "ttp": "2abc",
        "kwai_click_id": "kw-9f",
    },
    "consent": {"status": "granted"},
}
ORDER: dict[str, Any] = {
    **EVENT,
    "event_name": "purchase",
    "params": {"id": "ORD-77", "value": 147000, "currency": "IDR", "items": [ITEM]},
}
del ORDER["event_id"]


def site(raw: dict[str, Any] | None = None, **settings: Any) -> Site:
    """The site of the file above, with other settings."""
    return parse({**(raw or SITE), **settings}, "toko.toml")


# Group of page assets -> its entry file.
ENTRIES = {
    "loader": "loader.js",
    "page": "page.js",
    "pyscript": "core.js",
    "micropython": "micropython.mjs",
    "pyodide": "pyodide.mjs",
    "tracker": "pixelmirror.tar.gz",
    "image": "pixelmirror.romfs",
    "direct_image": "pixelmirror.romfs",
    "client": "client.tar.gz",
}
LOADER = Path(__file__).parents[2] / "web/loader.js"


def page_assets(folder: Path) -> Assets:
    """Assets as a build makes them, but for the loader with next to nothing in them."""
    entries = {group: f"hash-of-{group}/{file}" for group, file in ENTRIES.items()}
    for group, entry in entries.items():
        path = folder / entry
        path.parent.mkdir(parents=True)
        path.write_bytes(LOADER.read_bytes() if group == "loader" else b"")
    (folder / "manifest.json").write_text(json.dumps(entries))
    return Assets(folder)


class Stage:
    """Asks the relay. `now_ms` and `seconds` are its clocks."""

    def __init__(
        self,
        runner: asyncio.Runner,
        outbox: SqliteOutbox,
        sites: Sequence[Site],
        assets: Assets,
        path: str,
        **more: Any,
    ) -> None:
        self.now_ms = NOW
        self.seconds = 0.0
        self.outbox = outbox
        self._runner = runner
        clocks: dict[str, Any] = {
            "now_ms": lambda: self.now_ms,
            "clock_s": lambda: self.seconds,
        }
        self.relay = Relay(sites, outbox, assets, path, **clocks, **more)
        self._app = create_app(self.relay)

    def ask(self, method: str, path: str, *, peer: str = SHOPPER, **request: Any) -> httpx.Response:
        """The answer to any request; what the app raises is raised here."""
        return self._runner.run(self._ask(method, path, peer, request))

    async def _ask(
        self, method: str, path: str, peer: str, request: dict[str, Any]
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, client=(peer, 40000))
        async with httpx.AsyncClient(transport=transport, base_url=f"https://{HOST}") as client:
            return await client.request(method, path, **request)

    def page(
        self,
        body: Any,
        *,
        path: str = "/s/toko",
        headers: dict[str, str] | None = None,
        peer: str = SHOPPER,
    ) -> httpx.Response:
        """What a page of the shop sends; a text or bytes as they are, all else as JSON."""
        usual = {"Origin": ORIGIN, "Content-Type": "text/plain", "User-Agent": USER_AGENT}
        content = body if isinstance(body, str | bytes) else json.dumps(body)
        return self.ask("POST", path, peer=peer, content=content, headers=usual | (headers or {}))

    def server(
        self, body: Any, *, key: str = KEY, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """What the shop's own server sends."""
        usual = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        content = body if isinstance(body, str | bytes) else json.dumps(body)
        return self.ask("POST", "/v1/events", content=content, headers=usual | (headers or {}))

    def operator(self, path: str, *, key: str = KEY, **query: Any) -> httpx.Response:
        """What an operator asks."""
        headers = {"Authorization": f"Bearer {key}"}
        return self.ask("GET", path, params=query or None, headers=headers)

    def replay(self, body: Any, *, key: str = KEY) -> httpx.Response:
        """What an operator sends to have dead letters tried again."""
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        content = body if isinstance(body, str | bytes) else json.dumps(body)
        path = "/v1/dead-letters/replay"
        return self.ask("POST", path, content=content, headers=headers)

    def stored(self, destination: str = "tracify", name: str = "toko") -> list[dict[str, Any]]:
        """The events that wait for this destination, as the outbox keeps them."""
        return self._runner.run(self._stored(destination, name))

    async def _stored(self, destination: str, name: str) -> list[dict[str, Any]]:
        await self.relay.routing.caught_up()
        found = await self.outbox.claim(name, destination, 1000, NOW * 2)
        await self.outbox.release(found)
        return [delivery.event for delivery in found]

    def rows(self, **query: Any) -> list[dict[str, Any]]:
        """`/v1/deliveries`, as far as it holds what these tests know."""
        rows: list[dict[str, Any]] = self.operator("/v1/deliveries", **query).json()["deliveries"]
        return rows

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """What comes of this work in the relay's own loop."""
        return self._runner.run(work)


@contextmanager
def stage(
    folder: Path,
    *sites: Site,
    kind: type[SqliteOutbox] = SqliteOutbox,
    path: str = "/s",
    **more: Any,
) -> Iterator[Stage]:
    """A relay of these sites, of `toko` alone when none are given, on a new outbox.

    `more` goes to the relay.
    """
    assets = page_assets(folder / "dist")
    with asyncio.Runner() as runner:
        outbox = runner.run(kind.open(folder / "outbox.db", synchronous="NORMAL", now_ms=NOW))
        yield Stage(runner, outbox, sites or (site(),), assets, path, **more)
        runner.run(outbox.close())


def error_of(answer: httpx.Response) -> dict[str, str]:
    """The error of an answer, which is nothing else but that."""
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["error"]
    found: dict[str, str] = answer.json()["error"]
    assert set(found) <= {"code", "message", "field"}
    assert found["message"]
    return found


def is_told(answer: httpx.Response, status: int, code: str, field: str | None = None) -> bool:
    found = error_of(answer)
    return (answer.status_code, found["code"], found.get("field")) == (status, code, field)
