"""Outside systems of the sandbox misbehave as they are told to."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.types import Message

from relay.sandbox.behaviour import MISBEHAVIOURS
from tests.relay.sandbox_client import Sandbox
from tests.relay.sandbox_samples import SAMPLES

ALHENA = "/api" + SAMPLES["alhena checkout"].path
ORDER = SAMPLES["alhena checkout"].body


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


def test_an_sdk_can_be_late_or_lost() -> None:
    """A stalled script comes in the end, a cut-off one does not."""
    sandbox = Sandbox()
    sandbox.behave(system="kwai", side="pixel", do="stall", seconds=0, times=1)
    assert "kwaiq" in sandbox.ask("GET", "/sdk/kwai.js").text
    sandbox.behave(system="kwai", side="pixel", do="close", times=1)
    with pytest.raises(ConnectionAbortedError):
        sandbox.ask("GET", "/sdk/kwai.js")
