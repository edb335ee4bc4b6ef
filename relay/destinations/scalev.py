"""Scalev's Storefront analytics: three routes that pass events on to Meta, TikTok and SnackVideo.

Source: specs/scalev.md. What the routes take and the bodies stand in `pixelmirror.scalev`, as a
page may post them too. Scalev takes no event time: the provider sees the time of delivery.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from pixelmirror import scalev
from pixelmirror.scalev import KEY_HEADER as KEY_HEADER
from pixelmirror.scalev import PATH as PATH
from relay.destinations import (
    DONE,
    Answer,
    Event,
    Judgement,
    Request,
    http_url,
    judge_transport,
    refused,
)
from relay.identity import phone_digits
from relay.site import Provider, ScalevTable, Site


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
