"""A shop whose server copies go to Tracify."""

from typing import Any

from relay.destinations import Destination, Event
from tests.relay import shop

CSID = "5f0c9c52-7f0e-4c55-9a7a-2f2c8b6d1e10"
TABLE: dict[str, Any] = {"customer_site_id": CSID, "token": "tok-1"}
CONVERSION = {"event_names": {"begin_checkout": "conversion"}}

CLIENT = {"ip": "203.0.113.7", "user_agent": "Mozilla/5.0"}
ITEMS = [
    {"id": "m", "quantity": 2, "product": {"id": "m", "name": "Mug", "price": 25}},
    {"id": "l", "quantity": 1, "product": {"id": "l", "name": "Lamp", "price": 50}},
]

# One event of each type that the catalogue names.
TYPES: list[tuple[str, Any, str]] = [
    ("page_view", None, "pageview"),
    ("view_item", {"items": ITEMS}, "productview"),
    ("add_to_cart", {"items": ITEMS}, "addtocart"),
    ("purchase", {"id": "A-1", "value": 100, "items": ITEMS}, "purchase"),
]


def tracify(**table: Any) -> Destination:
    return shop.destination("tracify", {"tracify": {**TABLE, **table}})


def purchase(**more: Any) -> Event:
    params = {"id": "A-1", "value": 100, "items": ITEMS, **more.pop("params", {})}
    return shop.event("purchase", params, **{"currency": "EUR", "client": CLIENT, **more})
