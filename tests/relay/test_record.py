"""From a checked event to what each destination is to get of it (DESIGN 5.5)."""

from __future__ import annotations

from collections.abc import Sequence

from relay.destinations import Event
from relay.record import Received, enrich, route
from tests.relay.delivery_stage import FakeDestination
from tests.relay.relay_stage import EVENT, NOW, site

PAGE = {"ip": "203.0.113.7", "user_agent": "Mozilla/5.0"}


class Fussy(FakeDestination):
    """A destination that needs consent for category 2 and wants nothing."""

    categories: Sequence[str] = ("2",)

    def skips(self, event: Event) -> str | None:
        return "not configured"


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
