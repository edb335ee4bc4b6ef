"""A shop whose server copies go to Alhena, and what Alhena is sent for one event."""

import json
from typing import Any

from relay.destinations import Destination, Event, Request
from relay.destinations.alhena import destinations
from tests.relay import shop

COMPANY_KEY = "acme-company"
FINGERPRINT = "0d2f6e9c-6a0e-4f3e-8a55-0c2b7c1e9a01"
FAQ_FINGERPRINT = "7b1d0f52-33c4-4b7e-9d0a-5f4c1b2a3e02"
PRINTS = {"alhena_fingerprint": FINGERPRINT, "alhena_faq_fingerprint": FAQ_FINGERPRINT}
WHO = {
    "company_key": COMPANY_KEY,
    "user_fingerprint": FINGERPRINT,
    "user_faq_fingerprint": FAQ_FINGERPRINT,
}
TABLE: dict[str, Any] = {"mode": "server", "company_key": COMPANY_KEY}


def alhena(**table: Any) -> Destination:
    site = shop.site({"alhena": {**TABLE, **table}}, custom_events=["quiz_done"])
    [one] = destinations(site, "alhena", site.destinations["alhena"])  # type: ignore[arg-type]
    return one


def event(name: str, params: Any = None, **more: Any) -> Event:
    """An event of a visitor who uses the widget."""
    return shop.event(name, params, **{"attribution": PRINTS, "currency": "EUR", **more})


def mug(**more: Any) -> dict[str, Any]:
    """One green mug at 7.50."""
    product = {"id": "P-12", "name": "Green mug", "price": 7.5}
    return {"id": "sku-12", "quantity": 1, "product": product, **more}


def request_of(event: Event, **table: Any) -> Request:
    [request] = alhena(**table).requests([event])
    return request


def body_of(event: Event, **table: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request_of(event, **table).body)
    return body
