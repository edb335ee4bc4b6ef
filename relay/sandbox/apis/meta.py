"""Meta's Conversions API: `POST /{version}/{pixel}/events` (meta.md sections 4 to 6)."""

from __future__ import annotations

import re
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
    anything,
    boolean,
    dotted,
    either,
    integer,
    ip_address,
    list_of,
    matching,
    number,
    one_of,
    record,
    string,
    text,
    url,
)

MAX_EVENTS = 1_000
_DAY_S = 86_400
_MAX_AGE_DAYS = {"physical_store": 62}
_USUAL_MAX_AGE_DAYS = 7
_CLOCK_TOLERANCE_S = 3_600  # unverified at Meta; an hour still catches milliseconds for seconds

_ACTION_SOURCES = (
    "email website app phone_call chat physical_store system_generated business_messaging other"
).split()

# A hash may carry the parameter builder's appendix of eight characters.
_hash = matching(
    r"[0-9a-f]{64}(\.[A-Za-z0-9_-]{8})?", "must be a SHA-256 in lower-case hex", "unhashed"
)
_proof = matching(r"[0-9a-f]{64}", "must be an HMAC-SHA256 in lower-case hex")
_cookie_id = matching(r"fb\.\d+\.\d+\.\S+", "must be an unhashed fb.index.time.value")
_HASHED = ("em", "ph", "fn", "ln", "ge", "db", "ct", "st", "zp", "country")
_USER: dict[str, Check] = {
    **{key: either(_hash, list_of(_hash, least=1)) for key in _HASHED},
    "external_id": either(text, list_of(text, least=1)),  # hashing recommended, not required
    "client_ip_address": ip_address,
    "client_user_agent": text,
    "fbc": _cookie_id,
    "fbp": _cookie_id,
}
# User data from one of these sets alone matches nobody, and Meta calls the event invalid.
_TOO_LITTLE = (
    {"ct", "country", "st", "zp", "ge", "client_user_agent"},
    {"db", "client_user_agent"},
    {"fn", "ge"},
    {"ln", "ge"},
)
_CONTENT = record(
    {"id": either(text, integer), "quantity": integer},
    {
        "item_price": number,
        "delivery_category": one_of(("in_store", "curbside", "home_delivery")),
    },
)
_CUSTOM_DATA = record(
    optional={
        "content_ids": list_of(either(text, integer)),
        "contents": list_of(_CONTENT),
        "content_type": one_of(("product", "product_group")),
        "currency": matching(r"[A-Za-z]{3}", "must be three letters (ISO 4217)"),
        **dict.fromkeys(("value", "predicted_ltv", "net_revenue"), number),
        "num_items": integer,
        "status": boolean,
        **dict.fromkeys(("content_name", "content_category", "search_string", "order_id"), string),
    }
)
_EVENT = record(
    {
        "event_name": text,
        "event_time": integer,
        "user_data": record(optional=_USER),
        "action_source": one_of(_ACTION_SOURCES),
    },
    {
        "event_id": text,
        "event_source_url": url,
        "referrer_url": url,
        "opt_out": boolean,
        "data_processing_options": list_of(text),
        "data_processing_options_country": integer,
        "data_processing_options_state": integer,
        "custom_data": _CUSTOM_DATA,
    },
)
_BODY = record(
    {"data": list_of(_EVENT, least=1, most=MAX_EVENTS)},
    {"test_event_code": text, "access_token": anything, "appsecret_proof": _proof},
)

_SUBCODES = {"too old": 2804003, "no value": 2804009}
_BAD_PARAMETER = 2804001
_NO_SUCH_PIXEL = 33


def error(code: int, message: str, subcode: int | None = None, *, transient: bool = False) -> Any:
    """Meta's error body; `code` decides, whatever the HTTP status."""
    told = {
        "message": message,
        "type": "OAuthException",
        "code": code,
        "is_transient": transient,
        "error_user_title": "The request was refused",
        "error_user_msg": message,
        "fbtrace_id": "ASandbox",
    }
    return {"error": told if subcode is None else {**told, "error_subcode": subcode}}


def refuse(status: int, message: str) -> Any:
    """Throttled: code 4. Server trouble: code 2. Credentials: code 190. Else code 100."""
    code = 4 if status == 429 else 2 if status >= 500 else 190 if status in (401, 403) else 100
    return error(code, message, transient=code == 2)


def _judge(received: Received) -> Verdict:
    pixel = received.path["pixel"]
    seen = []
    for event, call in narrowed(received, "data"):
        name, event_id = words(event, "event_name"), words(event, "event_id")
        key = dedup_key(pixel, name, event_id)
        seen.append(Seen(name, event_id, call, pixel, key))
    taken = {"events_received": len(seen), "messages": [], "fbtrace_id": "ASandbox"}
    accepted = Verdict(200, taken, tuple(seen))

    code, subcode, message = _refusal(received)
    if message:
        return accepted.refused(400, error(code, message, subcode), message)
    return accepted


def _refusal(received: Received) -> tuple[int, int | None, str]:
    """Code, subcode and words; no words when the request is right."""
    version, pixel = received.path["version"], received.path["pixel"]
    if not re.fullmatch(r"v\d+\.\d+", version):
        return 2500, None, f"Unknown path components: /{version}/{pixel}/events"
    if not is_good(_token(received)):
        return 190, None, "Invalid OAuth access token"
    if not re.fullmatch(r"\d+", pixel):
        return 100, _NO_SUCH_PIXEL, f"Unsupported post request. Object with ID '{pixel}' missing"
    if not received.is_json:
        return 100, _BAD_PARAMETER, "Content-Type must be application/json"
    for fault in _BODY(received.body, ()) or _deeper_faults(received):
        subcode = _SUBCODES.get(fault.kind, _BAD_PARAMETER)
        return 100, subcode, f"Invalid parameter: {dotted(fault.path)} {fault.words}"
    return 0, None, ""


def _token(received: Received) -> str | None:
    in_body = words(received.body, "access_token")
    return received.query.get("access_token") or in_body or received.bearer


def _deeper_faults(received: Received) -> list[Fault]:
    """What one field demands of another, in events whose fields are each right."""
    faults: list[Fault] = []
    for i, event in enumerate(received.body["data"]):
        path = ("data", i)
        user, source = event["user_data"], event["action_source"]
        age_s = received.now_ms // 1000 - event["event_time"]
        max_days = _MAX_AGE_DAYS.get(source, _USUAL_MAX_AGE_DAYS)
        if age_s > max_days * _DAY_S:
            words_ = f"is older than {max_days} days"
            faults.append(Fault((*path, "event_time"), words_, "too old"))
        if age_s < -_CLOCK_TOLERANCE_S:
            words_ = "lies in the future; it counts seconds"
            faults.append(Fault((*path, "event_time"), words_, "value"))
        if source == "website":
            if "event_source_url" not in event:
                faults.append(Fault((*path, "event_source_url"), "is missing", "missing"))
            if "client_user_agent" not in user:
                missing = (*path, "user_data", "client_user_agent")
                faults.append(Fault(missing, "is missing", "missing"))
        if any(set(user) <= alone for alone in _TOO_LITTLE):
            faults.append(Fault((*path, "user_data"), "matches nobody: too little", "value"))
        if event["event_name"] == "Purchase":
            faults += [
                Fault((*path, "custom_data", key), "is missing", "no value")
                for key in ("value", "currency")
                if key not in event.get("custom_data", {})
            ]
    return faults


APIS = (Api("meta", "/{version}/{pixel}/events", _judge, refuse),)
