"""A request's body is read within its limits, and in one way only (DESIGN 5.4)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from relay.body import MAX_BYTES, MAX_DEPTH, MAX_KEY, MAX_KEYS, decoded
from relay.refusals import Refusal
from tests.relay.relay_stage import EVENT, NOW, ORIGIN, Stage, error_of, is_told

BODY = {"sent_at": NOW, "events": [EVENT]}
TEXT = {"Origin": ORIGIN, "Content-Type": "text/plain"}


def why_not(text: str) -> str:
    """What is said of a text that is refused."""
    with pytest.raises(Refusal) as caught:
        decoded(text.encode())
    assert caught.value.code == "invalid_json"
    return caught.value.message


def nested(depth: int, opening: str = "[", closing: str = "]") -> str:
    """An object with so many levels, its own among them."""
    return f'{{"a": {opening * (depth - 1)}{closing * (depth - 1)}}}'


# --- depth ---


def test_a_body_may_be_nested_to_a_limit() -> None:
    """An event's own fields reach half of it."""
    assert decoded(nested(MAX_DEPTH).encode())
    assert decoded(b'{"a": [' + b"[[]]," * 20_000 + b"1]}")
    assert "deeper than 32" in why_not(nested(MAX_DEPTH + 1))
    assert "deeper than 32" in why_not(nested(MAX_DEPTH + 1, '{"a": [', "]}"))
    assert "deeper than 32" in why_not(nested(100_000))


@pytest.mark.parametrize(
    "text",
    ["[" * 500, "]" * 500, '"[' * 200, r"\"[" * 99, "{[" * 50, r"[]{}\\\"" * 99],
    ids=["opened", "closed", "quoted", "escaped", "mixed", "all"],
)
def test_brackets_in_a_text_are_no_depth(text: str) -> None:
    """However many, and beside whatever quotes and backslashes."""
    assert decoded(json.dumps({"a": [text], text[:99]: []}).encode())["a"] == [text]


def test_a_text_without_an_end_is_no_json() -> None:
    """Its brackets are nobody's."""
    for rest in ("[" * 1000, "[\\" * 1000, "\\" * 300_001):
        assert why_not('{"a": "' + rest).startswith("the body is not JSON")


# --- keys ---


@pytest.mark.parametrize(
    "text", ['{"a": 1, "a": 1}', '{"a": [{"b": {}, "b": null}]}', r'{"a": 1, "\u0061": 2}']
)
def test_a_key_stands_once_in_an_object(text: str) -> None:
    """Of two, the one who checks and the one who acts could read another each."""
    assert why_not(text) == "a key stands twice in one object"


def test_an_object_has_so_many_keys_and_they_are_so_long() -> None:
    """A long key would come back in the path of each field below it."""
    assert len(decoded(json.dumps({str(i): i for i in range(MAX_KEYS)}).encode())) == MAX_KEYS
    assert "more than 500 keys" in why_not(json.dumps({str(i): i for i in range(MAX_KEYS + 1)}))
    assert decoded(json.dumps({"k" * MAX_KEY: 1}).encode())
    assert "longer than 200" in why_not(json.dumps({"events": [{"k" * (MAX_KEY + 1): 1}]}))


# --- numbers ---


@pytest.mark.parametrize("number", ["9" * 5000, "-" + "9" * 100_000, "NaN", "Infinity", "0x1"])
def test_a_number_that_is_none_is_no_json(number: str) -> None:
    """Python would read an endless one for seconds, if it were let."""
    assert why_not(f'{{"a": {number}}}') == "the body is not JSON"


# --- size and coding ---


def test_a_body_that_says_it_is_too_large_is_refused_unread(shared: Stage) -> None:
    """Not a byte of it is waited for."""

    async def never() -> AsyncIterator[bytes]:
        pytest.fail("the body was read")
        yield b""

    for length in (MAX_BYTES + 1, 10**17):
        headers = TEXT | {"Content-Length": str(length)}
        answer = shared.ask("POST", "/s/toko", headers=headers, content=never())
        assert is_told(answer, 413, "too_large")


@pytest.mark.parametrize("length", ["", "x", "-1", "+5", "²", "9" * 5000])
def test_a_length_that_is_none_changes_nothing(toko: Stage, length: str) -> None:
    """A server's HTTP parser refuses it before; what counts here is what is read."""
    headers = {"Content-Length": length.encode()}
    content = json.dumps(BODY)
    answer = toko.ask("POST", "/s/toko", headers=TEXT | headers, content=content)
    assert answer.status_code == 204


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate, gzip", "GZIP", "x"])
def test_a_compressed_body_is_415(shared: Stage, coding: str) -> None:
    """A few bytes could become a few gigabytes; nobody has to compress 512 KiB."""
    answer = shared.page(BODY, headers={"Content-Encoding": coding})
    assert is_told(answer, 415, "unsupported_media_type")
    assert "compressed" in error_of(answer)["message"]


@pytest.mark.parametrize("coding", ["identity", " Identity "])
def test_a_body_that_says_it_is_not_compressed_is_taken(toko: Stage, coding: str) -> None:
    assert toko.page(BODY, headers={"Content-Encoding": coding}).status_code == 204


# --- what is told ---

LONG: dict[str, Any] = {"x" * 200: {"y" * 200: {"z" * 200: "v" * 9000}}}


def test_an_error_repeats_little_of_what_was_sent(shared: Stage) -> None:
    """Neither a long field's path nor a long message."""
    for row in ({**EVENT, "params": LONG}, {**EVENT, "event_name": "n" * 9000}):
        answer = shared.page({"events": [row]})
        assert answer.status_code == 422
        assert len(answer.content) < 1200
