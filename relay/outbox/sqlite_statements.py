"""What the outbox asks of SQLite: each statement, and the plain functions that run them.

A key is `(event, destination)`: the row ID of the event, and the destination's name. Functions
that may have erased personal data say so with their result.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple, cast

import msgspec

from relay.outbox import Backlog, Delivery, Outcome, State

Route = tuple[str, str]
"""A site and one of its destinations."""

Key = tuple[int, str]

STATES: tuple[State, ...] = ("waiting", "done", "dead", "skipped")

COPIES = "copies"  # in an event's body: what a later copy told the destinations that it added
CLAIM_BYTES = 1024 * 1024
"""Bodies of one claim together, unless a single one is larger: what waits stays on disk."""
# CROSS JOIN keeps the order: the deliveries as their index has them, each with its event. What is
# claimed comes as one JSON text, and so does all that is settled: a statement or a step for each
# would wait for Python's lock as often.
DUE = """
SELECT d.event, e.event_id, e.body, d.attempts, d.reason, d.sent_as
FROM deliveries d CROSS JOIN events e ON e.id = d.event
WHERE d.site = ? AND d.destination = ? AND d.state = 'waiting' AND d.due_ms <= ?
    AND d.event NOT IN (SELECT value FROM json_each(?))
ORDER BY d.due_ms, d.event LIMIT ?
"""
NEXT_DUE = """
SELECT due_ms FROM deliveries
WHERE site = ? AND destination = ? AND state = 'waiting'
    AND event NOT IN (SELECT value FROM json_each(?))
ORDER BY due_ms LIMIT 1
"""
# Written by a clock that was ahead of today's. A wait goes on for as long as it had to.
AHEAD = "SELECT 1 FROM deliveries WHERE site = ? AND state = 'waiting' AND updated_at > ? LIMIT 1"
SET_BACK = """
UPDATE deliveries SET due_ms = due_ms - (updated_at - :now_ms), updated_at = :now_ms
WHERE (event, destination) IN (
    SELECT event, destination FROM deliveries
    WHERE site = :site AND state = 'waiting' AND updated_at > :latest_ms LIMIT :limit)
"""
CLOCK_SLACK_MS = 60_000
"""A clock that is set back by less only makes what waits a little later."""

BEGIN = "UPDATE deliveries SET begun = 1 WHERE event = ? AND destination = ?"
UNBEGIN = "UPDATE deliveries SET begun = 0 WHERE event = ? AND destination = ?"
SETTLE = """
UPDATE deliveries SET state = ?, due_ms = ?, attempts = attempts + ?, status = ?, reason = ?,
    updated_at = ?, begun = 0
WHERE destination = ? AND event IN (SELECT value FROM json_each(?)) AND state = 'waiting'
"""
ERASE = """
UPDATE events SET body = NULL
WHERE id IN (SELECT value FROM json_each(?)) AND body IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM deliveries d WHERE d.event = events.id AND d.state IN ('waiting', 'dead'))
"""
REPLAY = """
UPDATE deliveries SET state = 'waiting', due_ms = ?, attempts = 0, updated_at = ?
WHERE event = ? AND destination = ?
"""
DROP = """
UPDATE deliveries SET state = 'skipped', reason = ? || reason, updated_at = ?
WHERE event = ? AND destination = ?
"""
REMOVE_DELIVERY = "DELETE FROM deliveries WHERE event = ? AND destination = ?"
REMOVE_EVENT = """
DELETE FROM events WHERE id = ? AND NOT EXISTS (
    SELECT 1 FROM deliveries d WHERE d.event = events.id)
"""
WAITING = """
SELECT w.site, w.destination, w.count, e.received_at
FROM (SELECT site, destination, count(*) AS count, min(event) AS oldest
      FROM deliveries WHERE state = 'waiting' GROUP BY site, destination) w
JOIN events e ON e.id = w.oldest
"""
# One seek in the index for each site, however many rows it has.
SITES_OF = """
WITH RECURSIVE found (site) AS (
    SELECT min(site) FROM {table}
    UNION ALL
    SELECT (SELECT min(site) FROM {table} WHERE site > found.site)
    FROM found WHERE found.site IS NOT NULL)
SELECT site FROM found WHERE site IS NOT NULL
"""
SITES = SITES_OF.format(table="deliveries")
PROVE = "UPDATE proof SET written = written + 1"


class Filter(NamedTuple):
    """Which deliveries of a site and state are meant; None means any."""

    destination: str | None = None
    event_id: str | None = None
    order_id: str | None = None
    since_ms: int | None = None
    before_ms: int | None = None


FILTER_TERMS = {
    "destination": "(d.destination = :destination"
    " OR d.destination > :destination || '.' AND d.destination < :destination || '/')",
    "event_id": "e.site = :site AND e.event_id = :event_id",
    "order_id": "e.site = :site AND e.order_id = :order_id",
    "since_ms": "d.updated_at >= :since_ms",
    "before_ms": "d.updated_at < :before_ms",
}


def select(columns: str, chosen: Filter) -> str:
    """The statement for the deliveries of `:site` in `:state`, last changed first.

    CROSS JOIN keeps the order of the tables: the few events of an ID first, then their few
    deliveries (the plus signs keep the index of all of that state out); or else the deliveries as
    their index has them.
    """
    tables = "deliveries d CROSS JOIN events e ON e.id = d.event"
    terms = ["d.site = :site", "d.state = :state"]
    if chosen.event_id is not None or chosen.order_id is not None:
        tables = "events e CROSS JOIN deliveries d ON d.event = e.id"
        terms = ["+d.site = :site", "+d.state = :state"]
    terms += [FILTER_TERMS[name] for name, value in chosen._asdict().items() if value is not None]
    return (
        f"SELECT {columns} FROM {tables} WHERE {' AND '.join(terms)} "  # noqa: S608 (no values)
        "ORDER BY d.updated_at DESC, d.event DESC LIMIT :limit"
    )


def find(
    db: sqlite3.Connection, columns: str, site: str, state: State, chosen: Filter, limit: int
) -> list[tuple[Any, ...]]:
    """These columns of the deliveries that match, last changed first."""
    values = {"site": site, "state": state, "limit": limit, **chosen._asdict()}
    return db.execute(select(columns, chosen), values).fetchall()


def find_due(
    db: sqlite3.Connection, route: Route, limit: int, now_ms: int, claimed: AbstractSet[int]
) -> list[Delivery]:
    """Those waiting and due that are not claimed yet, oldest first."""
    site, destination = route
    due = db.execute(DUE, (site, destination, now_ms, json.dumps([*claimed]), limit))
    found: list[Delivery] = []
    size = 0
    for event, event_id, body, attempts, reason, sent_as in due:
        size += len(body)
        if found and size > CLAIM_BYTES:
            break
        told = _decoded(body)
        told = told.pop(COPIES, {}).get(destination, told)
        found.append(Delivery(site, event_id, destination, told, attempts, reason, sent_as, event))
    due.close()
    return found


def _decoded(body: str) -> dict[str, Any]:
    """The event; msgspec takes half the time, and half a surrogate pair for an error."""
    try:
        told: dict[str, Any] = msgspec.json.decode(body)
    except msgspec.MsgspecError:
        told = json.loads(body)
    return told


def is_clock_set_back(db: sqlite3.Connection, site: str, now_ms: int) -> bool:
    """True where something waits that was written in what is the future now."""
    return db.execute(AHEAD, (site, now_ms + CLOCK_SLACK_MS)).fetchone() is not None


def set_back(db: sqlite3.Connection, site: str, now_ms: int, limit: int) -> int:
    """How many of at most `limit` deliveries were put off by a clock that was ahead, and no more.

    They wait as long as they would have, from now on.
    """
    values = {"site": site, "now_ms": now_ms, "latest_ms": now_ms + CLOCK_SLACK_MS, "limit": limit}
    return db.execute(SET_BACK, values).rowcount


def next_due(db: sqlite3.Connection, route: Route, claimed: AbstractSet[int]) -> int | None:
    """When the first of those not claimed is due."""
    row = db.execute(NEXT_DUE, (*route, json.dumps([*claimed]))).fetchone()
    return None if row is None else int(row[0])


def key_of(delivery: Delivery) -> Key:
    """The delivery's key; its `handle` is the event's row ID."""
    return cast(int, delivery.handle), delivery.destination


def settle(db: sqlite3.Connection, outcomes: Sequence[Outcome], now_ms: int) -> bool:
    """The outcomes are written; True if personal data was erased."""
    alike: dict[tuple[Any, ...], list[int]] = {}
    for one in outcomes:
        event, destination = key_of(one.delivery)
        state = "waiting" if one.verdict == "retry" else one.verdict
        told = (state, one.due_ms, int(one.attempted), one.status, one.reason, now_ms, destination)
        alike.setdefault(told, []).append(event)
    for told, events in alike.items():
        db.execute(SETTLE, (*told, json.dumps(events)))
    return erase(db, [key_of(one.delivery)[0] for one in outcomes if one.verdict == "done"])


def mark_begun(db: sqlite3.Connection, keys: Sequence[Key], *, is_begun: bool) -> None:
    """A killed process leaves these as dead letters, or no longer does."""
    db.executemany(BEGIN if is_begun else UNBEGIN, keys)


def replay(db: sqlite3.Connection, site: str, chosen: Filter, limit: int, now_ms: int) -> int:
    """How many of at most `limit` dead letters now wait again."""
    keys = find(db, "d.event, d.destination", site, "dead", chosen, limit)
    db.executemany(REPLAY, [(now_ms, now_ms, *key) for key in keys])
    return len(keys)


def drop(
    db: sqlite3.Connection, site: str, chosen: Filter, limit: int, now_ms: int, why: str
) -> tuple[int, bool]:
    """How many of at most `limit` dead letters are skipped now; True if data was erased."""
    keys = find(db, "d.event, d.destination", site, "dead", chosen, limit)
    db.executemany(DROP, [(f"{why}: ", now_ms, *key) for key in keys])
    return len(keys), erase(db, [event for event, _ in keys])


def remove(db: sqlite3.Connection, site: str, state: State, chosen: Filter, limit: int) -> int:
    """How many of at most `limit` deliveries are gone, and with the last one its event."""
    keys = find(db, "d.event, d.destination", site, state, chosen, limit)
    db.executemany(REMOVE_DELIVERY, keys)
    db.executemany(REMOVE_EVENT, [(event,) for event, _ in keys])
    return len(keys)


SPARE_PAGES = 256
"""Free pages, 1 MiB, that are not worth giving back."""


def shrink(db: sqlite3.Connection, limit: int) -> int:
    """How many of at most `limit` pages the disk has back, where more than a quarter is free.

    What is free else is filled again by tomorrow's events.
    """
    read = ("freelist_count", "page_count", "auto_vacuum")
    free, pages, mode = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in read)
    count = min(limit, free - max(pages // 4, SPARE_PAGES))
    if mode != INCREMENTAL or count <= 0:
        return 0
    for _ in range(count):  # one each: Python's sqlite3 leaves the statement after its first step
        db.execute("PRAGMA incremental_vacuum(1)")
    return int(count)


INCREMENTAL = 2
"""SQLite's `auto_vacuum` of a file that can shrink; one of schema 2 or older cannot."""


def sites(db: sqlite3.Connection, statement: str = SITES) -> list[str]:
    """Every site that has deliveries, or is in the table of another such statement."""
    return [site for (site,) in db.execute(statement)]


def waiting(db: sqlite3.Connection) -> list[Backlog]:
    """What waits, by site and destination."""
    return [Backlog(*row) for row in db.execute(WAITING)]


def prove(db: sqlite3.Connection) -> None:
    """Something was written."""
    db.execute(PROVE)


def erase(db: sqlite3.Connection, events: Iterable[int]) -> bool:
    """These have no personal data unless somebody needs it; True if some was erased."""
    return db.execute(ERASE, (json.dumps([*events]),)).rowcount > 0
