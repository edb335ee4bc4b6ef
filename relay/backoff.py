"""How long a delivery waits until its next attempt."""

from __future__ import annotations

FIRST_WAIT_S = 2.0
MOST_WAIT_S = 15 * 60.0

PROBE_EVERY_S = 60.0
"""A paused destination is tried with one delivery a minute."""


def wait_s(attempt: int, chance: float, after_s: float | None, most_s: float) -> float:
    """Seconds until the next attempt: exponential back-off with full jitter.

    After attempt n it is `chance` (0 to 1) of 2, 4, 8 ... seconds, at most 15 minutes; never less
    than the system asked for with `after_s`, never more than `most_s`.
    """
    doublings = min(attempt - 1, 20)
    jitter_s = chance * min(FIRST_WAIT_S * 2.0**doublings, MOST_WAIT_S)
    return min(max(jitter_s, after_s or 0.0), most_s)
