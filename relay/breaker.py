"""The circuit breaker of one destination: whether it is asked, by how it answered so far."""

from __future__ import annotations

from typing import Literal

State = Literal["closed", "open", "half_open"]
"""`closed`: asked freely. `open`: not asked at all, so that no delivery spends an attempt on a
system that is down. `half_open`: asked with a single delivery, to see whether the others may
follow."""

OPEN_AFTER = 10
"""Failures in a row that open it."""

FIRST_OPEN_S = 1.0
"""Open so long at first, and twice as long after each probe that fails."""

MOST_OPEN_S = 60.0
"""At most so long: a system that is up again waits no longer for us."""

MOST_OPEN_COSTLY_S = 15 * 60.0
"""At most so long where a failed probe costs its event, because it must not be repeated."""

FIRST_AT_ONCE = 2
"""Requests at once after the probe that succeeded; each further success doubles them."""


class Breaker:
    """Opens after failures in a row, tries again with one delivery, and closes step by step.

    A failure on the way back opens it at once, for as short as the first time.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._is_closed = True
        self._open_until_ms = 0
        self._failed_probes = 0
        self._at_once: int | None = None

    def state(self, now_ms: int) -> State:
        """Which of the three it is."""
        if self._is_closed:
            return "closed"
        return "open" if now_ms < self._open_until_ms else "half_open"

    def rest_ms(self, now_ms: int) -> int:
        """Milliseconds until the next probe; 0 when none is waited for."""
        return 0 if self._is_closed else max(self._open_until_ms - now_ms, 0)

    def at_once(self, in_flight: int) -> int:
        """How many of `in_flight` requests may be under way together."""
        if not self._is_closed:
            return 1
        return in_flight if self._at_once is None else min(self._at_once, in_flight)

    def succeeded(self, in_flight: int) -> None:
        """The system took an event, or refused it for what it is: it is up."""
        if not self._is_closed:
            self._is_closed = True
            self._at_once = FIRST_AT_ONCE
        elif self._at_once is not None:
            self._at_once *= 2
        if self._at_once is None or self._at_once >= in_flight:
            self._at_once = None
            self._failures = 0

    def failed(self, now_ms: int, *, is_costly: bool) -> None:
        """There was no answer, or none that says anything of the event."""
        if self.state(now_ms) == "open":  # of a request from before
            return
        self._failures += 1
        if self._failures < OPEN_AFTER:
            return
        self._failed_probes = 0 if self._is_closed else self._failed_probes + 1
        most_s = MOST_OPEN_COSTLY_S if is_costly else MOST_OPEN_S
        open_s = min(FIRST_OPEN_S * 2.0 ** min(self._failed_probes, 20), most_s)
        self._is_closed = False
        self._at_once = None
        self._open_until_ms = now_ms + int(open_s * 1000)
