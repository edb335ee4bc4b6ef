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


def test_a_preflight_allows_the_storefront_key() -> None:
    """Pages that post to Scalev themselves send it, and JSON."""
    sandbox = Sandbox()
    asked = "content-type,x-scalev-storefront-api-key"
    answer = sandbox.ask(
        "OPTIONS",
        "/api/v3/stores/store_1/public/analytics/meta/events",
        headers={
            "Origin": "http://shop.test",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": asked,
        },
    )
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-headers"] == asked


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
