"""Personal data is hashed as early as the destinations allow: before it is stored."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from relay.destinations import Event, KeepsHashes
from relay.destinations.registry import destinations
from relay.outbox.sqlite import SqliteOutbox
from relay.record import record
from tests.relay.records import raw
from tests.relay.shop import ATTRIBUTION, UUID, add_to_cart, destination, purchase, site

META = {"meta": {"mode": "server", "pixel_ids": ["1", "2"], "access_token": "EAAB-token"}}
TIKTOK = {"tiktok": {"mode": "server", "pixel_ids": ["C1"], "access_token": "tt-token"}}
TRACIFY = {"tracify": {"customer_site_id": UUID, "token": "tr-token"}}
KWAI = {"kwai": {"mode": "server", "pixel_ids": ["3"], "access_token": "kw-token"}}
ALHENA = {"alhena": {"mode": "server", "company_key": "toko"}}
SCALEV = {"scalev": {"store_id": "s", "api_key": "k", "providers": ["snackvideo"]}}
FINGERPRINTS = {**ATTRIBUTION, "alhena_fingerprint": UUID, "alhena_faq_fingerprint": UUID}
PLAIN = ("siti@example.com", "81234567890", "Siti", "Rahma", "Bandung", "C-77")

HASHING: list[tuple[str, dict[str, Any]]] = [
    ("meta.1", META),
    ("tiktok", TIKTOK),
    ("tracify", TRACIFY),
    ("kwai", KWAI),
    ("alhena", ALHENA),
]


def order() -> Event:
    return purchase(attribution=FINGERPRINTS)


@pytest.mark.parametrize(("name", "tables"), HASHING, ids=[name for name, _ in HASHING])
def test_what_waits_for_hashes_alone_is_stored_without_anything_plain(
    name: str, tables: dict[str, Any]
) -> None:
    """And its system is given, to the letter, what it would have been given of the plain event."""
    to = destination(name, tables)
    stored, (delivery,) = record(order(), [to])
    assert delivery["state"] == "waiting", delivery["reason"]
    assert not [plain for plain in PLAIN if plain in str(stored)]
    ours, plain = to.requests([stored]), to.requests([order()])
    assert [(one.url, one.body, one.headers) for one in ours] == [
        (one.url, one.body, one.headers) for one in plain
    ]


def test_each_destination_finds_its_own_hashes() -> None:
    """Two systems normalise a phone in two ways; two pixels of one system do not share either."""
    every = destinations(site({**META, **TIKTOK, **TRACIFY}))
    stored, _ = record(order(), every)
    assert set(stored["hashed"]) == {"meta.1", "meta.2", "tiktok", "tracify"}
    for to in every:
        (ours,), (plain,) = to.requests([stored]), to.requests([order()])
        assert ours.body == plain.body


def test_one_destination_that_needs_the_plain_user_keeps_it() -> None:
    """Scalev hashes by itself; the event is hashed for nobody until it is sent then."""
    stored, _ = record(order(), destinations(site({**TRACIFY, **SCALEV})))
    assert stored == order()


def test_a_destination_that_skips_the_event_needs_nothing_of_it() -> None:
    """Scalev has no add_to_cart here, so that only Meta's hashes are kept."""
    tables = {**META, "scalev": {**SCALEV["scalev"], "events": ["purchase"]}}
    every = destinations(site(tables))
    stored, _ = record(add_to_cart(user={"email": PLAIN[0]}), every)
    assert "user" not in stored
    assert set(stored["hashed"]) == {"meta.1", "meta.2"}


def test_the_parts_of_an_event_are_stored_without_the_user_too() -> None:
    """Alhena gets a cart event item by item and nothing of who it was."""
    items = [{**item, "cart_quantity": 1} for item in order()["params"]["items"]]
    cart = add_to_cart(attribution=FINGERPRINTS, user={"email": PLAIN[0]})
    cart = {**cart, "params": {**cart["params"], "items": items}}
    _, (delivery,) = record(cart, [destination("alhena", ALHENA)])
    parts = [part for part, _ in delivery["parts"]]
    assert len(parts) == 2
    assert PLAIN[0] not in str(parts)


def test_what_has_no_hashes_is_as_it_came() -> None:
    """An event without a user is stored unchanged."""
    stored, _ = record(add_to_cart(user={}), destinations(site(META)))
    assert stored == add_to_cart(user={})


@pytest.mark.parametrize("name", ["meta.1", "tracify"])
def test_an_event_stored_plain_by_an_earlier_version_is_sent_hashed(name: str) -> None:
    """The outbox may hold some when the relay is brought up to date."""
    to = destination(name, {**META, **TRACIFY})
    assert isinstance(to, KeepsHashes)
    assert to.stored_hashes(order()) == to.hashed_user(order())
    (request,) = to.requests([order()])
    assert not [plain for plain in PLAIN if plain.encode() in request.body]


def test_nothing_plain_of_the_user_reaches_the_disk_where_hashes_are_enough(
    tmp_path: Path,
) -> None:
    """Not a byte, while the delivery still waits."""

    async def put() -> None:
        async with await SqliteOutbox.open(tmp_path / "var" / "outbox.db") as outbox:
            await outbox.put([record(order(), destinations(site({**META, **TIKTOK})))])
            assert len(await outbox.deliveries("toko", state="waiting")) == 3
            content = raw(tmp_path / "var" / "outbox.db")
            assert b"EAAB" not in content
            assert not [plain for plain in PLAIN if plain.encode() in content]

    asyncio.run(put())
