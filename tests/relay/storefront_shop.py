"""A storefront written for Scalev's analytics API: what its code posts, and a relay it posts to.

The bodies are those of 002: its three samples, and what its functions build.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from relay import storefront_api
from relay.app import Relay, create_app
from relay.delivery import DeliveryLoop
from relay.destinations.registry import destinations
from relay.outbox import DeliveryRow, Payment
from relay.outbox.sqlite import SqliteOutbox
from relay.site import Site
from tests.relay import relay_stage
from tests.relay.delivery_stage import FakeTime
from tests.relay.relay_stage import NOW, ORIGIN, SHOPPER, TRACIFY, USER_AGENT, page_assets
from tests.relay.sandbox_client import NOW_S, Sandbox

STORE = "store_1"
KEY = "pmk_toko"
URL = "https://shop.example.com/products/black-shirt"
PATH = f"/v3/stores/{STORE}/public/analytics/{{}}/events"
VENDORS = "http://vendor.test/sandbox/api"

# --- 002's samples, word for word ---

META: dict[str, Any] = {
    "event_source_url": URL,
    "referrer_url": "https://facebook.com/",
    "user_data": {
        "country": "id",
        "em": "buyer@example.com",
        "ph": "628123456789",
        "fbc": "fb.1.1710000000000.fbclid",
        "fbp": "fb.1.1710000000000.1234567890",
        "external_id": "customer_123",
    },
    "events": [
        {
            "event_id": "add_to_cart_123",
            "event_name": "AddToCart",
            "parameters": {
                "content_ids": ["variant_xxx"],
                "content_type": "product",
                "value": 150000,
                "currency": "IDR",
            },
        }
    ],
    "variants": [{"variant_unique_id": "variant_xxx", "quantity": 1}],
}
TIKTOK: dict[str, Any] = {
    "event_source_url": URL,
    "referrer_url": "https://tiktok.com/",
    "user": {
        "email": "buyer@example.com",
        "phone": "628123456789",
        "ttclid": "ttclid_value",
        "ttp": "ttp_cookie_value",
        "external_id": "customer_123",
    },
    "events": [
        {
            "event_id": "add_to_cart_123",
            "event": "AddToCart",
            "parameters": {
                "content_id": "variant_xxx",
                "content_type": "product",
                "value": 150000,
                "currency": "IDR",
            },
        }
    ],
    "variants": [{"variant_unique_id": "variant_xxx", "quantity": 1}],
}
SNACKVIDEO: dict[str, Any] = {
    "click_id": "snackvideo_click_id",
    "event_source_url": URL,
    "referrer_url": "https://snackvideo.com/",
    "events": [
        {
            "event_name": "addToCart",
            "properties": {
                "content_type": "product",
                "content_name": "Black T-Shirt",
                "value": 150000,
                "currency": "IDR",
                "quantity": 1,
            },
        }
    ],
    "variants": [{"variant_unique_id": "variant_xxx", "quantity": 1}],
}
SAMPLES = {"meta": META, "tiktok": TIKTOK, "snackvideo": SNACKVIDEO}

# --- what 002's functions build ---

CART_ITEM: dict[str, Any] = {"id": "variant_a1", "quantity": 2, "unit_price": 60000}
CHECKOUT_ITEMS: list[dict[str, Any]] = [
    {"id": "bundle_price_option_b7", "quantity": 1, "unit_price": 90000},
    {"id": "variant_a1", "quantity": 2, "unit_price": 60000},
]
ATTRIBUTION = {
    "fbc": "fb.1.1760000000000.AbC",
    "fbp": "fb.1.1750000000000.4821",
    "ttclid": "E.C.P.x",
    "ttp": "2abc",
    "click_id": "kw-9f",
}
BUYER: dict[str, Any] = {
    "email": "siti@example.com",
    "phone": "081234567890",
    "firstName": "Siti",
    "lastName": "Rahma",
    "city": "Bandung",
    "province": "Jawa Barat",
    "customerId": "C-77",
}
EVENT_ID = "add_to_cart_0b0f3c9e-1111-4222-8333-444455556666"


def parameters(items: list[dict[str, Any]], value: object) -> dict[str, Any]:
    return {
        "content_ids": [item["id"] for item in items],
        "content_type": "product",
        "contents": [
            {"id": item["id"], "quantity": item["quantity"], "item_price": item["unit_price"]}
            for item in items
        ],
        "value": value,
        "currency": "IDR",
        "num_items": sum(item["quantity"] for item in items),
    }


def analytics_items(items: list[dict[str, Any]]) -> dict[str, Any]:
    """`buildAnalyticsItems`."""
    lists: dict[str, Any] = {}
    for kind in ("variant", "bundle_price_option"):
        rows = [
            {f"{kind}_unique_id": item["id"], "quantity": item["quantity"]}
            for item in items
            if item["id"].startswith(f"{kind}_")
        ]
        if rows:
            lists[f"{kind}s"] = rows
    return lists


def bodies(
    names: Mapping[str, str],
    ids: Mapping[str, str],
    told: dict[str, Any],
    items: list[dict[str, Any]],
    buyer: Mapping[str, Any],
) -> dict[str, dict[str, Any]]:
    """`trackMetaEvent`, `trackTiktokEvent` and `trackSnackVideoEvent`, by system."""
    page = {"event_source_url": "https://toko.example/p/kaos", "referrer_url": "https://m.toko/"}
    lists = analytics_items(items)
    with_id = {**told, "content_id": told["content_ids"][0]}
    return {
        "meta": {
            **page,
            "user_data": {
                "country": "id",
                "fbc": ATTRIBUTION["fbc"],
                "fbp": ATTRIBUTION["fbp"],
                **buyer.get("meta", {}),
            },
            "events": [{"event_id": ids["meta"], "event_name": names["meta"], "parameters": told}],
            **lists,
        },
        "tiktok": {
            **page,
            "user": {
                "ttclid": ATTRIBUTION["ttclid"],
                "ttp": ATTRIBUTION["ttp"],
                **buyer.get("tiktok", {}),
            },
            "events": [
                {"event_id": ids["tiktok"], "event": names["tiktok"], "parameters": with_id}
            ],
            **lists,
        },
        "snackvideo": {
            "click_id": ATTRIBUTION["click_id"],
            **page,
            "events": [{"event_name": names["snackvideo"], "properties": told}],
            **lists,
        },
    }


def add_to_cart() -> dict[str, dict[str, Any]]:
    """`trackAddToCart`: one event ID for Meta and TikTok."""
    names = {"meta": "AddToCart", "tiktok": "AddToCart", "snackvideo": "addToCart"}
    told = parameters([CART_ITEM], CART_ITEM["unit_price"] * CART_ITEM["quantity"])
    return bodies(names, {"meta": EVENT_ID, "tiktok": EVENT_ID}, told, [CART_ITEM], {})


def order_created(gross_revenue: object = "210000.00") -> dict[str, dict[str, Any]]:
    """`trackOrderCreated` of ORD-77: an ID of its own for each, as the names differ."""
    names = {"meta": "Purchase", "tiktok": "CompletePayment", "snackvideo": "purchase"}
    ids = {system: f"ORD-77-{name}-FORM" for system, name in names.items()}
    buyer = {
        "meta": {
            "em": BUYER["email"],
            "ph": BUYER["phone"],
            "fn": BUYER["firstName"],
            "ln": BUYER["lastName"],
            "ct": BUYER["city"],
            "st": BUYER["province"],
            "external_id": BUYER["customerId"],
        },
        "tiktok": {
            "email": BUYER["email"],
            "phone": BUYER["phone"],
            "external_id": BUYER["customerId"],
        },
    }
    return bodies(names, ids, parameters(CHECKOUT_ITEMS, gross_revenue), CHECKOUT_ITEMS, buyer)


# --- the relay ---

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
        self._app.router.routes.extend(storefront_api.routes(self.relay))

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
        found = await self.outbox.claim(name, destination, 1000, NOW * 2)
        await self.outbox.release(found)
        return [delivery.event for delivery in found]

    def rows(self, name: str = "toko", **query: Any) -> list[DeliveryRow]:
        """The deliveries that match."""
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
