"""What a caller tells, made the events of a request's body and checked as the relay will."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .. import consent_rules, sent_event
from ..check import EventError, shown
from ..event_id import uuid7
from ..sent_event import MAX_BYTES, MAX_EVENTS

# Stands for the site's currency, which the relay knows: no caller can tell it, as it is no code.
SITES_CURRENCY = "the site's"

OBJECTS = ("page", "user", "attribution", "client")


class Events:
    """Makes events of one site. `now_ms` tells the time, `urandom` gives that many chance bytes."""

    def __init__(
        self,
        currency: str | None,
        custom_events: Collection[str],
        now_ms: Callable[[], int],
        urandom: Callable[[int], bytes],
    ) -> None:
        self.currency = currency
        self.custom_events = tuple(custom_events)
        self.now_ms = now_ms
        self.urandom = urandom

    def checked(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The event with its ID, its time and what can be derived; raises EventError.

        `consent` may be as the page's call has it too: `"granted"`, `"denied"`, `["1", "3"]`.
        """
        told = {field: plain(row[field], field) for field in row if row[field] is not None}
        now_ms = self.now_ms()
        told.setdefault("event_time", now_ms)
        if "consent" in told and not isinstance(told["consent"], dict):
            told["consent"] = consent_rules.given(told["consent"])
        event = sent_event.read(
            told,
            currency=self.currency or SITES_CURRENCY,
            custom_events=self.custom_events,
            consent=None,  # the site's setting, which the relay knows
            is_server=True,
            uuid=uuid7(now_ms, self.urandom(10)),
        )
        if event["params"].get("currency") == SITES_CURRENCY:
            del event["params"]["currency"]
        return {field: event[field] for field in event if field not in OBJECTS or event[field]}

    def all_checked(self, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The events of all rows; raises EventError, its field `events[3].user.email`."""
        checked = []
        for i, row in enumerate(rows):
            try:
                checked.append(self.checked(row))
            except EventError as error:
                raise EventError(f"events[{i}].{error.field}", error.message) from error
        return checked


@dataclass(frozen=True)
class Batch:
    """The events of one request, as JSON texts; `first` is the place of its first among all."""

    site: str
    first: int
    event_ids: tuple[str, ...]
    texts: tuple[str, ...]

    def body(self, sent_at: int) -> bytes:
        """The request's body (DESIGN 5.4), sent at that time in milliseconds."""
        return (_head(self.site, sent_at) + ",".join(self.texts) + "]}").encode()


def batches(site: str, events: Sequence[Mapping[str, Any]]) -> list[Batch]:
    """The events in their order, in requests no larger than the relay takes; raises EventError."""
    room = MAX_BYTES - len(_head(site, sent_event.LATEST_MS - 1)) - len("]}")
    found: list[Batch] = []
    texts: list[str] = []
    size = first = 0

    def close(end: int) -> None:
        ids = tuple(event["event_id"] for event in events[first:end])
        found.append(Batch(site, first, ids, tuple(texts)))

    for i, event in enumerate(events):
        text = json.dumps(event, separators=(",", ":"), allow_nan=False)  # ASCII, so size is length
        if len(text) > room:
            message = f"an event must have at most {room} bytes, got {len(text)}"
            raise EventError(f"events[{i}]", message)
        if texts and (len(texts) == MAX_EVENTS or size + len(text) > room):
            close(i)
            texts, size, first = [], 0, i
        texts.append(text)
        size += len(text) + len(",")
    if texts:
        close(len(events))
    return found


def _head(site: str, sent_at: int) -> str:
    return f'{{"site":{json.dumps(site)},"sent_at":{sent_at},"events":['


def plain(value: Any, path: str) -> Any:
    """The value as JSON has it: tuples are lists, decimals are numbers; raises EventError."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, Decimal) and value.is_finite():
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise EventError(path, f"{path} must have texts for keys, got {shown(key)}")
        return {key: plain(value[key], f"{path}.{key}") for key in value}
    if isinstance(value, (list, tuple)):
        return [plain(inner, f"{path}[{i}]") for i, inner in enumerate(value)]
    raise EventError(path, f"{path} must be what JSON can hold, got a {type(value).__name__}")
