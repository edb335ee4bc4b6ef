"""A shop whose server copies go to Commanders Act, and what it is sent for one event."""

import json
from typing import Any

from pixelmirror.catalogue import EVENTS
from pixelmirror.event import check_user
from relay.destinations import Destination, Event, Request
from relay.destinations.commanders_act import destinations
from tests.relay import shop

SOURCE_KEY = "source-key/1"
CAID = "202612345678901234567890"
ATTRIBUTION = {"caid": CAID, "fbp": "fb.1.1760000000000.4821", "fbc": "fb.1.1760000000000.AbC"}
TABLE: dict[str, Any] = {"mode": "server", "site_id": "1234", "source_key": SOURCE_KEY}


def commanders_act(
    table: dict[str, Any] | None = None, others: Any = None, **settings: Any
) -> Destination:
    tables = {**(others or {}), "commanders_act": {**TABLE, **(table or {})}}
    site = shop.site(tables, custom_events=["quiz_done"], **settings)
    made = destinations(site, "commanders_act", site.destinations["commanders_act"])  # type: ignore[arg-type]
    [one] = made
    return one


def event(name: str, params: Any = None, *, categories: Any = ("1", "3"), **more: Any) -> Event:
    """An event of a visitor whom Commanders Act knows; `categories` None: it holds none."""
    more["user"] = check_user(more.get("user"))
    told = shop.event(name, params, **{"attribution": ATTRIBUTION, "currency": "EUR", **more})
    return told if categories is None else {**told, "consent": consent(*categories)}


def consent(*categories: str) -> dict[str, Any]:
    return {"status": "granted", "categories": list(categories)}


def mug(**more: Any) -> dict[str, Any]:
    """A mug at 9.99, sold for 8.00."""
    product = {"id": "9", "name": "Mug", "price": 9.99}
    return {"id": "SKU-9", "quantity": 1, "discount": 1.99, "product": product, **more}


def every_event() -> list[Event]:
    """One event for each row of the catalogue, with what it requires and a user."""
    told = {
        "id": "O_1245",
        "items": [mug()],
        "payment_method": "card",
        "search_term": "mug",
        "subscription_id": "S-1",
        "value": 22.53,
    }
    return [
        event(
            name,
            {field: told[field] for field in row["required"] if field in told},
            user={**shop.USER, "country": "id"},
        )
        for name, row in EVENTS.items()
    ]


def request_of(told: Event, **more: Any) -> Request:
    [request] = commanders_act(**more).requests([told])
    return request


def body_of(told: Event, **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request_of(told, **more).body)
    return body
