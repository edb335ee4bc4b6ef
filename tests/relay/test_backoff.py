"""When a delivery is tried again, and how fast its destination may be tried."""

from __future__ import annotations

import pytest

from relay.backoff import Pace, wait_s
from relay.destinations import Answer, Judgement

HOUR_S = 3600.0
NOW = 1_760_000_000_000


@pytest.mark.parametrize(
    ("attempt", "most_s"), [(1, 2), (2, 4), (3, 8), (4, 16), (9, 512), (10, 900), (5000, 900)]
)
def test_the_wait_is_between_nothing_and_a_doubling_bound(attempt: int, most_s: float) -> None:
    """Full jitter: anything from 0 to 2, 4, 8 ... seconds, 15 minutes at most (DESIGN 5.5)."""
    assert wait_s(attempt, 0.0, None, HOUR_S) == 0
    assert wait_s(attempt, 0.5, None, HOUR_S) == most_s / 2
    assert wait_s(attempt, 1.0, None, HOUR_S) == most_s


@pytest.mark.parametrize(
    ("chance", "after_s", "expected"), [(0.0, 30.0, 30.0), (1.0, 30.0, 30.0), (1.0, 0.5, 2.0)]
)
def test_retry_after_is_the_least_wait(chance: float, after_s: float, expected: float) -> None:
    """The system's own word is obeyed; our jitter may only add to it."""
    assert wait_s(1, chance, after_s, HOUR_S) == expected


def test_no_wait_is_longer_than_an_event_may_get_old() -> None:
    """A `Retry-After` of a hundred years does not keep an event for a hundred years."""
    assert wait_s(1, 0.0, 3e9, 7 * 86_400) == 7 * 86_400


OK = (Answer(200), Judgement("done"))
REFUSED = (Answer(400), Judgement("dead", "bad currency"))
THROTTLED = (Answer(429), Judgement("retry", "throttled", 30.0))
BROKEN = (Answer(503), Judgement("retry", "server error"))
LOST = (Answer(failure="no_answer"), Judgement("dead", "it may have arrived"))
UNKNOWN = (Answer(401), Judgement("pause", "credentials refused (401)"))

Ends = list[tuple[Answer, Judgement]]


@pytest.mark.parametrize(
    ("ends", "not_before_s", "one_at_a_time", "paused"),
    [
        ([], 0, False, False),
        ([OK, REFUSED, BROKEN], 0, False, False),
        ([THROTTLED], 30, False, False),
        ([THROTTLED, OK], 30, False, False),
        ([(Answer(429), Judgement("retry", "", 86_400.0))], 900, False, False),
        ([BROKEN] * 19, 0, False, False),
        ([BROKEN] * 20, 1, True, False),
        ([LOST] * 20, 1, True, False),
        ([BROKEN] * 19 + [OK] + [BROKEN] * 19, 0, False, False),
        ([BROKEN] * 20 + [REFUSED], 1, False, False),
        ([UNKNOWN], 60, True, True),
        ([UNKNOWN, BROKEN], 60, True, True),
        ([UNKNOWN, LOST], 60, True, True),
        ([UNKNOWN, OK], 0, False, False),
        ([UNKNOWN, REFUSED], 0, False, False),
    ],
)
def test_the_pace_follows_the_answers(
    ends: Ends, not_before_s: float, one_at_a_time: bool, paused: bool
) -> None:
    """Throttled: not before it says. Down: one a second. Paused: one a minute. Heard: freely."""
    pace = Pace()
    for answer, judgement in ends:
        pace.note(answer, judgement, NOW)
    expected = NOW + int(not_before_s * 1000) if not_before_s else 0
    assert max(pace.not_before_ms, NOW) == max(expected, NOW)
    assert pace.one_at_a_time is one_at_a_time
    assert bool(pace.paused) is paused
