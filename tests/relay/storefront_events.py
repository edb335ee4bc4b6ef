"""The events that the relay reads from storefront bodies."""

from __future__ import annotations

from typing import Any

from relay.site import Provider, Site
from relay.storefront_body import Copy, Found, names_of, read
from tests.relay.relay_stage import NOW
from tests.relay.storefront_shop import shop

TOKO = shop()
CONSENT = {"status": "granted"}


def found(system: Provider, body: dict[str, Any], site: Site = TOKO) -> Found:
    return read(body, Copy(system, site, names_of(site, system), CONSENT, NOW))


def event(system: Provider, body: dict[str, Any], site: Site = TOKO) -> dict[str, Any]:
    (one,) = found(system, body, site).events
    return one


def told(
    name: str, data: dict[str, Any], *, event_id: str = "evt_1", site: Site = TOKO, **more: Any
) -> dict[str, Any]:
    """The event of a body for Meta with these parameters and nothing else."""
    row = {"event_id": event_id, "event_name": name, "parameters": data}
    return event("meta", {"user_data": {}, "events": [row], **more}, site)
