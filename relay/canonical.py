"""A body as our own tracker writes it, decoded and checked in one go, for an answer at once.

Types made of the catalogue stand for the full check (`relay.body.decoded`, `relay.wire.events`) at
a small part of its time. Whatever is taken here the full check takes too and leaves as it is; all
else, right or wrong, is left to it. So nothing is taken of what few pages send: custom events,
fields beyond the catalogue, amounts as texts, whatever the tracker would have put in order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any

from msgspec import UNSET, DecodeError, Struct
from msgspec.json import decode, encode

from pixelmirror import catalogue
from pixelmirror.event import money
from relay.body import BACKSLASH, MAX_BYTES, has_one_reading
from relay.canonical_types import PATTERNS, body_decoder

WHOLE, ANY = body_decoder(is_whole=True), body_decoder(is_whole=False)
WRONG = (DecodeError, UnicodeDecodeError, RecursionError)

# It begins with a byte that is found fast: half the time of looking for each end on its own.
SPACE_AT_AN_END = re.compile(rb' (?:"|(?<=" ))').search
DELETE = 0x7F  # of ASCII's, the only unprintable character that JSON need not escape

# Gets a field of the user, and matches what it looks like.
MATCHED = [
    (attrgetter(field), re.compile(PATTERNS[kind]).fullmatch)
    for field, kind in catalogue.USER.items()
    if kind in PATTERNS
]
AMOUNTS = sorted(
    field
    for table in (catalogue.FIELDS, catalogue.ITEM, catalogue.PRODUCT)
    for field, kind in table.items()
    if kind == "amount"
)


class Canonical(Struct, frozen=True):
    """What the answer to a canonical body needs: `count` events, and of the last one who it was.

    `last`: `{"attribution": {"fbc": "fb.1..."}, "consent": {"status": "granted"}}`.
    """

    count: int
    sent_at: int  # in milliseconds
    cookie_domain: str
    last: Mapping[str, Any]


def canonical(body: bytes) -> Canonical | None:
    """What a body says that the full check leaves as it is; None where only that can tell."""
    if len(body) > MAX_BYTES or _may_have_spaces(body):
        return None
    said = _whole(body) or _any(body)
    if said is None:
        return None
    is_printable = body.isascii() and DELETE not in body
    user = None
    for event in said.events:
        if not _is_settled(event) or not (is_printable or _is_printable(event)):
            return None
        if event.user and event.user != user and not _is_matched(event.user):
            return None
        user = event.user  # mostly the next one's too
    consent = {"status": event.consent.status}
    if event.consent.gpc:
        consent["gpc"] = True
    last = {"attribution": event.attribution, "consent": consent}
    return Canonical(len(said.events), said.sent_at, said.cookie_domain, last)


def events(body: bytes) -> list[dict[str, Any]]:
    """The events of a canonical body, as `relay.wire.events` gives them."""
    return [{"user": {}, **event} for event in decode(body)["events"]]


def _may_have_spaces(body: bytes) -> bool:
    """True where a text may begin or end with one: it may be blank, or an ID, which is stripped."""
    if BACKSLASH in body:
        body = body.replace(rb"\"", b"")  # none of these begins or ends a text
        if BACKSLASH in body:
            return True
    return SPACE_AT_AN_END(body) is not None


def _whole(body: bytes) -> Any:
    """The body by its types, if all its amounts are whole, as rupiah are; else None.

    Its own JSON is the shortest, and no part of it is longer than it was. So where both are as
    long, nothing is missing there: no key stood twice.
    """
    try:
        said = WHOLE.decode(body)
    except WRONG:
        return None
    return said if len(encode(said)) == len(body) else None


def _any(body: bytes) -> Any:
    """The body by its types, if its amounts are in no need of rounding; else None."""
    try:
        said = ANY.decode(body)
    except WRONG:
        return None
    are_rounded = all(map(_is_rounded, said.events))
    return said if are_rounded and has_one_reading(body, said) else None


def _is_rounded(event: Any) -> bool:
    currency = event.params.currency or "IDR"  # the site's may be that
    found = [getattr(holder, field, None) for holder in _holders(event) for field in AMOUNTS]
    amounts = [amount for amount in found if isinstance(amount, int | float)]
    return repr(amounts) == repr([money(amount, currency) for amount in amounts])


def _holders(event: Any) -> Iterator[Any]:
    """What may hold amounts."""
    yield event.params
    for item in event.params.items or ():
        yield from (item, item.product)


def _is_settled(event: Any) -> bool:
    """What no type can say of an event, or only slowly."""
    params = event.params
    for item in params.items or ():
        product = item.product
        if item.discount is not UNSET and item.discount > product.price:
            return False
        if product.currency is not UNSET and product.currency != params.currency:
            return False
    if params.derives and not _is_derived(params):
        return False
    return event.consent.gpc is not False


def _is_printable(event: Any) -> bool:
    """What its IDs have to be."""
    return event.event_id.isprintable() and (event.visitor_id or "").isprintable()


def _is_matched(user: Any) -> bool:
    """What is looked at by patterns, where it is there, is as they say."""
    return all(matches(text) for get, matches in MATCHED if (text := get(user)))


def _is_derived(params: Any) -> bool:
    """The value is there with all that follows, or nothing that it follows from."""
    if params.value is UNSET:
        return params.items is UNSET and not isinstance(params.revenue, int | float)
    return params.currency is not UNSET and params.revenue is not UNSET
