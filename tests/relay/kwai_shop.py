"""A shop whose server copies go to Kwai, and what Kwai is sent for one event."""

import json
from typing import Any

from relay.destinations import Destination, Event, Request
from relay.destinations.kwai import destinations
from tests.relay import shop

TOKEN = "kwai-token"
TABLE: dict[str, Any] = {
    "mode": "server",
    "pixel_ids": ["300000000000001"],
    "access_token": TOKEN,
}


def every(name: str = "kwai", **table: Any) -> list[Destination]:
    """The destinations of the table."""
    tables = {name: {"kind": "kwai", **TABLE, **table}}
    site = shop.site(tables, custom_events=["quiz_done"])
    found: list[Destination] = [*destinations(site, name, site.destinations[name])]  # type: ignore[arg-type]
    return found


def kwai(**table: Any) -> Destination:
    [one] = every(**table)
    return one


def request_of(event: Event, **table: Any) -> Request:
    [request] = kwai(**table).requests([event])
    return request


def body_of(event: Event, **table: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request_of(event, **table).body)
    return body


def properties_of(event: Event, **table: Any) -> dict[str, Any]:
    properties: dict[str, Any] = json.loads(body_of(event, **table)["properties"])
    return properties
