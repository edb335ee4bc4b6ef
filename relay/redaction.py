"""A system's words as they may be kept and logged: without personal data and without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from relay.destinations import Request

MAX_REASON_CHARACTERS = 300

HIDDEN = "[hidden]"

EMAIL = re.compile(r"[^\s\"'<>:;,=(){}\[\]]+@[^\s\"'<>:;,=(){}\[\]]+")
PHONE = re.compile(r"\+\d[\d ().-]{6,}\d")
LONG_WORD = re.compile(r"(?=\S*\d)[A-Za-z0-9_|~+/=.-]{12,}")
"""What a token may look like, a digit in it; only one that was in the request is hidden."""


def safe_reason(reason: str, request: Request | None = None) -> str:
    """The reason on one line of at most 300 characters.

    Hidden are e-mail addresses, phone numbers, what the shopper told the shop, the IP address,
    and any token of the request: Meta answers `Malformed access token` with the token itself.
    """
    text = PHONE.sub(HIDDEN, EMAIL.sub(HIDDEN, " ".join(reason.split())))
    if request is not None:
        text = LONG_WORD.sub(lambda found: _unless_secret(found[0], request), text)
        for value in {value for event in request.events for value in _personal(event)}:
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", HIDDEN, text, flags=re.IGNORECASE)
    return text[:MAX_REASON_CHARACTERS]


def _unless_secret(word: str, request: Request) -> str:
    """The word, or its replacement where it was our token; item and order IDs stay."""
    bare = word.rstrip(".")
    _, _, query = request.url.partition("?")
    is_sent = any(bare in text for text in (query, *request.headers.values()))
    named = re.compile(rf"(token|key|secret)\W{{1,5}}{re.escape(bare)}".encode(), re.IGNORECASE)
    is_secret = is_sent or named.search(request.body)
    return word.replace(bare, HIDDEN) if is_secret else word


def _personal(event: Mapping[str, Any]) -> Iterator[str]:
    values = [*event.get("user", {}).values(), event.get("client", {}).get("ip")]
    while values:
        value = values.pop()
        if isinstance(value, Mapping):
            values.extend(value.values())
        elif isinstance(value, str) and len(value) > 3:  # shorter ones are in every sentence
            yield value
