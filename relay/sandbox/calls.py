"""The record of calls: what each outside system was given, and what became of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

MAX_CALLS = 5_000


@dataclass(frozen=True, slots=True)
class Seen:
    """One event of a call.

    `call` is the argument list a pixel got (`["track", "AddToCart", {...}, {"eventID": "e1"}]`) or
    the server body, narrowed to this event when it held several. `key` is what the vendor
    deduplicates by, None when it does not. `error` is why the vendor refused it, in its words. `at`
    is when a pixel heard it, in milliseconds, as its reports may overtake each other.
    """

    event_name: str | None
    event_id: str | None
    call: Any
    pixel: str | None = None
    key: tuple[str, ...] | None = None
    error: str | None = None
    at: float | None = None


class _Kept(NamedTuple):
    row: dict[str, Any]
    key: tuple[str, ...] | None


class Record:
    """The calls in the order in which they came; the oldest are dropped beyond `limit`.

    Nothing is deduplicated: a copy that the vendor would have dropped stands here with
    `"duplicate": True`. The pixel's and the server's copy of one event are no duplicates of each
    other here, as both have to arrive.
    """

    def __init__(self, now_ms: Callable[[], int], limit: int = MAX_CALLS) -> None:
        self._now_ms = now_ms
        self._limit = limit
        self._n = 0
        self._calls: deque[_Kept] = deque()
        self._first: dict[tuple[str, ...], int] = {}

    def add(self, system: str, side: str, status: int | None, seen: Seen) -> None:
        """One call more is on record. `status` None: it got no answer."""
        self._n += 1
        key = None if seen.key is None or seen.error else (system, side, *seen.key)
        first = self._n if key is None else self._first.setdefault(key, self._n)
        row = {
            "n": self._n,
            "at": self._now_ms() if seen.at is None else seen.at,
            "system": system,
            "side": side,
            "event_name": seen.event_name,
            "event_id": seen.event_id,
            "pixel": seen.pixel,
            "accepted": seen.error is None,
            "duplicate": first != self._n,
            "status": status,
            "error": seen.error,
            "call": seen.call,
        }
        self._calls.append(_Kept(row, key))
        if len(self._calls) > self._limit:
            dropped = self._calls.popleft()
            if dropped.key is not None and self._first.get(dropped.key) == dropped.row["n"]:
                del self._first[dropped.key]

    def since(self, n: int = 0, event_id: str | None = None) -> list[dict[str, Any]]:
        """The calls after number `n`, of one event ID when it is given."""
        return [
            row
            for row, _ in self._calls
            if row["n"] > n and (event_id is None or row["event_id"] == event_id)
        ]

    def forget(self) -> None:
        """No call is on record. Numbers go on, so that who asks `since` misses none."""
        self._calls.clear()
        self._first.clear()
