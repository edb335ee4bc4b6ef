"""A shop that Midtrans notifies: its site file, its events, its notifications."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import httpx

from tests.relay.relay_stage import EVENT, ITEM, NOW, SITE, UUID, Stage

SERVER_KEY = "SB-Mid-server-TESTKEY"

META = {"mode": "server", "pixel_ids": ["111"], "access_token": "EAAtoken1234567890"}
TIKTOK = {"mode": "server", "pixel_ids": ["C222"], "access_token": "tttoken1234567890"}
KWAI = {"mode": "server", "pixel_ids": ["333"], "access_token": "kwtoken1234567890"}
SHOP: dict[str, Any] = {
    **SITE,
    "destinations": {
        "meta": META,
        "tiktok": TIKTOK,
        "tracify": SITE["destinations"]["tracify"],
        "kwai": KWAI,
    },
    "midtrans": {"server_key": SERVER_KEY},
}

# The relay's clock stands 50.5 s later.
TIMES = {"transaction_time": "2025-10-09 15:50:00", "settlement_time": "2025-10-09 15:52:30"}
SETTLED_AT = 1_759_999_950_000


def signature(order_id: str, status_code: str, gross_amount: str) -> str:
    signed = f"{order_id}{status_code}{gross_amount}{SERVER_KEY}"
    return hashlib.sha512(signed.encode()).hexdigest()


def notification(order_id: str = "ORD-77", **fields: Any) -> dict[str, Any]:
    """A settlement, signed with the shop's server key; None leaves a field out."""
    body = {
        **TIMES,
        "transaction_status": "settlement",
        "transaction_id": "1f0b6f1e-0000-4000-8000-3f2a5f0d9a11",
        "status_message": "midtrans payment notification",
        "status_code": "200",
        "payment_type": "qris",
        "order_id": order_id,
        "merchant_id": "G000000001",
        "gross_amount": "147000.00",
        "fraud_status": "accept",
        "currency": "IDR",
        **fields,
    }
    body.setdefault(
        "signature_key", signature(order_id, str(body["status_code"]), str(body["gross_amount"]))
    )
    return {key: value for key, value in body.items() if value is not None}


def notify(stage: Stage, body: Any = None, *, site: str = "toko", **headers: str) -> httpx.Response:
    """What Midtrans sends; a text or bytes as they are, all else as JSON."""
    body = notification() if body is None else body
    content = body if isinstance(body, str | bytes) else json.dumps(body)
    usual = {"Content-Type": "application/json", "Accept": "application/json"}
    path = f"/webhooks/midtrans/{site}"
    return stage.ask("POST", path, peer="103.208.23.9", content=content, headers=usual | headers)


def event(name: str = "purchase", order_id: str = "ORD-77", **more: Any) -> dict[str, Any]:
    """An event of that order as the page sends it."""
    params = {"id": order_id, "items": [ITEM]} | more.pop("params", {})
    if name in ("purchase", "subscribe"):
        params = {"value": 147000, "currency": "IDR", **params}
    if name == "subscribe":
        params = {"subscription_id": "sub-9", **params}
        del params["items"]
    if name == "add_payment_info":
        params = {"payment_method": "card", **params}
    event_id = f"{order_id}-{name}" if name in ("purchase", "subscribe") else f"{name}_{UUID}"
    url = {"url": f"https://toko.example/order/{order_id}/{name}"}
    return {
        **EVENT,
        "event_id": event_id,
        "event_name": name,
        "page": url,
        "params": params,
        **more,
    }


def mirror(stage: Stage, *events: dict[str, Any], **more: Any) -> None:
    """The page's events are stored."""
    answer = stage.page({"sent_at": NOW, "events": list(events)}, **more)
    assert answer.status_code == 204, answer.text


def sent(stage: Stage, destination: str = "meta") -> list[dict[str, Any]]:
    """Events that wait for this destination, of orders alone."""
    rows = stage.stored(destination)
    return [row for row in rows if row["event_name"] in ("purchase", "subscribe")]


def states(stage: Stage, **query: Any) -> dict[str, str]:
    """The state of each destination's delivery of the order's event."""
    rows = stage.rows(order_id="ORD-77", **query)
    return {row["destination"]: row["state"] for row in rows if row["event_name"] == "purchase"}
