"""A body of our own tracker is known at once; what isn't surely right is left to the full check."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pixelmirror import catalogue
from pixelmirror.sent_event import MAX_BYTES, MAX_EVENTS
from relay.canonical_types import KINDS, PATTERNS
from tests.relay.canonical_bodies import EVERY, GOODS, LEAST, body, event, taken, text
from tests.relay.relay_stage import NOW
from tests.relay.sandbox_client import GONE, changed
from tests.relay.test_hostile_bodies import MARK, nasty, places
from tests.unit import samples


def with_value(place: str, value: Any, said: dict[str, Any] | None = None) -> bytes:
    """A body with another value at a place of its first event, or without one."""
    said = said or EVERY["purchase with more"]
    where = place if place in (*said, "calls", "site") else f"events.0.{place}"
    return text(changed(said, where, value)).encode()


# --- what is taken ---


@pytest.mark.parametrize("said", EVERY.values(), ids=EVERY)
def test_what_the_tracker_writes_is_canonical(said: dict[str, Any]) -> None:
    """Every event of the catalogue."""
    found = taken(text(said).encode())
    assert found is not None
    assert found.count == len(said["events"])


def test_the_answer_is_told_of_the_last_event_who_it_was() -> None:
    """For the cookies that are renewed."""
    found = taken(text(body(event("login", {}, LEAST), event("login", {}))).encode())
    assert found is not None
    assert found.count == 2
    assert found.sent_at == NOW + 500
    assert found.cookie_domain == "toko.example"
    assert found.last == {
        "attribution": {"fbc": "fb.1.1760000000000.AbC", "caid": "1" * 24},
        "consent": {"status": "granted", "gpc": True},
    }


def test_every_kind_of_the_catalogue_has_a_type() -> None:
    """Else the whole of an event that needs it would go the long way."""
    tables = (catalogue.FIELDS, catalogue.ITEM, catalogue.PRODUCT, catalogue.USER)
    kinds = {kind for table in tables for kind in table.values() if isinstance(kind, str)}
    assert {*KINDS, *PATTERNS, "items", "product"} == kinds


# Place, and a value that is taken there.
TAKEN: list[tuple[str, Any]] = [
    ("event_id", "x" * 200),
    ("event_id", "pesanan é 日本"),
    ("event_time", 10**12 + 1),
    ("page.url", "x" * 20_000),
    ("params.value", 999_999_999_999_999),
    ("params.coupon", "x" * 2048),
    ("params.coupon", "\xa0"),
    ("params.coupon", '"Hemat" 5"'),
    ("params.items.0.quantity", 10**9 - 1),
    ("params.items.0.discount", 60000),
    ("attribution.fbc", "x" * 8192),
    ("user.phone", "0812-3456-7890"),
    ("user.phone", "(+62) 812 3456 7890"),
    ("user.phone", "-".join("1" * 20)),
    ("destinations", []),
    ("cookie_domain", ""),
]


@pytest.mark.parametrize(("place", "value"), TAKEN)
def test_what_only_looks_odd_is_taken(place: str, value: Any) -> None:
    assert taken(with_value(place, value))


# --- what is left to the full check ---

# Place, and a value that no type takes there, though the full check may.
LEFT: list[tuple[str, Any]] = [
    ("sent_at", GONE),
    ("sent_at", NOW / 1000),
    ("sent_at", float(NOW)),
    ("cookie_domain", None),
    ("calls", []),
    ("site", "toko"),
    ("events", []),
    ("event_name", "quiz_done"),
    ("event_name", None),
    ("event_id", GONE),
    ("event_id", ""),
    ("event_id", "x" * 201),
    ("event_id", "a\x7f"),
    ("event_id", "a\xa0b"),
    ("event_id", "a\x00"),
    ("visitor_id", "a\u2028"),
    ("event_time", 10**12),
    ("event_time", 10**13),
    ("event_time", True),
    ("event_time", str(NOW)),
    ("page", None),
    ("page.url", 1),
    ("page.path", "/"),
    ("page.title", ""),
    ("page.title", " Kaos"),
    ("client", {"ip": "203.0.113.7"}),
    ("user", []),
    ("user.email", "siti"),
    ("user.email", "a@b@c"),
    ("user.email", "a @b"),
    ("user.email", "@b"),
    ("user.email", " a@b"),
    ("user.phone", "1234"),
    ("user.phone", "1" * 21),
    ("user.phone", "-".join("1" * 21)),
    ("user.phone", "1-2-3-4"),
    ("user.phone", "+"),
    ("user.phone", "\u0661" * 8),  # digits of another script
    ("user.birthdate", "9.3.1988"),
    ("user.birthdate", "\u0661988-03-09"),
    ("user.country", "Indonesia"),
    ("user.gender", "x"),
    ("user.id", ""),
    ("user.id_sha256", "x" * 64),
    ("user.id_md5", "a" * 31),
    ("user.address", "Jl. Merdeka 1"),
    ("user.consent_categories", ["1", " "]),
    ("attribution.fbc", ""),
    ("attribution.fbc", "x" * 8193),
    ("attribution.gclid", "x"),
    ("consent", GONE),
    ("consent.status", "maybe"),
    ("consent.categories", ["1", ""]),
    ("consent.categories", [1]),
    ("consent.gpc", 1),
    ("consent.gpc", False),
    ("destinations", "meta"),
    ("direct", [None]),
    ("params", GONE),
    ("params.id", 77),
    ("params.id", "  "),
    ("params.id", "\t"),
    ("params.id", " 77"),
    ("params.id", "77 "),
    ("params.id", "77\n"),
    ("params.url", "https://toko.example/?email=siti@example.com"),
    ("params.coupon", "x" * 2049),
    ("params.coupon", "\n\x0b"),
    ("params.coupon", "a \\ b"),
    ("params.value", "159000.00"),
    ("params.value", 159000.5),
    ("params.value", 159000.0),
    ("params.value", -1),
    ("params.value", 10**15),
    ("params.value", True),
    ("params.revenue", GONE),
    ("params.currency", "idr"),
    ("params.currency", "XXX"),
    ("params.currency", "USD"),  # its item's is another
    ("params.status", "Paid"),
    ("params.status", GONE),
    ("params.is_probably_spam", 1),
    ("params.note", "beyond the catalogue"),
    ("params.items", []),
    ("params.items.0", None),
    ("params.items.0.id", 1),
    ("params.items.0.quantity", 0),
    ("params.items.0.quantity", 1.5),
    ("params.items.0.quantity", 10**9),
    ("params.items.0.quantity", GONE),
    ("params.items.0.discount", 60000.5),
    ("params.items.0.kind", "bundle"),
    ("params.items.0.price", 60000),
    ("params.items.0.product.name", " "),
    ("params.items.0.product.price", GONE),
    ("params.items.0.product.colors", [" "]),
]


@pytest.mark.parametrize(("place", "value"), LEFT)
def test_what_the_tracker_would_not_write_is_left_to_the_full_check(place: str, value: Any) -> None:
    assert with_value(place, value) != text(EVERY["purchase with more"]).encode()
    assert taken(with_value(place, value)) is None


def test_an_item_too_many_is_left_to_the_full_check() -> None:
    """Of those events that have a limit of their own, and of all."""
    one = EVERY["select_item with more"]
    assert taken(with_value("params.items", [GOODS], one))
    assert taken(with_value("params.items", [GOODS, GOODS], one)) is None
    assert taken(with_value("params.items", [GOODS] * 500))
    assert taken(with_value("params.items", [GOODS] * 501)) is None


def test_items_of_two_currencies_are_left_to_the_full_check() -> None:
    """Which refuses them, whatever the event's own is."""
    for name in ("view_item_list", "view_cart"):
        other = samples.item(product={"id": "p2", "name": "Mug", "price": 1, "currency": "USD"})
        said = EVERY[f"{name} with more"]
        assert taken(with_value("params.items", [GOODS, other], said)) is None
        assert taken(with_value("params.currency", "USD", said)) is None


def test_a_body_is_of_so_many_events_and_bytes() -> None:
    """As many as the full check takes."""
    view = event("page_view", {}, LEAST)
    assert taken(text(body(*[view] * MAX_EVENTS)).encode())
    assert taken(text(body(*[view] * (MAX_EVENTS + 1))).encode()) is None
    room = MAX_BYTES - len(text(EVERY["several"]).encode())
    fitting = text(EVERY["several"]).encode() + b"\n" * room
    assert taken(fitting)
    assert taken(fitting + b"\n") is None


@pytest.mark.parametrize("field", ["email", "phone"])
def test_each_event_of_several_has_a_user_of_its_own(field: str) -> None:
    """Mostly the same; one that is not is looked at as the first is."""
    same, none = event("login", {}), event("login", {}, LEAST)
    other = changed(same, f"user.{field}", "1")
    assert taken(text(body(same, same, none, same)).encode())
    for mixed in ([same, other], [same, none, other], [other, same], [none, same, other, same]):
        assert taken(text(body(*mixed)).encode()) is None


def test_an_id_is_printable_in_a_body_of_ascii_too() -> None:
    """Where all texts are looked at in one go."""
    plain = body(event("page_view", {}, LEAST))
    assert text(plain).isascii()
    assert taken(text(plain).encode())
    for place in ("event_id", "visitor_id"):
        assert taken(with_value(place, "a\x7f", plain)) is None


# JSON texts at the edge of one type or another.
EDGES = [
    *nasty(),
    *("true", "false", "-1", "-0.0", "0.5", "1.0", "1e0", "1000000000", "999999999", "1e15"),
    *("999999999999999", "999999999999999.9", "1000000000000", "1000000000001", "9999999999999"),
    *(json.dumps(length * "é", ensure_ascii=False) for length in (200, 201, 2048, 2049, 8193)),
    *map(json.dumps, "idr IDR USD cod returned denied m a@b +6281234567 2001-01-01 x".split()),
    *('["1"]', '["1","é"]', '[" "]', '"x "', '" x"', '"\\"x\\" "', '{"id":"x"}'),
]


@pytest.mark.parametrize("name", ["purchase with more", "select_item with more", "several"])
def test_any_value_at_any_place_is_taken_by_both_or_left(name: str) -> None:
    """Nothing that is taken here is refused later, when its page has its 204."""
    count = 0
    for place in places(EVERY[name]):
        raw = text(changed(EVERY[name], place, MARK))
        for value in EDGES:
            count += taken(raw.replace(f'"{MARK}"', value).encode()) is not None
    assert count > 100


# --- one reading ---

PLAIN = text(EVERY["add_to_cart of the documents"])

# What stands in the body -> what is there instead.
TWO_READINGS = [
    ('"sent_at":', '"sent_at":1,"sent_at":'),
    ('"events":[', '"events":[],"events":['),
    ('"event_name":"add_to_cart"', '"event_name":"add_to_cart","event_name":"add_to_cart"'),
    ('"event_name":', '"event_name":"purchase","event_name":'),
    ('"value":120000', '"value":120000,"value":1e14'),
    ('"value":120000', '"value":1e14,"value":120000'),
    ('"price":60000', '"price":1e14,"price":1e14'),
    ('"status":"granted"', '"status":"denied","status":"granted"'),
    ('"fbc":', '"fbc":"","fbc":'),
    ('"fbc":', '"fbc":"x","f\\u0062c":'),
    ('"id":"p-2"', '"id":"\\u0022\\u0022\\u0022","id":"p-2"'),
    ('"Kaos"', '"Kaos\\ud83d"'),
    ('"Kaos"', '"Kaos\\uDE00"'),
    ('"Kaos"', '"Kaos\n"'),
    ('"Kaos"', '"Kaos\\x"'),
    ('"Kaos"', '"Ka\\u006fs"'),
    (',"events":', ', "events":'),
    ('"price":60000', '"price":NaN'),
    ('"price":60000', '"price":1e400'),
    ('"price":60000', '"price":060000'),
    ('"price":60000', '"price":' + "9" * 5000),
    ('"price":60000', '"price":-1e-300'),
    ('"price":60000', '"price":' + "[" * 100_000),
    ('{"sent_at"', '\ufeff{"sent_at"'),
    ("]}", "]}]"),
    ("]}", "]"),
]


@pytest.mark.parametrize(("instead_of", "there"), TWO_READINGS)
def test_what_can_be_read_in_two_ways_or_none_is_left_to_the_full_check(
    instead_of: str, there: str
) -> None:
    assert instead_of in PLAIN
    assert taken(PLAIN.replace(instead_of, there, 1).encode()) is None


@pytest.mark.parametrize("bad", [b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80"])
def test_what_is_no_utf_8_is_left_to_the_full_check(bad: bytes) -> None:
    """Wherever it stands."""
    raw = PLAIN.encode()
    for place in (b'"Kaos', b'"cookie_domain', b'"fbc'):
        assert taken(raw.replace(place, place + bad, 1)) is None


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b"{}", b"\x00", b'"', b"{" * 100_000])
def test_what_is_no_body_at_all_is_left_to_the_full_check(raw: bytes) -> None:
    assert taken(raw) is None


# --- what the check would add or change ---


@pytest.mark.parametrize("value", [0.5, 0.0001, 22.53, 999_999_999_999.9999])
def test_amounts_with_cents_are_taken(value: float) -> None:
    """As they are rounded, and only of a currency that has cents."""
    said = EVERY["amounts with cents"]
    assert taken(with_value("params.value", value, said))
    assert taken(with_value("params.value", value / 7, said)) is None
    assert taken(with_value("params.currency", "IDR", said)) is None
    for name in ("view_item_list", "generate_lead"):
        other = EVERY[f"{name} of the documents"]
        place = "params.value" if name == "generate_lead" else "params.items.0.product.price"
        assert taken(with_value(place, value, other)) is None


@pytest.mark.parametrize("value", [1.0, -0.0, 1e14, 1e-5])
def test_a_fraction_that_is_none_is_left_to_the_full_check(value: float) -> None:
    """It makes a whole number of it."""
    assert taken(with_value("params.value", value, EVERY["amounts with cents"])) is None


# Event, and fields of it without each of which the check would fill it in.
DERIVED = [
    ("view_cart", ["value", "currency"]),
    ("view_item", ["value", "currency", "revenue"]),
    ("add_payment_info", ["value", "currency", "revenue"]),
    ("generate_lead", ["currency"]),
    ("refund", ["currency", "revenue", "type"]),
    ("page_view", ["page_type"]),
]


@pytest.mark.parametrize(("name", "fields"), DERIVED)
def test_what_follows_from_the_rest_is_there(name: str, fields: list[str]) -> None:
    for field in fields:
        assert taken(with_value(f"params.{field}", GONE, EVERY[f"{name} of the documents"])) is None


def test_what_nothing_follows_from_need_not_be_there() -> None:
    """Whether the event might have it or not."""
    for name in ("add_payment_info", "generate_lead"):
        said = EVERY[f"{name} at its least"]
        assert taken(with_value("params.currency", "IDR", said))
        assert taken(with_value("params.value", 5, said)) is None
    said = EVERY["add_payment_info at its least"]
    assert taken(with_value("params.revenue", 0, said)) is None


def test_the_defaults_of_an_event_are_required_of_it() -> None:
    """So that none is filled in later."""
    for row in catalogue.EVENTS.values():
        assert set(row.get("defaults", {})) <= set(row["required"])


# --- orders ---


def test_an_order_may_have_any_id_of_its_own() -> None:
    """The caller's too."""
    for one in ("ORD-77-purchase", "anything"):
        assert taken(with_value("event_id", one))
    assert taken(with_value("params.value", 0, EVERY["refund at its least"]))
