"""A body of Scalev's analytics API, read into our events. Source: scalev section 2, R46-R59.

A body is one system's copy of what a shopper did: the same action comes once for Meta, TikTok and
SnackVideo each. A `Refusal` names the field by its path in that body.

Event names are taken back to ours: by the own names that the site file gives that system's
destinations, else by the catalogue's. So the server copy bears the name that came in.

Event IDs: the caller's is sent as it is. SnackVideo's bodies have none: an order whose ID is told,
as `order_id` in the properties, gets ours, the same on a repeat; everything else a new one for
each request, as nothing in the body tells a repeat from a second action.

Order IDs, for which the bodies have no field: `order_id` of the parameters if there is one, else
what the event ID holds by the site's `order_event_id` or by Scalev's own rule (R49), else the
event ID itself, which then is all that the order is known by. So where `purchase_on` is `paid`,
SnackVideo's purchase without an `order_id` waits for a payment that never names it.

Of the catalogue's rules only the kinds of the fields hold, as Scalev requires no parameter: a
destination that can't do without one skips the event and says so. For the same reason what a
shopper mistyped, an e-mail address without @, is left out rather than his order refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pixelmirror.catalogue import EVENTS, ORDER_EVENTS, nearest, own_name
from pixelmirror.check import EventError, shown
from pixelmirror.event import check_user
from pixelmirror.event_id import event_id, is_order_event, uuid7
from relay import storefront_params
from relay.refusals import Refusal
from relay.site import PROVIDER_KINDS, Provider, ScalevTable, Site
from relay.storefront_params import Row, checked, has, only_keys
from relay.wire import MAX_EVENTS, MAX_ID, MAX_URL

SCALEV_ORDER_EVENT_ID = "{order_id}-{event_name}-FORM"  # R49

# The items of a body belong to each of its events, so that a small body could become a huge one.
MAX_ITEMS = 10_000

URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")

# Their field -> ours in `page`.
URLS = {"event_source_url": "url", "referrer_url": "referrer"}


@dataclass(frozen=True)
class Shape:
    """What sets the body of one system apart.

    `event_keys`: the only keys of an event. `required`: beside `events` and the user.
    `user_key`: where the user stands, empty for nowhere. `user`, `attribution`: their field ->
    ours. `whole`: parameters that are integers.
    """

    name_key: str
    data_key: str
    event_keys: tuple[str, ...]
    required: tuple[str, ...]
    user_key: str
    user: Mapping[str, str]
    attribution: Mapping[str, str]
    whole: tuple[str, ...] = ()


SHAPES: dict[Provider, Shape] = {
    "meta": Shape(
        name_key="event_name",
        data_key="parameters",
        event_keys=("event_id", "event_name", "parameters"),
        required=(),
        user_key="user_data",
        user={
            "fn": "firstname",
            "ln": "lastname",
            "em": "email",
            "ph": "phone",
            "ct": "city",
            "st": "state",
            "country": "country",
            "external_id": "id",
        },
        attribution={"fbc": "fbc", "fbp": "fbp"},
    ),
    "tiktok": Shape(
        name_key="event",
        data_key="parameters",
        event_keys=("event_id", "event", "parameters"),
        required=("event_source_url",),
        user_key="user",
        user={"email": "email", "phone": "phone", "external_id": "id"},
        attribution={"ttclid": "ttclid", "ttp": "ttp"},
    ),
    "snackvideo": Shape(
        name_key="event_name",
        data_key="properties",
        event_keys=("event_name", "properties"),
        required=("click_id",),
        user_key="",
        user={},
        attribution={"click_id": "kwai_click_id"},
        whole=("value", "quantity", "price"),
    ),
}


@dataclass(frozen=True)
class Copy:
    """Which system's copy a body is and of which site; `names` are those of `names_of`."""

    provider: Provider
    site: Site
    names: Mapping[str, str]
    consent: Mapping[str, Any]
    now_ms: int


class Found(NamedTuple):
    """The events of a body, and the shopper's user agent where the body tells it."""

    events: list[dict[str, Any]]
    user_agent: str


def names_of(site: Site, provider: Provider) -> dict[str, str]:
    """The system's event name -> ours, as the site's destinations for that system have them.

    An own name that is another event's by the catalogue stays that other event's.
    """
    kind = PROVIDER_KINDS[provider]
    own_names: list[Mapping[str, str]] = []
    for table in site.destinations.values():
        if table.kind == kind:
            own_names.append(table.event_names)
        elif isinstance(table, ScalevTable) and provider in table.providers:
            own_names.append({**site.names_of(kind), **table.event_names.get(provider, {})})
    by_catalogue: dict[str, str] = {}
    by_site = {name: name for name in site.custom_events}
    for own in own_names or [{}]:
        for name in (*EVENTS, *site.custom_events):
            theirs = own_name(name, kind, dict(own))
            if theirs is not None:
                (by_site if name in own else by_catalogue).setdefault(theirs, name)
    return {**by_site, **by_catalogue}


def read(body: Mapping[str, Any], copy: Copy) -> Found:
    """What a body says; raises Refusal, and then nothing of it counts."""
    try:
        return _read(body, SHAPES[copy.provider], copy)
    except EventError as error:
        raise Refusal("invalid_event", error.message, field=error.field) from error


def _read(body: Mapping[str, Any], shape: Shape, copy: Copy) -> Found:
    told = _object(body, shape.user_key, shape.user_key) if shape.user_key else body
    for field in shape.required:
        if not has(body, field):
            raise EventError(field, f"{field} is required")
    shared = {
        "page": _page(body),
        "attribution": _texts(told, shape.attribution, shape.user_key),
        "user": _user(told, shape),
        "consent": copy.consent,
    }
    rows, items = _rows(body), storefront_params.item_lists(body)
    if len(rows) * len(items) > MAX_ITEMS:
        raise Refusal("too_large", "too many items, which belong to each of the events")
    events = [
        {**_event(row, f"events[{i}]", items, shape, copy), **shared} for i, row in enumerate(rows)
    ]
    agent = {"user_agent": "user_agent"} if copy.provider == "tiktok" else {}  # R56
    return Found(events, _texts(told, agent, shape.user_key).get("user_agent", ""))


# --- what the events of a body share ---


def _rows(body: Mapping[str, Any]) -> list[Any]:
    rows = body.get("events")
    if not isinstance(rows, list) or not rows:
        raise EventError("events", "events must be a list of 1 or more")
    if len(rows) > MAX_EVENTS:
        raise Refusal("too_large", f"more than {MAX_EVENTS} events in one request")
    return rows


def _page(body: Mapping[str, Any]) -> dict[str, str]:
    page = _texts(body, URLS, "", None)  # of any length: it is cut before it is stored
    for field, ours in URLS.items():
        if ours in page and not URI.fullmatch(page[ours]):
            raise EventError(field, f"{field} must be a URI, such as https://toko.example/")
    return page


def _user(told: Mapping[str, Any], shape: Shape) -> dict[str, str]:
    """What the shopper told, less what can't be what its key says."""
    if "location_id" in told and shape.user_key == "user_data":
        _whole(told, "location_id", "user_data")
    user: dict[str, str] = {}
    for field, text in _texts(told, shape.user, shape.user_key).items():
        try:
            user.update(check_user({field: text}))
        except EventError:
            continue  # the shopper mistyped it, and the rest still counts
    return user


def _texts(
    told: Mapping[str, Any],
    fields: Mapping[str, str],
    under: str,
    limit: int | None = MAX_URL,
) -> dict[str, str]:
    """The texts at these fields under our names."""
    found = {}
    for field, ours in fields.items():
        if not has(told, field):
            continue
        text = told[field]
        if not isinstance(text, str) or (limit and len(text) > limit):
            path = f"{under}.{field}" if under else field
            at_most = f" of at most {limit} characters" if limit else ""
            raise EventError(path, f"{field} must be a text{at_most}")
        found[ours] = text
    return found


def _object(told: Mapping[str, Any], field: str, path: str) -> dict[str, Any]:
    found = told.get(field)
    if not isinstance(found, dict):
        raise EventError(path, f"{field} must be an object")
    return found


def _whole(told: Mapping[str, Any], field: str, path: str) -> None:
    """Raises EventError for an amount with a fraction; `"147000.00"` has none."""
    amount = checked(told, ((field, field, "amount"),), path).get(field, 0)
    if amount != int(amount):
        raise EventError(f"{path}.{field}", f"{field} must be a whole number")


# --- each event ---


def _event(row: Any, path: str, items: Sequence[Row], shape: Shape, copy: Copy) -> dict[str, Any]:
    only_keys(row, shape.event_keys, path)
    theirs = row.get(shape.name_key)
    name = _our_name(theirs, f"{path}.{shape.name_key}", copy)
    data_path = f"{path}.{shape.data_key}"
    data = _object(row, shape.data_key, data_path) if has(row, shape.data_key) else {}
    for field in shape.whole:
        _whole(data, field, data_path)
    params = storefront_params.params(name, data, data_path, items, copy.site.currency)
    event = {"event_name": name, "event_time": copy.now_ms, "params": params}
    if "event_id" in shape.event_keys:
        given = _given_id(row.get("event_id"), f"{path}.event_id")
        return _with_given_id({**event, "event_id": given}, theirs, copy.site)
    return {**event, "event_id": _made_id(name, params, copy.now_ms)}


def _our_name(theirs: object, path: str, copy: Copy) -> str:
    if isinstance(theirs, str) and theirs in copy.names:
        return copy.names[theirs]
    message = f"unknown event {shown(theirs)}"
    near = nearest(theirs, list(copy.names)) if isinstance(theirs, str) else None
    if near:
        message += f", did you mean '{near}'?"
    message += " (other names go into event_names or custom_events of the site file)"
    raise EventError(path, message)


def _given_id(given: object, path: str) -> str:
    if not isinstance(given, str) or not 1 <= len(given) <= MAX_ID or not given.isprintable():
        raise EventError(path, f"event_id must be a text of 1 to {MAX_ID} characters")
    return given


def _with_given_id(event: dict[str, Any], theirs: str, site: Site) -> dict[str, Any]:
    """An order has its ID; the event's own is sent as it is, whatever it looks like."""
    name, given, params = event["event_name"], event["event_id"], event["params"]
    if name in ORDER_EVENTS:
        params.setdefault("id", _order_id(given, theirs, site))
    if is_order_event(name, params) and given == event_id(name, params, ""):
        params["id"] = given  # else it would be taken for one that we made
    return event


def _order_id(given: str, theirs: str, site: Site) -> str:
    """What an event ID made by the site's rule or by Scalev's holds; else all of it."""
    for rule in (site.order_event_id, SCALEV_ORDER_EVENT_ID):
        before, _, after = rule.replace("{event_name}", theirs).partition("{order_id}")
        around = len(before) + len(after)  # nothing around an ID says nothing of it
        if 0 < around < len(given) and given.startswith(before) and given.endswith(after):
            return given[len(before) : len(given) - len(after)]
    return given


def _made_id(name: str, params: dict[str, Any], now_ms: int) -> str:
    """An order's own where its ID is told, else a new one; the order is known by that then."""
    uuid = uuid7(now_ms, os.urandom(10))
    made: str = f"{name}_{uuid}"
    if name in ORDER_EVENTS and "id" not in params:
        params["id"] = made
    else:
        made = event_id(name, params, uuid)
    return made
