"""When to try again: how long a delivery waits, and how fast its destination may be tried."""

from __future__ import annotations

from relay.destinations import Answer, Judgement

FIRST_WAIT_S = 2.0
MOST_WAIT_S = 15 * 60.0

PROBE_EVERY_S = 60.0
"""A paused destination is tried with one delivery a minute."""

DOWN_AFTER = 20
"""Failures in a row after which a destination counts as down."""

DOWN_EVERY_S = 1.0
"""A destination that is down is tried with one delivery a second, however much waits for it."""


def wait_s(attempt: int, chance: float, after_s: float | None, most_s: float) -> float:
    """Seconds until the next attempt: exponential back-off with full jitter.

    After attempt n it is `chance` (0 to 1) of 2, 4, 8 ... seconds, at most 15 minutes; never less
    than the system asked for with `after_s`, never more than `most_s`.
    """
    doublings = min(attempt - 1, 20)
    jitter_s = chance * min(FIRST_WAIT_S * 2.0**doublings, MOST_WAIT_S)
    return min(max(jitter_s, after_s or 0.0), most_s)


class Pace:
    """How fast one destination may be tried, by what it answered so far.

    Freely as a rule. After `Retry-After` not before then (15 minutes at most: a single answer
    must not stop a destination for a day). One at a time while it is down, or paused because it
    refuses our credentials; the first event it judges for itself ends both.
    """

    def __init__(self) -> None:
        self.not_before_ms = 0
        self.paused = ""
        self._failures = 0

    @property
    def one_at_a_time(self) -> bool:
        """A single delivery may be on its way, to see whether the others may follow."""
        return bool(self.paused) or self._failures >= DOWN_AFTER

    def note(self, answer: Answer, judgement: Judgement, now_ms: int) -> None:
        """The pace follows this answer."""
        if judgement.verdict == "pause":
            self.paused = judgement.reason or "credentials refused"
        elif _was_heard(answer, judgement):
            if self.paused:
                self.not_before_ms = 0
            self.paused = ""
            self._failures = 0
            return
        else:
            self._failures += 1
        hold_s = min(judgement.after_s or 0.0, MOST_WAIT_S)
        if self.paused:
            hold_s = PROBE_EVERY_S
        elif self.one_at_a_time:
            hold_s = max(hold_s, DOWN_EVERY_S)
        self.not_before_ms = max(self.not_before_ms, now_ms + int(hold_s * 1000))


def _was_heard(answer: Answer, judgement: Judgement) -> bool:
    """The system took or refused the event itself: it is up and knows us."""
    is_up = answer.status is not None and answer.status < 500
    return is_up and judgement.verdict in ("done", "dead")
