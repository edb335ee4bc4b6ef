"""Words as they may be kept, logged and answered: without personal data and without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from pydantic import BaseModel

from relay.destinations import Request
from relay.site_fields import SECRET

MAX_REASON_CHARACTERS = 300

HIDDEN = "[hidden]"

EMAIL = re.compile(r"[^\s\"'<>:;,=(){}\[\]]+@[^\s\"'<>:;,=(){}\[\]]+")
PHONE = re.compile(r"\+\d[\d ().-]{6,}\d")
LONG_WORD = re.compile(r"(?=\S*\d)[A-Za-z0-9_|~+/=.-]{12,}")
"""What a token may look like, a digit in it; only one that was in the request is hidden."""

PATTERNS = frozenset({"name@domain"})
"""What our own messages say of how an e-mail address looks."""
LOCAL_PHONE = re.compile(r"(?<![\w.+-])0\d{8,13}(?![\w.-])")
HASH = re.compile(r"(?<![0-9A-Za-z])(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{128})(?![0-9A-Za-z])")
"""SHA-256 and SHA-512: hashed personal data, a signature."""
QUERY = re.compile(r"(https?://[^\s?#\"']+)[?#][^\s\"']+")
TOKEN = re.compile(
    r"(?i:\b(?:bearer|basic)\s+)(?=\S{6})[^\s\"',;]+"
    r"|(?i:(?:token|key|secret|password)[\"']?\s*[=:]\s*[\"']?)(?=\S*\d)[^\s\"',;&]{6,}"
    r"|\bEAA[A-Za-z0-9]{8,}"  # Meta's access tokens
    r"|\beyJ[\w-]+\.[\w.-]+"  # JSON web tokens
)
"""What is a token by its looks or by the word before it."""

KEY_NAME = re.compile(r"token|key|secret|authorization", re.IGNORECASE)


def hidden(text: str) -> str:
    """The text without what looks like an e-mail address, a phone number, a hash or a token.

    The last defence: it knows nothing of where the text comes from.
    """
    if "@" in text:
        text = EMAIL.sub(lambda found: found[0] if found[0] in PATTERNS else HIDDEN, text)
    for pattern in (PHONE, LOCAL_PHONE, HASH, TOKEN):
        text = pattern.sub(HIDDEN, text)
    return QUERY.sub(rf"\1?{HIDDEN}", text)


def secrets(model: BaseModel) -> Iterator[str]:
    """Every secret of a site file, for logs to hide wherever it turns up."""
    fields = type(model).model_fields
    for key, value in model:
        if SECRET in fields[key].metadata and value:
            yield value
        inner: Iterable[Any] = value.values() if isinstance(value, dict) else [value]
        for one in inner:
            if isinstance(one, BaseModel):
                yield from secrets(one)


def safe_reason(reason: str, request: Request | None = None) -> str:
    """The reason on one line of at most 300 characters.

    Hidden are e-mail addresses, phone numbers, what the shopper told the shop, the IP address,
    and any token of the request: Meta answers `Malformed access token` with the token itself.
    """
    words = reason[: 10 * MAX_REASON_CHARACTERS].split()  # enough, and few enough for the patterns
    text = PHONE.sub(HIDDEN, EMAIL.sub(HIDDEN, " ".join(words)))
    if request is not None:
        text = LONG_WORD.sub(lambda found: _unless_secret(found[0], request), text)
        values = {value for event in request.events for value in _personal(event)}
        for value in sorted(values | set(_keys(request)), key=len, reverse=True):
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


def _keys(request: Request) -> Iterator[str]:
    """What the request's headers and its query name a key, however short and plain it is."""
    _, _, query = request.url.partition("?")
    for name, value in (*request.headers.items(), *parse_qsl(query)):
        if KEY_NAME.search(name):
            yield from (word for word in value.split()[-1:] if len(word) > 3)  # after Bearer


def _personal(event: Mapping[str, Any]) -> Iterator[str]:
    values = [*event.get("user", {}).values(), event.get("client", {}).get("ip")]
    while values:
        value = values.pop()
        if isinstance(value, Mapping):
            values.extend(value.values())
        elif isinstance(value, str) and len(value) > 3:  # shorter ones are in every sentence
            yield value
