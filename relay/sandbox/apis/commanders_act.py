"""Commanders Act's HTTP tracking API 2.0 (commanders-act.md sections 2 and 3).

It answers 200 to an event that it refuses; the record of calls says so where the vendor does not.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from relay.sandbox.apis.exchange import (
    UNREADABLE,
    Api,
    Received,
    Verdict,
    dedup_key,
    is_good,
    narrowed,
    shown,
    words,
)
from relay.sandbox.calls import Seen
from relay.sandbox.shape import (
    Check,
    Fault,
    anything,
    at_least,
    currency,
    dotted,
    either,
    integer,
    list_of,
    matching,
    number,
    one_of,
    record,
    string,
    text,
)

MAX_EVENT_BYTES = 32 * 1024
MAX_BATCH_BYTES = 500 * 1024
_EARLIEST_MS = 1_000_000_000_000  # 2001; a smaller number counts seconds

_PAYMENT_METHODS = (
    "by_invoice by_bank_transfer_in_advance card check_in_advance cod coupon direct_debit "
    "online_payment_system other"
).split()
_STATUSES = (
    "canceled delivered in_progress partially_delivered partially_returned partially_shipped "
    "pending_shipment returned shipped pending"
).split()

_PRODUCT = record(
    {"id": text, "name": text, "price": number},
    {
        "currency": currency,
        **dict.fromkeys((f"category_{i}" for i in range(1, 6)), string),
        **dict.fromkeys(("brand", "size"), string),
        "colors": list_of(string),
    },
)
_ITEM = record(
    {"id": text, "product": _PRODUCT, "quantity": number},
    {
        **dict.fromkeys(("variant", "coupon", "affiliation"), string),
        **dict.fromkeys(("list_position", "discount"), number),
    },
)
_ITEMS = list_of(_ITEM, least=1)
_USER = record(
    {"consent_categories": list_of(either(text, integer)), "consistent_anonymous_id": text},
    {
        **dict.fromkeys(("id", "email", "firstname", "lastname", "city", "state"), string),
        "zipcode": string,
        "phone": matching(r"\+\d{6,15}", "must be E.164, with the plus"),
        "email_md5": matching(r"[0-9a-f]{32}", "must be an MD5 in lower-case hex"),
        "email_sha256": matching(r"[0-9a-f]{64}", "must be a SHA-256 in lower-case hex"),
        "gender": one_of(("f", "m")),
        "birthdate": matching(r"\d{4}-\d{2}-\d{2}", "must be YYYY-MM-DD"),
        "country": matching(r"[A-Za-z]{2,3}", "must be two or three letters"),
    },
)
_CONTEXT = record(
    {"event_id": text, "event_timestamp": at_least(_EARLIEST_MS)},
    {"page": record(), "device": record()},
)
_ENVELOPE: dict[str, Check] = {"event_name": text, "user": _USER, "context": _CONTEXT}
_FIELDS: dict[str, Check] = {
    **dict.fromkeys(("value", "revenue", "shipping_amount", "tax_amount"), number),
    **dict.fromkeys(
        "id coupon method type search_term content_type item_id item_list_name shipping_tier "
        "page_type page_name title url path referrer".split(),
        string,
    ),
    "currency": currency,
    "items": _ITEMS,
    "payment_method": one_of(_PAYMENT_METHODS),
    "status": one_of(_STATUSES),
}
# Beyond the envelope. What the documentation only calls typically required is not here.
_REQUIRED = {
    "add_payment_info": "payment_method",
    "add_shipping_info": "currency value items",
    "add_to_cart": "items",
    "add_to_wishlist": "items",
    "begin_checkout": "revenue value currency items",
    "page_view": "page_type",
    "purchase": "id revenue value currency type items payment_method status",
    "refund": "id revenue value currency type",
    "remove_from_cart": "items",
    "search": "search_term",
    "select_item": "items",
    "view_cart": "items",
    "view_item": "items",
    "view_item_list": "items",
}


def _event(value: Any) -> list[Fault]:
    """The faults of one event. Custom events need no more than the envelope."""
    faults = record(_ENVELOPE, _FIELDS)(value, ())
    if faults:
        return faults
    required = _REQUIRED.get(value["event_name"], "").split()
    faults = record(dict.fromkeys(required, anything))(value, ())
    if "properties" in value:
        faults.append(Fault(("properties",), "is of API 1.0; properties sit at the root", "value"))
    if "currency" not in value and {"value", "revenue"} & value.keys():
        faults.append(Fault(("currency",), "is required beside an amount", "missing"))
    if value["event_name"] == "select_item" and len(value.get("items", [])) > 1:
        faults.append(Fault(("items",), "must hold exactly one", "size"))
    return faults


def refuse(status: int, message: str) -> Any:
    return {"error": message}


def _credentials_fault(received: Received) -> str | None:
    if not is_good(received.query.get("tc_s")):
        return "tc_s is missing or unknown"
    if not is_good(received.query.get("token") or received.bearer):
        return "token is missing or unknown"
    return None if received.is_json else "Content-Type must be application/json"


def _seen(received: Received, event: Any, call: Any) -> Seen:
    """The event with the reason that Commanders Act keeps to itself. A purchase upserts by `id`."""
    name = words(event, "event_name")
    context = event.get("context") if isinstance(event, dict) else None
    key = dedup_key(name, words(event, "id")) if name == "purchase" else None
    error = _credentials_fault(received)
    if error is None and (faults := _event(event)):
        error = f"{dotted(faults[0].path)} {faults[0].words}"
    return Seen(name, words(context, "event_id"), call, received.query.get("tc_s"), key, error)


def _single(received: Received) -> Verdict:
    taken = Verdict(200, None, (_seen(received, received.body, shown(received)),))
    if received.body is UNREADABLE:
        return taken.refused(400, refuse(400, "invalid JSON"), "invalid JSON")
    if received.size > MAX_EVENT_BYTES:
        return taken.refused(400, refuse(400, "too large"), "the event is over 32 KB")
    return taken


def _batch(received: Received) -> Verdict:
    pairs = narrowed(received, "batch")
    taken = Verdict(200, None, tuple(_seen(received, event, call) for event, call in pairs))
    if received.body is UNREADABLE:
        return taken.refused(400, refuse(400, "invalid JSON"), "invalid JSON")
    if received.size > MAX_BATCH_BYTES:
        return taken.refused(400, refuse(400, "too large"), "the batch is over 500 KB")
    if any(len(_as_sent(event)) > MAX_EVENT_BYTES for event, _ in pairs):
        return taken.refused(400, refuse(400, "too large"), "an event is over 32 KB")
    if pairs[0][0] is None:
        seen = replace(taken.seen[0], error="batch must hold at least one event")
        return Verdict(200, None, (seen,))
    return taken


def _as_sent(event: Any) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


APIS = (
    Api("commanders_act", "/events", _single, refuse),
    Api("commanders_act", "/events/batch", _batch, refuse),
)
