"""Who the shopper is to each system: the shop's ID of him, or our visitor ID, or neither."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest

from relay.destinations import Event
from relay.destinations.registry import destinations
from relay.site import parse
from tests.relay.relay_stage import EVENT, SITE, TRACIFY

TABLES: dict[str, Any] = {
    "meta": {"mode": "server", "pixel_ids": ["1"], "access_token": "meta-token"},
    "tiktok": {"mode": "server", "pixel_ids": ["C1"], "access_token": "tiktok-token"},
    "kwai": {"mode": "server", "pixel_ids": ["3"], "access_token": "kwai-token"},
    "tracify": TRACIFY,
    "commanders_act": {"mode": "server", "site_id": "3311", "source_key": "source-key"},
    "alhena": {"mode": "server", "company_key": "company"},
}
SCALEV = {"scalev": {"store_id": "store_1", "api_key": "sfpk_1"}}

VISITOR = "0199cb23-8a00-7000-9000-00000000cafe"


def bodies(user: dict[str, str], visitor_id: str) -> dict[str, str]:
    """Destination -> all that it is posted of one event, as text."""
    event: Event = {
        **EVENT,
        "user": user,
        "visitor_id": visitor_id,
        "attribution": {
            **EVENT["attribution"],
            "caid": "202612345678901234567890",
            "alhena_fingerprint": "f1",
            "alhena_faq_fingerprint": "f2",
        },
        "consent": {"status": "granted", "categories": ["1"]},
        "client": {"ip": "203.0.113.7", "user_agent": "Mozilla/5.0"},
        "site": "toko",
    }
    found = {}
    for tables in (TABLES, SCALEV):
        site = parse({**SITE, "destinations": tables}, "toko.toml")
        for each in destinations(site):
            assert each.skips(event) is None, each.name
            (request,) = each.requests([event])
            found[each.name] = request.body.decode()
    return found


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


# Destination -> where its body has the ID; what stands there for the user's ID `C-77`, and for
# nobody but the visitor.
IDS: dict[str, tuple[tuple[str | int, ...], Any, Any]] = {
    "meta": (("data", 0, "user_data", "external_id"), [hashed("c-77")], [hashed(VISITOR)]),
    "tiktok": (("data", 0, "user", "external_id"), hashed("C-77"), hashed(VISITOR)),
    # scalev R62: the customer's ID, and no other.
    "scalev.meta": (("user_data", "external_id"), "C-77", None),
    "scalev.tiktok": (("user", "external_id"), "C-77", None),
    "commanders_act": (("user", "id"), "C-77", None),
    # kwai 5: the field is unconfirmed; the others know none.
    "kwai": (("external_id",), None, None),
    "scalev.snackvideo": (("external_id",), None, None),
    "tracify": (("external_id",), None, None),
    "alhena": (("external_id",), None, None),
}


@pytest.mark.parametrize("name", IDS)
def test_external_id_is_the_users_id_or_else_the_visitors(name: str) -> None:
    """meta 5, tiktok 5: an "external cookie ID" will do, where the shop has told no ID."""
    path, of_user, of_visitor = IDS[name]
    for user, expected in (({"id": "C-77"}, of_user), ({}, of_visitor)):
        value: Any = json.loads(bodies(user, VISITOR)[name])
        for step in path:
            value = value.get(step) if isinstance(value, dict) else value[step]
        assert value == expected, user


def test_the_visitor_id_goes_nowhere_else() -> None:
    """To nobody in plain, and to nobody beside the user's own ID."""
    assert set(bodies({}, VISITOR)) == set(IDS)
    for user in ({"id": "C-77"}, {}):
        for name, text in bodies(user, VISITOR).items():
            assert VISITOR not in text, name
    for name, text in bodies({"id": "C-77"}, VISITOR).items():
        assert hashed(VISITOR) not in text, name


def test_an_id_that_the_shop_hashed_itself_goes_before_the_visitors() -> None:
    """It tells who the shopper is, as the plain one does."""
    found = bodies({"id_sha256": "a" * 64}, VISITOR)
    assert json.loads(found["meta"])["data"][0]["user_data"]["external_id"] == ["a" * 64]
    assert json.loads(found["tiktok"])["data"][0]["user"]["external_id"] == "a" * 64
