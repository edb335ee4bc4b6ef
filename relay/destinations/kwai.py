"""Kwai's event API at AdsNebula, for Kwai and SnackVideo alike. Source: specs/kwai.md 2, 4, 6.

One flat event a request; Kwai knows no event ID and drops no repeats, so what may have arrived is
never sent again. The whole server part of the specification is provisional, as no primary
reference is public.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pixelmirror.catalogue import own_name
from pixelmirror.pixels import kwai
from relay.destinations import (
    DONE,
    Answer,
    Event,
    Judgement,
    KeepsHashes,
    Request,
    ambiguous,
    judge_transport,
    refused,
    unwanted,
    vendor_words,
)
from relay.destinations.echoes import without
from relay.site import KwaiTable, Site

BASE_URL = "https://www.adsnebula.com"
PATH = "/log/common/api"
HEADERS = {"Content-Type": "application/json", "Accept": "application/json;charset=utf-8"}

# The pixel's name -> the API's. `page`, the pixel's page view, has none.
SERVER_NAMES = {
    "contentView": "EVENT_CONTENT_VIEW",
    "addToCart": "EVENT_ADD_TO_CART",
    "addToWishlist": "EVENT_ADD_TO_WISHLIST",
    "initiatedCheckout": "EVENT_INITIATED_CHECKOUT",
    "addPaymentInfo": "EVENT_ADD_PAYMENT_INFO",
    "placeOrder": "EVENT_PLACE_ORDER",
    "purchase": "EVENT_PURCHASE",
    "search": "EVENT_SEARCH",
    "formSubmit": "EVENT_FORM_SUBMIT",
    "completeRegistration": "EVENT_COMPLETE_REGISTRATION",
    "subscribe": "EVENT_SUBSCRIBE",
    "contact": "EVENT_CONTACT",
    "buttonClick": "EVENT_BUTTON_CLICK",
    "download": "EVENT_DOWNLOAD",
}

# The same in every request. `is_attributed` is a number: true is refused with 10002.
CONSTANTS = {
    "is_attributed": 1,
    "mmpcode": "PL",
    "pixelSdkVersion": "9.9.9",
    "testFlag": False,
    "third_party": "pixelmirror",
}

# What section 2 lists, in section 4's order.
PROPERTIES = (
    "content_id content_type content_name content_category currency value quantity price query "
    "event_timestamp"
).split()

ACCEPTED = 1  # the answer's `result`; the HTTP status is 200 for most failures too


def destinations(site: Site, name: str, table: KwaiTable) -> list[Kwai]:
    """One destination for each pixel: `kwai` for a single one, else `kwai.{pixel ID}`."""
    pixel_ids = list(dict.fromkeys(table.pixel_ids))
    if len(pixel_ids) == 1:
        return [Kwai(name, table, pixel_ids[0])]
    return [Kwai(f"{name}.{pixel_id}", table, pixel_id) for pixel_id in pixel_ids]


class Kwai(KeepsHashes):
    """One pixel's server copies, as one site has set it up."""

    kind = "kwai"
    batch = 1
    in_flight = 2
    per_second = 3.0  # no limit is known; section 4: at most a few per second
    max_age_s = 24 * 60 * 60  # no limit is known; section 4 recommends this one

    def __init__(self, name: str, table: KwaiTable, pixel_id: str) -> None:
        self._events = table.events
        self._own_names = table.event_names
        self._token = table.access_token
        self._is_test = table.test
        self._pixel_id = pixel_id
        self._url = (table.base_url or BASE_URL) + PATH
        self.name = name
        self.categories: Sequence[str] = table.categories

    def skips(self, event: Event) -> str | None:
        if reason := unwanted(event, self._events):
            return reason
        if not self._token:
            return "not configured: no access_token"
        if self._browser_name(event) not in SERVER_NAMES:
            return f"no server name for {event['event_name']}, event_names can give one"
        return None if event["attribution"].get("kwai_click_id") else "no click ID"

    def sent_as(self, event: Event) -> str | None:
        return None

    def requests(self, events: Sequence[Event]) -> list[Request]:
        return [self._request(event) for event in events]

    def judge(self, request: Request, answer: Answer, now: float) -> Judgement:
        """Section 6: the body's `result` decides. What is no answer of Kwai's is not repeated."""
        shared = judge_transport(request, answer, now)
        if shared is not None:
            return shared
        click_ids = [event["attribution"]["kwai_click_id"] for event in request.events]
        if answer.status not in range(200, 300):
            return refused(without(answer, self._token, *click_ids))
        result, message = _said(answer.body)
        if result is None:
            return ambiguous(request, f"not Kwai's answer ({answer.status})")
        if result == ACCEPTED:
            return DONE
        words = vendor_words(without(message, self._token, *click_ids).body)
        return Judgement("dead", f"refused (result {result})" + (f": {words}" if words else ""))

    def _browser_name(self, event: Event) -> str:
        """Empty where there is none."""
        name: str | None = own_name(event["event_name"], "kwai", self._own_names)
        return name or ""

    def _request(self, event: Event) -> Request:
        body = {
            "access_token": self._token,
            "clickid": event["attribution"]["kwai_click_id"],
            "event_name": SERVER_NAMES[self._browser_name(event)],
            "pixelId": self._pixel_id,
            **CONSTANTS,
            "trackFlag": self._is_test,
            "properties": _text(_properties(event)),
        }
        return Request(
            url=self._url,
            body=_text(body).encode(errors="replace"),
            headers=HEADERS,
            events=[event],
            repeatable=False,
        )


def _properties(event: Event) -> dict[str, Any]:
    """The pixel's own, with the time in seconds and the ID of an only item."""
    found = kwai.properties(dict(event))
    found["event_timestamp"] = event["event_time"] // 1000
    items = event["params"].get("items", ())
    if len(items) == 1:
        found["content_id"] = items[0]["id"]
    return {key: found[key] for key in PROPERTIES if key in found}


def _text(value: dict[str, Any]) -> str:
    """Compact JSON, its keys in their order, its characters as they are (section 7)."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _said(body: bytes) -> tuple[int | None, Answer]:
    """The answer's `result`, None when it holds no such number; its words under `message`."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    said = said if isinstance(said, dict) else {}
    result = said.get("result")
    message = Answer(body=_text({"message": said.get("error_msg")}).encode(errors="replace"))
    return (result if type(result) is int else None), message  # true is no number here
