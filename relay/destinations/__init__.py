"""Destinations: what each outside system is asked, and what its answer means.

A destination decides and never acts: it turns events into requests and an answer into a
judgement. Only `relay.delivery` opens sockets. A new destination is one module here, one line in
`relay.destinations.registry`, a column in `pixelmirror.catalogue` and a test file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Literal, Protocol

Event = Mapping[str, Any]
"""An event as the outbox keeps it: the wire shape (DESIGN 5.4) with `site`, `received_at`
(milliseconds) and `client` (`{"ip": ..., "user_agent": ...}`, absent for a server's own events)."""


@dataclass(frozen=True)
class Request:
    """One HTTP request for one or more events of one destination.

    `repeatable`: the system drops a repeat by itself (event ID, order ID), so a request that
    ended ambiguously may be sent again; otherwise only what surely did not arrive is retried.
    """

    url: str
    body: bytes
    headers: Mapping[str, str]
    events: Sequence[Event]
    repeatable: bool
    method: str = "POST"


@dataclass(frozen=True)
class Answer:
    """How a request ended: an HTTP reply, or `failure` with why there is none.

    `not_sent`: the request surely did not arrive (no connection); `no_answer`: it may have.
    """

    status: int | None = None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    failure: Literal["not_sent", "no_answer"] | None = None
    detail: str = ""


@dataclass(frozen=True)
class Judgement:
    """What an answer means for the events of its request.

    `done`   accepted;
    `retry`  try again, not before `after_s` seconds where the system named a time;
    `dead`   refused for good, a dead letter (a batch is split first, to find the bad event);
    `pause`  credentials or configuration: no fault of the event, the destination stops and says so.
    """

    verdict: Literal["done", "retry", "dead", "pause"]
    reason: str = ""
    after_s: float | None = None


DONE = Judgement("done")


class Destination(Protocol):
    """One outside system as one site has set it up."""

    name: str
    """Unique in its site: the site file's table name, `scalev.meta` where one table makes several."""
    categories: Sequence[str]
    """Consent categories the site file asks for."""
    batch: int
    """Most events one request may carry."""
    max_age_s: int
    """An event older than this (by `event_time`) is a dead letter, not a request."""

    def skips(self, event: Event) -> str | None:
        """Why this destination does not want the event, in words; None when it does."""
        ...

    def sent_as(self, event: Event) -> str | None:
        """The event ID this system is given; None where it knows none."""
        ...

    def requests(self, events: Sequence[Event]) -> list[Request]:
        """The requests that carry these events, each event in exactly one of them."""
        ...

    def judge(self, request: Request, answer: Answer, now: float) -> Judgement:
        """What the answer means; `now` in seconds, for `Retry-After` dates."""
        ...


def judge_transport(request: Request, answer: Answer, now: float) -> Judgement | None:
    """The judgement every HTTP system shares; None when its own words must be read.

    An ambiguous end (time-out, 5xx) is retried only where a repeat cannot count twice.
    """
    if answer.failure == "not_sent":
        return Judgement("retry", f"no connection: {answer.detail}")
    if answer.failure == "no_answer":
        reason = f"no answer: {answer.detail}"
        return _ambiguous(request, reason, None)
    if answer.status == 429:
        return Judgement("retry", "throttled (429)", retry_after_s(answer, now))
    if answer.status is not None and answer.status >= 500:
        return _ambiguous(request, f"server error ({answer.status})", retry_after_s(answer, now))
    if answer.status in (401, 403):
        return Judgement("pause", f"credentials refused ({answer.status})")
    return None


def _ambiguous(request: Request, reason: str, after_s: float | None) -> Judgement:
    if request.repeatable:
        return Judgement("retry", reason, after_s)
    return Judgement("dead", f"{reason}; it may have arrived, and a repeat would count twice")


def retry_after_s(answer: Answer, now: float) -> float | None:
    """Seconds to wait by the `Retry-After` header (seconds or an HTTP date); None without one."""
    text = {key.lower(): value for key, value in answer.headers.items()}.get("retry-after", "")
    if text.strip().isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (TypeError, ValueError):
        return None
