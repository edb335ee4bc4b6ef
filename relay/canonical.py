"""A body as our own tracker writes it, decoded and checked in one go, for an answer at once.

Types made of the catalogue stand for the full check (`relay.body.decoded`, `relay.wire.events`) at
a small part of its time. Whatever is taken here the full check takes too, and reads the same; all
else, right or wrong, is left to it. So there is no type for what few pages send: custom events,
fields beyond the catalogue, amounts as texts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from msgspec import UNSET, DecodeError, Struct
from msgspec.json import encode

from pixelmirror.catalogue import USER
from relay.body import BACKSLASH, MAX_BYTES, has_one_reading
from relay.canonical_types import PATTERNS, body_decoder

WHOLE, ANY = body_decoder(is_whole=True), body_decoder(is_whole=False)
WRONG = (DecodeError, UnicodeDecodeError, RecursionError)

# Gets a field of the user, and matches what it looks like.
MATCHED = [
    (attrgetter(field), re.compile(PATTERNS[kind]).fullmatch)
    for field, kind in USER.items()
    if kind in PATTERNS
]


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
    said = _whole(body) or _any(body)
    if said is None:
        return None
    for event in said.events:
        if not _agrees(event):
            return None
    attribution, consent = event.attribution, event.consent
    last = {
        "attribution": attribution,
        "consent": {"status": consent.status, "gpc": consent.gpc is True},
    }
    return Canonical(len(said.events), said.sent_at, said.cookie_domain, last)


def _may_have_blanks(body: bytes) -> bool:
    """True where a text begins with a space, or with an escape of something."""
    if BACKSLASH in body:
        body = body.replace(rb"\"", b"")  # none of these begins a text
        if b'"\\' in body:
            return True
    return body.rfind(b'" ') >= 0  # from the right it is found in half the time


def _whole(body: bytes) -> Any:
    """The body by its types, if all its amounts are whole, as rupiah are; else None.

    Nothing in its own JSON, which is the shortest, is longer than it was. So none of it is missing
    there where both are as long: no key stood twice.
    """
    try:
        said = WHOLE.decode(body)
    except WRONG:
        return None
    return said if len(encode(said)) == len(body) or has_one_reading(body, said) else None


def _any(body: bytes) -> Any:
    """The body by its types, or None. What was written as 1e3 is longer now: 1000.0."""
    try:
        said = ANY.decode(body)
    except WRONG:
        return None
    return said if has_one_reading(body, said) else None


def _agrees(event: Any) -> bool:
    """What no type can say of an event, or only slowly."""
    for item in event.params.items or ():
        product = item.product
        if item.discount is not UNSET and item.discount > product.price:
            return False
        if product.currency is not UNSET and product.currency != event.params.currency:
            return False
    if user := event.user:
        for get, matches in MATCHED:
            if (text := get(user)) and not matches(text):
                return False
    visitor_id = event.visitor_id or ""
    return bool(event.event_id.isprintable() and visitor_id.isprintable())
