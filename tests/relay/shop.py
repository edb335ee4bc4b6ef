"""A shop with its events, made by the same code as the page's and the relay's."""

import asyncio
from typing import Any

import httpx

from pixelmirror.event import build
from relay.destinations import Destination, Event
from relay.destinations.registry import destinations
from relay.sandbox import create_sandbox
from relay.sending import Sender
from relay.site import Site, parse

NOW_MS = 1760000000500
UUID = "0199cb23-8a00-7000-8000-0123456789ab"
URL = "https://toko.example/p/kaos?utm_source=fb"
REFERRER = "https://m.facebook.com/"
USER_AGENT = "Mozilla/5.0 (Linux; Android 10; K)"
CLIENT = {"ip": "203.0.113.7", "user_agent": USER_AGENT}
ATTRIBUTION = {
    "fbc": "fb.1.1760000000000.AbC",
    "fbp": "fb.1.1760000000000.4821",
    "ttclid": "E.C.P.x",
    "ttp": "2abc",
    "kwai_click_id": "kw-9f",
}
USER = {
    "id": "C-77",
    "email": "siti@example.com",
    "phone": "+6281234567890",
    "firstname": "Siti",
    "lastname": "Rahma",
    "city": "Bandung",
    "state": "Jawa Barat",
}
KAOS = {
    "id": "variant_a1",
    "quantity": 2,
    "product": {"id": "p1", "name": "Kaos", "price": 60000, "category_1": "Apparel"},
}
PAKET = {
    "id": "bundle_price_option_b7",
    "kind": "bundle_price_option",
    "quantity": 1,
    "product": {"id": "b7", "name": "Paket", "price": 90000},
}


def site(tables: dict[str, Any], **settings: Any) -> Site:
    """The site of a file with these destination tables."""
    file = {
        "site": "toko",
        "publishable_key": "pmk_toko",
        "secret_key": "a long secret",
        "origins": ["https://toko.example"],
        **settings,
    }
    return parse({**file, "destinations": tables}, "toko.toml")


def destination(name: str, tables: dict[str, Any], **settings: Any) -> Destination:
    """The one of that name among the site's destinations."""
    found = {each.name: each for each in destinations(site(tables, **settings))}
    return found[name]


def event(
    name: str,
    params: dict[str, Any] | None = None,
    *,
    user: dict[str, Any] | None = None,
    page: dict[str, str] | None = None,
    attribution: dict[str, str] | None = None,
    client: dict[str, str] | None = CLIENT,
    event_id: str | None = None,
    time_ms: int = NOW_MS,
    currency: str = "IDR",
    custom_events: tuple[str, ...] = (),
) -> Event:
    """An event as the outbox keeps it. Without `client` it came from a server that told none."""
    context = {
        "site": {"currency": currency, "custom_events": custom_events},
        "page": {"url": URL, "referrer": REFERRER} if page is None else page,
        "user": user,
        "attribution": ATTRIBUTION if attribution is None else attribution,
        "consent": {"status": "granted"},
    }
    options = {} if event_id is None else {"event_id": event_id}
    built: dict[str, Any] = build(name, params, UUID, time_ms, options, context)
    built |= {"site": "toko", "received_at": time_ms + 100}
    return built if client is None else {**built, "client": client}


def purchase(**more: Any) -> Event:
    """ORD-77: two shirts and a bundle."""
    params = {
        "id": "ORD-77",
        "value": "210000.00",
        "items": [KAOS, PAKET],
        **more.pop("params", {}),
    }
    return event("purchase", params, **{"user": USER, **more})


def add_to_cart(**more: Any) -> Event:
    """Two shirts."""
    return event("add_to_cart", {"items": [KAOS]}, **more)


def verdicts(to: Destination, events: list[Event], now: float) -> list[str]:
    """What the sandbox's answers to the events' requests mean, one word a request."""
    return asyncio.run(_verdicts(to, events, now))


async def _verdicts(to: Destination, events: list[Event], now: float) -> list[str]:
    sandbox = create_sandbox()
    sender = Sender(lambda: httpx.ASGITransport(sandbox))
    try:
        return [
            to.judge(request, await sender.send(request), now).verdict
            for request in to.requests(events)
        ]
    finally:
        await sender.close()
