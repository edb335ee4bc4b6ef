"""Commanders Act's HTTP tracking API 2.0. Source: specs/commanders-act.md 2-5.

Not for `mode = "both"` with one source key: `cact` has delivered the event already, and a second
copy of anything but a purchase is a second record (section 4). The relay must then have a source
key of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from pixelmirror.catalogue import own_name
from pixelmirror.event_id import sent_as
from pixelmirror.pixels import commanders_act
from relay.destinations import (
    DONE,
    IN_FLIGHT,
    Answer,
    Event,
    Judgement,
    Request,
    http_url,
    judge_transport,
    refused,
    unwanted,
)
from relay.destinations.echoes import without
from relay.identity import phone_e164
from relay.site import CommandersActTable, Site

BASE_URL = "https://collect.commander1.com"
SINGLE, BATCH = "/events", "/events/batch"

MAX_EVENT_BYTES = 32 * 1024
MAX_BATCH_BYTES = 500 * 1024
FRAME = b'{"batch":[%s]}'

# The year and 20 digits by chance.
CAID = re.compile(r"[0-9]{24}")

COOKIES = (("_fbp", "fbp"), ("_fbc", "fbc"))

Row = tuple[Event, bytes]
"""An event with its text."""


def destinations(site: Site, name: str, table: CommandersActTable) -> list[CommandersAct]:
    """The table's one destination."""
    return [CommandersAct(site, name, table)]


class CommandersAct:
    """Commanders Act, as one site has set it up.

    Every request may be repeated, under the same event ID, as section 3 demands. Only a purchase
    is known to be recorded once (by its `id`), but Commanders Act is none of the systems for which
    DESIGN 5.5 rather loses an event than counts one twice.
    """

    kind = "commanders_act"
    batch = 100  # only bytes are limited
    in_flight = IN_FLIGHT
    per_second = 500.0  # section 3: above that one asks first
    max_age_s = 7 * 24 * 60 * 60  # no limit is published

    def __init__(self, site: Site, name: str, table: CommandersActTable) -> None:
        self._site = site
        self._events = table.events
        self._own_names = table.event_names
        self._source_key = table.source_key
        self._base_url = table.base_url or BASE_URL
        self._query = urlencode({"tc_s": table.site_id, "token": table.source_key})
        self.name = name
        self.categories: Sequence[str] = table.categories

    def skips(self, event: Event) -> str | None:
        if reason := unwanted(event, self._events):
            return reason
        if not self._source_key:
            return "not configured: no source_key"
        if "consent_categories" not in _properties(event).get("user", {}):
            return "no consent categories, which Commanders Act requires"
        if not CAID.fullmatch(_caid(event)):
            return "no CAID, Commanders Act's cookie with its ID of the visitor"
        if len(self._text(event)) > MAX_EVENT_BYTES:
            return "over 32 KB, the most Commanders Act takes of an event"
        return None

    def sent_as(self, event: Event) -> str | None:
        event_id: str = sent_as(event, self._name(event), self._site.order_event_id)
        return event_id

    def requests(self, events: Sequence[Event]) -> list[Request]:
        """As few as the limits allow; an event alone is no batch."""
        rows = [(event, self._text(event)) for event in events]
        return [self._request(rows) for rows in _packed(rows)]

    def judge(self, request: Request, answer: Answer, now: float) -> Judgement:
        """200 is final and says nothing of the events: only their inspector does (section 3)."""
        shared = judge_transport(request, answer, now)
        if shared is not None:
            return shared
        if answer.status in range(200, 300):
            return DONE
        return refused(without(answer, self._source_key, *map(_caid, request.events)))

    def _name(self, event: Event) -> str:
        """A custom event's is its own."""
        name: str | None = own_name(event["event_name"], self.kind, self._own_names)
        return name or event["event_name"]

    def _text(self, event: Event) -> bytes:
        body = {
            **_properties(event),
            "event_name": self._name(event),
            "user": _user(event, self._site.country),
            "context": _context(event, self.sent_as(event)),
        }
        template, meta_names = self._site.order_event_id, self._site.names_of("meta")
        if integrations := commanders_act.integrations(dict(event), template, meta_names):
            body["integrations"] = integrations
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        return text.encode(errors="replace")

    def _request(self, rows: Sequence[Row]) -> Request:
        texts = [text for _, text in rows]
        path, body = (SINGLE, texts[0]) if len(texts) == 1 else (BATCH, FRAME % b",".join(texts))
        return Request(
            url=f"{self._base_url}{path}?{self._query}",
            body=body,
            headers={"Content-Type": "application/json"},
            events=[event for event, _ in rows],
            repeatable=True,
        )


def _packed(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """The rows in their order, as many together as a batch may hold."""
    pack: list[Row] = []
    size = 0
    for event, text in rows:
        size += len(text) + len(b",")
        if pack and len(FRAME) + size > MAX_BATCH_BYTES:
            yield pack
            pack, size = [], len(text) + len(b",")
        pack.append((event, text))
    if pack:
        yield pack


def _properties(event: Event) -> dict[str, Any]:
    properties: dict[str, Any] = commanders_act.properties(dict(event))
    return properties


def _caid(event: Event) -> str:
    caid: str = event["attribution"].get("caid", "")
    return caid


def _user(event: Event, country: str) -> dict[str, Any]:
    """What the page's call is given and who the visitor is; the phone in E.164 or not at all."""
    user = {**_properties(event)["user"], "consistent_anonymous_id": _caid(event)}
    phone = phone_e164(user.pop("phone", ""), country)
    return {**user, "phone": phone} if phone else user


def _context(event: Event, event_id: str | None) -> dict[str, Any]:
    """Technical data, as far as it is known."""
    client, attribution = event.get("client", {}), event["attribution"]
    cookies = [f"{name}={attribution[ours]}" for name, ours in COOKIES if attribution.get(ours)]
    return _known(
        event_id=event_id,
        event_timestamp=event["event_time"],
        page=_known(
            title=event.get("page", {}).get("title"),
            url=http_url(event, "url"),
            referrer=http_url(event, "referrer"),
        ),
        device=_known(
            user_agent=client.get("user_agent"),
            ip=client.get("ip"),
            cookie="; ".join(cookies),
        ),
    )


def _known(**fields: Any) -> dict[str, Any]:
    """The fields that have a value."""
    return {key: value for key, value in fields.items() if value}
