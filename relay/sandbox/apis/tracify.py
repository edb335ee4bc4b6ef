"""Tracify's server-side events (tracify.md section 2)."""

from __future__ import annotations

import re
from datetime import datetime
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
    Path,
    currency,
    dotted,
    list_of,
    matching,
    one_of,
    record,
    sha256,
    string,
    text,
    url,
)

_IP, _USER_AGENT = 3, 4
_CLASSES = (1, 2, _IP, _USER_AGENT)
_class = one_of(_CLASSES)

_amount = matching(r"\d+\.\d{2}", "must be text with a dot and two decimals")
_origin = matching(r"https?://[^/\s?#]+", "must be scheme and host, no slash behind")
_ORDER: dict[str, Check] = {"order_id": text, "currency": currency, "amount": _amount}
_CONVERSION: dict[str, Check] = {"conversion_id": text, "currency": currency, "amount": _amount}
_REQUIRED: dict[str, dict[str, Check]] = {
    "pageview": {},
    "productview": {},
    "addtocart": {},
    "purchase": _ORDER,
    "conversion": _CONVERSION,
}
_UNIQUE_ID = {"purchase": "order_id", "conversion": "conversion_id"}
_NUMBERED = (
    (re.compile(r"ITEM\d+"), text),
    (re.compile(r"AMT\d+"), matching(r"\d+(\.\d+)?", "must be text of a number")),
    (re.compile(r"QTY\d+"), matching(r"\d+", "must be text of a whole number")),
)


def _identity(value: Any, path: Path) -> list[Fault]:
    """Anonymised value -> class; IP address and user agent are required."""
    faults = record()(value, path)
    if faults:
        return faults
    for key, of_class in value.items():
        faults += [Fault(path, f"key {f.words}", f.kind) for f in sha256(key, path)]
        faults += _class(of_class, (*path, key))
    for name, needed in (("IP address", _IP), ("user agent", _USER_AGENT)):
        if needed not in value.values():
            faults.append(Fault(path, f"has no class {needed}, the {name}", "missing"))
    return faults


def _datetime(value: Any, path: Path) -> list[Fault]:
    wrong = [Fault(path, "must be YYYY-MM-DD HH:MM:SS", "value")]
    if not isinstance(value, str) or len(value) != len("2026-03-04 05:06:07"):
        return wrong
    try:
        datetime.strptime(value, "%Y-%m-%d %H:%M:%S")
    except ValueError:
        return wrong
    return []


_ENVELOPE: dict[str, Check] = {
    "url": url,
    "customer_site_id": matching(
        r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "must be a UUID"
    ),
    "identity_data": _identity,
    "datetime": _datetime,
    "type": one_of(_REQUIRED),
    "data": record({"origin": _origin}, {"Referer": url}),
}


def _event(value: Any, path: Path) -> list[Fault]:
    faults = record(_ENVELOPE)(value, path)
    if faults:
        return faults
    data, inside = value["data"], (*path, "data")
    faults = record(_REQUIRED[value["type"]])(data, inside)
    for key, held in data.items():
        check = next((check for name, check in _NUMBERED if name.fullmatch(key)), string)
        faults += check(held, (*inside, key))
    return faults


_BODY = record({"events": list_of(_event, least=1)})


def refuse(status: int, message: str) -> Any:
    return {"status": False, "error": message}


def _judge(received: Received) -> Verdict:
    seen = []
    for event, call in narrowed(received, "events"):
        kind = words(event, "type")
        key = None
        if kind in _UNIQUE_ID:
            key = dedup_key(kind, words(event.get("data"), _UNIQUE_ID[kind]))
        seen.append(Seen(kind, None, call, key=key))
    accepted = Verdict(200, {"status": True}, tuple(seen))
    if not is_good(received.headers.get("tracify-token")):
        message = "tracify-token is missing or unknown"
        return accepted.refused(401, refuse(401, message), message)
    if not received.is_json:
        message = "Content-Type must be application/json"
        return accepted.refused(400, refuse(400, message), message)
    for fault in _BODY(received.body, ()):
        message = f"{dotted(fault.path)} {fault.words}"
        return accepted.refused(400, refuse(400, message), message)
    return accepted


APIS = (Api("tracify", "/api/v1/events", _judge, refuse),)
