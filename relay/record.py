"""What is stored of an event: itself, enriched, and what each destination is to get of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pixelmirror import attribution, consent_rules, urls
from pixelmirror.wanted import is_named
from relay.bots import is_bot
from relay.destinations import Destination, Event, KeepsHashes, TakesItems
from relay.outbox import NewDelivery, Record
from relay.site import Site


class Received(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the relay itself knows of a request: when it came and, of a page's, from whom.

    `caid`: Commanders Act's ID of the visitor, by cookie. `feed`: which of the storefront routes it
    came by (`relay.storefront_api`), empty for all others. `is_checked`: its events are as the
    check has made them, not as they were sent.
    """

    at_ms: int
    sent_at: int | None
    client: Mapping[str, str] | None
    caid: str = ""
    feed: str = ""
    is_checked: bool = False


def enrich(event: dict[str, Any], site: Site, received: Received) -> dict[str, Any]:
    """The event with its site and source, our clock and, from a page, who the shopper is to us.

    Click IDs that Global Privacy Control refuses are left behind, whoever told them, and what is
    personal in the page's URLs.
    `event_time` moves by how far the sender's clock is off, and never lies ahead of ours. `is_bot`
    marks a crawler's or headless browser's, unless the site wants these as any other's.
    """
    source = "server" if received.client is None else "page"
    full = {**event, "site": site.site, "source": source, "received_at": received.at_ms}
    told = event["attribution"]
    if received.caid and event["consent"]["status"] == "granted":
        told = {**told, "caid": received.caid}
    full["attribution"] = attribution.allowed(told, event["consent"])
    full["page"] = urls.sent_page(event["page"])
    if received.sent_at is not None:
        full["event_time"] += received.at_ms - received.sent_at
    full["event_time"] = min(full["event_time"], received.at_ms)
    if received.client is not None:
        full["client"] = {key: value for key, value in received.client.items() if value}
    if site.bots == "skip" and is_bot(full.get("client", {}).get("user_agent", "")):
        full["is_bot"] = True
    return full


def record(event: Event, destinations: Sequence[Destination]) -> Record:
    """The event as it is stored, and what each of these destinations is to get of it.

    Without the user's plain data where those that wait for it are given only hashes.
    """
    deliveries = [route(event, each) for each in destinations]
    pairs = zip(destinations, deliveries, strict=True)
    waiting = [each for each, new in pairs if new["state"] == "waiting"]
    keep = [each for each in waiting if isinstance(each, KeepsHashes)]
    if not event.get("user") or len(keep) < len(waiting):
        return event, deliveries
    rest = {key: event[key] for key in event if key != "user"}
    hashed = {each.name: each.hashed_user(event) for each in keep}
    return {**rest, "hashed": {name: hashed[name] for name in hashed if hashed[name]}}, deliveries


def route(event: Event, destination: Destination) -> NewDelivery:
    """Whether this destination gets the event, and if not, why."""
    reason = _refusal(event, destination)
    parts = [] if reason else _parts(event, destination)
    if parts:
        first, last = parts[0]["event_id"], parts[-1]["event_id"]
        reason = f"sent as {len(parts)} events, one for each item: {first} to {last}"
    delivery: NewDelivery = {
        "destination": destination.name,
        "state": "skipped" if reason else "waiting",
        "reason": reason or "",
        "sent_as": None if parts else destination.sent_as(event),
    }
    if parts:
        delivery["parts"] = [record(part, [destination]) for part in parts]
    return delivery


def _parts(event: Event, destination: Destination) -> list[Event]:
    """What this destination gets instead of the event, under IDs of its own; mostly nothing."""
    if not isinstance(destination, TakesItems):
        return []
    parts = destination.parts(event)
    if len(parts) < 2:
        return []
    return [{**part, "event_id": f"{event['event_id']}.{n}"} for n, part in enumerate(parts, 1)]


def _refusal(event: Event, destination: Destination) -> str | None:
    """Consent is asked again here: what the page let through may still be refused."""
    reason = consent_rules.refusal(event["consent"], destination.kind, list(destination.categories))
    if reason:
        return reason
    # Whoever the page belongs to, it has posted this already.
    if destination.kind == "scalev" and is_named(destination.name, event.get("direct", ())):
        return "the page posts it to Scalev itself"
    if event.get("is_bot") and destination.kind in consent_rules.ADVERTISING:
        return "bot: its user agent is a known crawler's or headless browser's"
    only = event.get("destinations")
    if only is not None and not is_named(destination.name, only):
        return "not among the call's destinations"
    return destination.skips(event)
