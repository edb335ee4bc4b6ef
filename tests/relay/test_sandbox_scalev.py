"""Scalev's stand-in refuses what the contract forbids (scalev.md section 2)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.relay.sandbox_client import GONE, Broken, Sandbox, send
from tests.relay.sandbox_samples import SAMPLES

SCALEV_400: list[Broken] = [
    ("scalev.meta", "body", "{"),
    ("scalev.meta", "body", "[]"),
    ("scalev.meta", "header Accept", "*/*"),
    ("scalev.meta", "header Content-Type", "text/plain"),
    ("scalev.meta", "header Cookie", "_fbp=fb.1.1.2"),
    ("scalev.meta", "user_data", GONE),
    ("scalev.meta", "user_data.location_id", "12"),
    ("scalev.meta", "user_data.em", ["siti@example.com"]),
    ("scalev.meta", "event_source_url", "/p/kaos"),
    ("scalev.meta", "referrer_url", ""),
    ("scalev.meta", "events", GONE),
    ("scalev.meta", "events", []),
    ("scalev.meta", "events.0.event_id", GONE),
    ("scalev.meta", "events.0.event_id", ""),
    ("scalev.meta", "events.0.event_name", GONE),
    ("scalev.meta", "events.0.event_time", 1760000000),
    ("scalev.meta", "events.0.parameters", []),
    ("scalev.meta", "variants", []),
    ("scalev.meta", "variants.0.price", 1),
    ("scalev.meta", "variants.0.quantity", 0),
    ("scalev.meta", "variants.0.quantity", True),
    ("scalev.meta", "variants.0.variant_unique_id", GONE),
    ("scalev.tiktok", "event_source_url", GONE),
    ("scalev.tiktok", "user", GONE),
    ("scalev.tiktok", "events.0.event", GONE),
    ("scalev.tiktok", "events.0.event_name", "AddToCart"),
    ("scalev.snackvideo", "click_id", GONE),
    ("scalev.snackvideo", "click_id", ""),
    ("scalev.snackvideo", "events.0.event_id", "e1"),
    ("scalev.snackvideo", "events.0.event_name", GONE),
    ("scalev.snackvideo", "events.0.properties.value", 120000.5),
    ("scalev.snackvideo", "events.0.properties.quantity", 2.0),
    ("scalev.snackvideo", "events.0.properties.price", "60000"),
    ("scalev.snackvideo", "bundle_price_options.0.variant_unique_id", "v"),
]


@pytest.mark.parametrize(("name", "where", "value"), SCALEV_400)
def test_scalev_refuses_with_400(name: str, where: str, value: Any) -> None:
    """In Scalev's error shape, which names the field (scalev.md section 2)."""
    sandbox = Sandbox()
    answer = send(sandbox, SAMPLES[name], where=where, value=value)
    error = answer.json()
    assert (answer.status_code, error["error_code"]) == (400, "bad_request")
    assert error.keys() == {"error", "error_code", "message", "errors"}
    named = where.removeprefix("header ")
    assert any(named in key for key in error["errors"])
    assert [(row["accepted"], row["error"]) for row in sandbox.calls()] == [
        (False, error["message"])
    ]


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("header X-Scalev-Storefront-Api-Key", GONE),
        ("header X-Scalev-Storefront-Api-Key", "bad_key"),
        ("path", "/v3/stores/wrong_1/public/analytics/meta/events"),
    ],
)
def test_scalev_knows_no_store_for_a_bad_key(where: str, value: Any) -> None:
    """404 Store not found covers a bad key and an unknown store."""
    sandbox = Sandbox()
    answer = send(sandbox, SAMPLES["scalev.meta"], where=where, value=value)
    assert (answer.status_code, answer.json()["message"]) == (404, "Store not found")


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("scalev.meta", "page_id"),
        ("scalev.meta", "user_data.client_ip_address"),
        ("scalev.meta", "events.0.parameters.anything"),
        ("scalev.snackvideo", "events.0.properties.mapping_id"),
    ],
)
def test_scalev_tolerates_unknown_keys_outside_events(name: str, where: str) -> None:
    """At the top, in the user data and in the parameters; inside an event and a row it does not."""
    sandbox = Sandbox()
    assert send(sandbox, SAMPLES[name], where=where, value="x").status_code == 204


def test_a_throttled_scalev_answers_in_plain_text() -> None:
    """Its 429 may hold no JSON (scalev.md section 2)."""
    sandbox = Sandbox()
    sandbox.behave(system="scalev.meta", do="throttle")
    answer = send(sandbox, SAMPLES["scalev.meta"])
    assert (answer.status_code, answer.headers["content-type"]) == (
        429,
        "text/plain; charset=utf-8",
    )
