"""What a request's body says (DESIGN 5.4), checked field by field and made events.

Each event is checked by `pixelmirror.sent_event`, as a server's client has checked it already. A
`Refusal` names the field by its path in the body.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pixelmirror import attribution, consent_rules, sent_event
from pixelmirror.calls import Calls
from pixelmirror.check import EventError
from pixelmirror.sent_event import (
    ATTRIBUTION,
    EARLIEST_MS,
    LATEST_MS,
    MAX_EVENTS,
    MAX_ID,
    check_time,
)
from pixelmirror.urls import MAX_URL
from relay import checkout
from relay.refusals import Refusal
from relay.site import Site

__all__ = (
    "ATTRIBUTION",
    "EARLIEST_MS",
    "LATEST_MS",
    "MAX_EVENTS",
    "MAX_ID",
    "MAX_URL",
    "events",
    "events_of_calls",
    "sent_at",
)


def sent_at(body: Mapping[str, Any]) -> int | None:
    """The sender's clock when it sent, in milliseconds; None when it does not say."""
    if body.get("sent_at") is None:
        return None
    try:
        return check_time(body["sent_at"], "sent_at")
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
    return sent_event.read(
        row,
        currency=site.currency,
        custom_events=site.custom_events,
        consent=site.consent,
        is_server=is_server,
    )


def events_of_calls(
    body: Mapping[str, Any], site: Site, cookie_domain: str = ""
) -> list[dict[str, Any]]:
    """The events of a page that left before Python was up, built as the page would have built them.

    `cookie_domain`: where its browser keeps the cookies, empty for the page's host alone.
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
    index = attribution.domain_index(cookie_domain)
    found = []
    for row in rows:
        if not _is_call(row):
            continue
        _capture(row, cookies, index)
        try:
            found += [_left(_event(event, site, False), site) for _, event in calls.take(row)]
        except EventError:
            continue  # the page says it in its console, where a developer looks
    return found


def _left(event: dict[str, Any], site: Site) -> dict[str, Any]:
    """The event, with what the next page posts itself when it catches up."""
    direct = [] if checkout.waits_for_payment(event, site) else checkout.left_to_pages(site)
    return {**event, "direct": direct} if direct else event


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
    )


def _capture(call: Mapping[str, Any], cookies: dict[str, str], index: int) -> None:
    """The click IDs of the call's own URL count, though the page had no time to write cookies."""
    query = attribution.parse_query(call["page"]["url"])
    writes = attribution.capture(query, cookies, call["time"], index, 0)
    # The page makes `_fbp`; one of ours would be known to nobody.
    cookies.update({name: value for name, value, _ in writes if name != "_fbp"})
