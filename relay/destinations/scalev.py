"""Scalev's Storefront analytics: three routes that pass events on to Meta, TikTok and SnackVideo.

Source: specs/scalev.md. What the routes take and the bodies stand in `pixelmirror.scalev`, as a
page may post them too. Scalev takes no event time: the provider sees the time of delivery.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from pixelmirror import scalev
from relay.destinations import (
    DONE,
    IN_FLIGHT,
    Answer,
    Event,
    Judgement,
    Request,
    header,
    http_url,
    judge_transport,
    refused,
)
from relay.identity import phone_digits
from relay.site import Provider, ScalevTable, Site

MOMENTS_FROM_S = 1_000_000_000
"""A reset from here on is a moment (it was in 2001), below it a span."""


def destinations(site: Site, name: str, table: ScalevTable) -> list[Scalev]:
    """One destination for each provider of the table: `scalev.meta` and so on."""
    return [Scalev(site, name, table, provider) for provider in dict.fromkeys(table.providers)]


def route(site: Site, table: ScalevTable, provider: Provider) -> dict[str, Any]:
    """What the site file says of one provider, as `pixelmirror.scalev` has it; no key is in it."""
    own_names = table.event_names.get(provider, {})
    path = scalev.PATH.format(store_id=quote(table.store_id, safe=""), provider=provider)
    return {
        "provider": provider,
        "url": (table.base_url or scalev.BASE_URL) + path,
        "events": table.events,
        "event_names": {**site.names_of(scalev.KINDS[provider]), **own_names},
        "requested": [*(table.events or ()), *own_names],
        "order_event_id": site.order_event_id,
        "country": site.country,
    }


class Scalev:
    """One provider's route, as one site has set it up."""

    kind = "scalev"
    batch = 1
    in_flight = IN_FLIGHT
    per_second = 0.0  # the limit is not published; what its headers say of it is obeyed

    def __init__(self, site: Site, name: str, table: ScalevTable, provider: Provider) -> None:
        self._country = site.country
        self._route = route(site, table, provider)
        self._headers = scalev.headers(table.api_key)
        self._has_event_id = provider in scalev.WITH_EVENT_ID
        self.name = f"{name}.{provider}"
        self.categories: Sequence[str] = table.categories
        self.max_age_s: int = scalev.MAX_AGE_S[provider]

    def skips(self, event: Event) -> str | None:
        reason: str | None = scalev.skips(event, self._route, _urls(event))
        return reason

    def sent_as(self, event: Event) -> str | None:
        event_id: str | None = scalev.event_id_of(event, self._route)
        return event_id

    def requests(self, events: Sequence[Event]) -> list[Request]:
        return [self._request(event) for event in events]

    def judge(self, request: Request, answer: Answer, now: float) -> Judgement:
        """What the answer means; where nothing is left of the rate limit, nothing is sent then."""
        judgement = self._judge(request, answer, now)
        rest_s = quota_rest_s(answer, now)
        if rest_s is None or judgement.after_s is not None:
            return judgement
        return replace(judgement, after_s=rest_s)

    def _judge(self, request: Request, answer: Answer, now: float) -> Judgement:
        """R6, R7: any 2xx is accepted, its body not read. 404 is also what a bad key gets."""
        shared = judge_transport(request, answer, now)
        if shared is not None:
            return shared
        if answer.status == 404:
            return Judgement("pause", scalev.NO_STORE)
        return DONE if answer.status in range(200, 300) else refused(answer)

    def _request(self, event: Event) -> Request:
        phone = phone_digits(event.get("user", {}).get("phone", ""), self._country)
        body = scalev.body(dict(event), self._route, _urls(event), phone)
        return Request(
            url=self._route["url"],
            body=json.dumps(body, separators=(",", ":")).encode(),
            headers={**self._headers, **_browser(event)},
            events=[event],
            repeatable=self._has_event_id,
        )


def quota_rest_s(answer: Answer, now: float) -> float | None:
    """Seconds until Scalev takes more; None where it says nothing of it, or takes more now.

    Section 2: `X-Ratelimit-Remaining` and `-Reset`. Whether the reset is a moment or a span is not
    said; in seconds since 1970 it can be nothing else.
    """
    if header(answer, "x-ratelimit-remaining") != "0":
        return None
    reset = header(answer, "x-ratelimit-reset")
    if not re.fullmatch("[0-9]{1,12}", reset):
        return None
    return float(reset) if int(reset) < MOMENTS_FROM_S else max(float(reset) - now, 0.0)


def _urls(event: Event) -> dict[str, str]:
    return {
        "event_source_url": http_url(event, "url"),
        "referrer_url": http_url(event, "referrer"),
    }


def _browser(event: Event) -> dict[str, str]:
    """D3: Scalev reads the shopper's user agent from the request. Nothing in it ends the header."""
    user_agent = event.get("client", {}).get("user_agent") or ""
    printable = "".join(character for character in user_agent if " " <= character <= "~").strip()
    return {"User-Agent": printable} if printable else {}
