"""A pixel's server API: what Meta's and TikTok's have in common.

One destination for each pixel ID, many events a request, an event ID by which the system drops a
repeat, and a code in the answer that says more than its HTTP status.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

import msgspec

from pixelmirror.catalogue import ORDER_EVENTS, own_name
from pixelmirror.event_id import sent_as
from relay.destinations import (
    IN_FLIGHT,
    REMEMBERED,
    Answer,
    Event,
    Judgement,
    KeepsHashes,
    Request,
    unwanted,
    vendor_words,
)
from relay.site import MetaTable, Site, TiktokTable

DAY_S = 24 * 60 * 60

Table = MetaTable | TiktokTable


def pixels(name: str, table: Table) -> Iterator[tuple[str, str]]:
    """A destination's name with its pixel ID: the table's, or `meta.123` where it has several."""
    ids = list(dict.fromkeys(table.pixel_ids))
    for pixel_id in ids:
        yield (name if len(ids) == 1 else f"{name}.{pixel_id}", pixel_id)


class Meaning(NamedTuple):
    """What a code of the system says of the request."""

    verdict: Literal["done", "retry", "dead", "pause"]
    words: str


class PixelApi(KeepsHashes, ABC):
    """One pixel's server API, as one site has set it up."""

    kind: str
    # Both take 1000. But one bad event sends all others of its request again, in halves, and a
    # time-out as they were: 100 are some 200 KB, and the bad one is found in seven halvings.
    batch = 100
    in_flight = IN_FLIGHT
    per_second = 0.0  # Meta has none for this API (meta 4)
    max_age_s = 7 * DAY_S  # Meta's limit (meta 4); TikTok publishes none (tiktok 4)

    def __init__(
        self, site: Site, name: str, table: Table, url: str, headers: Mapping[str, str]
    ) -> None:
        self._site = site
        self._events = table.events
        self._own_names = table.event_names
        self._token = table.access_token
        self._url = url
        self._headers = {
            **headers,
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        self.name = name
        self.categories: Sequence[str] = table.categories

    def skips(self, event: Event) -> str | None:
        if reason := unwanted(event, self._events):
            return reason
        if not self._token:
            return "not configured: no access_token"
        if not self._name(event):
            return f"no name for {event['event_name']}, event_names can give one"
        return self._lacks(event)

    def sent_as(self, event: Event) -> str | None:
        return self._event_id(event)

    def requests(self, events: Sequence[Event]) -> list[Request]:
        return [
            Request(self._url, _text(self._body(events)), self._headers, events, repeatable=True)
        ]

    @abstractmethod
    def judge(self, request: Request, answer: Answer, now: float) -> Judgement:
        """What the answer means."""

    @abstractmethod
    def _lacks(self, event: Event) -> str | None:
        """What the event has not and the system requires, in words."""

    @abstractmethod
    def _body(self, events: Sequence[Event]) -> dict[str, Any]:
        """The request's body."""

    def _name(self, event: Event) -> str:
        """Empty where there is none."""
        name: str | None = own_name(event["event_name"], self.kind, self._own_names)
        return name or ""

    def _event_id(self, event: Event) -> str:
        event_id: str = sent_as(event, self._name(event), self._site.order_event_id)
        return event_id

    def _judgement(
        self,
        meaning: Meaning,
        code: str,
        words: str,
        request: Request,
        after_s: float | None = None,
    ) -> Judgement:
        """The meaning with its code and the system's own words, less what they quote of us."""
        for private in (self._token, *_shopper(request)):
            if len(private) > SHORT:
                words = words.replace(private, "...").replace(quote(private, safe=""), "...")
        words = vendor_words(json.dumps({"message": HASH.sub("...", words)}).encode())
        reason = f"{meaning.words} ({code})" + (f": {words}" if words else "")
        return Judgement(meaning.verdict, reason, after_s, took_nothing=meaning.verdict == "dead")


def _text(body: dict[str, Any]) -> bytes:
    """As JSON; msgspec takes a tenth of the time, and no half of a surrogate pair."""
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:
        return json.dumps(body, separators=(",", ":")).encode()


HASH = re.compile(r"[0-9a-fA-F]{32,}")
SHORT = 3
"""Texts of up to so many characters are in every sentence, and tell nothing."""


def _shopper(request: Request) -> Iterator[str]:
    """What is sent as it is of the shoppers' browsers."""
    for event in request.events:
        yield from event.get("client", {}).values()
        yield from event["attribution"].values()


def answer_json(answer: Answer) -> dict[str, Any] | None:
    """The answer's JSON object; None when it is none, as in a proxy's page."""
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def whole(said: Any, key: str) -> int | None:
    """The whole number at this key."""
    number = said.get(key) if isinstance(said, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else None


# --- fields ---


def user_agent(event: Event) -> str:
    """The shopper's; empty where none is known."""
    text: str = event.get("client", {}).get("user_agent", "")
    return text.strip()


def client_ip(event: Event) -> str:
    """The shopper's IPv4 or IPv6 address; empty where none is known (meta 5, tiktok 5)."""
    return _known_address(event.get("client", {}).get("ip", ""))


@lru_cache(REMEMBERED)
def _known_address(ip: str) -> str:
    try:
        address = ip_address(ip)
    except ValueError:
        return ""
    if address.version == 6:
        return "" if address.scope_id else str(address.ipv4_mapped or address)
    return str(address)


def shopper(event: Event) -> Mapping[str, str]:
    """What the shopper told; the visitor ID stands for an ID that he did not.

    Both systems take "external cookie IDs" as `external_id`; one visitor keeps his on all pages.
    """
    user: Mapping[str, str] = event.get("user", {})
    visitor_id = event.get("visitor_id")
    if not visitor_id or "id" in user or "id_sha256" in user:
        return user
    return {**user, "id": visitor_id}


def order_id(event: Event) -> str:
    """The order's ID, of a purchase or a refund; empty for what is no order yet."""
    if event["event_name"] not in ORDER_EVENTS:
        return ""
    found: str = event["params"].get("id", "")
    return found


def known(**fields: Any) -> dict[str, Any]:
    """The fields that have a value."""
    return {key: value for key, value in fields.items() if value}
