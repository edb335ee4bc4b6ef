"""What is not a yes: each row of the contract's table of errors (DESIGN 5.4).

What is wrong with an event, 422, is in `test_wrong_events`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from relay.body import MAX_BYTES
from relay.outbox import OutboxUnavailable
from relay.outbox.sqlite import SqliteOutbox
from tests.relay.relay_stage import (
    EVENT,
    KEY,
    NOW,
    ORIGIN,
    Stage,
    is_told,
    site,
    stage,
)
from tests.relay.sandbox_client import changed

BODY = {"sent_at": NOW, "events": [EVENT]}
TEXT = {"Content-Type": "text/plain"}


# --- 400 ---

NOT_JSON = {
    "nothing": b"",
    "words": b"hello",
    "a list": b"[]",
    "a text": b'"events"',
    "null": b"null",
    "cut off": b'{"events": [',
    "NaN": b'{"sent_at": NaN}',
    "Infinity": b'{"sent_at": -Infinity}',
    "not UTF-8": b'{"sent_at": "\xff"}',
    "UTF-16": '{"events": []}'.encode("utf-16"),
    "a surrogate as bytes": b'{"sent_at": "\xed\xa0\x80"}',
    "too deep": b"[" * 100_000,
    "a deep object": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "an endless number": b'{"sent_at": ' + b"9" * 100_000 + b"}",
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_not_a_json_object_is_400(shared: Stage, body: bytes) -> None:
    """`invalid_json`, for pages and servers alike."""
    assert is_told(shared.page(body), 400, "invalid_json")
    assert is_told(shared.server(body), 400, "invalid_json")


def test_a_byte_order_mark_is_no_mistake(toko: Stage) -> None:
    """Some servers write UTF-8 with one."""
    assert toko.page(b"\xef\xbb\xbf" + json.dumps(BODY).encode()).status_code == 204


# --- 401 and 403 ---

WRONG_KEYS = {
    "none": {},
    "another": {"Authorization": "Bearer not-the-key"},
    "the publishable one": {"Authorization": "Bearer pmk_toko"},
    "without its scheme": {"Authorization": KEY},
    "another scheme": {"Authorization": f"Basic {KEY}"},
    "only the scheme": {"Authorization": "Bearer "},
    "its beginning": {"Authorization": f"Bearer {KEY[:-1]}"},
}
KEY_ROUTES = [
    ("POST", "/v1/events"),
    ("GET", "/v1/deliveries"),
    ("GET", "/v1/dead-letters"),
    ("POST", "/v1/dead-letters/replay"),
]


@pytest.mark.parametrize(("method", "path"), KEY_ROUTES)
@pytest.mark.parametrize("headers", WRONG_KEYS.values(), ids=WRONG_KEYS)
def test_without_a_secret_key_servers_and_operators_get_401(
    shared: Stage, method: str, path: str, headers: dict[str, str]
) -> None:
    """`unknown_key`, whatever the body is: it is not read."""
    answer = shared.ask(method, path, headers=TEXT | headers, content="no JSON")
    assert is_told(answer, 401, "unknown_key")
    assert KEY not in answer.text


WRONG_ORIGINS = [
    "",
    "null",
    "http://toko.example",
    "https://toko.example:8443",
    "https://toko.example/",
    "https://shop.toko.example",
    "https://toko.example.evil.example",
    "https://batik.example",
    "HTTPS://TOKO.EXAMPLE",
]


@pytest.mark.parametrize("origin", WRONG_ORIGINS)
@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
def test_only_listed_origins_may_send(shared: Stage, method: str, origin: str) -> None:
    """`origin_not_allowed`; no other page can read even that."""
    headers = TEXT | ({"Origin": origin} if origin else {})
    answer = shared.ask(method, "/s/toko", headers=headers, content=json.dumps(BODY))
    assert is_told(answer, 403, "origin_not_allowed")
    assert "access-control-allow-origin" not in answer.headers


# --- 404 and 405 ---


def test_a_site_that_the_relay_has_not_is_404(shared: Stage) -> None:
    """`unknown_site`, by path, in a server's body and in an operator's."""
    for path in ("/s/nobody", "/s/nobody.js", "/s/nobody/pyscript.json"):
        method = "POST" if path == "/s/nobody" else "GET"
        assert is_told(shared.ask(method, path), 404, "unknown_site", "site")
    names: tuple[Any, ...] = ("nobody", None, 7, ["toko"], {}, "")
    for name in names:
        told = shared.server({**BODY, "site": name})
        assert is_told(told, 404, "unknown_site", "site")
    assert is_told(shared.operator("/v1/deliveries", site="nobody"), 404, "unknown_site", "site")


@pytest.mark.parametrize(
    "path",
    ["/", "/s", "/s/", "/s/toko/", "/v1", "/v1/events/", "/v1/events/1", "/favicon.ico", "/S/toko"],
)
def test_an_unknown_path_is_404_in_the_same_shape(shared: Stage, path: str) -> None:
    """Nothing is redirected: a POST would lose its body on the way."""
    assert is_told(shared.ask("POST", path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/s/toko", "POST"),
        ("PUT", "/s/toko", "POST"),
        ("GET", "/v1/events", "POST"),
        ("OPTIONS", "/v1/events", "POST"),
        ("POST", "/v1/deliveries", "GET"),
        ("DELETE", "/v1/dead-letters", "GET"),
        ("POST", "/readyz", "GET"),
    ],
)
def test_a_wrong_method_is_405_in_the_same_shape(
    shared: Stage, method: str, path: str, allowed: str
) -> None:
    """It names what is allowed, as HTTP asks."""
    answer = shared.ask(method, path)
    assert is_told(answer, 405, "method_not_allowed")
    assert allowed in answer.headers["allow"]


# --- 413 and 415 ---


def test_a_body_of_512_kib_is_taken_and_one_byte_more_is_413(toko: Stage) -> None:
    """`too_large` counts bytes, with and without a declared length."""
    text = json.dumps(BODY)
    full = text + " " * (MAX_BYTES - len(text))
    assert MAX_BYTES == 512 * 1024
    assert toko.page(full).status_code == 204
    assert is_told(toko.page(full + " "), 413, "too_large")
    assert is_told(toko.server(full + " "), 413, "too_large")

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b" " * (MAX_BYTES // 8)

    answer = toko.ask("POST", "/s/toko", headers={"Origin": ORIGIN, **TEXT}, content=chunks())
    assert is_told(answer, 413, "too_large")


def test_500_events_are_taken_and_501_are_413(toko: Stage) -> None:
    """`too_large` counts events, and calls; nothing of them is stored."""
    event = {**changed(EVENT, "params", {}), "event_name": "page_view"}
    events = [{**event, "event_id": f"page_view_{i}"} for i in range(501)]
    assert is_told(toko.page({"events": events}), 413, "too_large")
    assert is_told(toko.server({"site": "toko", "events": events}), 413, "too_large")
    call = {"uuid": "u", "time": NOW, "args": ["page"], "page": {"url": ORIGIN}}
    assert is_told(toko.page({"calls": [call] * 501}), 413, "too_large")
    assert toko.rows() == []
    assert toko.page({"events": events[:500]}).status_code == 204
    assert len(toko.stored()) == 500


@pytest.mark.parametrize(
    "media_type", ["", "text/html", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_another_media_type_is_415(shared: Stage, media_type: str) -> None:
    """`unsupported_media_type`: a form of another site can't be posted to us."""
    headers = {"Content-Type": media_type}
    assert is_told(shared.page(BODY, headers=headers), 415, "unsupported_media_type")
    assert is_told(shared.server(BODY, headers=headers), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "text/plain;charset=UTF-8", "application/json", "Application/JSON; charset=x"],
)
def test_text_and_json_are_taken(toko: Stage, media_type: str) -> None:
    """`text/plain` needs no preflight and is what beacons send."""
    assert toko.page(BODY, headers={"Content-Type": media_type}).status_code == 204


# --- 429 ---


def test_more_than_the_rate_is_429_with_when_to_come_again(tmp_path: Path) -> None:
    """`rate_limit` a second for each address, bursts of four times that; waiting helps."""
    with stage(tmp_path, site(rate_limit=2)) as toko:
        assert [toko.page(BODY).status_code for _ in range(9)] == [204] * 8 + [429]
        answer = toko.page(BODY)
        assert is_told(answer, 429, "rate_limited")
        assert answer.headers["retry-after"] == "1"
        assert toko.page(BODY, peer="203.0.113.8").status_code == 204
        toko.seconds += 1
        assert [toko.page(BODY).status_code for _ in range(3)] == [204, 204, 429]


def test_a_servers_requests_are_limited_too(tmp_path: Path) -> None:
    """The secret key is looked at first: nobody else can use up a server's rate."""
    with stage(tmp_path, site(rate_limit=1)) as toko:
        body = {"site": "toko", "events": [EVENT]}
        assert [toko.server(body, key="wrong").status_code for _ in range(9)] == [401] * 9
        assert [toko.server(body).status_code for _ in range(5)] == [204] * 4 + [429]


# --- 503 ---


class FullDisk(SqliteOutbox):
    """An outbox whose disk is full for now."""

    is_full = True

    def accept(self, *arrival: Any) -> Any:
        if self.is_full:
            raise OutboxUnavailable("the outbox can't do this now: database or disk is full")
        return super().accept(*arrival)


def test_what_cannot_be_stored_is_503_and_not_204(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """`not_durable` with `Retry-After`: the tracker keeps the events and comes again."""
    with stage(tmp_path, kind=FullDisk) as toko:
        for answer in (toko.page(BODY), toko.server({**BODY, "site": "toko"})):
            assert is_told(answer, 503, "not_durable")
            assert int(answer.headers["retry-after"]) >= 1
        assert toko.rows() == []
        assert "disk is full" in caplog.text
        assert "siti" not in caplog.text
        vars(toko.outbox)["is_full"] = False
        assert toko.page(BODY).status_code == 204
        assert len(toko.stored()) == 1


# --- errors to pages ---


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (BODY, {}, 204),
        (BODY, {"Content-Type": "text/html"}, 415),
        ("no JSON", {}, 400),
        ({"events": [{}]}, {}, 422),
        (" " * (MAX_BYTES + 1), {}, 413),
    ],
)
def test_a_page_can_read_every_answer(
    toko: Stage, body: Any, headers: dict[str, str], status: int
) -> None:
    """CORS names the exact origin, so that the tracker sees the status and does not guess."""
    answer = toko.page(body, headers={"Origin": "https://m.toko.example", **headers})
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == "https://m.toko.example"
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["access-control-expose-headers"] == "Retry-After"
    assert answer.headers["vary"] == "Origin"


def test_a_page_can_read_when_to_come_again(tmp_path: Path) -> None:
    """429 and 503 carry CORS as well, and let `Retry-After` be read."""
    with stage(tmp_path, site(rate_limit=1)) as toko:
        answers = [toko.page(BODY) for _ in range(5)]
        assert answers[-1].status_code == 429
        assert answers[-1].headers["access-control-allow-origin"] == ORIGIN
