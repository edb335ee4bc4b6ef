"""Putting events into SQLite: all that is new in a few steps, and what was there before unchanged.

A step lets Python's other threads run and must wait for them afterwards (`sqlite_arrivals`), so
rows go in by the block.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from relay.outbox import Record
from relay.outbox.sqlite_statements import COPIES, Route

ORDER_EVENTS = frozenset({"begin_checkout", "add_payment_info", "purchase", "refund", "subscribe"})
"""Events whose `params.id` is the order's ID."""

BLOCKS = (32, 16, 8, 4, 2, 1)
"""Rows of one statement: any number of rows is a few statements of a few kinds."""

EVENT_ROW = "(?, ?, ?, ?, ?, ?, ?, ?, ?)"
PUT_EVENTS = """
INSERT INTO events (id, site, event_id, event_name, order_id, received_at, source, consent, body)
VALUES {rows} ON CONFLICT (site, event_id) DO NOTHING
"""
DELIVERY_ROW = "(?, ?, ?, ?, ?, ?, ?, ?)"
PUT_DELIVERIES = """
INSERT INTO deliveries (event, destination, site, state, due_ms, reason, sent_as, updated_at)
VALUES {rows} ON CONFLICT (event, destination) DO NOTHING
"""
PUT_DELIVERY = PUT_DELIVERIES.format(rows=DELIVERY_ROW)
NEXT_EVENT = "SELECT coalesce(max(id), 0) + 1 FROM events"
NEW_EVENTS = "SELECT id FROM events WHERE id >= ?"
FIND_EVENT = "SELECT id FROM events WHERE site = ? AND event_id = ?"
RESTORE_BODY = "UPDATE events SET body = ? WHERE id = ? AND body IS NULL"
FIND_BODY = "SELECT body FROM events WHERE id = ?"
SET_BODY = "UPDATE events SET body = ? WHERE id = ?"

_encoder = msgspec.json.Encoder()


def _encode(document: Any) -> str:
    try:
        return _encoder.encode(document).decode()
    except UnicodeEncodeError:  # half a character: JSON can say it, UTF-8 can't
        return json.dumps(document, separators=(",", ":"))


class StoredDelivery(NamedTuple):
    """A new delivery as the tables have it, and the records of its parts."""

    destination: str
    state: str
    reason: str
    sent_as: str | None
    parts: list[Stored]


class Stored(NamedTuple):
    """A record as the tables have it; `body` is JSON."""

    site: str
    event_id: str
    event_name: str
    order_id: str | None
    received_at: int
    source: str | None
    consent: str | None
    body: str
    deliveries: list[StoredDelivery]


def stored(record: Record) -> Stored:
    """The record as it is stored."""
    event, deliveries = record
    order_id = event["params"].get("id") if event["event_name"] in ORDER_EVENTS else None
    first: dict[str, StoredDelivery] = {}
    for new in deliveries:
        name = new["destination"]
        parts = [stored(part) for part in new.get("parts", ())]
        made = StoredDelivery(name, new["state"], new["reason"], new["sent_as"], parts)
        first.setdefault(name, made)
    return Stored(
        event["site"],
        event["event_id"],
        event["event_name"],
        None if order_id is None else str(order_id),
        event["received_at"],
        event.get("source"),
        _encode(event["consent"]) if "consent" in event else None,
        _encode(event),
        list(first.values()),
    )


def put(db: sqlite3.Connection, records: Sequence[Stored], hold_ms: int = 0) -> set[Route]:
    """Each record and delivery that was not there is there; the routes that got work.

    `hold_ms`: how long after it was received it is due.
    """
    if not records:
        return set()
    (first,) = db.execute(NEXT_EVENT).fetchone()
    rows = [
        (event, *record[:7], record.body if _is_wanted(record) else None)
        for event, record in enumerate(records, first)
    ]
    if _insert(db, _EVENTS, rows) == len(rows):
        new = set(range(first, first + len(rows)))
    else:
        new = {event for (event,) in db.execute(NEW_EVENTS, (first,))}
    deliveries = []
    parts: list[Stored] = []
    routes: set[Route] = set()
    for event, record in enumerate(records, first):
        if event in new:
            for one in record.deliveries:
                deliveries.append(_row(event, one, record, hold_ms))
                parts += one.parts
                if one.state == "waiting":
                    routes.add((record.site, one.destination))
    _insert(db, _DELIVERIES, deliveries)
    routes |= put(db, parts, hold_ms)
    for event, record in enumerate(records, first):
        if event not in new:
            routes |= _put_again(db, record, hold_ms)
    return routes


def _put_again(db: sqlite3.Connection, record: Stored, hold_ms: int) -> set[Route]:
    """What a copy of an event that is there adds to it."""
    (event,) = db.execute(FIND_EVENT, (record.site, record.event_id)).fetchone()
    added = set()
    routes: set[Route] = set()
    for one in record.deliveries:
        if db.execute(PUT_DELIVERY, _row(event, one, record, hold_ms)).rowcount == 1:
            routes |= put(db, one.parts, hold_ms)
            if one.state == "waiting":
                added.add(one.destination)
    if added and not db.execute(RESTORE_BODY, (record.body, event)).rowcount:
        (first,) = db.execute(FIND_BODY, (event,)).fetchone()
        db.execute(SET_BODY, (_with_copy(first, record.body, added), event))
    return routes | {(record.site, destination) for destination in added}


def _is_wanted(record: Stored) -> bool:
    return any(one.state == "waiting" for one in record.deliveries)


def _row(event: int, one: StoredDelivery, record: Stored, hold_ms: int) -> tuple[Any, ...]:
    at = record.received_at
    return (event, one[0], record.site, one[1], at + hold_ms, one[2], one[3], at)


def _in_blocks(statement: str, row: str) -> dict[int, str]:
    return {count: statement.format(rows=", ".join([row] * count)) for count in BLOCKS}


_EVENTS = _in_blocks(PUT_EVENTS, EVENT_ROW)
_DELIVERIES = _in_blocks(PUT_DELIVERIES, DELIVERY_ROW)


def _insert(
    db: sqlite3.Connection, statements: dict[int, str], rows: Sequence[tuple[Any, ...]]
) -> int:
    """How many of the rows were not there yet."""
    count = done = 0
    for block in BLOCKS:
        while len(rows) - done >= block:
            some = chain.from_iterable(rows[done : done + block])
            count += db.execute(statements[block], tuple(some)).rowcount
            done += block
    return count


def _with_copy(first: str, later: str, destinations: AbstractSet[str]) -> str:
    """The body of an event with what a later copy told of it, for these destinations."""
    told = json.loads(first)
    copies = {**told.get(COPIES, {}), **dict.fromkeys(destinations, json.loads(later))}
    return _encode({**told, COPIES: copies})
