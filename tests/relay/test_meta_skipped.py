"""Meta: which events its Conversions API is not sent, and why (specs/meta.md section 4)."""

from typing import Any

import pytest

from relay.destinations import Event
from tests.relay import shop
from tests.relay.pixel_api_shop import CHECKOUT, EVERY_EVENT, VIEW, one

BARE = {"client": {"user_agent": "Mozilla/5.0"}, "attribution": {}}
NO_URL = "no http or https page URL"
NO_USER_AGENT = "no user agent"
TOO_LITTLE = "too little user data to match anyone"

SKIPPED: list[tuple[dict[str, Any], str | None]] = [
    ({"page": {}}, NO_URL),
    ({"page": {"url": "file:///a"}}, NO_URL),
    ({"client": None}, NO_USER_AGENT),
    ({"client": {"ip": "203.0.113.7"}}, NO_USER_AGENT),
    ({"client": {"ip": "203.0.113.7", "user_agent": " "}}, NO_USER_AGENT),
    # meta 4: each set that is too little alone; the country is the shop's.
    (BARE, TOO_LITTLE),
    ({**BARE, "user": {"country": "sg"}}, TOO_LITTLE),
    (
        {
            **BARE,
            "user": {"city": "Bandung", "state": "Jawa Barat", "zipcode": "40111", "gender": "f"},
        },
        TOO_LITTLE,
    ),
    ({**BARE, "user": {"birthdate": "1990-01-31"}}, TOO_LITTLE),
    ({**BARE, "user": {"email": "siti@localhost", "phone": "12345"}}, TOO_LITTLE),
    # One more, and it is enough.
    ({**BARE, "user": {"birthdate": "1990-01-31", "city": "Bandung"}}, None),
    ({**BARE, "user": {"email": "siti@toko.example"}}, None),
    ({**BARE, "user": {"email_sha256": "a" * 64}}, None),
    ({**BARE, "attribution": {"fbp": "fb.1.1760000000000.4821"}}, None),
    ({**BARE, "client": shop.CLIENT}, None),
    ({}, None),
]


@pytest.mark.parametrize(("more", "expected"), SKIPPED)
def test_meta_4_what_a_websites_event_must_have(more: dict[str, Any], expected: str | None) -> None:
    """meta 4: without it, it would refuse the whole request."""
    assert one("meta").skips(shop.add_to_cart(**more)) == expected


def test_meta_2_a_purchase_without_a_value_is_skipped() -> None:
    """meta 2, subcode 2804009: an event of another name may be sent as `Purchase`."""
    to = one("meta", event_names={"quiz_done": "Purchase"})
    quiz = shop.event("quiz_done", custom_events=("quiz_done",))
    assert to.skips(quiz) == "no value, which a Purchase needs"
    paid = shop.event("quiz_done", {"value": 1}, custom_events=("quiz_done",))
    assert to.skips(paid) is None


@pytest.mark.parametrize("event", EVERY_EVENT, ids=lambda event: event["event_name"])
def test_every_event_of_the_catalogue_is_wanted(event: Event) -> None:
    """DESIGN 5.2: page views too; the copy has the pixel's event ID."""
    assert one("meta").skips(event) is None


def test_alusio_s1_only_the_events_that_are_set() -> None:
    """alusio S1, DESIGN 5.2: with `events`, the others cause no request."""
    to = one("meta", events=["purchase"])
    reason = "not among the events set for this destination"
    assert [to.skips(event) for event in (VIEW, shop.add_to_cart(), CHECKOUT)] == [reason] * 3
    assert to.skips(shop.purchase()) is None


def test_r63_an_order_that_looks_like_spam_is_not_sent() -> None:
    """scalev R63: it goes nowhere."""
    spam = shop.purchase(params={"is_probably_spam": True})
    assert one("meta").skips(spam) == "probably spam"


def test_without_a_token_nothing_is_sent() -> None:
    """DESIGN 5.4: such a table is a pixel only; the deliveries say so."""
    assert one("meta", access_token="").skips(shop.purchase()) == "not configured: no access_token"
