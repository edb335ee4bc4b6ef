"""One request to a vendor's server API and the vendor's verdict on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from relay.sandbox.calls import Seen

HIDDEN = "(hidden)"


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came. `body` is the JSON value, `UNREADABLE` when it is none."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    text: str
    body: Any
    now_ms: int

    @property
    def size(self) -> int:
        return len(self.text.encode())

    @property
    def is_json(self) -> bool:
        """Whether it says of itself that it is JSON."""
        return self.headers.get("content-type", "").partition(";")[0].strip() == "application/json"

    @property
    def bearer(self) -> str:
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" else ""


class _Unreadable:
    """The body of a request that holds no JSON."""


UNREADABLE = _Unreadable()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the vendor answers, and what goes on record.

    `body`: JSON, or a string for plain text, or None for nothing.
    """

    status: int
    body: Any
    seen: tuple[Seen, ...]
    headers: Mapping[str, str] = field(default_factory=dict)

    def refused(self, status: int, body: Any, words: str) -> Verdict:
        """The same events, none of them taken."""
        seen = tuple(replace(each, error=words) for each in self.seen)
        return Verdict(status, body, seen, self.headers)


@dataclass(frozen=True, slots=True)
class Api:
    """One route of a vendor.

    `judge` holds a request against the vendor's contract; `refuse` words the vendor's own error
    body for an HTTP status, for failures that are not the request's.
    """

    system: str
    path: str
    judge: Callable[[Received], Verdict]
    refuse: Callable[[int, str], Any]
    method: str = "POST"


def is_good(credential: str | None) -> bool:
    """Whether the sandbox takes it: anything that does not start with `bad` or `wrong`."""
    return bool(credential) and not str(credential).startswith(("bad", "wrong"))


def shown(received: Received) -> Any:
    """The body as it goes on record: tokens hidden, its text when it was no JSON."""
    if received.body is UNREADABLE:
        return received.text
    if isinstance(received.body, dict) and "access_token" in received.body:
        return {**received.body, "access_token": HIDDEN}
    return received.body


def narrowed(received: Received, key: str) -> list[tuple[Any, Any]]:
    """Each event under `key`, with the body that would have held it alone.

    One pair with None for the event, and the body as it came, when there is no such list.
    """
    body = shown(received)
    events = body.get(key) if isinstance(body, dict) else None
    if not isinstance(events, list) or not events:
        return [(None, body)]
    return [(event, {**body, key: [event]}) for event in events]


def words(value: Any, key: str) -> str | None:
    """The text under `key`, None when there is no object or no text."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else None


def dedup_key(*parts: str | None) -> tuple[str, ...] | None:
    """What a vendor deduplicates by, None when a part of it is missing."""
    given = tuple(part for part in parts if part)
    return given if len(given) == len(parts) else None
