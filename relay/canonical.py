"""A body as our own tracker writes it, decoded and checked in one go, for an answer at once.

Types made of the catalogue stand for the full check (`relay.body.decoded`, `relay.wire.events`) at
a small part of its time. Whatever is taken here the full check takes too, and reads the same; all
else, right or wrong, is left to it. So there is no type for what few pages send: custom events,
fields beyond the catalogue, amounts as texts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import GenericAlias
from typing import Annotated, Any, ClassVar, Literal, Union

from msgspec import UNSET, DecodeError, Meta, Struct, UnsetType, defstruct
from msgspec.json import Decoder

from pixelmirror import catalogue
from pixelmirror.check import HASH_LENGTHS, ITEMS_LIMIT, TEXT_LIMIT
from pixelmirror.sent_event import (
    ATTRIBUTION,
    EARLIEST_MS,
    LATEST_MS,
    MAX_EVENTS,
    MAX_ID,
)
from pixelmirror.urls import MAX_URL
from relay.body import BACKSLASH, MAX_BYTES, has_one_reading


class Canonical(Struct, frozen=True):
    """What the answer to a canonical body needs: `count` events, and of the last one who it was.

    `last`: `{"attribution": {"fbc": "fb.1..."}, "consent": {"status": "granted", "gpc": False}}`.
    """

    count: int
    sent_at: int  # in milliseconds
    cookie_domain: str
    last: Mapping[str, Any]


def canonical(body: bytes) -> Canonical | None:
    """What a body says that the full check takes for certain; None where only that can tell."""
    if len(body) > MAX_BYTES or _may_have_blanks(body):
        return None
    try:
        said = DECODER.decode(body)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not has_one_reading(body, said) or not all(map(_agrees, said.events)):
        return None
    last = said.events[-1]
    consent = {"status": last.consent.status, "gpc": last.consent.gpc is True}
    return Canonical(
        len(said.events),
        said.sent_at,
        said.cookie_domain,
        {"attribution": last.attribution, "consent": consent},
    )


def _may_have_blanks(body: bytes) -> bool:
    """True where a text begins with a space, or with an escape of something."""
    if BACKSLASH in body:
        body = body.replace(rb"\"", b"")  # none of these begins a text
        if b'"\\' in body:
            return True
    return body.rfind(b'" ') >= 0  # from the right it is found in half the time


def _agrees(event: Any) -> bool:
    """What no type can say of an event: its IDs are printable, its items fit it."""
    for item in event.params.items or ():
        product = item.product
        if item.discount is not UNSET and item.discount > product.price:
            return False
        if product.currency is not UNSET and product.currency != event.params.currency:
            return False
    visitor_id = event.visitor_id or ""
    return bool(event.event_id.isprintable() and visitor_id.isprintable())


# --- the types ---


class Exact(Struct, forbid_unknown_fields=True, gc=False):
    """What has its fields and no others. No cycle can come of one, so none is looked for."""


class Params(Exact):
    """Those of an event that may have no items."""

    items: ClassVar[Any] = UNSET


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


def _types(kinds: Mapping[str, Any]) -> dict[str, Any]:
    """The types of the catalogue's fields."""
    return {
        field: _one_of(kind) if isinstance(kind, tuple) else KINDS[kind]
        for field, kind in kinds.items()
    }


TEXT = _text(TEXT_LIMIT)
TEXTS: Any = GenericAlias(list, (TEXT,))

# Kind of the catalogue -> how the tracker writes it (`pixelmirror.check`).
KINDS: dict[str, Any] = {
    "amount": Annotated[float, Meta(ge=0, lt=1e15)],
    "count": Annotated[int, Meta(ge=0, lt=10**9)],
    "country": _text(3, r"^[A-Za-z]{2,3}\Z"),
    "currency": _one_of(catalogue.CURRENCIES),
    "date": _text(10, r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z"),
    "email": _text(TEXT_LIMIT, r"^[^@\s]+@[^@\s]+\Z"),
    "flag": bool,
    "id": TEXT,
    "phone": _text(21, r"^\+?[0-9]{5,20}\Z"),
    "quantity": Annotated[int, Meta(ge=1, lt=10**9)],
    "text": TEXT,
    "texts": TEXTS,
}
KINDS["product"] = _struct("Product", _types(catalogue.PRODUCT), catalogue.PRODUCT_REQUIRED)
ITEM = _struct("Item", _types(catalogue.ITEM), ("id", "quantity", "product"))
KINDS["items"] = _list(ITEM, ITEMS_LIMIT)

USER = _types(catalogue.USER) | {
    f"{field}_{algorithm}": _text(length, rf"^[0-9a-f]{{{length}}}\Z")
    for field in catalogue.USER
    for algorithm, length in HASH_LENGTHS.items()
}
CONSENT = {
    "status": _one_of(("granted", "denied", "awaited")),
    "categories": TEXTS,
    "gpc": bool,
}
TIME_MS = Annotated[int, Meta(gt=EARLIEST_MS, lt=LATEST_MS)]
REQUIRED = {
    "event_id": _text(MAX_ID),
    "event_time": TIME_MS,
    "page": _struct("Page", dict.fromkeys(("url", "referrer", "title"), str)),
    "attribution": GenericAlias(dict, (_one_of(ATTRIBUTION), _text(MAX_URL))),
    "consent": _struct("Consent", CONSENT, ("status",)),
}
OPTIONAL = {
    "user": _struct("User", USER),
    "visitor_id": _text(MAX_ID),
    "destinations": TEXTS,
    "direct": TEXTS,
}


def _event(name: str, row: Mapping[str, Any]) -> Any:
    """An event with the fields that the catalogue gives it; what the tracker derives is there."""
    required = {*row["required"]}
    takes = {*required, *row["optional"]}
    if takes & {"shipping_amount", "tax_amount"}:
        required |= takes & {"revenue"}  # else the check asks whether the value covers these
    if "items" in takes:
        takes.add("currency")  # the items' own
    types = _types({field: catalogue.FIELDS[field] for field in takes})
    if "most_items" in row:
        types["items"] = _list(ITEM, row["most_items"])
    fields = REQUIRED | {"params": _struct("Params", types, required, Params)}
    return _struct("Event", fields | OPTIONAL, fields, tag_field="event_name", tag=name)


EVENTS = [_event(name, row) for name, row in catalogue.EVENTS.items()]
BODY = {
    "sent_at": TIME_MS,
    "cookie_domain": str,
    "events": _list(Union.__getitem__(tuple(EVENTS)), MAX_EVENTS),
}
DECODER = Decoder(_struct("Body", BODY, BODY))
