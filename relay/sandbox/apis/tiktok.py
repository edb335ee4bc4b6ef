"""TikTok's Events API 2.0, which answers HTTP 200 and a `code` (tiktok.md sections 4 to 6)."""

from __future__ import annotations

from typing import Any

from relay.sandbox.apis.exchange import (
    Api,
    Received,
    Verdict,
    dedup_key,
    is_good,
    narrowed,
    words,
)
from relay.sandbox.calls import Seen
from relay.sandbox.shape import (
    Check,
    Fault,
    boolean,
    currency,
    dotted,
    either,
    integer,
    ip_address,
    list_of,
    matching,
    number,
    one_of,
    record,
    sha256,
    string,
    text,
    url,
)

MAX_EVENTS = 1_000
_CLOCK_TOLERANCE_S = 86_400  # no age limit is published; a day still catches milliseconds

_OK, _BAD_PARAMETER, _NOT_PERMITTED = 0, 40002, 40001
_NO_TOKEN, _WRONG_TOKEN = 40104, 40105
_TOO_MANY, _INTERNAL = 40100, 50000
_BATCH_SIZE, _UNHASHED, _BAD_PARTNER = 40061, 40062, 40063
_CODES = {"size": _BATCH_SIZE, "unhashed": _UNHASHED}

_hashed = either(sha256, list_of(sha256, least=1))
_plain = matching(r"(?![0-9a-f]{64}$).+", "must not be hashed")
_USER: dict[str, Check] = {
    **dict.fromkeys(
        ("email", "phone", "external_id", "first_name", "last_name", "zip_code"), _hashed
    ),
    **dict.fromkeys(("ttclid", "ttp", "user_agent", "locale"), _plain),
    **dict.fromkeys(("city", "state", "country"), _plain),
    "ip": ip_address,
}
_CONTENT = record(
    optional={
        **dict.fromkeys(("content_id", "content_name", "content_category", "brand"), string),
        "price": number,
        "quantity": integer,
    }
)
_PROPERTIES = record(
    optional={
        "contents": list_of(_CONTENT),
        "content_ids": list_of(string),
        "content_id": string,
        "content_type": one_of(("product", "product_group")),
        "currency": currency,
        "value": number,
        "num_items": integer,
        **dict.fromkeys(("search_string", "query", "description", "order_id", "shop_id"), string),
        "customer_type": one_of(("new", "returning")),
    }
)
_EVENT = record(
    {"event": text, "event_time": integer},
    {
        "event_id": text,
        "limited_data_use": boolean,
        "user": record(optional=_USER),
        "page": record(optional={"url": url, "referrer": string}),
        "properties": _PROPERTIES,
    },
)
_BODY = record(
    {
        "event_source": one_of(("web", "app", "offline", "crm")),
        "event_source_id": text,
        "data": list_of(_EVENT, least=1, most=MAX_EVENTS),
    },
    {"test_event_code": text, "partner_name": text},
)


def _answer(code: int, message: str) -> Any:
    return {"code": code, "message": message, "request_id": "20260102030405", "data": {}}


def refuse(status: int, message: str) -> Any:
    """Throttled: 40100. Credentials: 40105. Server trouble: 50000. Else 40002."""
    by_status = {401: _WRONG_TOKEN, 403: _NOT_PERMITTED, 429: _TOO_MANY}
    return _answer(by_status.get(status, _INTERNAL if status >= 500 else _BAD_PARAMETER), message)


def _judge(received: Received) -> Verdict:
    pixel = words(received.body, "event_source_id")
    seen = []
    for event, call in narrowed(received, "data"):
        name, event_id = words(event, "event"), words(event, "event_id")
        key = dedup_key(pixel, name, event_id)
        seen.append(Seen(name, event_id, call, pixel, key))
    accepted = Verdict(200, _answer(_OK, "OK"), tuple(seen))
    code, message = _refusal(received)
    return accepted.refused(200, _answer(code, message), message) if code else accepted


def _refusal(received: Received) -> tuple[int, str]:
    """Code and words; code 0 when the request is right. One bad row fails the whole request."""
    token = received.headers.get("access-token")
    if not token:
        return _NO_TOKEN, "Access token is empty"
    if not is_good(token):
        return _WRONG_TOKEN, "Access token is incorrect or has been revoked"
    if not received.is_json:
        return _BAD_PARAMETER, "Content-Type: must be application/json"
    for fault in _BODY(received.body, ()) or _deeper_faults(received):
        code = _CODES.get(fault.kind, _BAD_PARAMETER)
        return code, f"{_named(fault)}: {fault.words}"
    if not is_good(received.body["event_source_id"]):
        return _NOT_PERMITTED, "No permission for event_source_id"
    if not is_good(received.body.get("partner_name", "-")):
        return _BAD_PARTNER, "partner_name: not a known partner"
    return _OK, ""


def _named(fault: Fault) -> str:
    """The field as TikTok names it: `Batch.0.properties.contents.0.content_id`."""
    if len(fault.path) > 1 and fault.path[0] == "data":
        return dotted(("Batch", *fault.path[1:]))
    return dotted(fault.path)


def _deeper_faults(received: Received) -> list[Fault]:
    """What one field demands of another, in events whose fields are each right."""
    faults: list[Fault] = []
    for i, event in enumerate(received.body["data"]):
        path = ("data", i)
        if event["event_time"] > received.now_ms // 1000 + _CLOCK_TOLERANCE_S:
            wrong = "lies in the future; it counts seconds"
            faults.append(Fault((*path, "event_time"), wrong, "value"))
        if received.body["event_source"] == "web" and "url" not in event.get("page", {}):
            faults.append(Fault((*path, "page", "url"), "is missing", "missing"))
    return faults


APIS = (Api("tiktok", "/open_api/v1.3/event/track/", _judge, refuse),)
