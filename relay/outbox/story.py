"""A delivery's story: what became of it, step by step, from what its row told over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from relay.outbox import Step


class Told(NamedTuple):
    """What a delivery's row told from `at` on."""

    at: int
    state: str
    attempts: int
    status: int | None
    reason: str


def steps(received_at: int, told: Sequence[Told]) -> list[Step]:
    """What became of a delivery, from what its row told, oldest first.

    A row that was just put tells nothing of an attempt, and is not kept; what was received is
    queued at once unless it is skipped.
    """
    found: list[Step] = []
    if told[0].state != "skipped":
        found.append({**QUEUED, "at": received_at})
    before: Told | None = None
    for one in told:
        if before or one.attempts or one.reason:
            found.append(_step(one, before))
        before = one
    return found


QUEUED: Step = {"at": 0, "what": "queued", "attempt": None, "status": None, "reason": ""}


def _step(one: Told, before: Told | None) -> Step:
    is_attempt = one.attempts > (before.attempts if before else 0)
    if one.state == "waiting" and one.attempts == 0 and not is_attempt:
        # A replay leaves the reason in the row; what was skipped first and may go now has none.
        return {**QUEUED, "at": one.at, "what": "replayed" if one.reason else "queued"}
    if one.state == "skipped":
        what = "dropped" if before and before.state == "dead" else "skipped"
        return {**QUEUED, "at": one.at, "what": what, "reason": one.reason}  # type: ignore[typeddict-item]
    return {
        "at": one.at,
        "what": "retry" if one.state == "waiting" else one.state,  # type: ignore[typeddict-item]
        "attempt": one.attempts if is_attempt else None,
        "status": one.status if is_attempt else None,
        "reason": one.reason,
    }
