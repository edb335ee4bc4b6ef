"""Scalev: parameters, items and user of each provider's body (specs/scalev.md)."""

from typing import Any

import pytest

from tests.relay import shop
from tests.relay.scalev_shop import ID, PAGE, PROVIDERS, body_of, request_for, sent_event

# --- whole bodies: section 2's example ---

VARIANTS = [{"variant_unique_id": "variant_a1", "quantity": 2}]

BODIES: dict[str, dict[str, Any]] = {
    "meta": {
        **PAGE,
        "user_data": {
            "country": "id",
            "fbc": "fb.1.1760000000000.AbC",
            "fbp": "fb.1.1760000000000.4821",
            "em": "siti@example.com",
            "ph": "6281234567890",
        },
        "events": [
            {
                "event_id": ID,
                "event_name": "AddToCart",
                "parameters": {
                    "content_ids": ["variant_a1"],
                    "content_type": "product",
                    "contents": [{"id": "variant_a1", "quantity": 2, "item_price": 60000}],
                    "content_name": "Kaos",
                    "content_category": "Apparel",
                    "value": 120000,
                    "currency": "IDR",
                    "num_items": 2,
                },
            }
        ],
        "variants": VARIANTS,
    },
    "tiktok": {
        **PAGE,
        "user": {
            "ttclid": "E.C.P.x",
            "ttp": "2abc",
            "email": "siti@example.com",
            "phone": "6281234567890",
            "user_agent": shop.USER_AGENT,
        },
        "events": [
            {
                "event_id": ID,
                "event": "AddToCart",
                "parameters": {
                    "content_id": "variant_a1",
                    "content_type": "product",
                    "contents": [{"content_id": "variant_a1", "quantity": 2, "price": 60000}],
                    "value": 120000,
                    "currency": "IDR",
                },
            }
        ],
        "variants": VARIANTS,
    },
    "snackvideo": {
        "click_id": "kw-9f",
        **PAGE,
        "events": [
            {
                "event_name": "addToCart",
                "properties": {
                    "content_type": "product",
                    "content_name": "Kaos",
                    "content_category": "Apparel",
                    "currency": "IDR",
                    "value": 120000,
                    "quantity": 2,
                    "price": 60000,
                },
            }
        ],
        "variants": VARIANTS,
    },
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r42_to_r45_and_r60_add_to_cart(provider: str) -> None:
    """R42-R45, R60, D4, D5: unit price 60000, quantity 2 is a value of 120000, in whole rupiah."""
    event = shop.add_to_cart(user={"email": "siti@example.com", "phone": "+6281234567890"})
    assert body_of(provider, event) == BODIES[provider]


def test_r61_r62_purchase() -> None:
    """R61, R62: the order's value, every item's unique ID, all pieces, and who bought."""
    meta, tiktok = (body_of(provider, shop.purchase()) for provider in ("meta", "tiktok"))
    parameters = meta["events"][0]["parameters"]
    assert parameters["value"] == 210000
    assert parameters["content_ids"] == ["variant_a1", "bundle_price_option_b7"]
    assert [row["id"] for row in parameters["contents"]] == parameters["content_ids"]
    assert parameters["num_items"] == 3
    assert tiktok["events"][0]["parameters"]["content_id"] == "variant_a1"
    assert meta["user_data"] == {
        "country": "id",
        "fbc": "fb.1.1760000000000.AbC",
        "fbp": "fb.1.1760000000000.4821",
        "em": "siti@example.com",
        "ph": "6281234567890",
        "fn": "Siti",
        "ln": "Rahma",
        "ct": "Bandung",
        "st": "Jawa Barat",
        "external_id": "C-77",
    }
    assert tiktok["user"] == {
        "ttclid": "E.C.P.x",
        "ttp": "2abc",
        "email": "siti@example.com",
        "phone": "6281234567890",
        "external_id": "C-77",
        "user_agent": shop.USER_AGENT,
    }


def test_vector_a_decimal_text_is_a_whole_value() -> None:
    """R45, D7 and section 4: `gross_revenue` "147000.00" is sent as the integer 147000."""
    event = shop.purchase(params={"value": "147000.00"})
    assert b'"value":147000,' in request_for("meta", event).body


def test_names_that_are_not_ascii_arrive_as_they_are() -> None:
    """A body is JSON in UTF-8 or escaped, never another encoding."""
    item = {**shop.KAOS, "product": {"id": "p1", "name": "Kaos — 衣 👕", "price": 60000}}
    event = shop.event("view_item", {"items": [item]}, user={"firstname": "Sîtî"})
    body = body_of("meta", event)
    assert body["user_data"]["fn"] == "Sîtî"
    assert body["events"][0]["parameters"]["content_name"] == "Kaos — 衣 👕"


# --- items ---

BUNDLES = [{"bundle_price_option_unique_id": "bundle_price_option_b7", "quantity": 1}]

ITEMS: list[tuple[Any, dict[str, Any]]] = [
    ([shop.KAOS], {"variants": VARIANTS}),
    ([{**shop.KAOS, "kind": "variant"}], {"variants": VARIANTS}),
    ([shop.PAKET], {"bundle_price_options": BUNDLES}),
    ([shop.KAOS, shop.PAKET], {"variants": VARIANTS, "bundle_price_options": BUNDLES}),
    (None, {}),
]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("items", "expected"), ITEMS)
def test_r34_to_r38_r41_items_by_kind(provider: str, items: Any, expected: Any) -> None:
    """R34-R38, R41: unique ID and quantity only, by kind, beside `events`; no empty lists."""
    body = body_of(
        provider, shop.event("add_payment_info", {"payment_method": "card", "items": items})
    )
    lists = ("variants", "bundle_price_options")
    assert {key: body[key] for key in lists if key in body} == expected


def test_r37_other_kinds_contribute_nothing() -> None:
    """R37: only variants and bundle price options are listed, whatever the event holds."""
    event = shop.add_to_cart()
    [item] = event["params"]["items"]
    item["kind"] = "gift"
    assert not {"variants", "bundle_price_options"} & set(body_of("meta", event))


def test_r39_a_product_in_view_is_one_piece() -> None:
    """R39: the visible variant with quantity 1, though the template names no quantity."""
    item = {key: value for key, value in shop.KAOS.items() if key != "quantity"}
    body = body_of("meta", shop.event("view_item", {"items": [item]}))
    assert body["variants"] == [{"variant_unique_id": "variant_a1", "quantity": 1}]


@pytest.mark.parametrize("name", ["begin_checkout", "purchase"])
def test_r40_checkout_and_purchase_list_every_item(name: str) -> None:
    """R40."""
    items = [{**shop.KAOS, "id": f"variant_{n}"} for n in range(120)]
    event = shop.event(name, {"id": "ORD-77", "value": 14400000, "items": items})
    rows = body_of("meta", event)["variants"]
    assert [row["variant_unique_id"] for row in rows] == [item["id"] for item in items]


# --- SnackVideo's properties ---


def test_r44_d5_snackvideo_takes_integers_only() -> None:
    """R44, D5: what is not whole is left out, the rest is sent."""
    item = {"id": "v1", "quantity": 1, "product": {"id": "p", "name": "Mug", "price": 9.5}}
    event = shop.event("add_to_cart", {"items": [item]}, currency="EUR")
    properties = sent_event("snackvideo", event)["properties"]
    assert properties == {
        "content_type": "product",
        "content_name": "Mug",
        "currency": "EUR",
        "quantity": 1,
    }


def test_d5_quantity_is_all_pieces_and_price_one_lines() -> None:
    """D5: of several items there is no one price."""
    properties = sent_event("snackvideo", shop.purchase())["properties"]
    assert properties == {
        "content_type": "product",
        "currency": "IDR",
        "value": 210000,
        "quantity": 3,
    }
