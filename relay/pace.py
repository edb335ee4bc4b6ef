"""How fast one destination may be tried: its limits, its breaker, what its answers asked for."""

from __future__ import annotations

import math
from typing import Literal

from relay.backoff import PROBE_EVERY_S
from relay.breaker import Breaker
from relay.destinations import Judgement

State = Literal["closed", "open", "half_open", "paused"]
"""The breaker's, or `paused` while our credentials are refused."""


MOST_HOLD_S = 60 * 60.0
"""`Retry-After` is obeyed by a destination as a whole for an hour: one answer must not stop it for
a day. The delivery itself waits as long as was asked."""


class Allowance:
    """Requests that may be sent now: so many a second, a second's worth of them together.

    Never less than one together. `per_second` 0 is no limit.
    """

    def __init__(self, per_second: float) -> None:
        self._step_ms = 1000 / per_second if per_second else 0.0
        self._burst_ms = max(1000.0, self._step_ms)
        self._used_until_ms = -math.inf

    def left(self, now_ms: int) -> float:
        """How many may be sent now; below 0 where more were sent than may be."""
        if not self._step_ms:
            return math.inf
        used_ms = max(self._used_until_ms - now_ms, 0.0)
        return math.floor((self._burst_ms - used_ms) / self._step_ms + 1e-6)

    def rest_ms(self, now_ms: int) -> int:
        """Milliseconds until one may be sent."""
        if self.left(now_ms) >= 1:
            return 0
        return math.ceil(self._used_until_ms - now_ms - self._burst_ms + self._step_ms)

    def take(self, now_ms: int) -> None:
        """One is sent."""
        self._used_until_ms = max(self._used_until_ms, now_ms) + self._step_ms


class Pace:
    """How fast one destination may be tried. Times are milliseconds of a clock never set back.

    As its limits allow, as a rule. After `Retry-After` not before then. Once a minute while it is
    paused because it refuses our credentials; as its breaker says while it is down. The first event
    it judges for itself ends both.
    """

    def __init__(self, in_flight: int, per_second: float) -> None:
        self.paused = ""
        self._in_flight = in_flight
        self._breaker = Breaker()
        self._allowance = Allowance(per_second)
        self._not_before_ms = 0

    def state(self, now_ms: int) -> State:
        """What operators are shown."""
        return "paused" if self.paused else self._breaker.state(now_ms)

    def is_probing(self, now_ms: int) -> bool:
        """A single delivery may be on its way, to see whether the others may follow."""
        return bool(self.paused) or self._breaker.state(now_ms) != "closed"

    def is_held(self, now_ms: int) -> bool:
        """Nothing may be sent now, by what was answered; the limits aside."""
        return self._held_ms(now_ms) > 0

    def rest_s(self, now_ms: int) -> float:
        """Seconds until something may be sent; 0 when it may be now."""
        return max(self._held_ms(now_ms), self._allowance.rest_ms(now_ms)) / 1000

    def room(self, under_way: int, now_ms: int) -> int:
        """How many more requests may be sent now."""
        if self.is_probing(now_ms):
            return 0 if under_way else 1
        free = self._breaker.at_once(self._in_flight) - under_way
        return int(max(min(free, self._allowance.left(now_ms)), 0))

    def sent(self, now_ms: int) -> None:
        """A request was sent."""
        self._allowance.take(now_ms)

    def note(self, judgement: Judgement, now_ms: int) -> None:
        """The pace follows this answer."""
        if judgement.verdict == "pause":
            self.paused = judgement.reason or "credentials refused"
        elif _was_heard(judgement):
            if self.paused:
                self._not_before_ms = 0
            self.paused = ""
            self._breaker.succeeded(self._in_flight)
        else:
            self._breaker.failed(now_ms, is_costly=judgement.verdict == "dead")
        hold_s = PROBE_EVERY_S if self.paused else min(judgement.after_s or 0.0, MOST_HOLD_S)
        self._not_before_ms = max(self._not_before_ms, now_ms + int(hold_s * 1000))

    def _held_ms(self, now_ms: int) -> int:
        return max(self._not_before_ms - now_ms, self._breaker.rest_ms(now_ms), 0)


def _was_heard(judgement: Judgement) -> bool:
    """The system took or refused the event itself: it is up and knows us."""
    return judgement.verdict in ("done", "dead") and not judgement.may_have_arrived
