"""Kwai's AdsNebula event API, which answers HTTP 200 and a `result` (kwai.md sections 2, 4, 6)."""

from __future__ import annotations

from typing import Any

from relay.sandbox.apis.exchange import Api, Received, Verdict, is_good, shown, words
from relay.sandbox.calls import Seen
from relay.sandbox.shape import (
    Fault,
    Path,
    boolean,
    currency,
    dotted,
    integer,
    number,
    one_of,
    record,
    string,
    text,
)
from relay.sandbox.wire import parse_json

_OK, _FAILED, _WRONG_TYPE, _BAD_TOKEN = 1, 10001, 10002, 10003

_EVENTS = tuple(
    f"EVENT_{name}"
    for name in (
        "CONTENT_VIEW ADD_TO_CART ADD_TO_WISHLIST INITIATED_CHECKOUT ADD_PAYMENT_INFO PLACE_ORDER "
        "PURCHASE SEARCH FORM_SUBMIT COMPLETE_REGISTRATION SUBSCRIBE CONTACT BUTTON_CLICK DOWNLOAD"
    ).split()
)
_PROPERTIES = record(
    optional={
        **dict.fromkeys(("content_id", "content_name", "content_category", "query"), string),
        "content_type": one_of(("product", "product_group")),
        "currency": currency,
        "value": number,
        "price": number,
        "quantity": integer,
        "event_timestamp": integer,
    }
)


def _properties(value: Any, path: Path) -> list[Fault]:
    """JSON text in a string, not an object."""
    if not isinstance(value, str):
        return [Fault(path, "must be JSON text in a string", "type")]
    try:
        held = parse_json(value)
    except ValueError:
        return [Fault(path, "must be JSON text in a string", "value")]
    return _PROPERTIES(held, path)


_BODY = record(
    {
        "access_token": text,
        "clickid": text,
        "event_name": one_of(_EVENTS),
        "pixelId": text,
        "is_attributed": one_of([1]),
        "mmpcode": one_of(["PL"]),
        "pixelSdkVersion": one_of(["9.9.9"]),
        "testFlag": boolean,
        "trackFlag": boolean,
    },
    {
        "properties": _properties,
        **dict.fromkeys(("third_party", "value", "currency", "order_id", "url"), string),
    },
)


def refuse(status: int, message: str) -> Any:
    return {"result": _BAD_TOKEN if status in (401, 403) else _FAILED, "error_msg": message}


def _judge(received: Received) -> Verdict:
    """One flat event a request. Kwai has no event ID and no deduplication."""
    body = received.body
    seen = Seen(words(body, "event_name"), None, shown(received), words(body, "pixelId"))
    accepted = Verdict(200, {"result": _OK}, (seen,))
    code, message = _refusal(received)
    if message:
        return accepted.refused(200, {"result": code, "error_msg": message}, message)
    return accepted


def _refusal(received: Received) -> tuple[int, str]:
    """Result code and words; no words when the request is right."""
    if not received.is_json:
        return _FAILED, "Content-Type must be application/json"
    for fault in _BODY(received.body, ()):
        code = _WRONG_TYPE if fault.kind == "type" else _FAILED
        return code, f"{dotted(fault.path)} {fault.words}"
    if not is_good(received.body["access_token"]):
        return _BAD_TOKEN, "access_token is not valid"
    return _OK, ""


APIS = (Api("kwai", "/log/common/api", _judge, refuse),)
