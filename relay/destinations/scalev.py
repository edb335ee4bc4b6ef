"""Scalev's Storefront analytics: three routes that pass events on to Meta, TikTok and SnackVideo.

Source: specs/scalev.md. One event a request, as user, URLs and items are shared by all events of
one (section 2). Scalev takes no event time: the provider sees the time of delivery.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pixelmirror.catalogue import own_name
from pixelmirror.event_id import sent_as
from pixelmirror.pixels import kwai, meta, tiktok
from relay.destinations import (
    DONE,
    Answer,
    Event,
    Judgement,
    Request,
    http_url,
    judge_transport,
    refused,
    unwanted,
)
from relay.identity import phone_digits
from relay.site import Provider, ScalevTable, Site

BASE_URL = "https://api.scalev.com"
PATH = "/v3/stores/{store_id}/public/analytics/{provider}/events"
KEY_HEADER = "X-Scalev-Storefront-Api-Key"

DAY_S = 24 * 60 * 60

# What page_view is for: SDKs report it by themselves, so the server copy is on request (D9).
ON_REQUEST = ("page_view",)

ITEM_LISTS = (
    ("variant", "variants", "variant_unique_id"),
    ("bundle_price_option", "bundle_price_options", "bundle_price_option_unique_id"),
)

# SnackVideo takes these as integers only.
WHOLE = ("value", "quantity", "price")


def destinations(site: Site, name: str, table: ScalevTable) -> list[Scalev]:
    """One destination for each provider of the table: `scalev.meta` and so on."""
    return [Scalev(site, name, table, provider) for provider in dict.fromkeys(table.providers)]


@dataclass(frozen=True)
class Route:
    """What sets one route apart.

    `kind`: that of its pixel, whose names and parameters it shares (R47). `lacks`: why it can't
    take an event. `has_event_id`: it drops repeats by it (R46, R50).
    """

    kind: str
    lacks: Callable[[Event], str | None]
    body: Callable[[Event, str, str, Site], dict[str, Any]]
    has_event_id: bool
    max_age_s: int


class Scalev:
    """One provider's route, as one site has set it up."""

    kind = "scalev"
    batch = 1

    def __init__(self, site: Site, name: str, table: ScalevTable, provider: Provider) -> None:
        self._site = site
        self._provider = provider
        self._route = ROUTES[provider]
        self._events = table.events
        own_names = table.event_names.get(provider, {})
        self._own_names = {**site.names_of(self._route.kind), **own_names}
        self._requested = {*(table.events or ()), *own_names}
        path = PATH.format(store_id=quote(table.store_id, safe=""), provider=provider)
        self._url = (table.base_url or BASE_URL) + path
        self._headers = {
            KEY_HEADER: table.api_key,
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        self.name = f"{name}.{provider}"
        self.categories: Sequence[str] = table.categories
        self.max_age_s = self._route.max_age_s

    def skips(self, event: Event) -> str | None:
        name = event["event_name"]
        if reason := unwanted(event, self._events):
            return reason
        if name in ON_REQUEST and name not in self._requested:
            return f"{name} is sent only where events or event_names.{self._provider} names it"
        if not self._name(event):
            return f"no name for {name}, event_names.{self._provider} can give one"
        return self._route.lacks(event)

    def sent_as(self, event: Event) -> str | None:
        return self._event_id(event) if self._route.has_event_id else None

    def requests(self, events: Sequence[Event]) -> list[Request]:
        return [self._request(event) for event in events]

    def judge(self, request: Request, answer: Answer, now: float) -> Judgement:
        """R6, R7: any 2xx is accepted, its body not read. 404 is also what a bad key gets."""
        shared = judge_transport(request, answer, now)
        if shared is not None:
            return shared
        if answer.status == 404:
            return Judgement("pause", "no such store (404): wrong store_id or api_key, or no plan")
        return DONE if answer.status in range(200, 300) else refused(answer)

    def _name(self, event: Event) -> str:
        """Empty where there is none."""
        name: str | None = own_name(event["event_name"], self._route.kind, self._own_names)
        return name or ""

    def _event_id(self, event: Event) -> str:
        event_id: str = sent_as(event, self._name(event), self._site.order_event_id)
        return event_id

    def _request(self, event: Event) -> Request:
        body = self._route.body(event, self._name(event), self._event_id(event), self._site)
        return Request(
            url=self._url,
            body=json.dumps(body, separators=(",", ":")).encode(),
            headers={**self._headers, **_browser(event)},
            events=[event],
            repeatable=self._route.has_event_id,
        )


# --- bodies ---


def _meta_body(event: Event, name: str, event_id: str, site: Site) -> dict[str, Any]:
    """R51-R54, R62."""
    user, attribution = event.get("user", {}), event["attribution"]
    return {
        **_urls(event),
        "user_data": _known(
            country=user.get("country", site.country).lower(),
            fbc=attribution.get("fbc"),
            fbp=attribution.get("fbp"),
            em=user.get("email"),
            ph=_phone(event, site),
            fn=user.get("firstname"),
            ln=user.get("lastname"),
            ct=user.get("city"),
            st=user.get("state"),
            external_id=user.get("id"),
        ),
        "events": [
            {
                "event_id": event_id,
                "event_name": name,
                "parameters": meta.parameters(dict(event), name),
            }
        ],
        **_items(event),
    }


def _tiktok_body(event: Event, name: str, event_id: str, site: Site) -> dict[str, Any]:
    """R55-R57, R62."""
    user, attribution = event.get("user", {}), event["attribution"]
    return {
        **_urls(event),
        "user": _known(
            ttclid=attribution.get("ttclid"),
            ttp=attribution.get("ttp"),
            email=user.get("email"),
            phone=_phone(event, site),
            external_id=user.get("id"),
            user_agent=event.get("client", {}).get("user_agent"),
        ),
        "events": [
            {"event_id": event_id, "event": name, "parameters": tiktok.parameters(dict(event))}
        ],
        **_items(event),
    }


def _snackvideo_body(event: Event, name: str, event_id: str, site: Site) -> dict[str, Any]:
    """R50, R59. What is not whole is left out of the properties."""
    properties = {
        key: value
        for key, value in kwai.properties(dict(event)).items()
        if key not in WHOLE or isinstance(value, int)
    }
    return {
        "click_id": event["attribution"]["kwai_click_id"],
        **_urls(event),
        "events": [{"event_name": name, "properties": properties}],
        **_items(event),
    }


def _urls(event: Event) -> dict[str, Any]:
    return _known(event_source_url=http_url(event, "url"), referrer_url=http_url(event, "referrer"))


def _items(event: Event) -> dict[str, Any]:
    """R35-R38: variants and bundles apart, each by its unique ID; an empty list is left out."""
    items = event["params"].get("items", ())
    return _known(
        **{
            field: [
                {unique_id: item["id"], "quantity": item["quantity"]}
                for item in items
                if item.get("kind", "variant") == kind
            ]
            for kind, field, unique_id in ITEM_LISTS
        }
    )


def _phone(event: Event, site: Site) -> str | None:
    return phone_digits(event.get("user", {}).get("phone", ""), site.country)


def _known(**fields: Any) -> dict[str, Any]:
    """The fields that have a value; what is unknown or empty is left out (R51, R52, R55, D6)."""
    return {key: value for key, value in fields.items() if value}


def _browser(event: Event) -> dict[str, str]:
    """D3: Scalev reads the shopper's user agent from the request. Nothing in it ends the header."""
    user_agent = event.get("client", {}).get("user_agent") or ""
    printable = "".join(character for character in user_agent if " " <= character <= "~").strip()
    return {"User-Agent": printable} if printable else {}


# --- routes ---


def _lacks_nothing(_: Event) -> str | None:
    return None


def _lacks_url(event: Event) -> str | None:
    """D11."""
    return None if http_url(event, "url") else "no http or https page URL"


def _lacks_click_id(event: Event) -> str | None:
    """R58."""
    return None if event["attribution"].get("kwai_click_id") else "no click ID"


ROUTES: dict[Provider, Route] = {
    "meta": Route("meta", _lacks_nothing, _meta_body, has_event_id=True, max_age_s=7 * DAY_S),
    "tiktok": Route("tiktok", _lacks_url, _tiktok_body, has_event_id=True, max_age_s=7 * DAY_S),
    "snackvideo": Route(
        "kwai", _lacks_click_id, _snackvideo_body, has_event_id=False, max_age_s=DAY_S
    ),
}
