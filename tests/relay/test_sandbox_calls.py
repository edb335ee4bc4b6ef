"""The sandbox's record of calls: what each outside system was given."""

from __future__ import annotations

import json
from typing import Any

import pytest

from relay.sandbox.calls import Record, Seen
from tests.relay.sandbox_client import NOW_S, Sandbox
from tests.relay.sandbox_samples import SAMPLES

ALHENA = "/api" + SAMPLES["alhena checkout"].path
ORDER = SAMPLES["alhena checkout"].body


def pixel_report(**changes: Any) -> dict[str, Any]:
    report = {"name": "AddToCart", "event_id": "e1", "pixel": "11", "arguments": ["track"]}
    return {**report, **changes}


def test_a_call_is_on_record_with_all_that_is_known_of_it() -> None:
    """Number, time, system, side, names, fate and what was given."""
    sandbox = Sandbox()
    sandbox.ask("POST", ALHENA, json=ORDER)
    assert sandbox.calls() == [
        {
            "n": 1,
            "at": NOW_S * 1000,
            "system": "alhena",
            "side": "server",
            "event_name": "sendCheckoutEvent",
            "event_id": None,
            "pixel": None,
            "accepted": True,
            "duplicate": False,
            "status": 200,
            "error": None,
            "call": ORDER,
        }
    ]


def test_a_pixel_report_is_on_record_with_its_arguments() -> None:
    """A report is text/plain JSON, as beacons send it; one report or a list of them."""
    sandbox = Sandbox()
    one = pixel_report(arguments=["track", "AddToCart", {"value": 1}, {"eventID": "e1"}])
    for body in (one, [pixel_report(name=None, event_id=None), pixel_report(event_id="e2")]):
        answer = sandbox.ask("POST", "/pixels/meta", content=json.dumps(body))
        assert answer.status_code == 204
    rows = sandbox.calls()
    assert [(row["side"], row["event_name"], row["event_id"]) for row in rows] == [
        ("pixel", "AddToCart", "e1"),
        ("pixel", None, None),
        ("pixel", "AddToCart", "e2"),
    ]
    assert rows[0]["call"] == one["arguments"]


def test_a_report_with_an_error_is_not_accepted() -> None:
    """The SDK says itself what it would not have sent."""
    sandbox = Sandbox()
    sandbox.ask("POST", "/pixels/alhena", json=pixel_report(error="value is missing"))
    assert [(row["accepted"], row["error"]) for row in sandbox.calls()] == [
        (False, "value is missing")
    ]


@pytest.mark.parametrize(
    "body",
    [b"{", b"NaN", b'{"name": "AddToCart"}', b'[{"name": 1}]', b"\xff\xfe", b"[" * 100_000],
)
def test_a_report_of_another_shape_is_refused(body: bytes) -> None:
    """400 with the reason, and nothing on record."""
    sandbox = Sandbox()
    answer = sandbox.ask("POST", "/pixels/meta", content=body)
    assert (answer.status_code, sandbox.calls()) == (400, [])
    assert answer.json()["error"]


def test_calls_can_be_asked_for_by_number_and_by_event_id() -> None:
    """`since` names the last number seen; `event_id` one event."""
    sandbox = Sandbox()
    for event_id in ("e1", "e2", "e1"):
        sandbox.ask("POST", "/pixels/kwai", json=pixel_report(event_id=event_id))
    assert [row["n"] for row in sandbox.calls(since=1)] == [2, 3]
    assert [row["n"] for row in sandbox.calls(event_id="e1")] == [1, 3]
    assert [row["n"] for row in sandbox.calls(event_id="e1", since=1)] == [3]
    assert sandbox.ask("GET", "/calls?since=x").status_code == 400


def test_forgotten_calls_do_not_start_the_numbers_again() -> None:
    """Who asks for calls since a number misses none after a DELETE."""
    sandbox = Sandbox()
    sandbox.ask("POST", "/pixels/meta", json=pixel_report())
    assert sandbox.ask("DELETE", "/calls").status_code == 204
    assert sandbox.calls() == []
    sandbox.ask("POST", "/pixels/meta", json=pixel_report())
    assert [(row["n"], row["duplicate"]) for row in sandbox.calls()] == [(2, False)]


def test_copies_are_all_on_record_and_the_later_ones_marked() -> None:
    """Only a copy that the vendor would drop is a duplicate: same pixel, name and event ID."""
    sandbox = Sandbox()
    for report in (
        pixel_report(),
        pixel_report(),
        pixel_report(pixel="22"),
        pixel_report(name="Purchase"),
        pixel_report(event_id=None),
        pixel_report(event_id=None),
    ):
        sandbox.ask("POST", "/pixels/meta", json=report)
    assert [row["duplicate"] for row in sandbox.calls()] == [False, True] + [False] * 4


@pytest.mark.parametrize("system", ["kwai", "commanders_act", "alhena"])
def test_systems_without_deduplication_have_no_duplicates(system: str) -> None:
    """Two copies are two records there (kwai.md 4, commanders-act.md 3, alhena.md 3)."""
    sandbox = Sandbox()
    for _ in range(2):
        sandbox.ask("POST", f"/pixels/{system}", json=pixel_report())
    assert [row["duplicate"] for row in sandbox.calls()] == [False, False]


def test_a_copy_after_a_refused_one_is_no_duplicate() -> None:
    """A vendor cannot drop a copy of what it never took."""
    sandbox = Sandbox()
    sandbox.behave(system="alhena", do="fail", times=1)
    for _ in range(3):
        sandbox.ask("POST", ALHENA, json=ORDER)
    rows = sandbox.calls()
    assert [(row["accepted"], row["duplicate"]) for row in rows] == [
        (False, False),
        (True, False),
        (True, True),
    ]


def test_the_oldest_calls_are_dropped_beyond_the_limit() -> None:
    """A long demo does not fill the memory; a dropped call's key is dropped with it."""
    record = Record(lambda: 0, limit=2)
    for event_id in ("e1", "e2", "e3", "e1"):
        record.add("meta", "pixel", 200, Seen("Lead", event_id, [], key=("Lead", event_id)))
    assert [(row["n"], row["duplicate"]) for row in record.since()] == [(3, False), (4, False)]


@pytest.mark.parametrize("path", ["/pixels/meta", "/behaviour", "/midtrans/A-1", ALHENA])
def test_a_body_over_one_mebibyte_is_refused(path: str) -> None:
    """413, and an outside system's refusal is on record."""
    sandbox = Sandbox()
    assert sandbox.ask("POST", path, content=b" " * (1024 * 1024 + 1)).status_code == 413
    assert [row["status"] for row in sandbox.calls()] == ([413] if path == ALHENA else [])


def test_tokens_are_not_on_record() -> None:
    """Meta's and Kwai's bodies hold an access token, which the panel must not show."""
    sandbox = Sandbox()
    for path in ("/api/v25.0/11/events", "/api/log/common/api"):
        sandbox.ask("POST", path, json={"access_token": "secret-1", "data": [{}, {}]})
    assert len(sandbox.calls()) == 3
    assert "secret-1" not in json.dumps(sandbox.calls())
