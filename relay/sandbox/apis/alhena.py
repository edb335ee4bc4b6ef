"""Alhena's cart and checkout event APIs, with snake_case bodies (alhena.md section 2)."""

from __future__ import annotations

from functools import partial
from typing import Any

from relay.sandbox.apis.exchange import Api, Received, Verdict, dedup_key, is_good, shown, words
from relay.sandbox.calls import Seen
from relay.sandbox.shape import (
    Check,
    at_least,
    currency,
    dotted,
    list_of,
    number,
    one_of,
    record,
    string,
    text,
    uuid,
)

TYPES = ("ITEM_ADDED", "QUANTITY_INCREASED", "QUANTITY_DECREASED", "ITEM_REMOVED")

_WHO: dict[str, Check] = {
    "company_key": text,
    "user_fingerprint": uuid,
    "user_faq_fingerprint": uuid,
}
_PRODUCT: dict[str, Check] = {
    "product_id": text,
    "product_name": text,
    "value": number,
    "currency": currency,
    "quantity": at_least(0, number),
}
_CART = record({**_WHO, **_PRODUCT, "type": one_of(TYPES)}, {"source": string})
_CHECKOUT = record(
    {**_WHO, "value": number, "currency": currency},
    {"order_id": text, "line_items": list_of(record(_PRODUCT)), "source": string},
)


def refuse(status: int, message: str) -> Any:
    return {"error": message}


def _judge(name: str, shape: Check, received: Received) -> Verdict:
    """`name` is that of the browser call, as the bodies hold none.

    Alhena has no event ID; a checkout with an order ID is recorded once.
    """
    body = received.body
    order_id = words(body, "order_id") if shape is _CHECKOUT else None
    seen = Seen(name, None, shown(received), key=dedup_key(name, order_id))
    accepted = Verdict(200, {"status": "success"}, (seen,))
    if not received.is_json:
        message = "Content-Type must be application/json"
        return accepted.refused(400, refuse(400, message), message)
    for fault in shape(body, ()):
        message = f"{dotted(fault.path)} {fault.words}"
        return accepted.refused(400, refuse(400, message), message)
    if not is_good(body["company_key"]):
        return accepted.refused(401, refuse(401, "unknown company_key"), "unknown company_key")
    return accepted


APIS = (
    Api(
        "alhena",
        "/analytics/cart_events",
        partial(_judge, "sendCartEvent", _CART),
        refuse,
    ),
    Api(
        "alhena",
        "/analytics/checkout_events",
        partial(_judge, "sendCheckoutEvent", _CHECKOUT),
        refuse,
    ),
)
