"""Commanders Act's stand-in judges as the contract says (commanders-act.md section 3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.relay.sandbox_client import GONE, Sample, Sandbox, changed, send
from tests.relay.sandbox_samples import ITEM, SAMPLES

PURCHASE = {
    **SAMPLES["commanders_act"].body,
    "event_name": "purchase",
    "id": "ORD-1",
    "revenue": 16.0,
    "value": 22.53,
    "type": "online",
    "payment_method": "card",
    "status": "in_progress",
}
COMMANDERS_ACT: list[tuple[dict[str, Any], str, Any]] = [
    ({}, "header Content-Type", "text/plain"),
    ({}, "path", "/events?tc_s=1234"),
    ({}, "path", "/events?tc_s=1234&token=bad"),
    ({}, "path", "/events?token=source-1"),
    ({}, "event_name", GONE),
    ({}, "event_name", ""),
    ({}, "context", GONE),
    ({}, "context.event_id", GONE),
    ({}, "context.event_timestamp", GONE),
    ({}, "context.event_timestamp", "1760000000000"),
    ({}, "context.event_timestamp", 1760000000),
    ({}, "user", GONE),
    ({}, "user.consent_categories", GONE),
    ({}, "user.consistent_anonymous_id", GONE),
    ({}, "user.phone", "33612345678"),
    ({}, "user.email_sha256", "x"),
    ({}, "user.birthdate", "1/1/1970"),
    ({}, "properties", {}),
    ({}, "value", "8.00"),
    ({}, "currency", GONE),
    ({}, "currency", "eur"),
    ({}, "items", GONE),
    ({}, "items", []),
    ({}, "items.0.product", GONE),
    ({}, "items.0.product.price", GONE),
    ({}, "items.0.quantity", "1"),
    (PURCHASE, "id", GONE),
    (PURCHASE, "revenue", GONE),
    (PURCHASE, "payment_method", "paypal"),
    (PURCHASE, "payment_method", GONE),
    (PURCHASE, "status", "done"),
    (PURCHASE, "type", GONE),
    ({"event_name": "page_view"}, "page_type", GONE),
    ({"event_name": "search"}, "search_term", GONE),
    ({"event_name": "select_item"}, "items", [ITEM, ITEM]),
]


@pytest.mark.parametrize(("other", "where", "value"), COMMANDERS_ACT)
def test_commanders_act_refuses_in_silence(other: dict[str, Any], where: str, value: Any) -> None:
    """The answer is 200 all the same; the record says what their event inspector would."""
    sandbox = Sandbox()
    body = {**SAMPLES["commanders_act"].body, **other}
    if value is GONE and "." not in where:
        body.setdefault(where, None)
    sample = Sample("commanders_act", SAMPLES["commanders_act"].path, body)
    assert send(sandbox, sample, where=where, value=value).status_code == 200
    assert [row["accepted"] for row in sandbox.calls()] == [False]
    assert sandbox.calls()[0]["error"]


@pytest.mark.parametrize("name", ["wishlist_shared", "login"])
def test_commanders_act_takes_events_without_items(name: str) -> None:
    """Custom events and those that require nothing need no more than the envelope."""
    sandbox = Sandbox()
    body = changed(SAMPLES["commanders_act"].body, "items", GONE)
    send(sandbox, SAMPLES["commanders_act"], where="body", value={**body, "event_name": name})
    assert [row["accepted"] for row in sandbox.calls()] == [True]


def test_commanders_act_takes_its_key_as_a_bearer_token() -> None:
    """The API page and the OpenAPI file differ (commanders-act.md C13)."""
    sandbox = Sandbox()
    sample = Sample("commanders_act", "/events?tc_s=1", SAMPLES["commanders_act"].body)
    send(sandbox, sample, where="header Authorization", value="Bearer source-1")
    assert [row["accepted"] for row in sandbox.calls()] == [True]


def test_commanders_act_upserts_a_purchase() -> None:
    """The transaction's `id` is its only key."""
    sandbox = Sandbox()
    for event_id in ("e1", "e2"):
        body = changed(PURCHASE, "context.event_id", event_id)
        send(sandbox, SAMPLES["commanders_act"], where="body", value=body)
    assert [row["duplicate"] for row in sandbox.calls()] == [False, True]


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("/events", "{", "invalid JSON"),
        ("/events/batch", "{", "invalid JSON"),
        ("/events", {"event_name": "x" * 33_000}, "the event is over 32 KB"),
        ("/events/batch", {"batch": [{"event_name": "x" * 33_000}]}, "an event is over 32 KB"),
        ("/events/batch", {"batch": [{"a": "x" * 30_000}] * 20}, "the batch is over 500 KB"),
    ],
)
def test_commanders_act_says_400_to_two_things(path: str, body: Any, error: str) -> None:
    """Invalid JSON and too much of it (commanders-act.md section 3)."""
    sandbox = Sandbox()
    sample = Sample("commanders_act", path + "?tc_s=1&token=2", body)
    assert send(sandbox, sample).status_code == 400
    assert {row["error"] for row in sandbox.calls()} == {error}


def test_commanders_act_judges_each_event_of_a_batch() -> None:
    """One bad event takes none with it; each is on record alone."""
    sandbox = Sandbox()
    good = SAMPLES["commanders_act"].body
    bad = changed(good, "currency", GONE)
    sample = Sample("commanders_act", "/events/batch?tc_s=1&token=2", {"batch": [bad, good]})
    assert send(sandbox, sample).status_code == 200
    rows = sandbox.calls()
    assert [row["accepted"] for row in rows] == [False, True]
    assert [row["call"] for row in rows] == [{"batch": [bad]}, {"batch": [good]}]


@pytest.mark.parametrize("body", [{"batch": []}, {}, []])
def test_commanders_act_takes_no_empty_batch(body: Any) -> None:
    """On record as refused, as nothing was in it."""
    sandbox = Sandbox()
    sample = Sample("commanders_act", "/events/batch?tc_s=1&token=2", body)
    assert send(sandbox, sample).status_code == 200
    assert [row["accepted"] for row in sandbox.calls()] == [False]
