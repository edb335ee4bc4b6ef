"""Where the sandbox is served, and to whom."""

from __future__ import annotations

import asyncio
import runpy
import sys
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from relay.sandbox import create_sandbox
from relay.sandbox.cors import SCALEV_HEADERS
from tests.relay.sandbox_client import Sandbox
from tests.relay.sandbox_samples import SAMPLES

ALHENA = "/api" + SAMPLES["alhena checkout"].path
ORDER = SAMPLES["alhena checkout"].body
REPORT = {"name": "AddToCart", "event_id": "e1", "pixel": "11", "arguments": ["track"]}


@pytest.mark.parametrize("path", ["/calls", "/sdk/tiktok.js"])
def test_every_origin_may_ask(path: str) -> None:
    """Pages on another port report here."""
    sandbox = Sandbox()
    answer = sandbox.ask("GET", path, headers={"Origin": "http://shop.test"})
    assert answer.headers["access-control-allow-origin"] == "*"


def preflight(sandbox: Sandbox, path: str, headers: str, method: str = "POST") -> httpx.Response:
    asked = {
        "Origin": "http://shop.test",
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }
    return sandbox.ask("OPTIONS", path, headers=asked)


SCALEV = "/api/v3/stores/store_1/public/analytics/meta/events"


def test_a_preflight_allows_any_header() -> None:
    """Of every system but Scalev."""
    answer = preflight(Sandbox(), "/behaviour", "content-type,x-anything")
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-headers"] == "content-type,x-anything"


def test_scalevs_preflight_allows_its_four_headers_and_the_exact_origin() -> None:
    """Pages that post to Scalev themselves send its key, and JSON (scalev section 2)."""
    answer = preflight(Sandbox(), SCALEV, "content-type,x-scalev-storefront-api-key")
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "http://shop.test"
    assert "Origin" in answer.headers["vary"]
    allowed = {name.strip() for name in answer.headers["access-control-allow-headers"].split(",")}
    for name in SCALEV_HEADERS:
        assert name in allowed
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    ("headers", "method"), [("content-type,x-anything", "POST"), ("content-type", "PUT")]
)
def test_scalevs_preflight_allows_nothing_else(headers: str, method: str) -> None:
    """A browser would not send what Scalev's own preflight refuses (scalev section 2)."""
    assert preflight(Sandbox(), SCALEV, headers, method).status_code == 400


@pytest.mark.parametrize("key", ["sfpk_1", "bad_key"])
def test_a_page_can_read_what_scalev_answers(key: str) -> None:
    """Be it a refusal of the body or the 404 of a bad key (scalev R7)."""
    sandbox = Sandbox()
    headers = {"Origin": "http://shop.test", "X-Scalev-Storefront-Api-Key": key}
    answer = sandbox.ask("POST", SCALEV, headers=headers, json={})
    assert answer.headers["access-control-allow-origin"] == "http://shop.test"


def test_it_runs_below_another_application() -> None:
    """The demo mounts it beside the relay and the shop."""
    host = Starlette(routes=[Mount("/sandbox", create_sandbox())])

    async def ask() -> list[int]:
        transport = httpx.ASGITransport(host)
        async with httpx.AsyncClient(transport=transport, base_url="http://demo.test") as client:
            report = await client.post("/sandbox/pixels/meta", json=REPORT)
            calls = await client.get("/sandbox/calls")
            assert len(calls.json()["calls"]) == 1
            sent = await client.post("/sandbox" + ALHENA, json=ORDER)
            return [report.status_code, calls.status_code, sent.status_code]

    assert asyncio.run(ask()) == [204, 200, 200]


@pytest.mark.parametrize("path", ["/api/open_api/v1.3/event/track", "/api/nowhere", "/sdk/x.js"])
def test_a_path_that_is_nearly_right_is_wrong(path: str) -> None:
    """No redirect: the vendors have none."""
    sandbox = Sandbox()
    assert sandbox.ask("POST", path, json={}).status_code == 404


def test_it_runs_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m relay.sandbox --port 8702`, on this machine only unless told otherwise."""
    asked: dict[str, Any] = {}
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: asked.update(options))
    monkeypatch.setattr(sys, "argv", ["sandbox", "--port", "8702"])
    runpy.run_module("relay.sandbox", run_name="__main__")
    assert (asked["host"], asked["port"]) == ("127.0.0.1", 8702)
