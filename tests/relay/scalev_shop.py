"""A shop whose server copies go through Scalev, and what Scalev is sent for one event."""

import json
from typing import Any

from relay.destinations import Destination, Event, Request
from tests.relay import shop

KEY = "sfpk_abc"
TABLE: dict[str, Any] = {"store_id": "store_1", "api_key": KEY}
PROVIDERS = ("meta", "tiktok", "snackvideo")
ID = f"add_to_cart_{shop.UUID}"
PAGE = {"event_source_url": shop.URL, "referrer_url": shop.REFERRER}


def scalev(
    provider: str, table: dict[str, Any] | None = None, pixels: Any = None, **settings: Any
) -> Destination:
    tables = {**(pixels or {}), "scalev": {**TABLE, **(table or {})}}
    return shop.destination(f"scalev.{provider}", tables, **settings)


def request_for(provider: str, event: Event, **more: Any) -> Request:
    [request] = scalev(provider, **more).requests([event])
    return request


def body_of(provider: str, event: Event, **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request_for(provider, event, **more).body)
    return body


def sent_event(provider: str, event: Event, **more: Any) -> dict[str, Any]:
    [sent] = body_of(provider, event, **more)["events"]
    assert isinstance(sent, dict)
    return sent
