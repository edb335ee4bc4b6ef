"""What a browser may make of the relay's answers: nothing but data (relay.security_headers)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from relay.app import Relay, create_app
from relay.outbox.sqlite import SqliteOutbox
from relay.security_headers import HEADERS
from tests.relay.relay_stage import EVENT, NOW, ORIGIN, Stage, is_told, page_assets, site, stage

ANSWERS = {
    "an event taken": ("POST", "/s/toko", {"Content-Type": "text/plain"}, 204),
    "a refusal": ("POST", "/s/toko", {"Content-Type": "text/html"}, 415),
    "a preflight": ("OPTIONS", "/s/toko", {}, 204),
    "another origin": ("POST", "/s/toko", {"Origin": "https://evil.example"}, 403),
    "no such site": ("GET", "/s/nobody.js", {}, 404),
    "no such path": ("GET", "/", {}, 404),
    "another method": ("DELETE", "/s/toko", {}, 405),
    "no key": ("GET", "/v1/deliveries", {}, 401),
    "health": ("GET", "/healthz", {}, 200),
}


@pytest.mark.parametrize(("method", "path", "headers", "status"), ANSWERS.values(), ids=ANSWERS)
def test_every_answer_has_the_security_headers(
    toko: Stage, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    """No sniffing, no frame, no script, no referrer, nothing kept."""
    body: dict[str, Any] = {} if method != "POST" else {"json": {"events": [EVENT]}}
    answer = toko.ask(method, path, headers={"Origin": ORIGIN, **headers}, **body)
    assert answer.status_code == status
    for name, value in HEADERS.items():
        assert answer.headers.get_list(name) == [value]


@pytest.mark.parametrize(
    "path", ["/s/toko.js", "/s/toko/pyscript.json", "/s/assets/hash-of-tracker/pixelmirror.tar.gz"]
)
def test_page_assets_stay_everybodys_to_load(shared: Stage, path: str) -> None:
    """Cached, from any page; the type is still not guessed."""
    answer = shared.ask("GET", path)
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "public" in answer.headers["cache-control"]
    assert "content-security-policy" not in answer.headers


def test_an_unknown_asset_is_told_in_few_words(shared: Stage) -> None:
    """Whatever was asked for, however long; no way leads out of the folder."""
    for path in ("../../site.toml", "%2e%2e/%2e%2e/site.toml", "hash-of-tracker/../x", "x" * 5000):
        answer = shared.ask("GET", f"/s/assets/{path}")
        assert answer.status_code == 404
        assert len(answer.content) < 400


@pytest.mark.parametrize(
    "path",
    [
        "/s/../toko",
        "/s/%2e%2e/toko",
        "/s/toko%2f..%2ftoko",
        "/s/toko%00",
        "/s/toko.js.js",
        "/s//toko",
        "/s/toko%0d%0aSet-Cookie:a=b",
        "/s/toko;x",
        "/%73/Toko",
        "/s/toko/../../healthz",
    ],
)
def test_no_path_is_another_ones(shared: Stage, path: str) -> None:
    """A site's name is one of those known, letter by letter."""
    answer = shared.page({"events": [EVENT]}, path=path)
    assert answer.status_code in (404, 405)
    assert "set-cookie" not in answer.headers


class Broken(SqliteOutbox):
    """An outbox with a mistake in it, that has the shopper's e-mail address in its words."""

    def accept(self, *arrival: Any) -> Any:
        raise RuntimeError("siti@example.com")


def test_a_mistake_of_ours_is_told_without_its_words(tmp_path: Path) -> None:
    """500, in the shape of every refusal; whoever runs the app gets the exception."""

    async def ask() -> httpx.Response:
        async with await Broken.open(tmp_path / "outbox.db") as outbox:
            app = create_app(Relay([site()], outbox, page_assets(tmp_path / "dist")))
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="https://t") as client:
                body = {"sent_at": NOW, "events": [EVENT]}
                return await client.post("/s/toko", json=body, headers={"Origin": ORIGIN})

    answer = asyncio.run(ask())
    assert is_told(answer, 500, "internal_error")
    assert "siti" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_operator_is_told_that_the_outbox_cannot_be_read(tmp_path: Path) -> None:
    """503 and when to come again, and no word of files or SQL."""
    with stage(tmp_path) as toko:
        toko.run(toko.outbox.close())
        for path in ("/v1/deliveries", "/v1/dead-letters", "/v1/payments"):
            answer = toko.operator(path)
            assert is_told(answer, 503, "not_durable")
            assert answer.headers["retry-after"]
        assert is_told(toko.replay({"site": "toko"}), 503, "not_durable")
