"""What a system says about an event is kept and logged without the shopper and our secrets."""

from __future__ import annotations

import pytest

from relay.destinations import Request
from relay.redaction import safe_reason

EVENT = {
    "event_id": "add_to_cart_0b0f3c9e-1111-7000-8000-000000000001",
    "user": {
        "id": "C-77",
        "email": "siti@example.com",
        "phone": "+6281234567890",
        "name": "Siti",
        "address": {"city": "Bandung"},
    },
    "client": {"ip": "203.0.113.9"},
}

REQUEST = Request(
    url="https://api.example/events?access_token=EAAB9secret0token",
    body=b'{"id": "add_to_cart_0b0f3c9e-1111-7000-8000-000000000001", "api_key": "k3y-0123456789",'
    b' "content_id": "variant_a1b2c3d4e5f6"}',
    headers={
        "authorization": "Bearer abcdef0123456789",
        "content-type": "application/json",
        "x-api-key": "sfpk_plain",
    },
    events=[EVENT],
    repeatable=True,
)


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("currency must be ISO 4217", "currency must be ISO 4217"),
        ("Malformed access token EAAB9secret0token.", "Malformed access token [hidden]."),
        ("unknown key k3y-0123456789", "unknown key [hidden]"),
        ("bad: abcdef0123456789", "bad: [hidden]"),
        ("Bearer missing", "Bearer missing"),
        ("bad: sfpk_plain, sfpk_plainer", "bad: [hidden], sfpk_plainer"),
        ("event_time 1760000000 is too old", "event_time 1760000000 is too old"),
        (f"event {EVENT['event_id']} refused", f"event {EVENT['event_id']} refused"),
        ("em: 'Siti@Example.com' is no hash", "em: '[hidden]' is no hash"),
        ("other@shop.example is no hash", "[hidden] is no hash"),
        ("ph +62 812-3456-7890 not normalised", "ph [hidden] not normalised"),
        ("unknown city Bandung for Siti", "unknown city [hidden] for [hidden]"),
        ("address 203.0.113.9 blocked", "address [hidden] blocked"),
        ("no content variant_a1b2c3d4e5f6", "no content variant_a1b2c3d4e5f6"),
        ("content-type application/json", "content-type application/json"),
        ("two\nlines\r\n\tand a tab", "two lines and a tab"),
        ("x" * 400, "x" * 300),
    ],
)
def test_a_reason_keeps_the_words_and_hides_the_rest(words: str, kept: str) -> None:
    """One line, 300 characters, no personal data, no token, and still of use to the shop owner."""
    assert safe_reason(words, REQUEST) == kept


@pytest.mark.parametrize("part", ["a", "1a", "+1", "+1-", "a@", "x\n"])
def test_an_endless_reason_is_cut_before_it_is_looked_at(part: str) -> None:
    """The patterns look at each word from each of its letters: a megabyte would take hours."""
    assert len(safe_reason(part * 1_000_000, REQUEST)) <= 300
