"""How fast a destination may be tried, by its limits and by what it answered."""

from __future__ import annotations

from typing import Any

import pytest

from relay.destinations import Answer, Judgement, Request
from relay.destinations.registry import MAKERS, destinations
from relay.pace import Allowance, Pace, State
from relay.site import parse
from tests.relay.site_files import LEAST, TABLES

NOW = 5_000

OK = Judgement("done")
FULL = Judgement("done", after_s=12.0)
REFUSED = Judgement("dead", "bad currency")
THROTTLED = Judgement("retry", "throttled", 30.0)
BROKEN = Judgement("retry", "server error")
LOST = Judgement("dead", "it may have arrived", may_have_arrived=True)
UNKNOWN = Judgement("pause", "credentials refused (401)")


@pytest.mark.parametrize(
    ("judgements", "rest_s", "state"),
    [
        ([], 0, "closed"),
        ([OK, REFUSED, BROKEN], 0, "closed"),
        ([THROTTLED], 30, "closed"),
        ([THROTTLED, OK], 30, "closed"),
        ([FULL], 12, "closed"),
        ([Judgement("retry", "", 3_000.0)], 3_000, "closed"),
        ([Judgement("retry", "", 86_400.0)], 3_600, "closed"),
        ([Judgement("dead", "", 40.0, may_have_arrived=True)], 40, "closed"),
        ([BROKEN] * 9, 0, "closed"),
        ([BROKEN] * 10, 1, "open"),
        ([LOST] * 10, 1, "open"),
        ([REFUSED] * 50, 0, "closed"),
        ([BROKEN] * 9 + [THROTTLED], 30, "open"),
        ([BROKEN] * 10 + [REFUSED], 0, "closed"),
        ([UNKNOWN], 60, "paused"),
        ([UNKNOWN, BROKEN], 60, "paused"),
        ([UNKNOWN, LOST], 60, "paused"),
        ([UNKNOWN, OK], 0, "closed"),
        ([UNKNOWN, REFUSED], 0, "closed"),
        ([BROKEN] * 10 + [UNKNOWN, OK], 0, "closed"),
    ],
)
def test_the_pace_follows_the_answers(
    judgements: list[Judgement], rest_s: float, state: State
) -> None:
    """Throttled: not before it says. Down: by the breaker. Paused: one a minute. Heard: freely."""
    pace = Pace(8, 0)
    for judgement in judgements:
        pace.note(judgement, NOW)
    assert pace.rest_s(NOW) == rest_s
    assert pace.state(NOW) == state
    assert pace.is_probing(NOW) is (state != "closed")


@pytest.mark.parametrize(
    ("judgements", "under_way", "room"),
    [
        ([], 0, 8),
        ([], 7, 1),
        ([], 8, 0),
        ([], 9, 0),
        ([BROKEN] * 10, 0, 1),
        ([BROKEN] * 10, 1, 0),
        ([BROKEN] * 10 + [OK], 1, 1),
        ([BROKEN] * 10 + [OK, OK], 1, 3),
        ([UNKNOWN], 0, 1),
        ([UNKNOWN], 1, 0),
    ],
)
def test_so_many_more_requests_may_be_under_way(
    judgements: list[Judgement], under_way: int, room: int
) -> None:
    """A probe is alone, and the way back is 2, 4, 8 at once."""
    pace = Pace(8, 0)
    for judgement in judgements:
        pace.note(judgement, NOW)
    assert pace.room(under_way, NOW) == room


@pytest.mark.parametrize(
    ("per_second", "taken", "left", "rest_ms"),
    [
        (0.0, 10_000, float("inf"), 0),
        (3.0, 0, 3, 0),
        (3.0, 2, 1, 0),
        (3.0, 3, 0, 334),
        (3.0, 5, -2, 1000),  # a split sends more than there was room for: they are owed
        (500.0, 499, 1, 0),
        (500.0, 500, 0, 2),
        (0.5, 0, 1, 0),
        (0.5, 1, 0, 2000),
    ],
)
def test_a_second_s_worth_may_be_sent_together(
    per_second: float, taken: int, left: float, rest_ms: int
) -> None:
    """Then as many as come back with time; after the rest there is one again."""
    allowance = Allowance(per_second)
    for _ in range(taken):
        allowance.take(NOW)
    assert allowance.left(NOW) == left
    assert allowance.rest_ms(NOW) == rest_ms
    assert allowance.left(NOW + rest_ms) >= 1


@pytest.mark.parametrize("per_second", [0.5, 3.0, 7.0, 500.0])
def test_no_more_are_sent_in_a_minute_than_the_limit_allows(per_second: float) -> None:
    """Asked as often as it lets: a minute's worth, and the second's worth at the start."""
    allowance, now_ms, sent = Allowance(per_second), NOW, 0
    while now_ms < NOW + 60_000:
        now_ms += allowance.rest_ms(now_ms)
        allowance.take(now_ms)
        sent += 1
    assert 60 * per_second <= sent <= 61 * per_second + 1


SERVERS: dict[str, dict[str, Any]] = {
    "meta": {"pixel_ids": ["1"], "access_token": "t"},
    "tiktok": {"pixel_ids": ["1"], "access_token": "t"},
    "kwai": {"pixel_ids": ["1"], "access_token": "t", "mode": "server"},
    "scalev": {"store_id": "s", "api_key": "k", "providers": ["meta"]},
    "tracify": TABLES["tracify"],
    "commanders_act": {"site_id": "1", "source_key": "k", "mode": "server"},
    "alhena": {"company_key": "toko", "mode": "server"},
}


@pytest.mark.parametrize(
    ("kind", "batch", "in_flight", "per_second"),
    [
        ("meta", 100, 8, 0),  # no limit of this API; 1000 a request (specs/meta.md 4)
        ("tiktok", 100, 8, 1000),  # 1000 a second, 1000 a request (specs/tiktok.md 4)
        ("kwai", 1, 2, 3),  # "at most a few per second" (specs/kwai.md 4)
        ("scalev", 1, 8, 0),  # not published: its headers are obeyed (specs/scalev.md 2)
        ("tracify", 50, 4, 10),  # none published: ours
        ("commanders_act", 100, 8, 500),  # "above 500 requests/s ask first" (3)
        ("alhena", 1, 4, 20),  # none published: ours
    ],
)
def test_each_destination_is_given_no_more_than_it_takes(
    kind: str, batch: int, in_flight: int, per_second: float
) -> None:
    """Events a request, requests at once, requests a second (0: no limit)."""
    (one,) = destinations(parse({**LEAST, "destinations": {kind: SERVERS[kind]}}, "toko.toml"))
    assert (one.batch, one.in_flight, one.per_second) == (batch, in_flight, per_second)


def test_every_destination_is_in_the_table_of_limits() -> None:
    """A new one says how much it takes."""
    assert set(SERVERS) == set(MAKERS)


TROUBLE = [
    Answer(failure="not_sent"),
    Answer(failure="no_answer"),
    Answer(500),
    Answer(502),
    Answer(503),
    Answer(504, b"<html>gateway</html>"),
    Answer(429),
]
PORTAL = Answer(200, b"<html>Log in to the hotel's network</html>")
READS_ITS_ANSWERS = ("meta", "tiktok", "kwai", "tracify")


@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("repeatable", [True, False])
def test_no_trouble_of_any_destination_is_taken_for_a_word_on_an_event(
    kind: str, repeatable: bool
) -> None:
    """Ten of them in a row open its breaker, also where each costs its event; and so does what
    answers in the place of a system whose answers have a form."""
    (one,) = destinations(parse({**LEAST, "destinations": {kind: SERVERS[kind]}}, "toko.toml"))
    request = Request("https://api.example/", b"{}", {}, [], repeatable)
    for answer in [*TROUBLE, *([PORTAL] if kind in READS_ITS_ANSWERS else [])]:
        pace = Pace(one.in_flight, one.per_second)
        for _ in range(10):
            pace.note(one.judge(request, answer, 0.0), NOW)
        assert pace.state(NOW) == "open", answer
