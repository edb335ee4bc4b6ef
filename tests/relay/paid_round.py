"""A whole round in one process: relay, delivery and sandbox, on clocks that only tests move."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from relay.app import Relay, create_app
from relay.outbox.sqlite import SqliteOutbox
from relay.sandbox import create_sandbox
from tests.relay.paid_shop import META, SHOP, TIKTOK, event, notification
from tests.relay.records import DAY_MS
from tests.relay.relay_stage import (
    HOST,
    KEY,
    NOW,
    ORIGIN,
    SHOPPER,
    SITE,
    USER_AGENT,
    page_assets,
    site,
)

API = {"base_url": "http://sandbox.test/sandbox/api"}
ROUND: dict[str, Any] = {
    **SHOP,
    "destinations": {
        "meta": {**META, **API},
        "tiktok": {**TIKTOK, **API},
        "tracify": {**SITE["destinations"]["tracify"], **API},
    },
    "midtrans": {**SHOP["midtrans"], **API},
}


class Clock:
    """The time of relay and sandbox, in milliseconds."""

    def __init__(self) -> None:
        self.now_ms = NOW

    def __call__(self) -> int:
        return self.now_ms


class Round:
    """Page, Midtrans and operator on one side, the sandbox's record on the other."""

    def __init__(self, clock: Clock, relay: Relay, outbox: SqliteOutbox, sandbox: Any) -> None:
        self.clock = clock
        self.relay = relay
        self._outbox = outbox
        self._sandbox = httpx.AsyncClient(
            transport=httpx.ASGITransport(sandbox), base_url="http://sandbox.test/sandbox"
        )
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(relay), client=(SHOPPER, 40000)),
            base_url=f"https://{HOST}",
        )

    async def page(self, *events: dict[str, Any], **headers: str) -> None:
        usual = {"Origin": ORIGIN, "Content-Type": "text/plain", "User-Agent": USER_AGENT}
        body = json.dumps({"sent_at": self.clock(), "events": list(events)})
        answer = await self.http.post("/s/toko", content=body, headers=usual | headers)
        assert answer.status_code == 204, answer.text

    async def midtrans(self, body: dict[str, Any]) -> httpx.Response:
        return await self.http.post("/webhooks/midtrans/toko", json=body)

    async def operator(self, path: str) -> Any:
        answer = await self.http.get(path, headers={"Authorization": f"Bearer {KEY}"})
        return answer.json()

    async def sandbox(self, method: str, path: str, **request: Any) -> httpx.Response:
        answer = await self._sandbox.request(method, path, **request)
        assert answer.status_code in (200, 204), answer.text
        return answer

    async def calls(self, system: str) -> list[dict[str, Any]]:
        """What this system has taken once nothing is due any more; none has refused anything."""
        rows = await self.asked()
        refused = [row["error"] for row in rows if row["error"] and row["system"] != "midtrans"]
        assert not refused, refused
        return [row for row in rows if row["system"] == system]

    async def asked(self) -> list[dict[str, Any]]:
        """What all systems were asked once nothing is due any more, refused or not."""
        async with asyncio.timeout(20):
            while await self._has_due():  # noqa: ASYNC110 (the outbox's threads have no event)
                await asyncio.sleep(0)
        rows: list[dict[str, Any]] = (await self.sandbox("GET", "/calls")).json()["calls"]
        return rows

    async def _has_due(self) -> bool:
        await self.relay.routing.caught_up()
        if self.relay.delivery.under_way:
            return True
        dues = [
            await self._outbox.next_due(backlog.site, backlog.destination)
            for backlog in await self._outbox.waiting()
        ]
        return any(due is None or due <= self.clock() for due in dues)

    def passes(self, seconds: int) -> None:
        """The relay's clock goes on, and its workers look at it."""
        self.clock.now_ms += seconds * 1000
        self.relay.delivery.wake("toko")

    async def close(self) -> None:
        await self.http.aclose()
        await self._sandbox.aclose()


@asynccontextmanager
async def round_of(
    folder: Path, raw: dict[str, Any] | None = None, days: int = 0
) -> AsyncIterator[Round]:
    """A running relay of this shop, with a new sandbox behind it; `days` later on one outbox."""
    clock = Clock()
    clock.now_ms += days * DAY_MS
    sandbox = create_sandbox(clock)
    async with await SqliteOutbox.open(
        folder / "var" / "outbox.db", synchronous="NORMAL"
    ) as outbox:
        relay = Relay(
            [site(raw or ROUND)],
            outbox,
            page_assets(folder / f"assets-{days}" / "dist"),
            now_ms=clock,
            transport=lambda: httpx.ASGITransport(sandbox),
        )
        one = Round(clock, relay, outbox, sandbox)
        async with relay.running(create_app(relay)):
            try:
                yield one
            finally:
                await one.close()


CREATED = ROUND
PAID = {**ROUND, "purchase_on": "paid"}

# What Midtrans may say in a step of `goes`.
SAYS: dict[str, dict[str, Any]] = {
    "settled": {},
    "captured": {"transaction_status": "capture", "payment_type": "credit_card"},
    "pending": {"transaction_status": "pending", "status_code": "201"},
    "challenged": {
        "transaction_status": "capture",
        "payment_type": "credit_card",
        "status_code": "201",
        "fraud_status": "challenge",
    },
    "cancelled": {"transaction_status": "cancel"},
    "failed": {"transaction_status": "failure", "status_code": "202"},
    "refunded in part": {"transaction_status": "partial_refund"},
    "denied": {"transaction_status": "deny", "status_code": "202", "fraud_status": "deny"},
    "expired": {"transaction_status": "expire", "status_code": "407"},
    "refunded": {"transaction_status": "refund"},
    "charged back": {"transaction_status": "chargeback"},
}


async def goes(shop: Round, steps: str, order_id: str = "ORD-77") -> None:
    """Each step in turn: a page's event, or what Midtrans says."""
    for step in steps.split(", "):
        if step in SAYS:
            answer = await shop.midtrans(notification(order_id, **SAYS[step]))
            assert answer.status_code == 200, answer.text
        else:
            await shop.page(event(step, order_id))


async def orders(shop: Round, system: str = "meta") -> list[tuple[str, str]]:
    """Name and event ID of each order's event that this system has got."""
    rows = await shop.calls(system)
    skipped = {"InitiateCheckout", "AddPaymentInfo"}
    return [
        (row["event_name"], row["event_id"]) for row in rows if row["event_name"] not in skipped
    ]


META_PURCHASE = ("Purchase", "ORD-77-Purchase-FORM")
TIKTOK_PURCHASE = ("CompletePayment", "ORD-77-CompletePayment-FORM")
