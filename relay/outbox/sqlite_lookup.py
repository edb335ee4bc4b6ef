"""What operators ask of the outbox in SQLite: deliveries, and what became of each."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, cast

from relay.outbox import DeliveryRow, State
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
TOLD_KEYS = ("updated_at", "state", "attempts", "status", "reason")


def rows(
    db: sqlite3.Connection, site: str, state: State | None, chosen: Filter, limit: int
) -> list[DeliveryRow]:
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


def _row(values: Sequence[Any]) -> DeliveryRow:
    return cast(DeliveryRow, dict(zip(ROW_KEYS, values, strict=True)))


def _add_story(db: sqlite3.Connection, event: int, row: DeliveryRow) -> None:
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
