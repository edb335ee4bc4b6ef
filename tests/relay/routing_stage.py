"""A relay's ingest and routing without the rest, and a destination with a mistake in it."""

from __future__ import annotations

import json
from typing import Any

from relay.destinations import Event
from relay.ingest import Ingest
from relay.metrics import Metrics
from relay.outbox.sqlite import SqliteOutbox
from relay.record import Received
from relay.routing import Routing
from tests.relay.delivery_stage import FakeDestination
from tests.relay.relay_stage import EVENT, NOW, site

PAGE = {"ip": "203.0.113.7", "user_agent": "Mozilla/5.0"}
RECEIVED = Received(NOW, NOW, PAGE)
MIDTRANS = {"midtrans": {"server_key": "SB-Mid-server-TESTKEY"}}


class Fussy(FakeDestination):
    """A destination with a mistake in it, about events of this name."""

    mistake_at = ""

    def skips(self, event: Event) -> str | None:
        if event["event_id"] == self.mistake_at:
            raise ValueError(f"no words for {event['user']['email']}")
        return "not configured" if event["event_id"].startswith("skip") else None


class Relaying:
    """Ingest and routing of the shop `toko`, and whom delivery was woken for."""

    def __init__(self, outbox: SqliteOutbox, **settings: Any) -> None:
        self.woken: list[tuple[str, str]] = []
        self.metrics = Metrics(["toko"], [("toko", "one"), ("toko", "two")])
        self.one, self.two = Fussy("one"), FakeDestination("two")
        self.site = site(**settings)
        every: list[Any] = [self.one, self.two]
        self.routing = Routing(
            outbox,
            {"toko": self.site},
            {"toko": {"": every, "meta": every[:1]}},
            lambda *route: self.woken.append(route),
            self.metrics,
        )
        self.ingest = Ingest(outbox, self.routing, self.metrics)

    async def accept(self, *event_ids: str, received: Received = RECEIVED, **more: Any) -> None:
        """One request with these events, as a page sends them."""
        events = [{**EVENT, "event_id": event_id, **more} for event_id in event_ids]
        body = json.dumps({"events": events}).encode()
        await self.ingest.accept(self.site, body, received, len(events))


def both(*event_ids: str) -> list[tuple[str, str, str]]:
    return [(one, to, "waiting") for one in sorted(event_ids) for to in ("one", "two")]


async def event_of(outbox: SqliteOutbox, event_id: str, to: str = "two") -> dict[str, Any]:
    found = await outbox.claim("toko", to, 1000, NOW * 2)
    await outbox.release(found)
    (event,) = [one.event for one in found if one.event_id == event_id]
    return event
