"""What code written for Scalev's analytics API posts: 002's samples, what its functions build."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

URL = "https://shop.example.com/products/black-shirt"

# --- 002's samples, word for word ---

META: dict[str, Any] = {
    "event_source_url": URL,
    "referrer_url": "https://facebook.com/",
    "user_data": {
        "country": "id",
        "em": "buyer@example.com",
        "ph": "628123456789",
        "fbc": "fb.1.1710000000000.fbclid",
        "fbp": "fb.1.1710000000000.1234567890",
        "external_id": "customer_123",
    },
    "events": [
        {
            "event_id": "add_to_cart_123",
            "event_name": "AddToCart",
            "parameters": {
                "content_ids": ["variant_xxx"],
                "content_type": "product",
                "value": 150000,
                "currency": "IDR",
            },
        }
    ],
    "variants": [{"variant_unique_id": "variant_xxx", "quantity": 1}],
}
TIKTOK: dict[str, Any] = {
    "event_source_url": URL,
    "referrer_url": "https://tiktok.com/",
    "user": {
        "email": "buyer@example.com",
        "phone": "628123456789",
        "ttclid": "ttclid_value",
        "ttp": "ttp_cookie_value",
        "external_id": "customer_123",
    },
    "events": [
        {
            "event_id": "add_to_cart_123",
            "event": "AddToCart",
            "parameters": {
                "content_id": "variant_xxx",
                "content_type": "product",
                "value": 150000,
                "currency": "IDR",
            },
        }
    ],
    "variants": [{"variant_unique_id": "variant_xxx", "quantity": 1}],
}
SNACKVIDEO: dict[str, Any] = {
    "click_id": "snackvideo_click_id",
    "event_source_url": URL,
    "referrer_url": "https://snackvideo.com/",
    "events": [
        {
            "event_name": "addToCart",
            "properties": {
                "content_type": "product",
                "content_name": "Black T-Shirt",
                "value": 150000,
                "currency": "IDR",
                "quantity": 1,
            },
        }
    ],
    "variants": [{"variant_unique_id": "variant_xxx", "quantity": 1}],
}
SAMPLES = {"meta": META, "tiktok": TIKTOK, "snackvideo": SNACKVIDEO}

# --- what 002's functions build ---

CART_ITEM: dict[str, Any] = {"id": "variant_a1", "quantity": 2, "unit_price": 60000}
CHECKOUT_ITEMS: list[dict[str, Any]] = [
    {"id": "bundle_price_option_b7", "quantity": 1, "unit_price": 90000},
    {"id": "variant_a1", "quantity": 2, "unit_price": 60000},
]
ATTRIBUTION = {
    "fbc": "fb.1.1760000000000.AbC",
    "fbp": "fb.1.1750000000000.4821",
    "ttclid": "E.C.P.x",
    "ttp": "2abc",
    "click_id": "kw-9f",
}
BUYER: dict[str, Any] = {
    "email": "siti@example.com",
    "phone": "081234567890",
    "firstName": "Siti",
    "lastName": "Rahma",
    "city": "Bandung",
    "province": "Jawa Barat",
    "customerId": "C-77",
}
EVENT_ID = "add_to_cart_0b0f3c9e-1111-4222-8333-444455556666"


def parameters(items: list[dict[str, Any]], value: object) -> dict[str, Any]:
    return {
        "content_ids": [item["id"] for item in items],
        "content_type": "product",
        "contents": [
            {"id": item["id"], "quantity": item["quantity"], "item_price": item["unit_price"]}
            for item in items
        ],
        "value": value,
        "currency": "IDR",
        "num_items": sum(item["quantity"] for item in items),
    }


def analytics_items(items: list[dict[str, Any]]) -> dict[str, Any]:
    """`buildAnalyticsItems`."""
    lists: dict[str, Any] = {}
    for kind in ("variant", "bundle_price_option"):
        rows = [
            {f"{kind}_unique_id": item["id"], "quantity": item["quantity"]}
            for item in items
            if item["id"].startswith(f"{kind}_")
        ]
        if rows:
            lists[f"{kind}s"] = rows
    return lists


def bodies(
    names: Mapping[str, str],
    ids: Mapping[str, str],
    told: dict[str, Any],
    items: list[dict[str, Any]],
    buyer: Mapping[str, Any],
) -> dict[str, dict[str, Any]]:
    """`trackMetaEvent`, `trackTiktokEvent` and `trackSnackVideoEvent`, by system."""
    page = {"event_source_url": "https://toko.example/p/kaos", "referrer_url": "https://m.toko/"}
    lists = analytics_items(items)
    with_id = {**told, "content_id": told["content_ids"][0]}
    return {
        "meta": {
            **page,
            "user_data": {
                "country": "id",
                "fbc": ATTRIBUTION["fbc"],
                "fbp": ATTRIBUTION["fbp"],
                **buyer.get("meta", {}),
            },
            "events": [{"event_id": ids["meta"], "event_name": names["meta"], "parameters": told}],
            **lists,
        },
        "tiktok": {
            **page,
            "user": {
                "ttclid": ATTRIBUTION["ttclid"],
                "ttp": ATTRIBUTION["ttp"],
                **buyer.get("tiktok", {}),
            },
            "events": [
                {"event_id": ids["tiktok"], "event": names["tiktok"], "parameters": with_id}
            ],
            **lists,
        },
        "snackvideo": {
            "click_id": ATTRIBUTION["click_id"],
            **page,
            "events": [{"event_name": names["snackvideo"], "properties": told}],
            **lists,
        },
    }


def add_to_cart() -> dict[str, dict[str, Any]]:
    """`trackAddToCart`: one event ID for Meta and TikTok."""
    names = {"meta": "AddToCart", "tiktok": "AddToCart", "snackvideo": "addToCart"}
    told = parameters([CART_ITEM], CART_ITEM["unit_price"] * CART_ITEM["quantity"])
    return bodies(names, {"meta": EVENT_ID, "tiktok": EVENT_ID}, told, [CART_ITEM], {})


def order_created(gross_revenue: object = "210000.00") -> dict[str, dict[str, Any]]:
    """`trackOrderCreated` of ORD-77: an ID of its own for each, as the names differ."""
    names = {"meta": "Purchase", "tiktok": "CompletePayment", "snackvideo": "purchase"}
    ids = {system: f"ORD-77-{name}-FORM" for system, name in names.items()}
    buyer = {
        "meta": {
            "em": BUYER["email"],
            "ph": BUYER["phone"],
            "fn": BUYER["firstName"],
            "ln": BUYER["lastName"],
            "ct": BUYER["city"],
            "st": BUYER["province"],
            "external_id": BUYER["customerId"],
        },
        "tiktok": {
            "email": BUYER["email"],
            "phone": BUYER["phone"],
            "external_id": BUYER["customerId"],
        },
    }
    return bodies(names, ids, parameters(CHECKOUT_ITEMS, gross_revenue), CHECKOUT_ITEMS, buyer)
