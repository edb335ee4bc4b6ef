"""What operators ask of the outbox in SQLite: deliveries, and what became of each."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, cast

from relay.outbox import KeptRow, State, StoryRow
from relay.outbox import sqlite_orders as orders
from relay.outbox import sqlite_statements as statements
from relay.outbox.sqlite_statements import STATES, Filter, find
from relay.outbox.story import Told, steps

ROW = (
    "e.event_id, e.event_name, d.destination, d.state, d.attempts, d.status, d.reason, "
    "d.updated_at, d.sent_as"
)

ROW_KEYS = (
    "event_id event_name destination state attempts status reason updated_at sent_as"
).split()
STORY = """
SELECT e.order_id, e.received_at, e.source, e.consent, d.due_ms
FROM deliveries d JOIN events e ON e.id = d.event WHERE d.event = ? AND d.destination = ?
"""
HISTORY = """
SELECT at, state, attempts, status, reason FROM history
WHERE event = ? AND destination = ? ORDER BY n
"""
KEPT = """
SELECT event_id, order_id, received_at FROM contexts
WHERE site = :site AND (order_id = :mark OR event_id = :mark) ORDER BY received_at LIMIT 100
"""
TOLD_KEYS = ("updated_at", "state", "attempts", "status", "reason")


def rows(
    db: sqlite3.Connection, site: str, state: State | None, chosen: Filter, limit: int
) -> list[StoryRow]:
    """The deliveries that match, of one state or of all, last changed first.

    Of an event or an order, with all that became of each.
    """
    found = []
    for one in (state,) if state else STATES:
        found += find(db, f"d.updated_at, d.event, {ROW}", site, one, chosen, limit)
    found.sort(key=lambda row: row[:2], reverse=True)
    last = [(event, _row(values)) for _, event, *values in found[:limit]]
    if chosen.event_id is not None or chosen.order_id is not None:
        for event, row in last:
            _add_story(db, event, row)
    return [row for _, row in last]


def _row(values: Sequence[Any]) -> StoryRow:
    return cast(StoryRow, dict(zip(ROW_KEYS, values, strict=True)))


def _add_story(db: sqlite3.Connection, event: int, row: StoryRow) -> None:
    key = (event, row["destination"])
    order_id, received_at, source, consent, due_ms = db.execute(STORY, key).fetchone()
    told = [Told(*values) for values in db.execute(HISTORY, key)]
    told.append(Told(*(row[name] for name in TOLD_KEYS)))  # type: ignore[literal-required]
    row["order_id"] = order_id
    row["received_at"] = received_at
    row["source"] = source
    row["consent"] = json.loads(consent) if consent else None
    row["due_at"] = due_ms if row["state"] == "waiting" else None
    row["history"] = steps(received_at, told)


def kept(db: sqlite3.Connection, site: str, mark: str) -> list[KeptRow]:
    """What is kept for the payment of its order, oldest first; by the event's ID or the order's."""
    found = db.execute(KEPT, {"site": site, "mark": mark})
    return [KeptRow(event_id=one, order_id=order, received_at=at) for one, order, at in found]


def sites(db: sqlite3.Connection) -> list[str]:
    """Every site of which something is stored."""
    every = (statements.SITES, orders.SITES_WITH_ORDERS, orders.SITES_WITH_CONTEXTS)
    return sorted({site for statement in every for site in statements.sites(db, statement)})
