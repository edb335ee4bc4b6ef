"""Carts and orders of the demo shop: in memory, and bounded, the oldest makes room."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from relay.demo.products import Item, Product, Products, Variant

MAX_KEPT = 1000  # carts, and orders; the demo runs on somebody's laptop
MAX_QUANTITY = 99
SHIPPING = 18_000  # rupiah, to anywhere in the country

# Crockford's alphabet without vowels: no order is called a word.
_LETTERS = "0123456789BCDFGHJKMNPQRSTVWXYZ"

Value = TypeVar("Value")


class Shelf(Generic[Value]):
    """At most `MAX_KEPT` things by name; what was not asked for longest goes first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Value] = OrderedDict()

    def get(self, name: str) -> Value | None:
        if name in self._kept:
            self._kept.move_to_end(name)
        return self._kept.get(name)

    def newest(self, count: int) -> list[Value]:
        """So many of those asked for last, the last one first."""
        return list(reversed(self._kept.values()))[:count]

    def put(self, name: str, value: Value) -> None:
        self._kept[name] = value
        self._kept.move_to_end(name)
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)


@dataclass(frozen=True)
class Line:
    """One row of a cart or an order."""

    product: Product
    variant: Variant
    quantity: int

    @property
    def total(self) -> int:
        return self.variant.price * self.quantity

    @property
    def item(self) -> Item:
        """The row as an event's item."""
        return self.product.item(self.variant, self.quantity)

    @property
    def removed(self) -> Item:
        """The item of the event that takes the whole row out of the cart."""
        return self.product.item(self.variant, self.quantity, 0)


@dataclass
class Cart:
    """Quantities by variant ID, in the order of putting in."""

    quantities: dict[str, int] = field(default_factory=dict)

    def change(self, variant_id: str, quantity: int) -> int:
        """The quantity is now that; 0 is gone. Returns by how many it grew."""
        before = self.quantities.get(variant_id, 0)
        after = min(max(quantity, 0), MAX_QUANTITY)
        self.quantities[variant_id] = after
        if after == 0:
            del self.quantities[variant_id]
        return after - before

    def lines(self, products: Products) -> list[Line]:
        return [Line(*products.by_variant[key], n) for key, n in self.quantities.items()]

    @property
    def count(self) -> int:
        return sum(self.quantities.values())


@dataclass(frozen=True)
class Order:
    """An order as the shop keeps it. `session` is the browser that placed it."""

    id: str
    session: str
    lines: list[Line]
    buyer: dict[str, str]
    payment_method: str
    is_probably_spam: bool

    @property
    def total(self) -> int:
        return sum(line.total for line in self.lines) + SHIPPING

    def answer(self, buyer: dict[str, str] | None) -> dict[str, object]:
        """What the checkout answers; its gross revenue is decimal text, as Scalev's is (D7)."""
        return {
            "order_id": self.id,
            "gross_revenue": f"{self.total}.00",
            "shipping_amount": SHIPPING,
            "payment_method": self.payment_method,
            "is_probably_spam": self.is_probably_spam,
            "items": [line.item for line in self.lines],
            "buyer": buyer,
        }


def new_order_id() -> str:
    """A text that no earlier order had, also before a restart. Shape: `ORD-7K2M9QX4TB`."""
    return "ORD-" + "".join(secrets.choice(_LETTERS) for _ in range(10))
