"""A shop whose server copies go to Meta's and TikTok's own APIs, and what those are sent."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import httpx

from pixelmirror.catalogue import EVENTS
from relay.destinations import Answer, Destination, Event, Judgement, Request, meta, tiktok
from relay.sending import Sender
from tests.relay import shop
from tests.relay.sandbox_client import Sandbox

MAKERS: dict[str, Any] = {"meta": meta.destinations, "tiktok": tiktok.destinations}
PIXEL = {"meta": "1234567890", "tiktok": "CTESTPIXEL0001"}
TOKEN = "EAAB-demo-token-1"
SANDBOX = "http://vendor.test/sandbox/api"
NOW = shop.NOW_MS / 1000

ID = f"add_to_cart_{shop.UUID}"
PAGE_VIEW = shop.event("page_view")
VIEW = shop.event("view_item", {"items": [shop.KAOS]})
CHECKOUT = shop.event("begin_checkout", {"items": [shop.KAOS, shop.PAKET]})
PAYMENT = shop.event("add_payment_info", {"payment_method": "card"})

# What an event is given of these is what it needs; the rest of its fields is derived.
PARAMS: dict[str, Any] = {
    "id": "ORD-77",
    "items": [shop.KAOS],
    "payment_method": "card",
    "search_term": "kaos",
    "subscription_id": "sub-9",
    "value": 120000,
}
EVERY_EVENT = [
    shop.event(name, {field: PARAMS[field] for field in row["required"] if field in PARAMS})
    for name, row in EVENTS.items()
]


def every(
    kind: str, name: str | None = None, settings: dict[str, Any] | None = None, **table: Any
) -> list[Destination]:
    """The destinations of one table."""
    name = name or kind
    row = {"kind": kind, "pixel_ids": [PIXEL[kind]], "access_token": TOKEN, **table}
    site = shop.site({name: row}, **{"custom_events": ["quiz_done"], **(settings or {})})
    return [*MAKERS[kind](site, name, site.destinations[name])]


def one(kind: str, settings: dict[str, Any] | None = None, **table: Any) -> Destination:
    [found] = every(kind, settings=settings, **table)
    return found


def request_of(kind: str, *events: Event, **more: Any) -> Request:
    [request] = one(kind, **more).requests(events)
    return request


def body_of(kind: str, *events: Event, **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request_of(kind, *events, **more).body)
    return body


def sent(kind: str, event: Event, **more: Any) -> dict[str, Any]:
    """The event as the system is given it."""
    [found] = body_of(kind, event, **more)["data"]
    assert isinstance(found, dict)
    return found


def judged(kind: str, answer: Answer, *events: Event) -> Judgement:
    """What the answer to a request means."""
    request = request_of(kind, *(events or (shop.add_to_cart(),)))
    return one(kind).judge(request, answer, NOW)


def round_trip(
    to: Destination, events: Sequence[Event]
) -> tuple[list[Judgement], list[dict[str, Any]]]:
    """What the sandbox's answers meant, and what it put on record of each event."""
    sandbox = Sandbox()
    return asyncio.run(_judgements(to, events, sandbox)), sandbox.calls()


async def _judgements(
    to: Destination, events: Sequence[Event], sandbox: Sandbox
) -> list[Judgement]:
    sender = Sender(lambda: httpx.ASGITransport(sandbox.app))
    try:
        return [
            to.judge(request, await sender.send(request), NOW) for request in to.requests(events)
        ]
    finally:
        await sender.close()
