"""A storefront written for Scalev's analytics API, and the relay that it posts to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from relay.app import Relay, create_app
from relay.delivery import DeliveryLoop
from relay.destinations.registry import destinations
from relay.outbox import Payment, StoryRow
from relay.outbox.sqlite import SqliteOutbox
from relay.site import Site
from tests.relay import relay_stage
from tests.relay.delivery_stage import FakeTime
from tests.relay.relay_stage import NOW, ORIGIN, SHOPPER, TRACIFY, USER_AGENT, page_assets
from tests.relay.sandbox_client import NOW_S, Sandbox

STORE = "store_1"
KEY = "pmk_toko"
PATH = f"/v3/stores/{STORE}/public/analytics/{{}}/events"
VENDORS = "http://vendor.test/sandbox/api"

PIXELS: dict[str, Any] = {
    "meta": {"pixel_ids": ["1234567890"], "access_token": "EAAB-demo-token-1"},
    "tiktok": {"pixel_ids": ["CTESTPIXEL0001"], "access_token": "tt-demo-token-1"},
    "kwai": {"mode": "both", "pixel_ids": ["300000000000001"], "access_token": "kwai-demo-token"},
}
OTHERS: dict[str, Any] = {
    "tracify": TRACIFY,
    "commanders_act": {"mode": "server", "site_id": "3311", "source_key": "source-key-1"},
    "alhena": {"mode": "server", "company_key": "company-key-1"},
}
SCALEV: dict[str, Any] = {"scalev": {"store_id": "store_9", "api_key": "sfpk_1"}}


def shop(tables: dict[str, Any] | None = None, **settings: Any) -> Site:
    """The site `toko`, its server copies by way of Scalev and Tracify unless told otherwise."""
    tables = {**SCALEV, "tracify": TRACIFY} if tables is None else tables
    tables = {name: {"base_url": VENDORS, **table} for name, table in tables.items()}
    return relay_stage.site(store_id=STORE, destinations=tables, **settings)


class Storefront:
    """Posts to the relay, and looks into its outbox; `now_ms` and `seconds` are its clocks."""

    def __init__(self, runner: asyncio.Runner, outbox: SqliteOutbox, folder: Path, *sites: Site):
        self.now_ms = NOW
        self.seconds = 0.0
        self.outbox = outbox
        self._runner = runner
        self._sites = sites
        self.relay = Relay(
            sites,
            outbox,
            page_assets(folder),
            now_ms=lambda: self.now_ms,
            clock_s=lambda: self.seconds,
        )
        self._app = create_app(self.relay)

    def ask(self, method: str, path: str, *, peer: str = SHOPPER, **request: Any) -> httpx.Response:
        """The answer to any request."""
        return self._runner.run(self._ask(method, path, peer, request))

    async def _ask(
        self, method: str, path: str, peer: str, request: dict[str, Any]
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, client=(peer, 40000))
        async with httpx.AsyncClient(transport=transport, base_url="https://t.toko") as client:
            return await client.request(method, path, **request)

    def post(
        self,
        system: str,
        body: Any,
        *,
        headers: Mapping[str, str | None] | None = None,
        path: str = PATH,
        peer: str = SHOPPER,
    ) -> httpx.Response:
        """`postScalevAnalytics`, from a page; a header that is None is not sent."""
        usual = {
            "Origin": ORIGIN,
            "User-Agent": USER_AGENT,
            "Accept": "application/json",
            "Content-Type": "application/json",
            "X-Scalev-Storefront-Api-Key": KEY,
        }
        sent = {name: value for name, value in (usual | dict(headers or {})).items() if value}
        content = body if isinstance(body, str | bytes) else json.dumps(body)
        return self.ask("POST", path.format(system), peer=peer, content=content, headers=sent)

    def pay(self, order_id: str) -> None:
        """The order is paid, as the payment system has told the relay."""
        payment = Payment("toko", order_id, "purchase", 210000, "IDR", "settlement", NOW, NOW)
        self._runner.run(self.relay.ingest.pay(self.relay.sites["toko"], payment))

    def stored(self, destination: str, name: str = "toko") -> list[dict[str, Any]]:
        """The events that wait for this destination."""
        return self._runner.run(self._stored(name, destination))

    async def _stored(self, name: str, destination: str) -> list[dict[str, Any]]:
        await self.relay.routing.caught_up()
        found = await self.outbox.claim(name, destination, 1000, NOW * 2)
        await self.outbox.release(found)
        return [delivery.event for delivery in found]

    def rows(self, name: str = "toko", **query: Any) -> list[StoryRow]:
        """The deliveries that match."""
        self._runner.run(self.relay.routing.caught_up())
        return self._runner.run(self.outbox.deliveries(name, **query))

    def close_outbox(self) -> None:
        """Nothing can be stored from now on."""
        self._runner.run(self.outbox.close())

    def delivered(self) -> list[dict[str, Any]]:
        """What the vendors' stand-ins have on record when everything is sent."""
        return self._runner.run(self._delivered())

    async def _delivered(self) -> list[dict[str, Any]]:
        sandbox, time = Sandbox(), FakeTime()
        time.now = NOW_S * 1000 + 1000
        loop = DeliveryLoop(
            self.outbox,
            [(site.site, one) for site in self._sites for one in destinations(site)],
            transport=lambda: httpx.ASGITransport(sandbox.app),
            now_ms=time.now_ms,
            chance=lambda: 1.0,
            wait=time.wait,
        )
        await self.relay.routing.caught_up()
        loop.start()
        async with asyncio.timeout(20):
            while await self.outbox.waiting() or loop.under_way:  # noqa: ASYNC110
                await asyncio.sleep(0)  # the outbox's threads have no event to wait for
        await loop.stop(0)
        calls: list[dict[str, Any]] = (await sandbox.ask_async("GET", "/calls")).json()["calls"]
        return calls


@contextmanager
def storefront(folder: Path, *sites: Site) -> Iterator[Storefront]:
    """A storefront whose relay has these sites, `toko` alone when none are given."""
    with asyncio.Runner() as runner:
        outbox = runner.run(
            SqliteOutbox.open(folder / "outbox.db", synchronous="NORMAL", now_ms=NOW)
        )
        yield Storefront(runner, outbox, folder / "dist", *(sites or (shop(),)))
        runner.run(outbox.close())
