"""422 `invalid_event`: what is wrong with an event, told by its field (DESIGN 5.4)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.relay.relay_stage import EVENT, ITEM, Stage, error_of, is_told
from tests.relay.sandbox_client import GONE, changed

# Where in the event, what stands there, the field it is told by, how the message starts.
WRONG = [
    ("event_id", GONE, "event_id", "event_id must be a text of 1 to 200 characters"),
    ("event_id", "", "event_id", "event_id must be a text"),
    ("event_id", "e" * 201, "event_id", "event_id must be a text"),
    ("event_id", "a\nb", "event_id", "event_id must be a text"),
    ("event_id", "a\0b", "event_id", "event_id must be a text"),
    ("event_id", 7, "event_id", "event_id must be a text"),
    ("event_name", GONE, "event_name", "unknown event null"),
    ("event_name", "add_to_basket", "event_name", "unknown event 'add_to_basket', did you mean"),
    ("event_name", ["add_to_cart"], "event_name", "unknown event a list of 1"),
    ("event_time", GONE, "event_time", "event_time must be milliseconds since 1970"),
    ("event_time", 1_760_000_000, "event_time", "event_time must be milliseconds"),
    ("event_time", 1_760_000_000_000_000, "event_time", "event_time must be milliseconds"),
    ("event_time", "1760000000000", "event_time", "event_time must be milliseconds"),
    ("event_time", 1.76e12 + 0.5, "event_time", "event_time must be milliseconds"),
    ("event_time", True, "event_time", "event_time must be milliseconds"),
    ("params", [], "params", "params must be an object"),
    ("params.currency", "idr1", "params.currency", "currency must be a three-letter ISO 4217"),
    ("params.value", "Rp 150.000", "params.value", "value must be a number of 0 or more"),
    ("params.value", "100,000", "params.value", "value must be a number of 0 or more"),
    ("params.value", -1, "params.value", "value must be a number of 0 or more"),
    ("params.items", GONE, "params.items", "items is required in add_to_cart"),
    ("params.items", [], "params.items", "items must be a list of 1 to 500"),
    ("params.items", [ITEM] * 501, "params.items", "items must be a list of 1 to 500"),
    ("params.items.0", "kaos", "params.items[0]", "an item must be an object"),
    ("params.items.0.id", GONE, "params.items[0].id", "id is required in each item"),
    ("params.items.0.quantity", 0, "params.items[0].quantity", "quantity must be 1 or more"),
    ("params.items.0.quantity", 1.5, "params.items[0].quantity", "quantity must be a whole"),
    ("params.items.0.quantity", GONE, "params.items[0].quantity", "quantity is required"),
    ("params.items.0.product", 1, "params.items[0].product", "a product must be an object"),
    ("params.items.0.product.name", GONE, "params.items[0].product.name", "name is required"),
    ("params.items.0.product.price", "?", "params.items[0].product.price", "price must be a"),
    ("params.own", {"a": {"b": {"c": {"d": {"e": 1}}}}}, "params.own.a.b.c.d.e", "e is nested"),
    ("params.own", "x" * 2049, "params.own", "own must have at most 2048"),
    ("page", "https://toko.example/", "page", "page must be an object"),
    ("page.url", 7, "page.url", "url must be a text"),
    ("page.title", ["Kaos"], "page.title", "title must be a text"),
    ("attribution", ["fbc"], "attribution", "attribution must be an object"),
    ("attribution.fbc", {}, "attribution.fbc", "fbc must be a text"),
    ("attribution.fbc", "f" * 8193, "attribution.fbc", "fbc must be a text of at most 8192"),
    ("user", "siti@example.com", "user", "user must be an object"),
    ("user.email", "siti", "user.email", "email must look like name@domain"),
    ("user.phone", "0812", "user.phone", "phone must hold 5 to 20 digits"),
    ("user.emial", "siti@example.com", "user.emial", "user has no field emial, did you mean"),
    ("user.email_sha256", "xyz", "user.email_sha256", "email_sha256 must be 64 hexadecimal"),
    ("consent", "granted", "consent.status", "consent.status must be granted, denied or"),
    ("consent.status", "maybe", "consent.status", "consent.status must be granted, denied or"),
    ("consent", {"status": "granted", "categories": "1"}, "consent.categories", "categories must"),
    ("visitor_id", 7, "visitor_id", "visitor_id must be a text"),
    ("destinations", "meta", "destinations", "destinations must be a list of texts"),
    ("destinations", [{}], "destinations[0]", "destinations[0] must be a text"),
]


@pytest.mark.parametrize(("where", "value", "field", "message"), WRONG)
def test_a_wrong_event_is_422_and_names_its_field(
    shared: Stage, where: str, value: Any, field: str, message: str
) -> None:
    """`invalid_event`, with the same words for a page and for a server; nothing is stored."""
    second = changed({**EVENT, "event_id": "second"}, where, value)
    events = [{**EVENT, "event_id": "first"}, second]
    for answer in (
        shared.page({"events": events}),
        shared.server({"site": "toko", "events": events}),
    ):
        assert is_told(answer, 422, "invalid_event", f"events[1].{field}")
        assert error_of(answer)["message"].startswith(message)
        assert "siti@" not in answer.text
    assert shared.rows() == []


@pytest.mark.parametrize("field", ["events", "calls"])
@pytest.mark.parametrize("rows", [[], {}, "all", 1, None])
def test_a_request_without_a_list_of_events_is_422(shared: Stage, field: str, rows: Any) -> None:
    """The field is then the list itself."""
    assert is_told(shared.page({field: rows}), 422, "invalid_event", field)


@pytest.mark.parametrize("sent_at", ["1760000000000", 1760000000, 1e400, True, [], -1])
def test_a_wrong_clock_is_422(shared: Stage, sent_at: Any) -> None:
    """`sent_at` is milliseconds, or is left out."""
    text = json.dumps({"events": [EVENT], "sent_at": sent_at}).replace("Infinity", "1e400")
    assert is_told(shared.page(text), 422, "invalid_event", "sent_at")
    assert shared.rows() == []


def test_an_event_that_is_no_object_is_422(shared: Stage) -> None:
    """The field is then its place in the list."""
    for row in (None, 7, "add_to_cart", [EVENT]):
        assert is_told(shared.page({"events": [EVENT, row]}), 422, "invalid_event", "events[1]")


def test_a_servers_wrong_client_is_422(shared: Stage) -> None:
    """Its `client` is checked; a page's is not looked at, for a page can't know."""
    event = {**EVENT, "client": {"ip": 7}}
    answer = shared.server({"site": "toko", "events": [event]})
    assert is_told(answer, 422, "invalid_event", "events[0].client.ip")
