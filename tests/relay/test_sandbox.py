"""What the sandbox promises to tests: a record of calls, and outside systems that misbehave."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Message

from relay.sandbox import create_sandbox
from relay.sandbox.behaviour import MISBEHAVIOURS
from relay.sandbox.calls import Record, Seen
from tests.relay.sandbox_client import NOW_S, Sandbox

ALHENA = "/api/analytics/checkout_events"
ORDER = {
    "company_key": "acme",
    "user_fingerprint": "0d2f6e9c-6a0e-4f3e-8a55-0c2b7c1e9a01",
    "user_faq_fingerprint": "7b1d0f52-33c4-4b7e-9d0a-5f4c1b2a3e02",
    "order_id": "A-1",
    "value": 30.0,
    "currency": "EUR",
}


def pixel_report(**changes: Any) -> dict[str, Any]:
    report = {"name": "AddToCart", "event_id": "e1", "pixel": "11", "arguments": ["track"]}
    return {**report, **changes}


# The record of calls


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


# Behaviours


@pytest.mark.parametrize(
    ("wanted", "status", "headers", "contained"),
    [
        ({"do": "fail"}, 503, {}, "was told to fail"),
        ({"do": "fail", "status": 500}, 500, {}, "was told to fail"),
        ({"do": "fail", "status": 200, "body": {"code": 7}}, 200, {}, '{"code":7}'),
        ({"do": "throttle", "retry_after_s": 3}, 429, {"retry-after": "3"}, "throttle"),
        ({"do": "garbage"}, 200, {"content-type": "text/html; charset=utf-8"}, "<!doctype html>"),
    ],
)
def test_a_system_misbehaves_as_it_is_told(
    wanted: dict[str, Any],
    status: int,
    headers: dict[str, str],
    contained: str,
) -> None:
    """And the call is on record as not accepted, with its event and the reason."""
    sandbox = Sandbox()
    assert sandbox.behave(system="alhena", **wanted).status_code == 204
    answer = sandbox.ask("POST", ALHENA, json=ORDER)
    assert answer.status_code == status
    assert headers.items() <= dict(answer.headers).items()
    assert contained in answer.text
    (row,) = sandbox.calls()
    assert (row["accepted"], row["status"], row["event_name"]) == (
        False,
        status,
        "sendCheckoutEvent",
    )
    assert row["error"] == f"the sandbox was told to {wanted['do']}"


def test_a_closed_connection_has_no_answer() -> None:
    """Inside one process the client gets an error; the record has no status."""
    sandbox = Sandbox()
    sandbox.behave(system="alhena", do="close", times=1)
    with pytest.raises(ConnectionAbortedError):
        sandbox.ask("POST", ALHENA, json=ORDER)
    assert [(row["accepted"], row["status"]) for row in sandbox.calls()] == [(False, None)]
    assert sandbox.ask("POST", ALHENA, json=ORDER).status_code == 200


@pytest.mark.parametrize(
    ("system", "path", "expected"),
    [
        ("scalev.meta", "/v3/stores/s/public/analytics/meta/events", "error_code"),
        ("meta", "/v25.0/11/events", "error"),
        ("tiktok", "/open_api/v1.3/event/track/", "code"),
        ("kwai", "/log/common/api", "result"),
        ("tracify", "/api/v1/events", "status"),
    ],
)
def test_a_failing_system_answers_in_its_own_words(system: str, path: str, expected: str) -> None:
    """The body has the vendor's shape, so that judging the answer is tested too."""
    sandbox = Sandbox()
    sandbox.behave(system=system, do="fail")
    answer = sandbox.ask("POST", "/api" + path, json={})
    assert (answer.status_code, expected in answer.json()) == (503, True)


def test_a_behaviour_holds_for_that_many_calls() -> None:
    """Then all is as usual; without `times` it holds until it is ended."""
    sandbox = Sandbox()
    sandbox.behave(system="alhena", do="fail", times=2)
    sandbox.behave(system="tracify", do="fail", times=None)
    statuses = [sandbox.ask("POST", ALHENA, json=ORDER).status_code for _ in range(3)]
    assert statuses == [503, 503, 200]
    assert sandbox.ask("POST", "/api/api/v1/events", json={}).status_code == 503
    sandbox.behave(system="tracify", do="normal")
    assert sandbox.ask("POST", "/api/api/v1/events", json={}).status_code == 401


def test_reset_ends_every_behaviour() -> None:
    """Midtrans' configured answers are behaviours too."""
    sandbox = Sandbox()
    sandbox.behave(system="alhena", do="fail")
    sandbox.ask("POST", "/midtrans/A-1", json={"transaction_status": "settlement"})
    assert sandbox.ask("DELETE", "/behaviour").status_code == 204
    assert sandbox.ask("POST", ALHENA, json=ORDER).status_code == 200
    asked = sandbox.ask("GET", "/api/v2/A-1/status", auth=("SB-Mid-server-1", ""))
    assert asked.json()["status_code"] == "404"


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        ({"do": "fail"}, "system"),
        ({"system": "nobody", "do": "fail"}, "system"),
        ({"system": "midtrans", "side": "pixel", "do": "fail"}, "system"),
        ({"system": "meta", "do": "explode"}, "do"),
        ({"system": "meta", "do": "fail", "times": 0}, "times"),
        ({"system": "meta", "do": "fail", "status": 99}, "status"),
        ({"system": "meta", "do": "stall", "seconds": 601}, "seconds"),
        ({"system": "meta", "do": "throttle", "retry_after_s": 0.5}, "retry_after_s"),
        ({"system": "meta", "do": "fail", "time": 1}, "time"),
    ],
)
def test_an_unknown_behaviour_is_refused_by_name(wanted: dict[str, Any], named: str) -> None:
    """A test that asks for what does not exist must not pass by chance."""
    sandbox = Sandbox()
    answer = sandbox.behave(**wanted)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(named + " ")


def test_a_stalling_system_holds_up_no_other() -> None:
    """Its call is on record at once, accepted: the vendor has it, the answer is late."""
    sandbox = Sandbox()
    sandbox.behave(system="alhena", do="stall", seconds=600)

    async def meanwhile() -> int:
        stalled = asyncio.create_task(sandbox.ask_async("POST", ALHENA, json=ORDER))
        other = asyncio.create_task(sandbox.ask_async("POST", "/api/api/v1/events", json={}))
        done, _ = await asyncio.wait({stalled, other}, return_when=asyncio.FIRST_COMPLETED)
        assert done == {other}
        stalled.cancel()
        return other.result().status_code

    assert asyncio.run(meanwhile()) == 401
    rows = {row["system"]: row for row in sandbox.calls()}
    assert (rows["alhena"]["accepted"], rows["alhena"]["status"]) == (True, 200)


def test_a_stall_ends_when_its_time_is_up() -> None:
    """Then the answer is the usual one."""
    sandbox = Sandbox()
    sandbox.behave(system="alhena", do="stall", seconds=0, times=1)
    assert sandbox.ask("POST", ALHENA, json=ORDER).status_code == 200


def test_a_stall_ends_when_the_client_has_gone() -> None:
    """No request waits for nobody."""
    sandbox = Sandbox()
    sandbox.behave(system="alhena", do="stall", seconds=600)
    messages: list[Message] = [
        {"type": "http.request", "body": json.dumps(ORDER).encode(), "more_body": False},
        {"type": "http.disconnect"},
    ]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/sandbox" + ALHENA,
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        pass

    asyncio.run(asyncio.wait_for(sandbox.app(scope, receive, send), 10))
    assert messages == []


@pytest.mark.parametrize("do", [d for d in MISBEHAVIOURS if d not in ("stall", "close")])
def test_an_sdk_can_fail_to_load(do: str) -> None:
    """`side: pixel` is about the script; the server API of the same name goes on."""
    sandbox = Sandbox()
    sandbox.behave(system="meta", side="pixel", do=do, times=1)
    assert "<h1>" in sandbox.ask("GET", "/sdk/meta.js").text
    assert "fbevents" in sandbox.ask("GET", "/sdk/meta.js").text


# Where it is served


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
            report = await client.post("/sandbox/pixels/meta", json=pixel_report())
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
