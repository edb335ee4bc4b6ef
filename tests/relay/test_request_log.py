"""What is told of every request: an ID in the answer, and a line without anything personal."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from relay.app import Relay, create_app
from relay.logs import written
from relay.outbox import OutboxUnavailable
from relay.outbox.sqlite import SqliteOutbox
from tests.relay.relay_stage import (
    EVENT,
    KEY,
    NOW,
    ORIGIN,
    SHOPPER,
    USER_AGENT,
    Stage,
    page_assets,
    site,
    stage,
)

ID = re.compile(r"[0-9a-f]{16}")


def entries(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was logged, an object a line."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


# A request, the site it is of, the route that the line names, and the status.
REQUESTS: list[tuple[str, str, dict[str, Any], str | None, str, int]] = [
    ("GET", "/s/toko.js?email=siti@example.com", {}, "toko", "/s/{site}.js", 200),
    ("GET", "/s/warung.js", {}, None, "/s/{site}.js", 404),
    ("OPTIONS", "/s/toko", {"headers": {"Origin": ORIGIN}}, "toko", "/s/{site}", 204),
    ("POST", "/s/toko", {"json": {}}, "toko", "/s/{site}", 403),
    ("GET", "/v1/deliveries", {"headers": {"Authorization": f"Bearer {KEY}"}}, "toko",
     "/v1/deliveries", 200),
    ("GET", "/v1/deliveries?event_id=siti@example.com", {}, None, "/v1/deliveries", 401),
    ("PUT", "/v1/events", {}, None, "/v1/events", 405),
    ("GET", "/s/assets/siti@example.com", {}, None, "/s/assets/{path:path}", 404),
    ("GET", "/siti@example.com/+6281234567890", {}, None, "none", 404),
    ("SITI", "/", {}, None, "none", 404),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "request_", "name", "route", "status"), REQUESTS)
def test_each_request_is_a_line_and_has_an_id(
    toko: Stage,
    capsys: pytest.CaptureFixture[str],
    method: str,
    path: str,
    request_: dict[str, Any],
    name: str | None,
    route: str,
    status: int,
) -> None:
    """The line names the route: no path, no query, no address, no user agent."""
    with written("json"):
        answer = toko.ask(method, path, **request_)
    assert answer.status_code == status
    (entry,) = entries(capsys)
    assert entry["request_id"] == answer.headers["x-request-id"]
    assert ID.fullmatch(entry["request_id"])
    assert entry.pop("duration_ms") >= 0
    is_refused = status >= 400 and "assets" not in route
    code = {"code": answer.json()["error"]["code"]} if is_refused else {}
    expected = {
        "level": "info",
        "logger": "pixelmirror.requests",
        "message": "request",
        "method": method if method != "SITI" else "other",
        "route": route,
        "status": status,
        **({"site": name} if name else {}),
        **code,
    }
    assert {key: value for key, value in entry.items() if key not in ("time", "request_id")} == (
        expected
    )


def test_the_id_is_always_ours(toko: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """What a caller sends as one is neither answered nor logged: it may be anything."""
    with written("json"):
        answers = [
            toko.ask("GET", "/healthz", headers={"X-Request-Id": "forged-0123456789"})
            for _ in range(2)
        ]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert all(map(ID.fullmatch, ids))
    assert len(set(ids)) == 2
    assert "forged" not in capsys.readouterr().err


def test_what_is_asked_every_few_seconds_is_told_at_debug_only(
    toko: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """By load balancers and Prometheus."""
    for level, lines in (("info", 0), ("debug", 3)):
        with written("json", level):
            for path in ("/healthz", "/readyz", "/metrics"):
                toko.ask("GET", path)
        found = [entry for entry in entries(capsys) if entry["logger"] == "pixelmirror.requests"]
        assert len(found) == lines


class FullDisk(SqliteOutbox):
    """An outbox whose disk is full."""

    def accept(self, *arrival: Any) -> Any:
        raise OutboxUnavailable("the outbox can't do this now: database or disk is full")


def test_all_that_is_logged_of_a_request_has_its_id(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """So that a refusal is found with its reason."""
    with stage(tmp_path, kind=FullDisk) as toko, written("json"):
        answer = toko.page({"events": [EVENT]})
    why, line = entries(capsys)
    assert (why["message"], why["level"], why["site"]) == ("not stored", "error", "toko")
    assert "disk is full" in why["why"]
    assert line["code"] == "not_durable"
    assert why["request_id"] == line["request_id"] == answer.headers["x-request-id"]


class Broken(SqliteOutbox):
    """An outbox with a mistake in it."""

    def accept(self, *arrival: Any) -> Any:
        raise RuntimeError("siti@example.com")


def test_a_mistake_of_ours_is_told_with_the_id_that_the_caller_got(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """500, and counted as that."""
    with stage(tmp_path, kind=Broken) as toko, written("json"):
        app = create_app(Relay([site()], toko.outbox, page_assets(tmp_path / "assets")))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)

        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=transport, base_url="https://t") as client:
                body = {"sent_at": NOW, "events": [EVENT]}
                return await client.post("/s/toko", json=body, headers={"Origin": ORIGIN})

        answer = toko.run(ask())
    (line,) = entries(capsys)
    assert (line["status"], line["code"], line["site"]) == (500, "internal_error", "toko")
    assert line["request_id"] == answer.headers["x-request-id"]


def test_a_line_is_of_the_request_alone(toko: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing of who asked and what was sent, in either format."""
    for log_format in ("json", "text"):
        with written(log_format, "debug"):
            assert toko.page({"events": [EVENT]}).status_code == 204
        text = capsys.readouterr().err
        assert text.count("\n") == 1
        for private in (SHOPPER, USER_AGENT, "Mozilla", "siti", "C-77", "81234567890", ORIGIN):
            assert private not in text
