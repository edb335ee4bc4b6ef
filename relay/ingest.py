"""Ingest: every way in goes through here, and what it took is durable before it is answered."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from relay.logs import get_logger
from relay.metrics import Metrics
from relay.outbox import Outbox, OutboxUnavailable, Payment, Record
from relay.record import Received
from relay.refusals import Refusal
from relay.routing import Routing
from relay.site import Site

log = get_logger("pixelmirror.ingest")

RETRY_AFTER_S = 2

ROUTED_WITHIN_S = 0.5
"""A payment waits no longer for what was told of its order; its notification must be answered."""

_facts = msgspec.json.Encoder().encode
_events = json.JSONEncoder(separators=(",", ":")).encode


class Ingest:
    """Takes the events of every site, and what `routing` is to make of them is made later.

    What it takes is counted in `metrics`.
    """

    def __init__(self, outbox: Outbox, routing: Routing, metrics: Metrics | None = None) -> None:
        self.outbox = outbox
        self.routing = routing
        self.metrics = metrics or Metrics()

    async def accept(self, site: Site, body: bytes, received: Received, count: int) -> None:
        """The body's events, so many, are durable; raises Refusal 503.

        Whoever hands it over has made sure that there is one way to read it, and that the check
        leaves it as it is (`relay.canonical`).
        """
        turns = self.routing.turns
        turns.request(count)
        try:
            await self.outbox.accept(site.site, received.at_ms, _facts(received), body)
        except OutboxUnavailable as error:
            raise _not_durable(site, error) from error
        finally:
            turns.under_way -= 1
        self.metrics.accepted(site.site, count)

    async def store(self, site: Site, events: Sequence[dict[str, Any]], received: Received) -> None:
        """Checked events are durable; raises Refusal 503."""
        if events:
            body = _events({"events": events}).encode()
            checked = msgspec.structs.replace(received, is_checked=True)
            await self.accept(site, body, checked, len(events))

    async def pay(self, site: Site, payment: Payment) -> None:
        """The order is paid, durable with the event that it sends; raises Refusal 503.

        What was told of the order before is known by then, unless very much is to be routed: then
        it completes the event later (`Outbox.tell`).
        """
        made: list[Record] = []

        def noted(payment: Payment, contexts: Sequence[Mapping[str, Any]]) -> Record:
            made.append(self.routing.join(payment, contexts))
            return made[-1]

        with durable(site):
            await self.routing.caught_up(ROUTED_WITHIN_S)
            fresh = await self.outbox.pay(payment, noted)
        self.routing.announce(made[-1:], fresh)


@contextmanager
def durable(site: Site) -> Iterator[None]:
    """What the outbox can't do now is Refusal 503."""
    try:
        yield
    except OutboxUnavailable as error:
        raise _not_durable(site, error) from error


def _not_durable(site: Site, error: OutboxUnavailable) -> Refusal:
    log.error("not stored", site=site.site, why=str(error))
    message = "the outbox can't store now, send it again"
    return Refusal("not_durable", message, retry_after_s=RETRY_AFTER_S)
