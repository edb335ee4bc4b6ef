"""`docs/event.schema.json`: it takes what the relay takes and refuses what the relay refuses."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pixelmirror.check import EventError, check_kind
from relay import wire
from relay.reference.examples import EXAMPLES
from relay.reference.kinds import KINDS
from relay.reference.schema import document
from relay.refusals import Refusal
from relay.site import parse
from tests.relay.relay_stage import EVENT, ITEM, SITE
from tests.relay.sandbox_client import GONE, changed
from tests.relay.test_wrong_events import WRONG

SCHEMA = json.loads(
    (Path(__file__).parents[1] / "docs" / "event.schema.json").read_text(encoding="utf-8")
)
TOKO = parse({**SITE, "custom_events": []}, "toko.toml")


PRODUCT = {"id": "p1", "name": "Kaos", "price": 60000}
EURO = {**PRODUCT, "currency": "EUR"}


def is_valid(body: Any, schema: Any = SCHEMA) -> bool:
    """Whether the schema takes it."""
    return bool(jsonschema.Draft202012Validator(schema).is_valid(body))


def is_taken(body: Any) -> bool:
    """Whether the relay takes it, from a server."""
    try:
        wire.sent_at(body)
        wire.events(body, TOKO, is_server=True)
    except Refusal:
        return False
    return True


def of(event_name: str, params: Any, event_id: Any = "e-1") -> dict[str, Any]:
    """An event with these params, and no event ID where it is GONE."""
    event = {**EVENT, "event_name": event_name, "event_id": event_id, "params": params}
    return {name: value for name, value in event.items() if value is not GONE}


def without(field: str, held: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in held.items() if name != field}


def test_it_is_a_sound_schema() -> None:
    """JSON Schema 2020-12, and each name that it refers to is there."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    names = set()

    def collect(node: Any) -> None:
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            if key == "$ref":
                names.add(value)
            elif isinstance(value, dict | list):
                collect(value)

    collect(SCHEMA)
    assert names == {f"#/$defs/{name}" for name in SCHEMA["$defs"]}


# --- what is right ---

RIGHT = [
    ("design", EVENT),
    ("least", {"event_id": "e-1", "event_name": "page_view", "event_time": 1760000000000}),
    ("null", dict.fromkeys(EVENT) | of("login", None)),
    ("client", {**EVENT, "client": {"ip": "203.0.113.7", "user_agent": "Mozilla/5.0"}}),
    ("consent", {**EVENT, "consent": {"status": "granted", "categories": ["1", 3], "gpc": True}}),
    ("own_fields", of("login", {"campaign": {"name": "lebaran", "steps": [1, None]}})),
    ("digits", of("view_cart", {"value": "147000.00", "items": [{**ITEM, "quantity": "2"}]})),
    ("numbers_as_ids", of("purchase", {"id": 77, "value": 1, "items": [{**ITEM, "id": 5}]})),
    ("order", of("purchase", {"id": "77", "value": 1, "items": [ITEM]}, GONE)),
    ("whole_refund", of("refund", {"id": "77", "value": 1}, GONE)),
    ("partial_refund", of("refund", {"id": "77", "value": 1, "items": [ITEM]})),
    ("subscription_by_order", of("subscribe", {"id": "1", "value": 1, "subscription_id": 9}, GONE)),
    ("subscription", of("subscribe", {"value": 1, "subscription_id": "s"})),
    ("viewed", of("view_item", {"items": [without("quantity", ITEM)]})),
    ("shorthand", of("view_item", {"items": [{"id": "a", "name": "Kaos", "price": 1}]})),
    ("mixed", of("view_item", {"items": [{"id": "a", "name": "K", "product": {"price": 1}}]})),
    (
        "user",
        {**EVENT, "user": {"email": "", "phone": None, "city_md5": "A" * 32, "country": "id"}},
    ),
]


@pytest.mark.parametrize("event", [event for _, event in RIGHT], ids=[name for name, _ in RIGHT])
def test_what_is_right_is_taken(event: dict[str, Any]) -> None:
    """By the schema and by the relay."""
    for body in (
        {"events": [event]},
        {"site": "toko", "sent_at": 1760000000500, "events": [EVENT, event]},
    ):
        jsonschema.Draft202012Validator(SCHEMA).validate(body)
        assert is_taken(body)


@pytest.mark.parametrize("event_name", EXAMPLES)
def test_each_example_of_the_documentation_is_taken(event_name: str) -> None:
    """As the params of an event, by the schema and by the relay."""
    body = {"events": [of(event_name, EXAMPLES[event_name])]}
    jsonschema.Draft202012Validator(SCHEMA).validate(body)
    assert is_taken(body)


# --- what is wrong ---


@pytest.mark.parametrize(("where", "value"), [row[:2] for row in WRONG])
def test_what_the_relay_refuses_of_an_event_is_refused(where: str, value: Any) -> None:
    """Each mistake that the relay's own tests hold against it, but for the nesting's depth."""
    event = changed(EVENT, where, value)
    assert is_valid({"events": [event]}) is (where == "params.own" and isinstance(value, dict))


MISTAKES = [
    ("custom_event", of("quiz_done", {})),
    ("no_params", of("add_to_cart", GONE)),
    ("null_params", of("add_to_cart", None)),
    ("null_items", of("add_to_cart", {"items": None})),
    ("no_search_term", of("search", {})),
    ("blank_search_term", of("search", {"search_term": " \t "})),
    ("two_selected", of("select_item", {"items": [ITEM, ITEM]})),
    ("no_payment_method", of("add_payment_info", {"items": [ITEM]})),
    ("payment_method", of("add_payment_info", {"payment_method": "cash"})),
    ("no_order_id", of("purchase", {"value": 1, "items": [ITEM]})),
    ("null_order_id", of("purchase", {"id": None, "value": 1, "items": [ITEM]})),
    ("no_value", of("purchase", {"id": "77", "items": [ITEM]})),
    ("status", of("purchase", {"id": "77", "value": 1, "items": [ITEM], "status": "paid"})),
    ("spam", of("purchase", {"id": "77", "value": 1, "items": [ITEM], "is_probably_spam": 1})),
    ("refund_without_value", of("refund", {"id": "77"})),
    ("partial_refund_without_id", of("refund", {"id": "7", "value": 1, "items": [ITEM]}, GONE)),
    ("no_subscription_id", of("subscribe", {"value": 1})),
    ("subscription_without_id", of("subscribe", {"value": 1, "subscription_id": "s"}, GONE)),
    ("item_of_another_event", of("login", {"items": [without("quantity", ITEM)]})),
    ("nameless", of("view_item", {"items": [{"id": "a", "price": 1, "product": {"price": 2}}]})),
    ("null_name", of("view_item", {"items": [{"id": "a", "price": 1, "name": None}]})),
    ("null_id", of("view_item", {"items": [{**ITEM, "id": None}]})),
    ("kind", of("view_item", {"items": [{**ITEM, "kind": "bundle"}]})),
    ("negative_discount", of("view_item", {"items": [{**ITEM, "discount": -1}]})),
    ("colors", of("view_item", {"items": [{**ITEM, "product": {**PRODUCT, "colors": "red"}}]})),
    ("country", {**EVENT, "user": {"country": "Indonesia"}}),
    ("gender", {**EVENT, "user": {"gender": "w"}}),
    ("birthdate", {**EVENT, "user": {"birthdate": "09-03-1988"}}),
    ("hash", {**EVENT, "user": {"phone_md5": "0" * 64}}),
    ("hash_of_nothing", {**EVENT, "user": {"shoe_md5": "0" * 32}}),
    ("no_status", {**EVENT, "consent": {}}),
    ("client", {**EVENT, "client": {"ip": 7}}),
]


@pytest.mark.parametrize(
    "event", [event for _, event in MISTAKES], ids=[name for name, _ in MISTAKES]
)
def test_what_is_wrong_is_refused(event: dict[str, Any]) -> None:
    """By the schema and by the relay."""
    body = {"events": [event]}
    assert not is_taken(body)
    assert not is_valid(body)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"events": []},
        {"events": {}},
        {"events": [EVENT] * 501},
        {"events": [None]},
        {"events": [EVENT], "sent_at": 1760000000},
        {"events": [EVENT], "sent_at": "1760000000000"},
    ],
    ids=["nothing", "none", "no_list", "many", "null", "seconds", "text"],
)
def test_a_wrong_body_is_refused(body: dict[str, Any]) -> None:
    """By the schema and by the relay."""
    assert not is_taken(body)
    assert not is_valid(body)


# --- one field ---

VALUES: list[Any] = [
    *(0, 1, 1.5, 2.0, -1, 10**9, 10**15, 3_000_000_000, True, False, None, [], {}, [1], ["a"]),
    *("", " ", "a", "1", "01", "1.5", "1.500", "1.5000", "1,5", "-1", "1e3", "1" * 30, ".5", "5."),
    *("IDR", "idr", "XXX", "id", "IDN", "i1", "siti@example.com", "a@b@c", "a @b", "@b", "a@"),
    *("+62 812-3456", "0812", "1988-03-09", "1988-3-9", "true", "x" * 2048, "x" * 2049, [True]),
]

# What the relay takes and the documents don't say: another spelling of the same.
LENIENT = [("currency", "idr"), ("phone", 10**9), ("phone", 10**15), ("phone", 3_000_000_000)]

# What the relay refuses and no schema can tell from 2.
WITH_POINT = [("id", 2.0)]


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"items", "product"}))
def test_each_kind_of_field_is_what_the_check_takes(kind: str) -> None:
    """Value by value: the schema of a kind and its check say the same, but for those above."""
    schema = {"$ref": f"#/$defs/{kind}", "$defs": SCHEMA["$defs"]}
    for value in VALUES:
        try:
            check_kind(kind, copy.deepcopy(value), "field")
        except EventError:
            is_right = False
        else:
            is_right = True
        differs = (kind, value) in (*LENIENT, *WITH_POINT)
        assert is_valid(value, schema) is (is_right is not differs), (kind, value)


# --- custom events ---


def test_a_sites_custom_events_can_be_added() -> None:
    """As its own description says: their names take the place of `not`."""
    schema = document()
    schema["$defs"]["custom_event_name"] = {"enum": ["quiz_done"]}
    for event, expected in (
        (of("quiz_done", {"score": 3, "items": [ITEM]}), True),
        (of("quiz_done", None), True),
        (of("quiz_done", {"value": "3,5"}), False),
        (of("quiz_done", {}, GONE), False),
        (of("quiz_undone", {}), False),
    ):
        assert is_valid({"events": [event]}, schema) is expected, event


# --- what a schema can't say ---

BEYOND = [
    (
        "two_currencies",
        of("view_cart", {"currency": "USD", "items": [{**ITEM, "product": EURO}]}),
    ),
    ("discount", of("view_cart", {"items": [{**ITEM, "discount": 60001}]})),
    ("shipping", of("purchase", {"id": "7", "value": 1, "shipping_amount": 2, "items": [ITEM]})),
    ("depth", of("login", {"own": {"a": {"b": {"c": {"d": {"e": 1}}}}}})),
    ("decimal_point", of("purchase", {"id": 77.0, "value": 1, "items": [ITEM]})),
]


@pytest.mark.parametrize("event", [event for _, event in BEYOND], ids=[name for name, _ in BEYOND])
def test_what_a_schema_cant_say_is_still_refused(event: dict[str, Any]) -> None:
    """These are named in its description; the relay holds them."""
    body = {"events": [event]}
    assert is_valid(body)
    assert not is_taken(body)
