"""Ingest: from a checked event to what each destination is to get of it, durable before 204."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from pixelmirror import attribution, consent_rules, urls
from pixelmirror.wanted import is_named
from relay import checkout
from relay.bots import is_bot
from relay.destinations import Destination, Event, KeepsHashes, TakesItems
from relay.logs import get_logger
from relay.metrics import Metrics
from relay.outbox import (
    Join,
    NewDelivery,
    Outbox,
    OutboxUnavailable,
    Payment,
    Record,
    Told,
)
from relay.refusals import Refusal
from relay.site import Site

log = get_logger("pixelmirror.ingest")

RETRY_AFTER_S = 2


@dataclass(frozen=True)
class Received:
    """What the relay itself sees of a request: when it came and, for a page, from whom."""

    at_ms: int
    sent_at: int | None
    client: Mapping[str, str] | None


class Ingest:
    """Takes the events of every site. `wake(site, destination)` tells delivery of new work.

    What it takes is counted in `metrics`.
    """

    def __init__(
        self,
        outbox: Outbox,
        destinations: Mapping[str, Sequence[Destination]],
        wake: Callable[[str, str], None],
        metrics: Metrics | None = None,
    ) -> None:
        self.outbox = outbox
        self.destinations = destinations
        self.wake = wake
        self.metrics = metrics or Metrics()

    async def store(self, site: Site, events: Sequence[dict[str, Any]], received: Received) -> None:
        """Every event is durable for every destination that wants it; raises Refusal 503.

        What waits for its order's payment is durable for that (`relay.checkout`).
        """
        records: list[Record] = []
        told: list[Told] = []
        for event in events:
            full = enrich(event, site, received)
            is_page = received.client is not None
            is_sent = not checkout.waits_for_payment(full, site)
            tells = checkout.told(full, site, is_page=is_page)
            if tells and tells.is_order_event and is_sent:
                tells = replace(tells, record=self._record(site, full))
            elif is_sent:
                records.append(self._record(site, full))
            told += [tells] if tells else []
        with durable(site):
            if told:
                fresh = await self.outbox.tell(records, told, self._join(site))
            else:
                fresh = await self.outbox.put(records)
        self.metrics.accepted(site.site, len(events))
        self._count(site, records)
        self._count(site, [one.record for one in told if one.record])
        self._wake(fresh)

    async def pay(self, site: Site, payment: Payment) -> None:
        """The order is paid, durable with the event that it sends; raises Refusal 503."""
        made: list[Record] = []
        join = self._join(site)

        def noted(payment: Payment, contexts: Sequence[Mapping[str, Any]]) -> Record:
            made.append(join(payment, contexts))
            return made[-1]

        with durable(site):
            fresh = await self.outbox.pay(payment, noted)
        self._count(site, made[-1:])
        self._wake(fresh)

    def _join(self, site: Site) -> Join:
        every = self.destinations[site.site]
        return lambda payment, contexts: self._record(
            site, checkout.joined(payment, contexts, site, every)
        )

    def _record(self, site: Site, event: Event) -> Record:
        return record(event, self.destinations[site.site])

    def _count(self, site: Site, records: Sequence[Record]) -> None:
        for _, deliveries in records:
            self.metrics.routed(site.site, deliveries)

    def _wake(self, fresh: set[tuple[str, str]]) -> None:
        for name, destination in fresh:
            self.wake(name, destination)


@contextmanager
def durable(site: Site) -> Iterator[None]:
    """What the outbox can't do now is Refusal 503."""
    try:
        yield
    except OutboxUnavailable as error:
        log.error("not stored", site=site.site, why=str(error))
        message = "the outbox can't store now, send it again"
        raise Refusal("not_durable", message, retry_after_s=RETRY_AFTER_S) from error


def enrich(event: dict[str, Any], site: Site, received: Received) -> dict[str, Any]:
    """The event with its site and source, our clock and, from a page, who the shopper is to us.

    Click IDs that Global Privacy Control refuses are left behind, whoever told them, and what is
    personal in the page's URLs.
    `event_time` moves by how far the sender's clock is off, and never lies ahead of ours. `is_bot`
    marks a crawler's or headless browser's, unless the site wants these as any other's.
    """
    source = "server" if received.client is None else "page"
    full = {**event, "site": site.site, "source": source, "received_at": received.at_ms}
    full["attribution"] = attribution.allowed(event["attribution"], event["consent"])
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
