"""Midtrans' status API, answering what it was told to (midtrans.md section 2, status API)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from functools import partial
from typing import Any

from relay.sandbox.apis.exchange import Api, Received, Verdict, is_good
from relay.sandbox.calls import Seen

Payments = dict[str, Any]


def refuse(status: int, message: str) -> Any:
    return {"status_code": str(status), "status_message": message}


def _judge(payments: Mapping[str, Any], received: Received) -> Verdict:
    """The status body of an order ID or transaction ID; an unknown one has 404 in the body."""
    wanted = received.path["id"]
    asked = Verdict(200, None, (Seen(None, None, {"id": wanted}),))
    if not is_good(_server_key(received)):
        message = "Transaction cannot be authorized with the current client/server key."
        return asked.refused(401, refuse(401, message), message)
    found = payments.get(wanted) or next(
        (body for body in payments.values() if body.get("transaction_id") == wanted), None
    )
    if found is None:
        message = "Transaction doesn't exist."
        return asked.refused(200, refuse(404, message), message)
    return Verdict(200, found, asked.seen)


def _server_key(received: Received) -> str:
    """The user name of Basic authentication, empty unless the password is empty."""
    scheme, _, encoded = received.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return "" if password else name


def apis(payments: Mapping[str, Any]) -> tuple[Api, ...]:
    """The route, answering from `payments`: order ID -> status body."""
    return (Api("midtrans", "/v2/{id}/status", partial(_judge, payments), refuse, method="GET"),)
