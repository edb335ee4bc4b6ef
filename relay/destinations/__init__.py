"""Destinations: what each outside system is asked, and what its answer means.

A destination decides and never acts: it turns events into requests and an answer into a
judgement. Only `relay.delivery` opens sockets. A new destination is one module here, one line in
`relay.destinations.registry`, a column in `pixelmirror.catalogue` and a test file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from pixelmirror.wanted import unwanted as unwanted

Event = Mapping[str, Any]
"""An event as the outbox keeps it: the wire shape (DESIGN 5.4) with `site`, `source` (`page`,
`server` or `payment`), `received_at` (milliseconds) and `client` (`{"ip": ..., "user_agent": ...}`,
absent for a server's own events). `hashed` stands for `user` where no destination needs that."""


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
    `retry`  try again;
    `dead`   refused for good, a dead letter (a batch is split first, to find the bad event);
    `pause`  credentials or configuration: no fault of the event, the destination stops and says so.

    `after_s`: the system named a time, and nothing more is sent to it before so many seconds.
    `took_nothing`: the system surely counts no event of a dead request, so its parts may be sent
    again though a repeat would count twice. `may_have_arrived`: a request is dead because nobody
    knows, and must not be repeated; it says nothing of its events.
    """

    verdict: Literal["done", "retry", "dead", "pause"]
    reason: str = ""
    after_s: float | None = None
    took_nothing: bool = False
    may_have_arrived: bool = False


DONE = Judgement("done")


IN_FLIGHT = 8
"""Of a destination that publishes no limit of its own."""


class Destination(Protocol):
    """One outside system as one site has set it up."""

    name: str
    """Unique in its site: the table's name, or `scalev.meta` where one table makes several."""
    kind: str
    """The kind of the site file's table: `scalev`."""
    categories: Sequence[str]
    """Consent categories the site file asks for."""
    batch: int
    """Most events one request may carry."""
    in_flight: int
    """Most requests under way together, so that one slow answer does not hold up the others."""
    per_second: float
    """Most requests a second; 0 is no limit."""
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


class KeepsHashes:
    """What a destination is besides where its system is given nothing plain of the user.

    What waits for such destinations alone is stored without `user`, with this instead: `hashed`,
    by destination (`relay.ingest`).
    """

    name: str

    def hashed_user(self, event: Event) -> Mapping[str, Any]:
        """What its system is given of the user: hashes, or nothing."""
        return {}

    def stored_hashes(self, event: Event) -> Mapping[str, Any]:
        """The same, of an event as it was stored."""
        if "hashed" not in event:
            return self.hashed_user(event)
        found: Mapping[str, Any] = event["hashed"].get(self.name, {})
        return found


class TakesItems:
    """What a destination is besides where its system takes one item a request."""

    def parts(self, event: Event) -> list[Event]:
        """The events that it gets instead, one for each item; the event itself where it has one.

        Each is a delivery of its own (`relay.ingest`), so that of an event that has arrived in part
        no part is sent again. The value is that of all items, and left out.
        """
        items = event["params"].get("items", ())
        if len(items) < 2:
            return [event]
        params = {key: value for key, value in event["params"].items() if key != "value"}
        return [{**event, "params": {**params, "items": [item]}} for item in items]


def http_url(event: Event, field_name: str) -> str:
    """The page's `url` or `referrer`; empty when it is no sound http or https URL."""
    return _sound(event.get("page", {}).get(field_name) or "")


REMEMBERED = 1024
"""Of what each destination makes of the same text, so much is made once: a page's URL, an ID."""

BLANK = re.compile(r"[\0- ]")


@lru_cache(REMEMBERED)
def _sound(url: str) -> str:
    if BLANK.search(url):
        return ""
    try:
        parts = urlsplit(url)
        is_sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        return ""
    return url if is_sound else ""


def judge_transport(request: Request, answer: Answer, now: float) -> Judgement | None:
    """The judgement every HTTP system shares; None when its own words must be read.

    An ambiguous end (time-out, 5xx) is retried only where a repeat cannot count twice.
    """
    if answer.failure == "not_sent":
        return Judgement("retry", f"no connection: {answer.detail}")
    if answer.failure == "no_answer":
        return ambiguous(request, f"no answer: {answer.detail}")
    status = answer.status or 0
    if status == 429:
        return Judgement("retry", "throttled (429)", retry_after_s(answer, now))
    if status >= 500:
        return ambiguous(request, f"server error ({status})", retry_after_s(answer, now))
    if status in (401, 403):
        return Judgement("pause", f"credentials refused ({status})")
    if 300 <= status < 400:  # APIs do not move; the address in the site file is wrong
        return Judgement("pause", f"redirected ({status}), check base_url")
    return None


def ambiguous(request: Request, reason: str, after_s: float | None = None) -> Judgement:
    """The request may have arrived: tried again only where a repeat cannot count twice."""
    if request.repeatable:
        return Judgement("retry", reason, after_s)
    reason += "; it may have arrived, and a repeat would count twice"
    return Judgement("dead", reason, after_s, may_have_arrived=True)


def refused(answer: Answer) -> Judgement:
    """The event is refused for good, in the system's own words where it has some."""
    words = vendor_words(answer.body)
    reason = f"refused ({answer.status})" + (f": {words}" if words else "")
    return Judgement("dead", reason, took_nothing=True)


MAX_WORDS = 200
WITH_LONG_NUMBER = re.compile(r"\S*?\d(?:[ ().+-]*\d){5,}\S*")
"""A phone number; or a token, of which no half is to be left over."""


def vendor_words(body: bytes) -> str:
    """The text at `message` or `error` of a JSON answer, on one line; empty without one.

    Systems quote what they refuse: what may be an e-mail address or a phone number is left out.
    """
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    said = said if isinstance(said, dict) else {}
    texts = [said[key] for key in ("message", "error") if isinstance(said.get(key), str)]
    text: str = next((text for text in texts if text.strip()), "")
    words = text[: 10 * MAX_WORDS].split()  # enough, and few enough for the pattern
    shown = ["..." if "@" in word or "%40" in word else word for word in words]
    return WITH_LONG_NUMBER.sub("...", " ".join(shown))[:MAX_WORDS]


def header(answer: Answer, name: str) -> str:
    """The answer's header of this name, in lower case, however it was written; empty without."""
    headers = {key.lower(): value for key, value in answer.headers.items()}
    return headers.get(name, "").strip()


def retry_after_s(answer: Answer, now: float) -> float | None:
    """Seconds to wait by the `Retry-After` header (seconds or an HTTP date); None without one."""
    text = header(answer, "retry-after")
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    # HTTP dates are in GMT, and one of "-0000" comes without a zone.
    return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now)
