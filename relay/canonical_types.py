"""The types of a body as our own tracker writes it, made of the catalogue's tables.

A new field or event there needs nothing here, but for a new kind. What the tracker adds is there;
what it would have changed has no type.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import GenericAlias
from typing import Annotated, Any, ClassVar, Literal, Union

from msgspec import UNSET, Meta, Struct, UnsetType, defstruct
from msgspec.json import Decoder

from pixelmirror import catalogue
from pixelmirror.check import HASH_LENGTHS, ITEMS_LIMIT, TEXT_LIMIT
from pixelmirror.event import URLS
from pixelmirror.sent_event import (
    ATTRIBUTION,
    EARLIEST_MS,
    LATEST_MS,
    MAX_BYTES,
    MAX_EVENTS,
    MAX_ID,
)
from pixelmirror.urls import MAX_URL


class Exact(Struct, forbid_unknown_fields=True, gc=False):
    """What has its fields and no others. No cycle can come of one, so none is looked for."""


class Params(Exact):
    """What is asked of every event's, though not every one may have it.

    `derives`: its value may be missing, though it would follow from something else.
    """

    items: ClassVar[Any] = UNSET
    currency: ClassVar[Any] = UNSET
    revenue: ClassVar[Any] = None
    derives: ClassVar[bool] = False


class Deriving(Params):
    """Those of an event whose value need not be there."""

    derives: ClassVar[bool] = True


def _struct(
    name: str,
    types: Mapping[str, Any],
    required: Collection[str] = (),
    base: type[Struct] = Exact,
    **more: Any,
) -> Any:
    """These fields, of which those that are not required may be missing."""
    must: list[Any] = [(field, types[field]) for field in types if field in required]
    may = [(field, types[field] | UnsetType, UNSET) for field in types if field not in required]
    return defstruct(name, must + may, bases=(base,), **more)


def _text(limit: int, pattern: str | None = None) -> Any:
    return Annotated[str, Meta(min_length=1, max_length=limit, pattern=pattern)]


def _list(one: Any, limit: int) -> Any:
    return Annotated[GenericAlias(list, (one,)), Meta(min_length=1, max_length=limit)]


def _one_of(texts: Collection[str]) -> Any:
    return Literal.__getitem__(tuple(texts))


TEXT = _text(TEXT_LIMIT)
TEXTS: Any = GenericAlias(list, (TEXT,))
TIME_MS = Annotated[int, Meta(gt=EARLIEST_MS, lt=LATEST_MS)]

WHOLE_AMOUNT: Any = Annotated[int, Meta(ge=0, lt=10**15)]

# Kind of the catalogue -> how the tracker writes it (`pixelmirror.check`).
KINDS: dict[str, Any] = {
    "amount": WHOLE_AMOUNT | Annotated[float, Meta(gt=0, lt=1e15)],
    "count": Annotated[int, Meta(ge=0, lt=10**9)],
    "country": _text(3, r"^[A-Za-z]{2,3}\Z"),
    "currency": _one_of(catalogue.CURRENCIES),
    "date": _text(10, r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z"),
    "flag": bool,
    "id": TEXT,
    "quantity": Annotated[int, Meta(ge=1, lt=10**9)],
    "text": TEXT,
    "texts": TEXTS,
}

# Left out: the item's shorthand for its product's.
SHORTHAND = ("name", "price")
EXTRA = {"shipping_amount", "tax_amount"}

# Of the user's alone, and common: msgspec takes three times as long over a pattern as `re` itself.
PATTERNS = {
    "email": r"[^@\s]+@[^@\s]+",
    "phone": r"\+?[0-9]{5,20}|[+(]{0,2}[0-9](?:[-. ()]{0,3}[0-9]){4,19}",
}


def _types(kinds: Mapping[str, Any], known: Mapping[str, Any] = KINDS) -> dict[str, Any]:
    """The types of the catalogue's fields."""
    return {
        field: _one_of(kind) if isinstance(kind, tuple) else known[kind]
        for field, kind in kinds.items()
    }


USER = _types(catalogue.USER, {**KINDS, **dict.fromkeys(PATTERNS, TEXT)}) | {
    f"{field}_{algorithm}": _text(length, rf"^[0-9a-f]{{{length}}}\Z")
    for field in catalogue.USER
    for algorithm, length in HASH_LENGTHS.items()
}
CONSENT = {
    "status": _one_of(("granted", "denied", "awaited")),
    "categories": TEXTS,
    "gpc": bool,
}
REQUIRED = {
    "event_id": _text(MAX_ID),
    "event_time": TIME_MS,
    "page": _struct("Page", dict.fromkeys(("url", "referrer", "title"), _text(MAX_BYTES))),
    "attribution": GenericAlias(dict, (_one_of(ATTRIBUTION), _text(MAX_URL))),
    "consent": _struct("Consent", CONSENT, ("status",)),
}
OPTIONAL = {
    "user": _struct("User", USER),
    "visitor_id": _text(MAX_ID),
    "destinations": TEXTS,
    "direct": TEXTS,
}


def body_decoder(*, is_whole: bool) -> Decoder[Any]:
    """Decodes a body whose amounts are whole, or any."""
    known = {**KINDS, "amount": WHOLE_AMOUNT} if is_whole else {**KINDS}
    product = _types(catalogue.PRODUCT, known)
    known["product"] = _struct("Product", product, catalogue.PRODUCT_REQUIRED)
    fields = {field: kind for field, kind in catalogue.ITEM.items() if field not in SHORTHAND}
    item = _struct("Item", _types(fields, known), ("id", "quantity", "product"))
    events = []
    for name, row in catalogue.EVENTS.items():
        known["items"] = _list(item, row.get("most_items", ITEMS_LIMIT))
        required = REQUIRED | {"params": _params(name, row, known)}
        more = {"tag_field": "event_name", "tag": name}
        events.append(_struct("Event", required | OPTIONAL, required, **more))
    body = {
        "sent_at": TIME_MS,
        "cookie_domain": str,
        "events": _list(Union.__getitem__(tuple(events)), MAX_EVENTS),
    }
    return Decoder(_struct("Body", body, body))


def _params(name: str, row: Mapping[str, Any], known: Mapping[str, Any]) -> Any:
    """What an event of this row of the catalogue may have."""
    required = {*row["required"]}
    takes = {*required, *row["optional"]} - {*URLS}  # these are cut
    if "items" in takes:
        takes.add("currency")  # the items' own
    if "items" in required and "value" in takes:
        required |= {"value", "currency"}
    if takes & EXTRA:
        required |= takes & {"revenue"}  # else the check asks whether the value covers these
    types = _types({field: catalogue.FIELDS[field] for field in sorted(takes)}, known)
    derives = "value" in takes - required
    return _struct("Params", types, required, Deriving if derives else Params)
