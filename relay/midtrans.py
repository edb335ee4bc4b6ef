"""Midtrans' payment notification: is it genuine, is it paid, when. Source: specs/midtrans.md 2-4.

Pure: `relay.webhooks` takes the request and asks the status API.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

from pixelmirror.check import check_kind
from pixelmirror.event import money
from relay.checkout import sends
from relay.destinations import Answer, Request
from relay.outbox import Payment
from relay.site import MidtransTable, Site

BASE_URL = "https://api.midtrans.com"  # the sandbox's is https://api.sandbox.midtrans.com

SIGNED = ("order_id", "status_code", "gross_amount")

# Money that was paid goes back.
REFUNDS = ("refund", "partial_refund", "chargeback", "partial_chargeback")
# No payment; of a paid order a reversal (section 3).
FAILURES = ("deny", "cancel", "expire", "failure")

TIMES = ("settlement_time", "transaction_time")
WIB = timezone(timedelta(hours=7))

Body = Mapping[str, Any]


def is_signed(body: Body, server_key: str) -> bool:
    """True if Midtrans has signed the three texts exactly as they came, told in constant time."""
    texts = [body.get(field) for field in SIGNED]
    given = body.get("signature_key")
    if not isinstance(given, str) or not all(isinstance(text, str) for text in texts):
        return False
    signed = "".join([*map(str, texts), server_key]).encode()
    return hmac.compare_digest(hashlib.sha512(signed).hexdigest().encode(), given.encode())


def is_paid(body: Body) -> bool:
    """Section 3's rule, M1 to M3; the signature is another question."""
    status, fraud = body.get("transaction_status"), body.get("fraud_status")
    if body.get("status_code") != "200":
        return False
    if status == "settlement" and fraud is None:
        return True
    is_card = body.get("payment_type", "credit_card") == "credit_card"
    is_accepted = isinstance(fraud, str) and fraud.lower() == "accept"
    return is_accepted and (status == "settlement" or (status == "capture" and is_card))


def payment(body: Body, site: Site, now_ms: int) -> Payment:
    """The payment that a paid notification tells of; raises EventError for no amount."""
    currency = check_kind("currency", body.get("currency") or site.currency, "currency")
    return Payment(
        site=site.site,
        order_id=body["order_id"],
        event_name=sends(site, body["order_id"]),
        value=money(check_kind("amount", body.get("gross_amount"), "gross_amount"), currency),
        currency=currency,
        status=body["transaction_status"],
        paid_at=_paid_at(body, now_ms),
        received_at=now_ms,
    )


def _paid_at(body: Body, now_ms: int) -> int:
    """When it was settled, or else made, in milliseconds; the texts have no zone and mean GMT+7."""
    for field in TIMES:
        try:
            moment = datetime.strptime(body[field], "%Y-%m-%d %H:%M:%S").replace(tzinfo=WIB)
        except (KeyError, TypeError, ValueError):
            continue
        return min(int(moment.timestamp()) * 1000, now_ms)
    return now_ms


def status_request(order_id: str, table: MidtransTable) -> Request:
    """Asks the status API about an order. By its ID, which is signed; the transaction's is not."""
    credentials = base64.b64encode(f"{table.server_key}:".encode()).decode()
    return Request(
        url=f"{table.base_url or BASE_URL}/v2/{quote(order_id, safe='')}/status",
        body=b"",
        headers={"Authorization": f"Basic {credentials}", "Accept": "application/json"},
        events=(),
        repeatable=True,
        method="GET",
    )


def confirmed(answer: Answer, body: Body) -> Body | None:
    """What the status API says of the notification's order; None when it says nothing of it."""
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    if answer.status != 200 or not isinstance(said, dict):
        return None
    if said.get("order_id") != body["order_id"] or "transaction_status" not in said:
        return None
    return {"gross_amount": body["gross_amount"], **said}
