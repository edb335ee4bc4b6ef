"""How events get to the relay: what is tried, what an answer means, how long to wait.

It does no input or output: `sending` says what to do next and is told what came of it, so that the
client for threads, the one for asyncio and the tests all run the same steps.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from .errors import Refused, Unreachable
from .events import Batch

log = logging.getLogger("pixelmirror.client")

STORED = 204
TOO_MANY = 429

FIRST_WAIT_S = 0.5
MOST_WAIT_S = 8.0

Steps = Generator["bytes | float", "Answer | None", None]
"""Yields a body to send, and takes its Answer; or seconds to wait, and takes None."""


@dataclass(frozen=True)
class Answer:
    """What came back: a status with its body, or None and why nothing came."""

    status: int | None
    body: bytes = b""
    retry_after: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Patience:
    """How often an event is tried, and for how long.

    `now_ms` is the clock that the relay corrects by, `clock_s` tells how time passes, `chance`
    gives a number from 0 to 1.
    """

    tries: int
    patience_s: float
    now_ms: Callable[[], int]
    clock_s: Callable[[], float]
    chance: Callable[[], float]

    def wait_s(self, attempt: int, answer: Answer, spent_s: float) -> float | None:
        """Seconds until the next try after this one; None when there is none.

        Exponential back-off with full jitter: 0 to 0.5, 1, 2 ... 8 seconds, and never less than
        `Retry-After` asks for.
        """
        longest_s = min(FIRST_WAIT_S * 2.0 ** (attempt - 1), MOST_WAIT_S)
        wait_s = self.chance() * longest_s + retry_after_s(answer.retry_after, self.now_ms())
        is_over = attempt >= self.tries or spent_s + wait_s > self.patience_s
        return None if is_over else wait_s


def sending(batches: Sequence[Batch], patience: Patience) -> Steps:
    """All batches are stored, one after the other; raises Refused or Unreachable."""
    event_ids = [event_id for batch in batches for event_id in batch.event_ids]
    for batch in batches:
        started_s = patience.clock_s()
        attempt = 1
        while True:
            # When it is sent, not when it was made: the relay sets our clock right by it.
            answer = yield batch.body(patience.now_ms())
            assert answer is not None
            if answer.status == STORED:
                break
            done, left = event_ids[: batch.first], event_ids[batch.first :]
            if not may_pass(answer):
                raise refused(answer, batch.first, done, left)
            wait_s = patience.wait_s(attempt, answer, patience.clock_s() - started_s)
            if wait_s is None:
                text = f"the relay has not stored it after {_tries(attempt)}: {_reason(answer)}"
                raise Unreachable(text, status=answer.status, stored=done, not_stored=left)
            log.info(
                "site=%s attempt %d of %d: %s; again in %.1f s",
                batch.site,
                attempt,
                patience.tries,
                _reason(answer),
                wait_s,
            )
            yield wait_s
            attempt += 1


def may_pass(answer: Answer) -> bool:
    """Whether the same request may be taken later: no answer, too many requests, or 5xx."""
    return answer.status is None or answer.status == TOO_MANY or 500 <= answer.status < 600


def refused(answer: Answer, first: int, stored: list[str], not_stored: list[str]) -> Refused:
    """The relay's no in its own words, its field's place counted among all that was sent."""
    code, message, field = told(answer.body)
    if not code:
        message = "this is no answer of a relay's; is its address right?"
    elif field:
        field = re.sub(r"^events\[(\d+)\]", lambda at: f"events[{first + int(at[1])}]", field)
    named = f" {code}" if code else ""
    text = f"the relay answered {answer.status}{named}: " + (f"{field}: " if field else "")
    return Refused(
        text + message,
        status=answer.status or 0,
        code=code,
        message=message,
        field=field,
        stored=stored,
        not_stored=not_stored,
    )


def told(body: bytes) -> tuple[str, str, str | None]:
    """The code, message and field of the relay's answer; empty texts in another's."""
    try:
        error = json.loads(body)["error"]
        code, message, field = error["code"], error["message"], error.get("field")
    except (ValueError, LookupError, TypeError, AttributeError):
        return "", "", None
    if not isinstance(code, str) or not isinstance(message, str):
        return "", "", None
    return code, message, field if isinstance(field, str) else None


def retry_after_s(value: str, now_ms: int) -> float:
    """Seconds that `Retry-After` asks for, as a number or a date; 0 when it can't be read."""
    if re.fullmatch("[0-9]{1,9}", value.strip()):
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())


def _reason(answer: Answer) -> str:
    if answer.status is None:
        return f"no answer ({answer.reason})"
    return f"{answer.status} {told(answer.body)[0]}".rstrip()


def _tries(attempt: int) -> str:
    return "1 try" if attempt == 1 else f"{attempt} tries"
