"""The catalogue as rows to be written out, and what the checks of page and relay make of each.

Whether a field has to be said is asked of the check itself, so that no rule is written down twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pixelmirror import catalogue
from pixelmirror.check import EventError
from pixelmirror.event import check_params
from pixelmirror.event_id import is_order_event
from relay.reference import words

Need = Literal["required", "derived", "default", "optional"]
OrderRule = Literal["always", "without items", "with id", "never"]

# System -> what people call it. Commanders Act takes our own names.
SYSTEMS = {
    "meta": "Meta",
    "tiktok": "TikTok",
    "kwai": "Kwai",
    "tracify": "Tracify",
    "alhena": "Alhena",
}

CURRENCY = "IDR"

# A right product, a right item, and a right value of each kind that a field of params is of.
PRODUCT: Mapping[str, Any] = {"id": "p", "name": "Kaos", "price": 0}
ITEM: Mapping[str, Any] = {"id": "i", "quantity": 1, "product": PRODUCT}
VALUES: Mapping[str, Any] = {
    "amount": 0,
    "currency": CURRENCY,
    "flag": False,
    "id": "1",
    "items": [ITEM],
    "text": "text",
}


@dataclass(frozen=True)
class Field:
    """One field: its kind, or else the only `values` it takes; what becomes of it when left out.

    `filled`: with what, or by which rule; empty for one that is required or stays absent.
    """

    name: str
    about: str
    need: Need
    kind: str = ""
    values: tuple[str, ...] = ()
    filled: str = ""


@dataclass(frozen=True)
class Event:
    """One event. `names`: what the systems that know it call it, `{"Meta": "AddToCart"}`."""

    name: str
    about: str
    fields: list[Field]
    names: dict[str, str]
    order_rule: OrderRule
    is_viewing: bool
    most_items: int | None

    def required(self) -> list[str]:
        """The fields without which a call is refused."""
        return [field.name for field in self.fields if field.need == "required"]


def events() -> list[Event]:
    """Each event of the catalogue, what it requires first among its fields."""
    return [_event(name, catalogue.EVENTS[name]) for name in catalogue.EVENTS]


def items() -> list[Field]:
    """The fields of an item in a cart or an order."""
    return [_item_field(name) for name in catalogue.ITEM]


def products() -> list[Field]:
    """The fields of an item's product."""
    return [_product_field(name) for name in catalogue.PRODUCT]


def users() -> list[Field]:
    """The fields of the user, none of which is required."""
    return [_field(name, catalogue.USER, words.USER[name], "optional") for name in catalogue.USER]


def choices() -> list[Field]:
    """The fields that take certain values only, each once."""
    tables = (catalogue.FIELDS, catalogue.ITEM, catalogue.PRODUCT, catalogue.USER)
    rows = [_field(name, table, "", "optional") for table in tables for name in table]
    return [row for row in rows if row.values]


def _event(name: str, row: Mapping[str, Any]) -> Event:
    own = {title: catalogue.own_name(name, system) for system, title in SYSTEMS.items()}
    return Event(
        name=name,
        about=words.EVENTS[name],
        fields=[_event_field(name, field) for field in (*row["required"], *row["optional"])],
        names={title: text for title, text in own.items() if text},
        order_rule=_order_rule(name),
        is_viewing=name in catalogue.VIEWING_EVENTS,
        most_items=row.get("most_items"),
    )


def _order_rule(name: str) -> OrderRule:
    """When the event is the one of its order, so that its event ID is made of the order's."""
    order = {"id": "1"}
    if not is_order_event(name, order):
        return "never"
    if not is_order_event(name, {**order, "items": [ITEM]}):
        return "without items"
    return "always" if is_order_event(name, {}) else "with id"


def _event_field(event_name: str, field: str) -> Field:
    """A call with every field of the event but this one: is it refused, and if not, filled in?"""
    row = catalogue.EVENTS[event_name]
    params = {name: _right(name) for name in (*row["required"], *row["optional"]) if name != field}
    need = _need(event_name, params, f"params.{field}", lambda checked: field in checked)
    defaults = row.get("defaults", {})
    if need == "derived" and field in defaults:
        about = words.FIELDS[field]
        return _field(field, catalogue.FIELDS, about, "default", f"`{defaults[field]}`")
    filled = words.DERIVED[field] if need == "derived" else ""
    return _field(field, catalogue.FIELDS, words.FIELDS[field], need, filled)


def _item_field(field: str) -> Field:
    item = {name: ITEM[name] for name in ITEM if name != field}
    path = f"params.items[0].{field}"
    need = _need("add_to_cart", {"items": [item]}, path, lambda checked: field in _first(checked))
    if field == "product":
        need = "optional"  # what is required of it may stand on the item
    return _field(field, catalogue.ITEM, words.ITEM[field], need)


def _product_field(field: str) -> Field:
    product = {name: PRODUCT[name] for name in PRODUCT if name != field}
    params = {"items": [{**ITEM, "product": product}]}
    path = f"params.items[0].product.{field}"
    need = _need("add_to_cart", params, path, lambda checked: field in _first(checked)["product"])
    filled = words.DERIVED_OF_PRODUCT[field] if need == "derived" else ""
    return _field(field, catalogue.PRODUCT, words.PRODUCT[field], need, filled)


def _field(name: str, table: Mapping[str, Any], about: str, need: Need, filled: str = "") -> Field:
    kind = table[name]
    if isinstance(kind, tuple):
        return Field(name, about, need, values=kind, filled=filled)
    return Field(name, about, need, kind=kind, filled=filled)


def _need(
    event_name: str,
    params: dict[str, Any],
    path: str,
    is_filled: Callable[[dict[str, Any]], bool],
) -> Need:
    try:
        checked = check_params(event_name, params, CURRENCY)
    except EventError as error:
        if not error.field.startswith(path):
            raise  # the right values above are right no more
        return "required"
    return "derived" if is_filled(checked) else "optional"


def _first(params: Mapping[str, Any]) -> dict[str, Any]:
    first: dict[str, Any] = params["items"][0]
    return first


def _right(field: str) -> Any:
    kind = catalogue.FIELDS[field]
    return kind[0] if isinstance(kind, tuple) else VALUES[kind]
