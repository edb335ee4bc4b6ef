"""Tracify's stand-in refuses what the contract forbids (tracify.md section 2)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.relay.sandbox_client import GONE, Broken, Sandbox, send
from tests.relay.sandbox_samples import SAMPLES

EVENT = "events.0."
TRACIFY_400: list[Broken] = [
    ("tracify", "header Content-Type", "text/plain"),
    ("tracify", "body", "{"),
    ("tracify", "events", []),
    ("tracify", EVENT + "url", GONE),
    ("tracify", EVENT + "url", "shop.example.test"),
    ("tracify", EVENT + "customer_site_id", "toko"),
    ("tracify", EVENT + "identity_data", GONE),
    ("tracify", EVENT + "identity_data", []),
    ("tracify", EVENT + "identity_data", {"a" * 64: 3}),
    ("tracify", EVENT + "identity_data", {"a" * 64: 4}),
    ("tracify", EVENT + "identity_data", {"c" * 64: 3, "d" * 64: 4, "a" * 64: 5}),
    ("tracify", EVENT + "identity_data", {"c" * 64: 3, "d" * 64: 4, "a" * 64: "1"}),
    ("tracify", EVENT + "identity_data", {"203.0.113.7": 3, "d" * 64: 4}),
    ("tracify", EVENT + "datetime", GONE),
    ("tracify", EVENT + "datetime", "2026-03-04T05:09:00Z"),
    ("tracify", EVENT + "datetime", "2026-13-04 05:09:00"),
    ("tracify", EVENT + "datetime", "2026-3-4 5:9:0"),
    ("tracify", EVENT + "type", "page_view"),
    ("tracify", EVENT + "data", GONE),
    ("tracify", EVENT + "data.origin", GONE),
    ("tracify", EVENT + "data.origin", "shop.example.test"),
    ("tracify", EVENT + "data.origin", "https://shop.example.test/"),
    ("tracify", EVENT + "data.Referer", ""),
    ("tracify", EVENT + "data.order_id", GONE),
    ("tracify", EVENT + "data.currency", GONE),
    ("tracify", EVENT + "data.currency", "eur"),
    ("tracify", EVENT + "data.amount", GONE),
    ("tracify", EVENT + "data.amount", 100.0),
    ("tracify", EVENT + "data.amount", "100,00"),
    ("tracify", EVENT + "data.ITEM1", ""),
    ("tracify", EVENT + "data.AMT1", 25),
    ("tracify", EVENT + "data.QTY1", "2.00"),
    ("tracify", EVENT + "data.utm_source", None),
    ("tracify conversion", EVENT + "data.conversion_id", GONE),
    ("tracify conversion", EVENT + "data.amount", GONE),
]


@pytest.mark.parametrize(("name", "where", "value"), TRACIFY_400)
def test_tracify_refuses_with_status_false(name: str, where: str, value: Any) -> None:
    """HTTP 400 and the reason (tracify.md section 2)."""
    sandbox = Sandbox()
    answer = send(sandbox, SAMPLES[name], where=where, value=value)
    assert (answer.status_code, answer.json()["status"]) == (400, False)
    assert [row["error"] for row in sandbox.calls()] == [answer.json()["error"]]


@pytest.mark.parametrize("value", [GONE, "bad-key"])
def test_tracify_refuses_a_token(value: Any) -> None:
    """401."""
    sandbox = Sandbox()
    answer = send(sandbox, SAMPLES["tracify"], where="header tracify-token", value=value)
    assert (answer.status_code, answer.json()["status"]) == (401, False)


def test_tracify_does_not_deduplicate_page_views() -> None:
    """They have no ID, so a retry counts twice."""
    sandbox = Sandbox()
    event = SAMPLES["tracify"].body["events"][0]
    view = {**event, "type": "pageview", "data": {"origin": "https://shop.example.test"}}
    for _ in range(2):
        assert send(sandbox, SAMPLES["tracify"], where=EVENT[:-1], value=view).status_code == 200
    assert [row["duplicate"] for row in sandbox.calls()] == [False, False]
