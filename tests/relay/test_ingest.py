"""From a checked event to what each destination is to get, durable before 204 (DESIGN 5.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from relay.destinations import Event
from relay.ingest import Ingest, Received, enrich, route
from relay.outbox import OutboxUnavailable, Record
from relay.refusals import Refusal
from tests.relay.delivery_stage import FakeDestination
from tests.relay.relay_stage import EVENT, NOW, site

PAGE = {"ip": "203.0.113.7", "user_agent": "Mozilla/5.0"}


class Shelf:
    """Stands where the outbox does: keeps what is put, or has no room."""

    def __init__(self, *, has_room: bool = True) -> None:
        self.has_room = has_room
        self.records: list[Record] = []

    async def put(self, records: Sequence[Record]) -> set[tuple[str, str]]:
        if not self.has_room:
            raise OutboxUnavailable("disk full")
        self.records += records
        return {("toko", new["destination"]) for _, deliveries in records for new in deliveries}


class Fussy(FakeDestination):
    """A destination that needs consent for category 2 and wants nothing."""

    categories: Sequence[str] = ("2",)

    def skips(self, event: Event) -> str | None:
        return "not configured"


def ingest(shelf: Any, woken: list[tuple[str, str]]) -> Ingest:
    def wake(name: str, destination: str) -> None:
        assert shelf.records, "woken before it was stored"
        woken.append((name, destination))

    return Ingest(shelf, {"toko": [FakeDestination("one"), FakeDestination("two")]}, wake)


def test_what_has_new_work_is_woken_once_it_is_stored() -> None:
    """Not before: there would be nothing to find."""
    shelf, woken = Shelf(), list[tuple[str, str]]()
    asyncio.run(ingest(shelf, woken).store(site(), [EVENT, EVENT], Received(NOW, None, None)))
    assert len(shelf.records) == 2
    assert sorted(woken) == [("toko", "one"), ("toko", "two")]


def test_what_is_not_stored_wakes_nobody() -> None:
    """503, and the caller keeps it."""
    woken: list[tuple[str, str]] = []
    with pytest.raises(Refusal) as caught:
        asyncio.run(
            ingest(Shelf(has_room=False), woken).store(site(), [EVENT], Received(NOW, None, None))
        )
    assert (caught.value.code, caught.value.retry_after_s) == ("not_durable", 2)
    assert woken == []


def test_an_event_is_never_changed_in_place() -> None:
    """Whoever gave it may still hold it."""
    before = dict(EVENT)
    enrich(EVENT, site(), Received(NOW, NOW - 5000, PAGE))
    assert before == EVENT


def test_a_page_is_known_by_what_the_relay_sees() -> None:
    """What is unknown is left out."""
    full = enrich(EVENT, site(), Received(NOW, None, {"ip": "", "user_agent": "Mozilla/5.0"}))
    assert full["client"] == {"user_agent": "Mozilla/5.0"}


def test_a_destination_gets_what_nothing_speaks_against() -> None:
    """It waits for delivery, with the event ID that the destination is given."""
    event = enrich(EVENT, site(), Received(NOW, None, PAGE))
    assert route(event, FakeDestination()) == {
        "destination": "meta",
        "state": "waiting",
        "reason": "",
        "sent_as": None,
    }


def test_consent_is_asked_first_the_call_second_and_the_destination_last() -> None:
    """The first refusal is the reason."""
    event = {**EVENT, "consent": {"status": "granted", "categories": ["1"]}, "destinations": []}
    assert route(event, Fussy())["reason"] == "no consent for category 2"
    event["consent"] = {"status": "granted"}
    assert route(event, Fussy())["reason"] == "not among the call's destinations"
    event["destinations"] = ["meta"]
    assert route(event, Fussy()) == {
        "destination": "meta",
        "state": "skipped",
        "reason": "not configured",
        "sent_as": None,
    }
