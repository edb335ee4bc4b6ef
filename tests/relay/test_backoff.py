"""When a delivery is tried again."""

from __future__ import annotations

import pytest

from relay.backoff import wait_s

HOUR_S = 3600.0


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
