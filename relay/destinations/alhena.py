"""Alhena's cart and checkout APIs. Source: specs/alhena.md 2-5.

A body is what the page's call would be given, in snake_case, with the company key and the
visitor's two fingerprints. The fields of a checkout are inferred from those of a cart event.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from pixelmirror.catalogue import own_name
from pixelmirror.pixels import alhena
from relay.destinations import (
    DONE,
    Answer,
    Event,
    Judgement,
    KeepsHashes,
    Request,
    TakesItems,
    judge_transport,
    refused,
    unwanted,
)
from relay.destinations.echoes import without
from relay.site import AlhenaTable, Site

BASE_URL = "https://app.alhena.ai"  # US; the EU's is https://eu.alhena.ai

# The page's method -> where its event goes.
PATHS = {
    "sendCartEvent": "/analytics/cart_events",
    "sendCheckoutEvent": "/analytics/checkout_events",
}

# Field of the body -> of the event's attribution.
FINGERPRINTS = {
    "user_fingerprint": "alhena_fingerprint",
    "user_faq_fingerprint": "alhena_faq_fingerprint",
}

CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def destinations(site: Site, name: str, table: AlhenaTable) -> list[Alhena]:
    """The table's one destination."""
    return [Alhena(name, table)]


class Alhena(TakesItems, KeepsHashes):
    """Alhena, as one site has set it up.

    Cart events are counted as often as they arrive; a checkout's order ID is recorded once. The
    paths are the methods' own, so `event_names` changes nothing here.
    """

    kind = "alhena"
    batch = 1
    in_flight = 4
    per_second = 20.0  # no limit is published; this one is ours
    max_age_s = 24 * 60 * 60  # Alhena takes no time and counts an event when it arrives

    def __init__(self, name: str, table: AlhenaTable) -> None:
        self._events = table.events
        self._company_key = table.company_key
        self._base_url = table.base_url or BASE_URL
        self.name = name
        self.categories: Sequence[str] = table.categories

    def skips(self, event: Event) -> str | None:
        if reason := unwanted(event, self._events):
            return reason
        if not self._company_key:
            return "not configured: no company_key"
        if _method(event) not in PATHS:
            return f"Alhena takes no {event['event_name']}"
        if not all(event["attribution"].get(field) for field in FINGERPRINTS.values()):
            return "no Alhena fingerprints of the visitor"
        if "items" not in event["params"]:  # a paid order of which no page told any
            return "no items, which Alhena needs"
        return None

    def parts(self, event: Event) -> list[Event]:
        """A cart event is of one item; a checkout lists them."""
        return super().parts(event) if _method(event) == "sendCartEvent" else [event]

    def sent_as(self, event: Event) -> str | None:
        return None

    def requests(self, events: Sequence[Event]) -> list[Request]:
        return [self._request(event) for event in events]

    def judge(self, request: Request, answer: Answer, now: float) -> Judgement:
        """Any 2xx is accepted: the answers' bodies are not published."""
        shared = judge_transport(request, answer, now)
        if shared is not None:
            return shared
        if answer.status in range(200, 300):
            return DONE
        prints = [found for event in request.events for found in _fingerprints(event).values()]
        return refused(without(answer, self._company_key, *prints))

    def _request(self, event: Event) -> Request:
        body = {"company_key": self._company_key, **_fingerprints(event), **_row(event)}
        return Request(
            url=self._base_url + PATHS[_method(event)],
            body=json.dumps(body, separators=(",", ":")).encode(),
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            events=[event],
            repeatable="order_id" in body,
        )


def _method(event: Event) -> str:
    """Empty where there is none."""
    name: str | None = own_name(event["event_name"], "alhena")
    return name or ""


def _fingerprints(event: Event) -> dict[str, str]:
    return {field: event["attribution"][ours] for field, ours in FINGERPRINTS.items()}


def _row(event: Event) -> Any:
    """What the page's call is given for the event, in snake_case (A10)."""
    if _method(event) == "sendCheckoutEvent":
        return _snake_case(alhena.checkout(event["params"]))
    [row] = alhena.cart(event["event_name"], event["params"])
    return _snake_case(row)


def _snake_case(value: Any) -> Any:
    """`{"productId": 1}` is `{"product_id": 1}`, at every depth."""
    if isinstance(value, dict):
        return {CAPITAL.sub("_", key).lower(): _snake_case(value[key]) for key in value}
    return [_snake_case(each) for each in value] if isinstance(value, list) else value
