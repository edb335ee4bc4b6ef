"""One call of each event, as a shop would make it: the params.

The documents show them, and the tests hand them to the checks of page and relay.
"""

from __future__ import annotations

from typing import Any

KOPI = {"id": "p-1", "name": "Kopi Gayo", "price": 85000}
KAOS = {
    "id": "variant_a1",
    "quantity": 2,
    "variant": "L",
    "product": {"id": "p-2", "name": "Kaos", "price": 60000, "category_1": "Pakaian"},
}
CANGKIR = {"id": "variant_b2", "quantity": 1, "name": "Cangkir", "price": 27000}

EXAMPLES: dict[str, dict[str, Any]] = {
    "page_view": {"page_type": "product"},
    "view_item_list": {
        "item_list_name": "New arrivals",
        "items": [{**KOPI, "list_position": 1}, {"id": "p-2", "name": "Kaos", "price": 60000}],
    },
    "select_item": {"item_list_name": "New arrivals", "items": [{**KOPI, "list_position": 1}]},
    "select_content": {"content_type": "banner", "item_id": "ramadan-sale"},
    "search": {"search_term": "kopi gayo"},
    "view_item": {"items": [KOPI]},
    "add_to_wishlist": {"items": [{**KOPI, "quantity": 1}]},
    "add_to_cart": {"items": [KAOS]},
    "remove_from_cart": {"items": [{**CANGKIR, "cart_quantity": 0}]},
    "view_cart": {"items": [KAOS, CANGKIR]},
    "begin_checkout": {"items": [KAOS, CANGKIR], "coupon": "HEMAT"},
    "add_shipping_info": {"items": [KAOS, CANGKIR], "shipping_tier": "express"},
    "add_payment_info": {"payment_method": "cod", "items": [KAOS, CANGKIR]},
    "purchase": {
        "id": "ORD-77",
        "value": "159000.00",
        "shipping_amount": 12000,
        "payment_method": "cod",
        "items": [KAOS, CANGKIR],
    },
    "refund": {"id": "ORD-77", "value": 27000, "items": [CANGKIR]},
    "generate_lead": {"id": "lead-5", "value": 50000},
    "sign_up": {"method": "email"},
    "login": {"method": "google"},
    "subscribe": {
        "id": "MBR-12",
        "subscription_id": "sub-9",
        "value": 99000,
        "predicted_ltv": 1188000,
    },
}
