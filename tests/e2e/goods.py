"""What the shop of the tests sells, as templates hand it to `track`."""

from typing import Any

KAOS: dict[str, Any] = {
    "id": "variant_a1",
    "quantity": 2,
    "product": {"id": "p1", "name": "Kaos", "price": 60000, "category_1": "Apparel"},
}
PAKET: dict[str, Any] = {
    "id": "bundle_price_option_b7",
    "kind": "bundle_price_option",
    "quantity": 1,
    "product": {"id": "b7", "name": "Paket", "price": 90000},
}


def kaos(**changes: Any) -> dict[str, Any]:
    """Params of an event about the one article."""
    return {"items": [{**KAOS, **changes}]}
