"""The parameters of Scalev's bodies as params of ours. Source: scalev R34-R45, R60, R61, D4, D5.

Items: `variants` and `bundle_price_options` say which and how many, `contents` their prices.
Without the two lists the items are those of `contents`, or else of `content_ids`, one piece each
unless told. A product whose name is not told goes by its ID.

No money is made up. A price that is not told is what follows from the value of an only item,
`value / quantity` where that comes out even; not so in an order, whose value holds shipping and
taxes too. Where no price follows, the product has none, here alone, and each system's copy leaves
it out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pixelmirror.catalogue import EVENTS, ORDER_EVENTS
from pixelmirror.check import ITEMS_LIMIT, EventError, check_kind
from pixelmirror.event import money

# The two lists of items, the key of their IDs and our kind of item (R35, R36).
ITEM_LISTS = (
    ("variants", "variant_unique_id", "variant"),
    ("bundle_price_options", "bundle_price_option_unique_id", "bundle_price_option"),
)
BUNDLE_PREFIX = "bundle_price_option_"

Fields = Sequence[tuple[str, str, str]]
"""Their field, ours, its kind in the catalogue; of several for one of ours the first counts."""

PARAMS: Fields = (
    ("value", "value", "amount"),
    ("currency", "currency", "currency"),
    ("predicted_ltv", "predicted_ltv", "amount"),
    ("subscription_id", "subscription_id", "id"),
    ("search_string", "search_term", "text"),
    ("query", "search_term", "text"),
)
AMOUNTS = ("value", "predicted_ltv")

# A row of `contents` is Meta's or TikTok's: callers send the one to the other (D4, D5).
CONTENT: Fields = (
    ("id", "id", "id"),
    ("content_id", "id", "id"),
    ("quantity", "quantity", "quantity"),
    ("item_price", "price", "amount"),
    ("price", "price", "amount"),
    ("content_name", "name", "text"),
    ("content_category", "category_1", "text"),
)
ONLY_ITEM: Fields = (
    ("quantity", "quantity", "quantity"),
    ("num_items", "quantity", "quantity"),
    ("price", "price", "amount"),
    ("content_name", "name", "text"),
    ("content_category", "category_1", "text"),
)
OF_PRODUCT = ("name", "category_1", "price")


class Row(NamedTuple):
    """An item as far as a list tells it; no quantity where that holds IDs only."""

    id: str
    kind: str
    quantity: int | None


def item_lists(body: Mapping[str, Any]) -> list[Row]:
    """The variants and bundles of a body, shared by its events; each row has exactly two keys."""
    found = []
    for field, id_key, kind in ITEM_LISTS:
        for i, row in enumerate(_list(body, field, field)):
            path = f"{field}[{i}]"
            only_keys(row, (id_key, "quantity"), path)
            unique_id = check_kind("id", row.get(id_key), f"{path}.{id_key}")
            quantity = row.get("quantity")
            if type(quantity) is not int:
                raise EventError(f"{path}.quantity", "quantity must be a whole number")
            found.append(Row(unique_id, kind, check_kind("quantity", quantity, f"{path}.quantity")))
    return found


def params(
    name: str, data: Mapping[str, Any], path: str, lists: Sequence[Row], currency: str
) -> dict[str, Any]:
    """The params of an event of ours. `currency`: the site's, for amounts that come without one."""
    found = checked(data, PARAMS, path)
    takes = EVENTS.get(name, {"required": (), "optional": ("id",)})
    if "id" in takes["required"] + takes["optional"]:
        found.update(checked(data, (("order_id", "id", "id"),), path))
    currency = found.get("currency", currency)
    for field in AMOUNTS:
        if field in found:
            found[field] = money(found[field], currency)
            found["currency"] = currency
    value = None if name in ORDER_EVENTS else found.get("value")
    items = _items(data, path, lists, value, currency)
    if items:
        found.update(items=items, currency=currency)
    return found


def _items(
    data: Mapping[str, Any], path: str, lists: Sequence[Row], value: float | None, currency: str
) -> list[dict[str, Any]]:
    """The items in the order of the contents."""
    contents = _contents(data, path)
    facts: dict[str, dict[str, Any]] = {}
    for content in contents:
        facts.setdefault(content["id"], content)
    places = {item_id: place for place, item_id in enumerate(facts)}
    rows = sorted(lists, key=lambda row: places.get(row.id, len(places)))
    rows = rows or [_row(content) for content in contents]
    told = [facts.get(row.id, {}) for row in rows]
    if len(rows) == 1:  # then all that is said is said of this one
        told = [{**checked(data, ONLY_ITEM, path), **(contents[0] if contents else {})}]
    return [
        _item(row, fact, value if len(rows) == 1 else None, currency)
        for row, fact in zip(rows, told, strict=True)
    ]


def _item(row: Row, fact: dict[str, Any], value: float | None, currency: str) -> dict[str, Any]:
    """`value`: the event's, where it is this item's alone."""
    quantity = row.quantity or fact.get("quantity", 1)
    product: dict[str, Any] = {"id": row.id, "name": row.id}
    product.update({field: fact[field] for field in OF_PRODUCT if field in fact})
    if "price" in product:
        product["price"] = money(product["price"], currency)
    elif value is not None:
        price = money(value / quantity, currency)
        if money(price * quantity, currency) == value:
            product["price"] = price
    return {"id": row.id, "kind": row.kind, "quantity": quantity, "product": product}


def _contents(data: Mapping[str, Any], path: str) -> list[dict[str, Any]]:
    """What is told of each item: `contents`, or IDs alone. Nothing has no ID (R37)."""
    rows = _list(data, "contents", f"{path}.contents")
    found = [checked(row, CONTENT, f"{path}.contents[{i}]") for i, row in enumerate(rows)]
    if with_ids := [content for content in found if "id" in content]:
        return with_ids
    ids = list(enumerate(_list(data, "content_ids", f"{path}.content_ids")))
    told = [(f"content_ids[{i}]", one) for i, one in ids] or [
        ("content_id", data.get("content_id"))
    ]
    return [
        {"id": check_kind("id", one, f"{path}.{field}")}
        for field, one in told
        if one not in (None, "")
    ]


def _row(content: Mapping[str, Any]) -> Row:
    """Scalev's IDs say what they are of."""
    is_bundle = content["id"].startswith(BUNDLE_PREFIX)
    return Row(content["id"], "bundle_price_option" if is_bundle else "variant", None)


# --- checks ---


def has(told: Mapping[str, Any], field: str) -> bool:
    """Something is said there: null and an empty text are nothing."""
    return told.get(field) not in (None, "")


def checked(told: object, fields: Fields, path: str) -> dict[str, Any]:
    """What is said at these fields, under our names, as the catalogue has it."""
    if not isinstance(told, dict):
        raise EventError(path, f"{path.rpartition('.')[2]} must be an object")
    found: dict[str, Any] = {}
    for theirs, ours, kind in fields:
        if has(told, theirs):
            found.setdefault(ours, check_kind(kind, told[theirs], f"{path}.{theirs}"))
    return found


def only_keys(row: object, keys: Sequence[str], path: str) -> None:
    """The row is an object with none but these keys (scalev section 2)."""
    if not isinstance(row, dict):
        raise EventError(path, f"{path} must be an object")
    for key in row:
        if key not in keys:
            raise EventError(f"{path}.{key[:40]}", f"{path} may hold only {', '.join(keys)}")


def _list(told: Mapping[str, Any], field: str, path: str) -> list[Any]:
    rows = told.get(field)
    if rows is None:
        return []
    if not isinstance(rows, list) or len(rows) > ITEMS_LIMIT:
        raise EventError(path, f"{field} must be a list of at most {ITEMS_LIMIT}")
    return rows
