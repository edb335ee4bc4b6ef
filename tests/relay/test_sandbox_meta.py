"""Meta's stand-in refuses what the contract forbids (meta.md sections 4 and 6)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.relay.sandbox_client import GONE, NOW_S, Sample, Sandbox, changed, send
from tests.relay.sandbox_samples import HASH, SAMPLES

WEEK_S = 7 * 86_400
USER = "data.0.user_data."
CUSTOM = "data.0.custom_data."
META_100: list[tuple[str, Any, int | None]] = [
    ("body", "{", 2804001),
    ("body", '{"data": [{"event_time": NaN}]}', 2804001),
    ("header Content-Type", "text/plain", 2804001),
    ("path", "/v25.0/pixel/events?access_token=EAAB-1", 33),
    ("data", GONE, 2804001),
    ("data", [], 2804001),
    ("data", [{}] * 1001, 2804001),
    ("data.0.event_name", GONE, 2804001),
    ("data.0.event_time", GONE, 2804001),
    ("data.0.event_time", str(NOW_S), 2804001),
    ("data.0.event_time", NOW_S * 1000, 2804001),
    ("data.0.event_time", NOW_S - WEEK_S - 1, 2804003),
    ("data.0.event_id", 77, 2804001),
    ("data.0.action_source", GONE, 2804001),
    ("data.0.action_source", "web", 2804001),
    ("data.0.event_source_url", GONE, 2804001),
    ("data.0.user_data", GONE, 2804001),
    (USER + "client_user_agent", GONE, 2804001),
    (USER + "em", "siti@example.com", 2804001),
    (USER + "em", [HASH.upper()], 2804001),
    (USER + "ph", ["6281234567890"], 2804001),
    (USER + "country", "id", 2804001),
    (USER + "fbp", HASH, 2804001),
    (USER + "client_ip_address", HASH, 2804001),
    ("data.0.user_data", {"country": HASH, "client_user_agent": "M"}, 2804001),
    (CUSTOM + "value", "147000", 2804001),
    (CUSTOM + "value", GONE, 2804009),
    (CUSTOM + "currency", GONE, 2804009),
    (CUSTOM + "currency", "rupiah", 2804001),
    (CUSTOM + "num_items", 2.5, 2804001),
    (CUSTOM + "content_type", "item", 2804001),
    (CUSTOM + "contents.0.id", GONE, 2804001),
    (CUSTOM + "contents.0.quantity", GONE, 2804001),
    ("data.0.opt_out", "false", 2804001),
]


@pytest.mark.parametrize(("where", "value", "subcode"), META_100)
def test_meta_refuses_with_code_100(where: str, value: Any, subcode: int | None) -> None:
    """HTTP 400 and Meta's error body (meta.md section 6)."""
    sandbox = Sandbox()
    answer = send(sandbox, SAMPLES["meta"], where=where, value=value)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["error_subcode"]) == (400, 100, subcode)
    assert not any(row["accepted"] for row in sandbox.calls())


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v25.0/1234567890/events", 190),
        ("/v25.0/1234567890/events?access_token=bad-1", 190),
        ("/1234567890/25/events?access_token=EAAB-1", 2500),
    ],
)
def test_meta_refuses_a_token_or_a_path(path: str, code: int) -> None:
    """A refused token is code 190 (meta.md section 6)."""
    sandbox = Sandbox()
    answer = send(sandbox, SAMPLES["meta"], where="path", value=path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


@pytest.mark.parametrize(
    ("where", "value"),
    [("header Authorization", "Bearer EAAB-1"), ("access_token", "EAAB-1")],
)
def test_meta_takes_its_token_from_header_or_body_too(where: str, value: str) -> None:
    """Not only from the query."""
    sandbox = Sandbox()
    sample = Sample("meta", "/v25.0/1234567890/events", SAMPLES["meta"].body)
    assert send(sandbox, sample, where=where, value=value).status_code == 200


@pytest.mark.parametrize(
    ("source", "days", "status"),
    [("website", 7, 200), ("website", 8, 400), ("physical_store", 62, 200)],
)
def test_meta_takes_no_event_over_its_age(source: str, days: int, status: int) -> None:
    """Seven days, 62 for a physical store."""
    sandbox = Sandbox()
    body = changed(SAMPLES["meta"].body, "data.0.action_source", source)
    body = changed(body, "data.0.event_time", NOW_S - days * 86_400)
    assert send(sandbox, SAMPLES["meta"], where="body", value=body).status_code == status


def test_one_bad_event_takes_down_metas_whole_request() -> None:
    """Each event is on record alone, and none is accepted."""
    sandbox = Sandbox()
    good = SAMPLES["meta"].body["data"][0]
    bad = {**good, "event_id": "e2", "action_source": "nowhere"}
    send(sandbox, SAMPLES["meta"], where="data", value=[good, bad])
    rows = sandbox.calls()
    assert [(row["event_id"], row["accepted"]) for row in rows] == [
        ("ORD-77-Purchase", False),
        ("e2", False),
    ]
    assert [row["call"]["data"] for row in rows] == [[good], [bad]]
    assert "data.1.action_source" in rows[0]["error"]
