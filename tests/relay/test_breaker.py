"""When a destination's circuit breaker opens, when it lets a probe through, when it closes."""

from __future__ import annotations

import pytest

from relay.breaker import Breaker, State

NOW = 5_000
IN_FLIGHT = 8


def after(ends: str, *, is_costly: bool = False) -> tuple[Breaker, int]:
    """The breaker after these answers, and the time: `+` was taken, `-` failed.

    A `!` is a failed probe: the time has passed to where the breaker is half-open.
    """
    breaker, now_ms = Breaker(), NOW
    for end in ends:
        if end == "!":
            now_ms += breaker.rest_ms(now_ms)
        if end == "+":
            breaker.succeeded(IN_FLIGHT)
        else:
            breaker.failed(now_ms, is_costly=is_costly)
    return breaker, now_ms


TEN = "-" * 10


@pytest.mark.parametrize(
    ("ends", "state", "rest_s", "at_once"),
    [
        ("", "closed", 0, 8),
        ("-" * 9, "closed", 0, 8),
        (TEN, "open", 1, 1),
        ("-" * 9 + "+" + "-" * 9, "closed", 0, 8),  # in a row
        (TEN + "-----", "open", 1, 1),  # those that were under way make it no worse
        (TEN + "!", "open", 2, 1),
        (TEN + "!!", "open", 4, 1),
        (TEN + "!!!!!", "open", 32, 1),
        (TEN + "!!!!!!", "open", 60, 1),
        (TEN + "!" * 5000, "open", 60, 1),
        (TEN + "+", "closed", 0, 2),
        (TEN + "++", "closed", 0, 4),
        (TEN + "+++", "closed", 0, 8),
        (TEN + "!!!!+-", "open", 1, 1),  # it was up: the waits begin anew
        (TEN + "+++" + "-" * 9, "closed", 0, 8),
    ],
)
def test_the_breaker_follows_the_answers(
    ends: str, state: State, rest_s: int, at_once: int
) -> None:
    """Ten failures in a row open it for 1, 2, 4 ... 60 s; a success closes it, and requests at once
    are 2, 4, 8 then."""
    breaker, now_ms = after(ends)
    assert breaker.state(now_ms) == state
    assert breaker.rest_ms(now_ms) == rest_s * 1000
    assert breaker.at_once(IN_FLIGHT) == at_once


def test_an_open_breaker_is_half_open_when_its_time_is_over() -> None:
    """Not a millisecond before."""
    breaker, now_ms = after(TEN)
    assert breaker.state(now_ms + 999) == "open"
    assert breaker.state(now_ms + 1000) == "half_open"
    assert breaker.rest_ms(now_ms + 1000) == 0


def test_probes_that_cost_their_event_become_as_rare_as_four_an_hour() -> None:
    """What must not be repeated is lost with an answer that does not come."""
    breaker, now_ms = after(TEN + "!" * 20, is_costly=True)
    assert breaker.rest_ms(now_ms) == 900_000


@pytest.mark.parametrize("in_flight", [1, 2])
def test_the_way_back_is_short_where_little_may_be_under_way(in_flight: int) -> None:
    """With one or two requests at once, the probe was all of it."""
    breaker, now_ms = after(TEN)
    breaker.succeeded(in_flight)
    breaker.failed(now_ms, is_costly=False)
    assert breaker.state(now_ms) == "closed"
    assert breaker.at_once(in_flight) == in_flight
