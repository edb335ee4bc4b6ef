"""A request's body: read within its limits and decoded, before anyone looks at what it says.

It has one reading only: UTF-8, no key twice in an object, no number that is none. How long a
sender may take is the connection's matter (`relay.connection`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from types import GenericAlias
from typing import Annotated, Any, NoReturn

from msgspec import DecodeError, Meta
from msgspec.json import Decoder, encode
from starlette.requests import Request
from starlette.types import Receive

from pixelmirror.sent_event import MAX_BYTES as MAX_BYTES  # whoever sends a body keeps to it too
from relay.refusals import Refusal

MAX_DEPTH = 32
MAX_KEYS = 500  # of one object
MAX_KEY = 200  # characters: an error names a field by all the keys above it

MEDIA_TYPES = ("text/plain", "application/json")

# The escapes of JSON, so that `half` finds a surrogate without its other half.
ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    r"|\\."
)
# A text, whose brackets are no depth; one without an end takes the rest.
TEXT = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
NO_BRACKET = re.compile(r"[^][{}]+")
ALIKE = str.maketrans("{}", "[]")

BACKSLASH = ord("\\")

EASY_DEPTH = 8  # what an event has; each level more doubles the types


def _easy() -> Decoder[dict[str, Any]]:
    """Reads an object with the limits above, but for duplicate keys."""
    key = Annotated[str, Meta(max_length=MAX_KEY)]
    plain: Any = str | int | float | bool | None
    value = plain
    for _ in range(EASY_DEPTH):
        found: Any = Annotated[GenericAlias(dict, (key, value)), Meta(max_length=MAX_KEYS)]
        value = plain | GenericAlias(list, (value,)) | found
    return Decoder(found)


EASY = _easy()


Head = Mapping[bytes, bytes]
"""A request's headers, their names in small letters; of one that stands twice the first."""


class _Unsound(ValueError):
    """What is wrong with a document, in words."""


async def read_object(request: Request) -> dict[str, Any]:
    """The JSON object of a request's body; raises Refusal 415, 413 or 400."""
    return decoded(await read(dict(reversed(request.headers.raw)), request.receive))


async def read(head: Head, receive: Receive) -> bytes:
    """The bytes of a body that claims to be JSON; raises Refusal 415, 413 or 400."""
    if not _is_json(head.get(b"content-type", b"")):
        allowed = " or ".join(MEDIA_TYPES)
        raise Refusal("unsupported_media_type", f"Content-Type must be {allowed}")
    if head.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise Refusal("unsupported_media_type", "Content-Encoding: a body must not be compressed")
    declared = head.get(b"content-length", b"")
    if declared.isdigit() and len(declared) <= 18 and int(declared) > MAX_BYTES:
        raise _too_large()  # before a byte of it is read
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":  # as pages do; nobody reads the answer
            raise Refusal("invalid_json", "the body is cut off")
        body += message.get("body", b"")
        if len(body) > MAX_BYTES:
            raise _too_large()
        if not message.get("more_body"):
            return bytes(body)


@lru_cache(64)
def _is_json(content_type: bytes) -> bool:
    return content_type.decode("latin-1").partition(";")[0].strip().lower() in MEDIA_TYPES


def _too_large() -> Refusal:
    return Refusal("too_large", f"the body is larger than {MAX_BYTES} bytes")


def decoded(body: bytes | bytearray) -> dict[str, Any]:
    """The JSON object that these bytes are; raises Refusal 400."""
    document = read_quickly(body)
    return read_strictly(body) if document is None else document


def read_quickly(body: bytes | bytearray) -> dict[str, Any] | None:
    """The same in a fifth of the time, and None where only `read_strictly` can tell."""
    try:
        document = EASY.decode(body)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return document if has_one_reading(body, document) else None


def has_one_reading(body: bytes | bytearray, document: object) -> bool:
    """True where surely no key stands twice in an object.

    `document` is what msgspec, which refuses half a character, decoded the body to. Of a key that
    stands twice it lost the first; then its own JSON has fewer quotation marks: in both of them
    each text has two, and each of those within a text is written alike.
    """
    if BACKSLASH in body and rb"\u0022" in body:
        return False
    return body.count(b'"') == encode(document).count(b'"')


def read_strictly(body: bytes | bytearray) -> dict[str, Any]:
    """The object, or what is wrong: raises Refusal 400."""
    try:
        text = body.decode("utf-8-sig")
        _check_depth(text)
        if "\\" in text:
            text = ESCAPE.sub(_whole_character, text)
        document = STRICT.decode(text)
    except _Unsound as error:
        raise Refusal("invalid_json", str(error)) from error
    except (ValueError, RecursionError) as error:
        raise Refusal("invalid_json", "the body is not JSON") from error
    if not isinstance(document, dict):
        raise Refusal("invalid_json", "the body must be a JSON object")
    return document


def _check_depth(text: str) -> None:
    """Takes the innermost brackets away, level by level; what is left is too deep or no JSON."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    brackets = NO_BRACKET.sub("", TEXT.sub("", text)).translate(ALIKE)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace("[]", "")
    if brackets:
        raise _Unsound(f"the body is not JSON, or nested deeper than {MAX_DEPTH}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Unsound("a key stands twice in one object")
    if len(found) > MAX_KEYS:
        raise _Unsound(f"an object has more than {MAX_KEYS} keys")
    if max(map(len, found), default=0) > MAX_KEY:
        raise _Unsound(f"a key is longer than {MAX_KEY} characters")
    return found


def _whole_character(escape: re.Match[str]) -> str:
    """Half a character, as JavaScript makes of an emoji cut in two, can't be stored or sent on."""
    return "\\ufffd" if escape["half"] else escape[0]


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


STRICT = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)
