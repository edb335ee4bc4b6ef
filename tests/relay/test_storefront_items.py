"""The items and params of storefront bodies: what is told, what follows, what stays unknown."""

from __future__ import annotations

from typing import Any

import pytest

from tests.relay.sandbox_client import GONE, changed
from tests.relay.storefront_bodies import (
    META,
)
from tests.relay.storefront_events import event, told


def items(data: dict[str, Any], name: str = "AddToCart", **lists: Any) -> list[dict[str, Any]]:
    params = told(name, data, **lists)["params"]
    rows: list[dict[str, Any]] = params.get("items", [])
    return rows


# --- items ---

VARIANTS = [{"variant_unique_id": "variant_a1", "quantity": 2}]
BUNDLES = [{"bundle_price_option_unique_id": "bundle_price_option_b7", "quantity": 1}]
TWO = {"variants": VARIANTS, "bundle_price_options": BUNDLES}
A1 = {"id": "variant_a1", "kind": "variant", "quantity": 2}
B7 = {"id": "bundle_price_option_b7", "kind": "bundle_price_option", "quantity": 1}


def priced(item: dict[str, Any], price: float | None, **product: Any) -> dict[str, Any]:
    known = {} if price is None else {"price": price}
    return {**item, "product": {"id": item["id"], "name": item["id"], **known, **product}}


@pytest.mark.parametrize(
    ("data", "lists", "expected"),
    [
        (
            {"contents": [{"id": "variant_a1", "quantity": 2, "item_price": 60000}]},
            {"variants": VARIANTS},
            [priced(A1, 60000)],
        ),
        (
            {"contents": [{"content_id": "variant_a1", "quantity": 2, "price": "60000.00"}]},
            {"variants": VARIANTS},
            [priced(A1, 60000)],
        ),
        (
            {
                "contents": [
                    {"id": "bundle_price_option_b7", "item_price": 90000, "content_name": "Paket"},
                    {"id": "variant_a1", "item_price": 60000, "content_category": "Apparel"},
                ]
            },
            TWO,
            [priced(B7, 90000, name="Paket"), priced(A1, 60000, category_1="Apparel")],
        ),
        (
            {
                "contents": [
                    {"id": "variant_a1", "quantity": 2, "item_price": 60000},
                    {"id": "bundle_price_option_b7", "item_price": 90000},
                ]
            },
            {},
            [priced(A1, 60000), priced(B7, 90000)],
        ),
        (
            {"content_ids": ["variant_a1"], "num_items": 2, "value": 120000},
            {},
            [priced(A1, 60000)],
        ),
        ({"content_id": "variant_a1", "quantity": 2, "price": 60000}, {}, [priced(A1, 60000)]),
        (
            {"content_ids": ["product_9"], "content_name": "Kaos", "content_category": "Apparel"},
            {"variants": VARIANTS},
            [priced(A1, None, name="Kaos", category_1="Apparel")],
        ),
        (
            {"contents": [{"id": "product_9", "item_price": 60000}], "content_name": "Kaos"},
            {"variants": VARIANTS},
            [priced(A1, 60000, name="Kaos")],
        ),
        ({"value": 120000}, {"variants": VARIANTS}, [priced(A1, 60000)]),
        ({"value": 0}, {"variants": VARIANTS}, [priced(A1, 0)]),
        ({"value": 100001}, {"variants": VARIANTS}, [priced(A1, None)]),
        ({"value": 59.98, "currency": "SGD"}, {"variants": VARIANTS}, [priced(A1, 29.99)]),
        ({}, {"variants": VARIANTS}, [priced(A1, None)]),
        ({"value": 210000}, TWO, [priced(A1, None), priced(B7, None)]),
        (
            {"value": 210000, "contents": [{"id": "variant_a1", "item_price": 60000}]},
            TWO,
            [priced(A1, 60000), priced(B7, None)],
        ),
        ({"value": 120000, "variants": VARIANTS}, {}, []),
        ({"contents": [{"quantity": 1, "item_price": 5}]}, {}, []),
        (
            {"content_ids": [None, "variant_a1"], "price": 60000, "num_items": 2},
            {},
            [priced(A1, 60000)],
        ),
        ({"contents": [], "content_ids": []}, {"variants": [], "bundle_price_options": []}, []),
    ],
    ids=[
        "Meta's contents",
        "TikTok's contents",
        "in the order of the contents, R61",
        "contents without lists",
        "content_ids alone",
        "content_id alone",
        "no price anywhere",
        "one item, told under another ID",
        "value of one item",
        "a free item",
        "a value that does not come out even",
        "cents",
        "no value",
        "several items and only a value",
        "several items and not all prices",
        "lists stand at the top level, R41",
        "contents without an ID",
        "an ID that is null",
        "nothing but empty lists",
    ],
)
def test_items_have_the_price_that_is_told_or_follows(
    data: dict[str, Any], lists: dict[str, Any], expected: list[dict[str, Any]]
) -> None:
    """No money is made up."""
    assert items(data, **lists) == expected


def test_an_orders_value_is_no_price() -> None:
    """It holds shipping and taxes too."""
    assert items({"value": 120000}, "Purchase", variants=VARIANTS) == [priced(A1, None)]


# --- params ---


@pytest.mark.parametrize(
    ("name", "data", "params"),
    [
        ("Search", {"search_string": "kaos"}, {"search_term": "kaos"}),
        ("Search", {"query": "kaos"}, {"search_term": "kaos"}),
        ("Search", {}, {}),
        ("AddToCart", {"value": "147000.00"}, {"value": 147000, "currency": "IDR"}),
        ("AddToCart", {"value": 9.5, "currency": "sgd"}, {"value": 9.5, "currency": "SGD"}),
        ("AddToCart", {"currency": "SGD"}, {"currency": "SGD"}),
        ("AddToCart", {"value": None, "currency": ""}, {}),
        (
            "Subscribe",
            {"value": 5, "subscription_id": "sub-9", "predicted_ltv": 50},
            {"value": 5, "subscription_id": "sub-9", "predicted_ltv": 50, "currency": "IDR"},
        ),
        ("AddPaymentInfo", {"own": {"x": 1}, "content_type": "product"}, {}),
    ],
)
def test_parameters_are_params_of_ours(
    name: str, data: dict[str, Any], params: dict[str, Any]
) -> None:
    """Scalev requires none, so none is required; what we have no place for is left behind."""
    assert told(name, data)["params"] == params


def test_an_event_may_have_no_parameters_at_all() -> None:
    """Section 2: only its name and ID are required."""
    body = changed(changed(META, "events.0.parameters", GONE), "variants", GONE)
    assert event("meta", body)["params"] == {}
