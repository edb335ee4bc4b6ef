"""An event as it is sent to the relay (DESIGN 5.4): every field checked, and what follows made.

The relay reads each event by it, and `pixelmirror.client` before it sends one, so that both refuse
the same things in the same words. The params and the user are checked by the tracker's own code.
No page runs this one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from . import consent_rules
from .check import EventError, check_kind
from .event import check_name, check_params, check_user
from .event_id import LIMIT, event_id, is_order_event
from .urls import MAX_URL

MAX_EVENTS = 500  # of one request
MAX_BYTES = 512 * 1024  # of its body
MAX_ID = LIMIT  # of a visitor too

ATTRIBUTION = (
    "fbc",
    "fbp",
    "ttclid",
    "ttp",
    "kwai_click_id",
    "caid",
    "alhena_fingerprint",
    "alhena_faq_fingerprint",
)

# Milliseconds of 2001 to 2286: a time in seconds or microseconds is not taken for one.
EARLIEST_MS = 10**12
LATEST_MS = 10**13


def read(
    row: Any,
    *,
    currency: str | None,
    custom_events: Collection[str],
    consent: str | None,
    is_server: bool,
    uuid: str = "",
) -> dict[str, Any]:
    """The checked event; raises EventError with the field's path in it.

    `currency`, `custom_events` and `consent` are the site's. Without a `consent` an event that
    came with none has none. With a `uuid` an event without an event ID gets one; without, only an
    order's does. `client` is a server's to tell,
    `direct` a page's: the destinations to which it posts the event itself.
    """
    if not isinstance(row, dict):
        raise EventError("", "an event must be an object")
    name = check_name(row.get("event_name"), custom_events)
    params = check_params(name, row.get("params"), currency)
    event: dict[str, Any] = {"event_name": name, "params": params}
    given = row.get("event_id")
    if given is None and (uuid or is_order_event(name, params)):
        given = event_id(name, params, uuid)
    event["event_id"] = check_text(given, "event_id", MAX_ID)
    event["event_time"] = check_time(row.get("event_time"), "event_time")
    # Of any length: the relay cuts what it stores (`pixelmirror.urls`).
    event["page"] = _texts(row.get("page"), "page", ("url", "referrer", "title"), None)
    event["attribution"] = _texts(row.get("attribution"), "attribution", ATTRIBUTION)
    event["user"] = check_user(row.get("user"))
    if row.get("consent") is not None:
        event["consent"] = _check_consent(row["consent"])
    elif consent:
        event["consent"] = consent_rules.initial(consent, "", False)
    if row.get("visitor_id") is not None:
        event["visitor_id"] = check_text(row["visitor_id"], "visitor_id", MAX_ID)
    if row.get("destinations") is not None:
        event["destinations"] = check_kind("texts", row["destinations"], "destinations")
    if not is_server and row.get("direct") is not None:
        event["direct"] = check_kind("texts", row["direct"], "direct")
    if is_server and row.get("client") is not None:
        event["client"] = _texts(row["client"], "client", ("ip", "user_agent"))
    return event


def check_text(value: Any, field: str, limit: int) -> str:
    """The text; raises EventError."""
    if not isinstance(value, str) or not 1 <= len(value) <= limit or not value.isprintable():
        raise EventError(field, f"{field} must be a text of 1 to {limit} characters")
    return value


def check_time(value: Any, field: str) -> int:
    """The milliseconds; raises EventError."""
    if isinstance(value, bool) or not isinstance(value, int) or not EARLIEST_MS < value < LATEST_MS:
        message = f"{field} must be milliseconds since 1970, a whole number such as 1760000000000"
        raise EventError(field, message)
    return value


def _texts(
    value: Any, field: str, keys: tuple[str, ...], limit: int | None = MAX_URL
) -> dict[str, str]:
    """An object of texts; keys we do not know are left behind, empty values are absent ones."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise EventError(field, f"{field} must be an object")
    found = {}
    for key in keys:
        text = value.get(key)
        if text is None or text == "":
            continue
        if not isinstance(text, str) or (limit and len(text) > limit):
            at_most = f" of at most {limit} characters" if limit else ""
            raise EventError(f"{field}.{key}", f"{key} must be a text{at_most}")
        found[key] = text
    return found


def _check_consent(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict) or value.get("status") not in ("granted", "denied", "awaited"):
        message = "consent.status must be granted, denied or awaited"
        raise EventError("consent.status", message)
    found: dict[str, Any] = {"status": value["status"]}
    if value.get("categories") is not None:
        categories = value["categories"]
        if isinstance(categories, list):
            categories = [one for one in categories if one != ""]  # no destination needs that
        found["categories"] = check_kind("texts", categories, "consent.categories")
    if value.get("gpc") is True:
        found["gpc"] = True
    return found
