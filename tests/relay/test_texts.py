"""Texts made for a request: the fewest bytes for who can read them, and no work without bound."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import brotli
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from relay.texts import BEST, BEST_EVERY_S, KEPT, QUICK, Texts
from tests.relay.relay_stage import Stage

# Not what repeats: there the two qualities would be one.
TEXT = "// Toko é " + " ".join(f"const v{n * n % 997} = {n * 7919 % 10007};" for n in range(400))
CODINGS = ["br", "gzip", "identity"]

Ask = Callable[..., Any]


class Clock:
    """Seconds, as a test says."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ask(clock: Clock) -> Ask:
    """An answer with TEXT, or TEXT and the text given, under the coding given."""
    texts = Texts({"Cache-Control": "public, max-age=300"}, clock)

    async def endpoint(request: Request) -> Response:
        return texts.answer(request, TEXT + request.query_params["more"], "text/javascript")

    client = TestClient(Starlette(routes=[Route("/", endpoint)]))

    def ask(coding: str = "br", more: str = "", **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.get("/", params={"more": more}, headers={"Accept-Encoding": coding, **named})

    return ask


def wire_bytes(answer: Any) -> int:
    return int(answer.headers["content-length"])


def size_at(quality: int, more: str = "") -> int:
    return len(brotli.compress((TEXT + more).encode(), quality=quality))


@pytest.mark.parametrize("coding", CODINGS)
def test_the_text_is_the_same_in_every_coding(ask: Ask, coding: str) -> None:
    """Which one the client likes best is decided as for page assets."""
    answer = ask(coding)
    assert answer.headers.get("content-encoding", "identity") == coding
    assert answer.text == TEXT
    plain = TEXT.encode()
    forms = {"br": size_at(BEST), "gzip": len(gzip.compress(plain)), "identity": len(plain)}
    assert wire_bytes(answer) == forms[coding]
    assert forms["br"] < forms["gzip"] < forms["identity"]


@pytest.mark.parametrize("coding", CODINGS)
def test_a_cache_is_told_that_the_answer_depends_on_the_coding(ask: Ask, coding: str) -> None:
    """Also when there is nothing new; each coding has an ETag of its own."""
    first = ask(coding)
    again = ask(coding, If_None_Match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    for answer in (first, again):
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers["cache-control"] == "public, max-age=300"
        assert answer.headers["etag"] == first.headers["etag"]
    others = {ask(one).headers["etag"] for one in CODINGS if one != coding}
    assert len(others - {first.headers["etag"]}) == 2
    for etag in others:
        assert ask(coding, If_None_Match=etag).status_code == 200


@pytest.mark.parametrize("shape", ["W/{}", '"other", {}', "*"])
def test_each_way_of_naming_what_one_has_is_understood(ask: Ask, shape: str) -> None:
    etag = ask().headers["etag"]
    assert ask(If_None_Match=shape.format(etag)).status_code == 304


def test_another_text_has_another_etag(ask: Ask) -> None:
    assert len({ask(more=more).headers["etag"] for more in ("", "1", "2")}) == 3


def test_a_text_is_compressed_once_while_it_is_asked_for(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until KEPT others have been asked for since."""
    done = counted(monkeypatch)
    for _ in range(3):
        ask()
    assert done == [BEST]
    for n in range(KEPT - 1):
        ask(more=str(n))
    ask()
    assert len(done) == KEPT
    for n in range(KEPT):
        ask(more=f"other {n}")
    ask()
    assert len(done) == 2 * KEPT + 1


def test_ever_new_texts_get_the_slow_compression_once_a_second_at_most(
    ask: Ask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who makes up hosts costs us no more than who asks for anything else."""
    done = counted(monkeypatch)
    for n in range(100):
        clock.now_s += BEST_EVERY_S / 10
        ask(more=str(n))
    assert done.count(BEST) == 10
    assert done.count(QUICK) == 90


def test_a_text_that_came_at_a_busy_time_gets_its_best_form_later(ask: Ask, clock: Clock) -> None:
    """Under another ETag, as its bytes are others; the text is the same."""
    ask(more="first")
    quick = ask()
    assert wire_bytes(quick) == size_at(QUICK)
    clock.now_s += BEST_EVERY_S
    best = ask(If_None_Match=quick.headers["etag"])
    assert best.status_code == 200
    assert wire_bytes(best) == size_at(BEST) < size_at(QUICK)
    assert best.text == quick.text
    assert ask(If_None_Match=best.headers["etag"]).status_code == 304


@pytest.mark.parametrize("path", ["/s/toko.js", "/s/toko/pyscript.json", "/s/toko/client.json"])
def test_what_a_page_loads_by_the_sites_name_comes_in_brotli(shared: Stage, path: str) -> None:
    plain = shared.ask("GET", path, headers={"Accept-Encoding": "identity"})
    small = shared.ask("GET", path, headers={"Accept-Encoding": "gzip, deflate, br, zstd"})
    assert "content-encoding" not in plain.headers
    assert small.headers["content-encoding"] == "br"
    assert small.text == plain.text


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The qualities that brotli is asked for from now on."""
    done: list[int] = []
    compress = brotli.compress

    def counting(text: bytes, quality: int) -> bytes:
        done.append(quality)
        made: bytes = compress(text, quality=quality)
        return made

    monkeypatch.setattr(brotli, "compress", counting)
    return done
