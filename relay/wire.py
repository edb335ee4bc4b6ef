"""What a request's body says (DESIGN 5.4), checked field by field and made events.

The params and the user are checked by the tracker's own code; here stands what only the relay
gets to see. A `Refusal` names the field by its path in the body.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pixelmirror import attribution, consent_rules
from pixelmirror.calls import Calls
from pixelmirror.check import EventError, check_kind
from pixelmirror.event import check_name, check_params, check_user
from pixelmirror.event_id import LIMIT as EVENT_ID_LIMIT
from pixelmirror.event_id import event_id, is_order_event
from relay.refusals import Refusal
from relay.site import Site

MAX_EVENTS = 500
MAX_URL = 8192
MAX_ID = EVENT_ID_LIMIT  # of a visitor too

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


def sent_at(body: Mapping[str, Any]) -> int | None:
    """The sender's clock when it sent, in milliseconds; None when it does not say."""
    if body.get("sent_at") is None:
        return None
    try:
        return _time(body["sent_at"], "sent_at")
    except EventError as error:
        raise Refusal("invalid_event", error.message, field=error.field) from error


def events(body: Mapping[str, Any], site: Site, *, is_server: bool) -> list[dict[str, Any]]:
    """The checked events of a body; raises Refusal, and then nothing of the request counts."""
    checked = []
    for i, row in enumerate(_rows(body, "events")):
        try:
            checked.append(_event(row, site, is_server))
        except EventError as error:
            field = f"events[{i}].{error.field}" if error.field else f"events[{i}]"
            raise Refusal("invalid_event", error.message, field=field) from error
    return checked


def _rows(body: Mapping[str, Any], field: str) -> list[Any]:
    rows = body.get(field)
    if not isinstance(rows, list) or not rows:
        raise Refusal("invalid_event", f"{field} must be a list of 1 or more", field=field)
    if len(rows) > MAX_EVENTS:
        raise Refusal("too_large", f"more than {MAX_EVENTS} {field} in one request")
    return rows


def _event(row: Any, site: Site, is_server: bool) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise EventError("", "an event must be an object")
    name = check_name(row.get("event_name"), site.custom_events)
    params = check_params(name, row.get("params"), site.currency)
    event: dict[str, Any] = {"event_name": name, "params": params}
    given = row.get("event_id")
    if given is None and is_order_event(name, params):
        given = event_id(name, params, "")
    event["event_id"] = _text(given, "event_id", MAX_ID)
    event["event_time"] = _time(row.get("event_time"), "event_time")
    event["page"] = _texts(row.get("page"), "page", ("url", "referrer", "title"), MAX_URL)
    event["attribution"] = _texts(row.get("attribution"), "attribution", ATTRIBUTION, MAX_URL)
    event["user"] = check_user(row.get("user"))
    event["consent"] = _consent(row.get("consent"), site)
    if row.get("visitor_id") is not None:
        event["visitor_id"] = _text(row["visitor_id"], "visitor_id", MAX_ID)
    if row.get("destinations") is not None:
        event["destinations"] = check_kind("texts", row["destinations"], "destinations")
    if is_server and row.get("client") is not None:
        event["client"] = _texts(row["client"], "client", ("ip", "user_agent"), MAX_URL)
    return event


def _text(value: Any, field: str, limit: int) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= limit or not value.isprintable():
        raise EventError(field, f"{field} must be a text of 1 to {limit} characters")
    return value


def _texts(value: Any, field: str, keys: tuple[str, ...], limit: int) -> dict[str, str]:
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
        if not isinstance(text, str) or len(text) > limit:
            message = f"{key} must be a text of at most {limit} characters"
            raise EventError(f"{field}.{key}", message)
        found[key] = text
    return found


def _time(value: Any, field: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not EARLIEST_MS < value < LATEST_MS:
        message = f"{field} must be milliseconds since 1970, a whole number such as 1760000000000"
        raise EventError(field, message)
    return value


def _consent(value: Any, site: Site) -> dict[str, Any]:
    """The consent an event came with; without one, the site's setting."""
    if value is None:
        return consent_rules.initial(site.consent, "", False)
    if not isinstance(value, dict) or value.get("status") not in ("granted", "denied", "awaited"):
        message = "consent.status must be granted, denied or awaited"
        raise EventError("consent.status", message)
    found: dict[str, Any] = {"status": value["status"]}
    if value.get("categories") is not None:
        found["categories"] = check_kind("texts", value["categories"], "consent.categories")
    if value.get("gpc") is True:
        found["gpc"] = True
    return found


def events_of_calls(body: Mapping[str, Any], site: Site) -> list[dict[str, Any]]:
    """The events of a page that left before Python was up, built as the page would have built them.

    Such a body is a beacon: nobody reads the answer, so a call that is wrong costs only itself.
    """
    rows = _rows(body, "calls")
    text = body.get("cookies")
    cookies = attribution.parse_cookies(text if isinstance(text, str) else "")
    # The tag may be stricter than the site file, never laxer.
    setting = "required" if body.get("consent") == "required" else site.consent
    remembered = cookies.get("_pm_consent", "")
    start = consent_rules.initial(setting, remembered, body.get("gpc") is True)
    public = {"currency": site.currency, "custom_events": site.custom_events}
    calls = Calls(public, lambda: cookies, start, cookies.get("_pm_visitor", ""))
    found = []
    for row in rows:
        if not _is_call(row):
            continue
        _capture(row, cookies)
        try:
            found += [_event(event, site, False) for _, event in calls.take(row)]
        except EventError:
            continue  # the page says it in its console, where a developer looks
    return found


def _is_call(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and isinstance(row.get("uuid"), str)
        and type(row.get("time")) is int
        and isinstance(row.get("args"), list)
        and bool(row["args"])
        and isinstance(row["args"][0], str)
        and isinstance(row.get("page"), dict)
        and isinstance(row["page"].get("url"), str)
        and len(row["page"]["url"]) <= MAX_URL
    )


def _capture(call: Mapping[str, Any], cookies: dict[str, str]) -> None:
    """The click IDs of the call's own URL count, though the page had no time to write cookies."""
    query = attribution.parse_query(call["page"]["url"])
    writes = attribution.capture(query, cookies, call["time"], 1, 0)
    # The page makes `_fbp`; one of ours would be known to nobody.
    cookies.update({name: value for name, value, _ in writes if name != "_fbp"})
