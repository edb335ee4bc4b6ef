"""What the demo shop sells, and how one line of it is named in an event.

The products themselves are data: `web/storefront/products.toml`.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Item = dict[str, Any]


@dataclass(frozen=True)
class Variant:
    """One thing that can be put into the cart. Its price is in whole rupiah."""

    id: str
    label: str
    price: int
    picture: str


@dataclass(frozen=True)
class Product:
    """One page of the shop, with at least one variant."""

    id: str
    slug: str
    name: str
    category: str
    kind: str
    summary: str
    story: str
    choice: str
    variants: tuple[Variant, ...]

    def item(self, variant: Variant, quantity: int, cart_quantity: int | None = None) -> Item:
        """The item of an event; `cart_quantity` is the quantity in the cart after the action.

        Shape: {"id": "variant_mug_soga", "kind": "variant", "quantity": 1, "cart_quantity": 1,
        "variant": "Soga brown", "product": {"id": "p_mug", "name": "Cangkir Enamel",
        "price": 75000, "category_1": "Tableware"}}.
        """
        item: Item = {
            "id": variant.id,
            "kind": self.kind,
            "quantity": quantity,
            "variant": variant.label,
            "product": {
                "id": self.id,
                "name": self.name,
                "price": variant.price,
                "category_1": self.category,
            },
        }
        if cart_quantity is not None:
            item["cart_quantity"] = cart_quantity
        return item


class Products:
    """All products in the order of the file, found by slug or by one of their variants' IDs."""

    def __init__(self, products: list[Product]) -> None:
        self.all = products
        self.by_slug = {product.slug: product for product in products}
        self.by_variant = {
            variant.id: (product, variant) for product in products for variant in product.variants
        }


def load_products(file: Path) -> Products:
    """The products of that file. A variant without a picture shows its product's."""
    rows = tomllib.loads(file.read_text("utf-8"))["products"]
    return Products([_product(row) for row in rows])


def _product(row: dict[str, Any]) -> Product:
    picture = row.pop("picture")
    variants = tuple(Variant(**{"picture": picture, **v}) for v in row.pop("variants"))
    return Product(variants=variants, kind=row.pop("kind", "variant"), **row)


def rupiah(amount: int) -> str:
    """The amount as an Indonesian shop writes it: `Rp 120.000`."""
    return "Rp\N{NO-BREAK SPACE}" + f"{amount:,}".replace(",", ".")
