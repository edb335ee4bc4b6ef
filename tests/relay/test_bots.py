"""Bots are kept out of what advertising learns from (DESIGN 5.2)."""

from __future__ import annotations

from typing import Any

import pytest

from relay.bots import is_bot
from relay.destinations import Event
from relay.record import Received, enrich, route
from tests.relay.delivery_stage import FakeDestination
from tests.relay.relay_stage import EVENT, NOW, site

CHROME = (
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile"
)
USER_AGENTS = [
    ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", True),
    ("facebookexternalhit/1.1", True),
    ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/140.0.0.0", True),
    (CHROME, False),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari", False),
    ("", False),
    ("x" * 1_000_000, False),
]


@pytest.mark.parametrize(("user_agent", "expected"), USER_AGENTS, ids=lambda each: str(each)[:40])
def test_crawlers_and_headless_browsers_are_known(user_agent: str, expected: bool) -> None:
    """By a list that is kept up to date by others; what says nothing is taken for a shopper."""
    assert is_bot(user_agent) is expected


class OfKind(FakeDestination):
    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def event(user_agent: str, **settings: Any) -> Event:
    client = {"ip": "203.0.113.7", "user_agent": user_agent}
    return enrich(EVENT, site(**settings), Received(NOW, None, client))


@pytest.mark.parametrize("kind", ["meta", "tiktok", "kwai", "scalev", "tracify"])
def test_a_bot_is_kept_out_of_advertising_with_that_reason(kind: str) -> None:
    """A campaign that learns from bots buys bots; /v1/deliveries shows what was skipped and why."""
    delivery = route(event("Googlebot/2.1"), OfKind(kind))
    assert delivery["state"] == "skipped"
    assert delivery["reason"].startswith("bot: ")
    assert route(event(CHROME), OfKind(kind))["state"] == "waiting"


def test_a_setting_lets_bots_through() -> None:
    """`bots = "send"`: for end-to-end tests in headless browsers."""
    sent = event("HeadlessChrome/140.0", bots="send")
    assert "is_bot" not in sent
    assert route(sent, OfKind("meta"))["state"] == "waiting"
