"""Ingest: from a checked event to what each destination is to get of it, durable before 204."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pixelmirror import consent_rules
from relay.bots import is_bot
from relay.destinations import Destination, Event
from relay.outbox import NewDelivery, Outbox, OutboxUnavailable, Record
from relay.refusals import Refusal
from relay.site import Site

log = logging.getLogger("pixelmirror.ingest")

RETRY_AFTER_S = 2


@dataclass(frozen=True)
class Received:
    """What the relay itself sees of a request: when it came and, for a page, from whom."""

    at_ms: int
    sent_at: int | None
    client: Mapping[str, str] | None


class Ingest:
    """Takes the events of every site. `wake(site, destination)` tells delivery of new work."""

    def __init__(
        self,
        outbox: Outbox,
        destinations: Mapping[str, Sequence[Destination]],
        wake: Callable[[str, str], None],
    ) -> None:
        self.outbox = outbox
        self.destinations = destinations
        self.wake = wake

    async def store(self, site: Site, events: Sequence[dict[str, Any]], received: Received) -> None:
        """Every event is durable for every destination that wants it; raises Refusal 503."""
        records: list[Record] = []
        for event in events:
            full = enrich(event, site, received)
            wanted = [route(full, each) for each in self.destinations[site.site]]
            records.append((full, wanted))
        try:
            fresh = await self.outbox.put(records)
        except OutboxUnavailable as error:
            log.error("site=%s the outbox can't store: %s", site.site, error)
            message = "the outbox can't store now, send it again"
            raise Refusal("not_durable", message, retry_after_s=RETRY_AFTER_S) from error
        for name, destination in fresh:
            self.wake(name, destination)


def enrich(event: dict[str, Any], site: Site, received: Received) -> dict[str, Any]:
    """The event with the site, the relay's clock and, from a page, who the shopper is to us.

    `event_time` moves by how far the sender's clock is off, and never lies ahead of ours. `is_bot`
    marks a crawler's or headless browser's, unless the site wants these as any other's.
    """
    full = {**event, "site": site.site, "received_at": received.at_ms}
    if received.sent_at is not None:
        full["event_time"] += received.at_ms - received.sent_at
    full["event_time"] = min(full["event_time"], received.at_ms)
    if received.client is not None:
        full["client"] = {key: value for key, value in received.client.items() if value}
    if site.bots == "skip" and is_bot(full.get("client", {}).get("user_agent", "")):
        full["is_bot"] = True
    return full


def route(event: Event, destination: Destination) -> NewDelivery:
    """Whether this destination gets the event, and if not, why."""
    reason = _refusal(event, destination)
    return {
        "destination": destination.name,
        "state": "skipped" if reason else "waiting",
        "reason": reason or "",
        "sent_as": destination.sent_as(event),
    }


def _refusal(event: Event, destination: Destination) -> str | None:
    """Consent is asked again here: what the page let through may still be refused."""
    reason = consent_rules.refusal(event["consent"], destination.kind, list(destination.categories))
    if reason:
        return reason
    if event.get("is_bot") and destination.kind in consent_rules.ADVERTISING:
        return "bot: its user agent is a known crawler's or headless browser's"
    only = event.get("destinations")
    table = destination.name.partition(".")[0]
    if only is not None and destination.name not in only and table not in only:
        return "not among the call's destinations"
    return destination.skips(event)
