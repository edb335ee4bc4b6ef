"""What the tracker posts is what the relay knows at once (`relay.canonical`)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from relay.canonical import canonical
from tests.unit import examples
from tests.unit.samples import NOW_MS


def of(events: list[str]) -> bytes:
    """The body of these events, each in the order and form that its interpreter gave it."""
    head = json.dumps({"sent_at": NOW_MS, "cookie_domain": "toko.example"})
    return f'{head[:-1]},"events":[{",".join(events)}]}}'.encode()


def test_every_event_that_the_page_builds_is_canonical(
    micropython: Callable[[str, str], Any],
) -> None:
    """On both interpreters; whatever the next version of one writes."""
    for found in (micropython("tests.unit.examples", "texts"), examples.texts()):
        events = [text for name, text in found if name.startswith("event ")]
        assert len(events) >= 19
        assert canonical(of(events))
        for text in events:
            assert canonical(of([text])), text


def test_the_body_that_a_page_posts_is_canonical(micropython: Callable[[str, str], Any]) -> None:
    """With a user, attribution and consent in it, and texts that few shops have."""
    [body] = [text for name, text in micropython("tests.unit.examples", "texts") if name == "body"]
    [[said]] = json.loads(body)
    found = canonical(body[2:-2].encode())
    assert found
    assert found.count == len(said["events"])
