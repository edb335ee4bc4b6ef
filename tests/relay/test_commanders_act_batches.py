"""Commanders Act: what travels together, and what its answers mean (its section 3)."""

import asyncio
import json
import logging
from typing import Any

import pytest

from relay.destinations import Answer, Event
from relay.sending import Sender, quiet_http_logs
from tests.relay.commanders_act_shop import (
    SOURCE_KEY,
    commanders_act,
    event,
    every_event,
    mug,
    request_of,
)
from tests.relay.round_trip import BASE_URL, NOW, round_trip

ITEMS = {"items": [mug()]}
ADDED = event("add_to_cart", ITEMS)
ORDER = {"id": "O_1245", "value": 22.53, **ITEMS}

KB = 1024
TEXT = 2000  # a text of the params may hold 2048 characters


def sized(size: int, letter: str = "x", **more: Any) -> Event:
    """An event that is so many bytes to Commanders Act, filled up with this letter."""
    notes: list[str] = []
    while True:
        told = event("page_view", {"notes": [*notes, ""]}, **more)
        left = size - len(request_of(told).body)
        if left <= TEXT:
            letters, odd = divmod(left, len(letter.encode()))
            return event("page_view", {"notes": [*notes, letter * letters + "x" * odd]}, **more)
        notes.append("x" * TEXT)


# --- limits ---

TOO_LARGE = "over 32 KB, the most Commanders Act takes of an event"


@pytest.mark.parametrize("letter", ["x", "é", "中"])
def test_an_event_of_32_kb_is_sent_and_one_byte_more_is_not(letter: str) -> None:
    """Section 3, limits: in bytes of UTF-8, not in characters."""
    most = sized(32 * KB, letter)
    assert len(request_of(most).body) == 32 * KB
    assert commanders_act().skips(most) is None
    assert commanders_act().skips(sized(32 * KB + 1, letter)) == TOO_LARGE


def test_one_event_is_no_batch() -> None:
    """Section 3: a path for one event, another for several."""
    assert request_of(ADDED).url.startswith("https://collect.commander1.com/events?")
    assert json.loads(request_of(ADDED).body)["event_name"] == "add_to_cart"


def test_several_events_are_a_batch() -> None:
    """Section 3: `{"batch": [event, ...]}` to `/events/batch`, each as it would be alone."""
    events = [ADDED, event("purchase", ORDER)]
    [request] = commanders_act().requests(events)
    base = "https://collect.commander1.com/events/batch"
    assert request.url == base + "?tc_s=1234&token=source-key%2F1"
    assert list(request.events) == events
    alone = [json.loads(request_of(each).body) for each in events]
    assert json.loads(request.body) == {"batch": alone}


def test_no_request_for_no_event() -> None:
    """Section 3: a batch has at least one event."""
    assert commanders_act().requests([]) == []


def test_a_batch_holds_500_kb() -> None:
    """Section 3, limits: large events are spread over requests, in their order, each once."""
    destination = commanders_act()
    events = [sized(30 * KB, event_id=f"e{n}") for n in range(destination.batch)]
    requests = destination.requests(events)
    assert [each for request in requests for each in request.events] == events
    assert all(len(request.body) <= 500 * KB for request in requests)
    # 16 of 30 KB are 480 KB, one more would be 510.
    assert [len(request.events) for request in requests] == [16] * 6 + [4]


def test_the_last_event_that_fits_goes_along() -> None:
    """Section 3, limits: at the edge of 500 KB."""
    fifteen = [sized(32 * KB, event_id=f"e{n}") for n in range(15)]
    room = 500 * KB - 15 * (32 * KB + 1) - len('{"batch":[]}')
    [full] = commanders_act().requests([*fifteen, sized(room - 10)])
    assert 500 * KB - 20 <= len(full.body) <= 500 * KB
    over = commanders_act().requests([*fifteen, sized(room + 1)])
    assert [len(request.events) for request in over] == [15, 1]


# --- repeats ---


def test_a_repeat_has_the_same_event_id() -> None:
    """Section 3, retry: with the same `event_id`; the body is the same to the byte."""
    first, second = request_of(ADDED), request_of(ADDED)
    assert first.repeatable
    assert first.body == second.body
    assert all(each.repeatable for each in commanders_act().requests([ADDED, ADDED]))


def test_events_of_a_week_are_sent() -> None:
    """DESIGN 5.5: each destination has an age limit; Commanders Act publishes none."""
    assert commanders_act().max_age_s == 7 * 86_400


# --- answers ---

ANSWERS: list[tuple[Answer, str, str]] = [
    (Answer(200), "done", ""),
    (Answer(200, b"<!doctype html>"), "done", ""),
    (Answer(204), "done", ""),
    (Answer(400, b'{"error": "invalid JSON"}'), "dead", "refused (400): invalid JSON"),
    (Answer(400), "dead", "refused (400)"),
    (Answer(413), "dead", "refused (413)"),
    (Answer(401), "pause", "credentials refused (401)"),
    (Answer(403), "pause", "credentials refused (403)"),
    (Answer(301), "pause", "redirected (301), check base_url"),
    (Answer(429), "retry", "throttled (429)"),
    (Answer(500), "retry", "server error (500)"),
    (Answer(503), "retry", "server error (503)"),
    (Answer(failure="not_sent", detail="refused"), "retry", "no connection: refused"),
    (Answer(failure="no_answer", detail="late"), "retry", "no answer: late"),
]


@pytest.mark.parametrize(("answer", "verdict", "reason"), ANSWERS)
def test_what_answers_mean(answer: Answer, verdict: str, reason: str) -> None:
    """Section 3, retry: a 200 is final; network errors, 429 and 5xx again; 400 never."""
    for events in ([ADDED], [ADDED, event("purchase", ORDER)]):
        [request] = commanders_act().requests(events)
        judgement = commanders_act().judge(request, answer, NOW)
        assert (judgement.verdict, judgement.reason) == (verdict, reason)


def test_a_refused_batch_is_split() -> None:
    """DESIGN 5.5: one bad event takes no other with it."""
    [request] = commanders_act().requests([ADDED, event("purchase", ORDER)])
    assert commanders_act().judge(request, Answer(400), NOW).took_nothing


def test_retry_after_is_obeyed() -> None:
    """DESIGN 5.5."""
    answer = Answer(429, headers={"Retry-After": "7"})
    assert commanders_act().judge(request_of(ADDED), answer, NOW).after_s == 7.0


# --- round trips ---

SANDBOX = {"base_url": BASE_URL}
EVENTS = [
    *every_event(),
    event("quiz_done", {"score": 7}, custom_events=("quiz_done",)),
]


def test_the_sandbox_takes_every_event_alone_and_in_a_batch() -> None:
    """Its stand-in answers 200 to what it refuses, so the record of calls is asked as well."""
    destination = commanders_act(SANDBOX)
    for groups in ([[each] for each in EVENTS], [EVENTS]):
        for events in groups:
            judgements, calls = round_trip(destination, events)
            assert [judgement.verdict for judgement in judgements] == ["done"]
            assert [call["error"] for call in calls] == [None] * len(events)
            ids = [destination.sent_as(each) for each in events]
            assert [call["event_id"] for call in calls] == ids


def test_the_sandbox_takes_the_largest() -> None:
    """Section 3, limits: what we take for the limits is within the vendor's."""
    events = [sized(32 * KB, event_id=f"e{n}") for n in range(20)]
    judgements, calls = round_trip(commanders_act(SANDBOX), events)
    assert [judgement.verdict for judgement in judgements] == ["done"] * 2
    assert [call["error"] for call in calls] == [None] * 20


@pytest.mark.parametrize("behaviour", [{"do": "throttle"}, {"do": "fail", "status": 503}])
def test_the_sandbox_in_trouble(behaviour: dict[str, Any]) -> None:
    """Section 3, retry."""
    behaviour = {"system": "commanders_act", **behaviour}
    [judgement], _ = round_trip(commanders_act(SANDBOX), [ADDED], behaviour)
    assert judgement.verdict == "retry"


def test_a_wrong_source_key_is_seen_by_nobody_but_the_inspector() -> None:
    """Section 3: 200 all the same, so the delivery is done."""
    [judgement], [call] = round_trip(commanders_act({**SANDBOX, "source_key": "wrong"}), [ADDED])
    assert judgement.verdict == "done"
    assert call["error"] == "token is missing or unknown"


# --- the token in the address ---


@pytest.mark.parametrize("base_url", [BASE_URL, "http://127.0.0.1:1"])
def test_no_log_holds_the_address(base_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """DESIGN 5.5: delivery keeps httpx from logging URLs; nothing else writes them down."""
    quiet_http_logs()
    caplog.set_level(logging.DEBUG)
    destination = commanders_act({"base_url": base_url})
    if base_url == BASE_URL:
        round_trip(destination, [ADDED])
    else:
        [request] = destination.requests([ADDED])
        answer = asyncio.run(_refused_connection(request))
        assert answer.failure == "not_sent"
        logging.getLogger("pixelmirror").info(destination.judge(request, answer, NOW).reason)
    for secret in (SOURCE_KEY, "source-key%2F1", "token="):
        assert secret not in caplog.text


async def _refused_connection(request: Any) -> Answer:
    sender = Sender()
    answer = await sender.send(request)
    await sender.close()
    return answer
