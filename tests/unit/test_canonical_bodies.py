"""What the tracker posts is what the relay knows at once (`relay.canonical`)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pixelmirror import catalogue
from relay.canonical import canonical
from tests.unit import examples
from tests.unit.samples import NOW_MS


def compact(value: Any) -> str:
    """As the tracker posts it; its keys are in the order in which the interpreter had them."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def body(*events: Any) -> bytes:
    said = {"sent_at": NOW_MS, "cookie_domain": "toko.example", "events": events}
    return compact(said).encode()


def test_every_event_that_the_page_builds_is_canonical(
    micropython: Callable[[str, str], Any],
) -> None:
    """On both interpreters; whatever the next version of one writes."""
    for found in (micropython("tests.unit.examples", "texts"), examples.texts()):
        events = [json.loads(text) for name, text in found if name.startswith("event ")]
        assert len(events) == len(catalogue.EVENTS)
        assert canonical(body(*events))
        for event in events:
            assert canonical(body(event)), event


def test_the_body_that_a_page_posts_is_canonical(micropython: Callable[[str, str], Any]) -> None:
    """With a user, attribution and consent in it."""
    [text] = [text for name, text in micropython("tests.unit.examples", "texts") if name == "body"]
    [[said]] = json.loads(text)
    for event in said["events"]:
        event["user"]["lastname"] = event["params"]["coupon"] = (
            "Açaí 日本"  # few have control codes
        )
    found = canonical(compact(said).encode())
    assert found
    assert found.count == len(said["events"])
