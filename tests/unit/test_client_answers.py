"""`pixelmirror.client`: what the relay's answer means, what is tried again and what is raised."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from pixelmirror.client import Refused, RelayError, Unreachable
from tests.unit.client_stage import SECRET, URL, Stage, Told, no
from tests.unit.samples import NOW_MS

INTERPRETERS = ("cpython",)

GONE = httpx.ConnectError("connection refused")
USER = {"email": "hush@example.com", "phone": "+62811223344556", "firstname": "Hush"}


@pytest.fixture(params=["threads", "asyncio"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    one = Stage(request.param)
    yield one
    one.close()


# --- what is tried again ---

PASSING: list[Told] = [
    GONE,
    httpx.ConnectTimeout("too slow"),
    httpx.ReadTimeout("too slow"),
    httpx.WriteTimeout("too slow"),
    httpx.PoolTimeout("too many"),
    httpx.ReadError("reset"),
    httpx.WriteError("reset"),
    httpx.RemoteProtocolError("no HTTP"),
    httpx.ProxyError("no way"),
    httpx.DecodingError("no gzip"),
    429,
    500,
    502,
    504,
    no(503, "not_durable"),
]


@pytest.mark.parametrize("answer", PASSING, ids=repr)
def test_what_may_pass_is_tried_again_under_the_same_event_id(stage: Stage, answer: Told) -> None:
    """No answer, 429 and 5xx; the relay keeps an event ID once, so a repeat does no harm."""
    stage.answers = [answer]
    event_id = stage.track("login")
    first, second = stage.bodies
    assert first["events"] == second["events"]
    assert first["events"][0]["event_id"] == event_id


FINAL = [400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 431, 200, 201, 301, 302, 304]


@pytest.mark.parametrize("status", FINAL)
def test_any_other_answer_is_final(stage: Stage, status: int) -> None:
    """Stored means 204 and nothing else: a 200 is some other server's."""
    stage.answers = [status]
    with pytest.raises(Refused) as caught:
        stage.track("login")
    assert caught.value.status == status
    assert (len(stage.requests), stage.waits) == (1, [])


def test_each_try_says_when_it_was_sent(stage: Stage) -> None:
    """By that the relay sets the clock right, and no wait counts as a clock that is off."""
    stage.answers = [503, 503]
    stage.track("login")
    times = [(body["sent_at"], body["events"][0]["event_time"]) for body in stage.bodies]
    assert times == [(NOW_MS, NOW_MS), (NOW_MS + 500, NOW_MS), (NOW_MS + 1500, NOW_MS)]


# --- how long it waits ---


@pytest.mark.parametrize(("chance", "share"), [(1.0, 1.0), (0.5, 0.5), (0.0, 0.0)])
def test_waits_double_up_to_8_seconds_with_full_jitter(
    stage: Stage, chance: float, share: float
) -> None:
    """So that those who failed together do not come back together."""
    stage.answers = [503] * 7
    client = stage.client(tries=8, patience_s=100.0, chance=lambda: chance)
    stage.run(client.track("login"))
    assert stage.waits == [share * most for most in (0.5, 1, 2, 4, 8, 8, 8)]


@pytest.mark.parametrize(
    ("value", "least"),
    [
        ("3", 3.0),
        (" 3 ", 3.0),
        ("0", 0.0),
        ("Thu, 09 Oct 2025 08:53:25 GMT", 5.0),
        ("Thu, 09 Oct 2025 08:53:25 -0000", 5.0),
        ("Thu, 09 Oct 2025 08:00:00 GMT", 0.0),
        ("soon", 0.0),
        ("-1", 0.0),
        ("", 0.0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed_as_seconds_or_as_a_date(
    stage: Stage, status: int, value: str, least: float
) -> None:
    """Never before; and not all at that very moment."""
    stage.answers = [httpx.Response(status, headers={"Retry-After": value})]
    stage.track("login")
    assert stage.waits == [least + 0.5]


def test_the_tries_are_limited(stage: Stage) -> None:
    """Five, unless told otherwise."""
    stage.answers = [503] * 5
    with pytest.raises(Unreachable, match="after 5 tries: 503"):
        stage.track("login")
    assert (len(stage.requests), stage.waits) == (5, [0.5, 1, 2, 4])


def test_one_try_may_be_all(stage: Stage) -> None:
    """For who must not wait, and keeps what was not stored himself."""
    stage.answers = [GONE]
    with pytest.raises(Unreachable, match="after 1 try: no answer"):
        stage.run(stage.client(tries=1).track("login"))
    assert stage.waits == []


@pytest.mark.parametrize(("patience_s", "tries"), [(30.0, 3), (60.0, 4), (5.0, 1)])
def test_no_try_begins_after_the_patience_has_ended(
    stage: Stage, patience_s: float, tries: int
) -> None:
    """Slow answers count as waiting does."""
    stage.try_s = 12.0
    stage.answers = [httpx.ReadTimeout("too slow")] * 5
    with pytest.raises(Unreachable):
        stage.run(stage.client(patience_s=patience_s, tries=4).track("login"))
    assert len(stage.requests) == tries


def test_a_longer_retry_after_than_the_patience_ends_it_at_once(stage: Stage) -> None:
    """The caller is told now, and not after a wait that helps nobody."""
    stage.answers = [no(429, "rate_limited", **{"Retry-After": "3600"})]
    with pytest.raises(Unreachable, match="after 1 try: 429 rate_limited"):
        stage.track("login")
    assert stage.waits == []


# --- what is raised ---


def test_a_refusal_says_what_the_relay_said(stage: Stage) -> None:
    """Status, code, message and field, and that nothing is stored."""
    words = "currency must be a three-letter ISO 4217 code, got 'idr1'"
    stage.answers = [no(422, "invalid_event", words, "events[0].params.currency")]
    with pytest.raises(Refused) as caught:
        stage.track("login", event_id="e1")
    error = caught.value
    assert (error.status, error.code) == (422, "invalid_event")
    assert (error.message, error.field) == (words, "events[0].params.currency")
    assert str(error) == (
        f"the relay answered 422 invalid_event: events[0].params.currency: {words}"
    )
    assert (error.stored, error.not_stored) == ((), ("e1",))


STRANGE = [
    b"",
    b"<h1>Not found</h1>",
    b"\xff\xfe",
    b"[]",
    b"null",
    b'{"error": "no"}',
    b'{"error": {}}',
    b'{"error": {"code": 1, "message": []}}',
]


@pytest.mark.parametrize("content", STRANGE)
@pytest.mark.parametrize("status", [200, 404])
def test_what_no_relay_answers_is_said_to_be_that(
    stage: Stage, content: bytes, status: int
) -> None:
    """Some other server is at this address: nothing of its page is repeated."""
    stage.answers = [httpx.Response(status, content=content)]
    with pytest.raises(
        Refused, match=f"answered {status}: this is no answer of a relay's"
    ) as caught:
        stage.track("login")
    assert (caught.value.code, caught.value.field) == ("", None)


def test_nobody_there_says_so_with_the_last_reason(stage: Stage) -> None:
    stage.answers = [503, 503, 503, 503, GONE]
    with pytest.raises(Unreachable) as caught:
        stage.track("login", event_id="e1")
    assert str(caught.value) == (
        "the relay has not stored it after 5 tries: no answer (ConnectError: connection refused)"
    )
    assert caught.value.status is None
    assert caught.value.not_stored == ("e1",)


def test_both_are_relay_errors_and_no_others() -> None:
    """One `except RelayError` is enough for "it is not stored"."""
    assert RelayError.__subclasses__() == [Refused, Unreachable]
    assert RelayError.__bases__ == (Exception,)


@pytest.mark.parametrize(
    "error",
    [
        Refused("no", status=422, code="c", message="m", field="f", stored=["a"], not_stored=["b"]),
        Unreachable("no", status=503, stored=["a"], not_stored=["b"]),
    ],
)
def test_an_error_survives_the_way_to_another_process(error: RelayError) -> None:
    """As those of job queues do."""
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


# --- many at once ---


def events(count: int) -> list[dict[str, Any]]:
    return [{"event_name": "login", "event_id": f"e{n}"} for n in range(count)]


def test_when_a_part_is_refused_what_came_before_it_is_stored(stage: Stage) -> None:
    """And what comes after it is not sent. The place of the wrong one is that in the whole."""
    stage.answers = [204, no(422, "invalid_event", "no", "events[7].event_name")]
    with pytest.raises(Refused) as caught:
        stage.send(events(1200))
    error = caught.value
    assert error.field == "events[507].event_name"
    assert "events[507].event_name" in str(error)
    assert error.stored == tuple(f"e{n}" for n in range(500))
    assert error.not_stored == tuple(f"e{n}" for n in range(500, 1200))
    assert len(stage.requests) == 2


def test_when_nobody_answers_any_more_what_came_before_is_stored(stage: Stage) -> None:
    """What is left can be sent again as it is."""
    stage.answers = [204, *[503] * 5]
    every = events(600)
    with pytest.raises(Unreachable) as caught:
        stage.send(every)
    assert len(caught.value.stored) == 500
    left = [event for event in every if event["event_id"] in caught.value.not_stored]
    assert stage.send(left) == [f"e{n}" for n in range(500, 600)]


def test_each_part_has_tries_and_patience_of_its_own(stage: Stage) -> None:
    stage.answers = [*[503] * 4, 204, *[503] * 4, 204]
    assert len(stage.send(events(600))) == 600


# --- what nobody may read ---


def test_the_key_is_in_nothing_that_anyone_prints(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither is what a shopper told: not in the client, its errors or its log."""
    caplog.set_level(logging.DEBUG)
    client = stage.client()
    assert repr(client) == f"{type(client).__name__}('{URL}', site='toko')"
    texts = [repr(client), str(client), repr(vars(client))]
    failing: list[list[Told]] = [[503, GONE, 429, 503, 503], [422], [no(401, "unknown_key")]]
    for answers in failing:
        stage.answers = answers
        with pytest.raises(RelayError) as caught:
            stage.run(client.track("login", user=USER))
        texts += [str(caught.value), repr(caught.value), repr(vars(caught.value))]
    texts += [record.getMessage() for record in caplog.records]
    for text in texts:
        assert SECRET not in text
        assert "hush" not in text.lower()
        assert "11223344556" not in text


def test_a_try_that_failed_is_told_in_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """Why, which one it was and when the next is; a stored event is not worth a line."""
    caplog.set_level(logging.INFO, "pixelmirror.client")
    stage.answers = [no(503, "not_durable"), GONE]
    stage.track("login")
    ours = [record for record in caplog.records if record.name == "pixelmirror.client"]
    assert [(record.levelname, record.getMessage()) for record in ours] == [
        ("INFO", "site=toko attempt 1 of 5: 503 not_durable; again in 0.5 s"),
        (
            "INFO",
            "site=toko attempt 2 of 5: no answer (ConnectError: connection refused); "
            "again in 1.0 s",
        ),
    ]
