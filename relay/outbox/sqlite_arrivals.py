"""Arrivals in SQLite: stored by the hundred in one step, read in order, erased once routed.

A step of SQLite lets Python's other threads run and must wait for them afterwards; beside a busy
event loop that costs more than the step. So what is stored together is one statement, which is its
own transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from itertools import chain

from relay.outbox import Backlog
from relay.outbox.arrival import Arrival

STORE_MOST = 64
"""Arrivals of one statement; of more there are several in one transaction."""

STORE = "INSERT INTO arrivals (id, site, received_at, facts, body) VALUES {rows}"
STORE_SOME = [STORE.format(rows=", ".join(["(?, ?, ?, ?, ?)"] * n)) for n in range(STORE_MOST + 1)]
FIND = "SELECT id, site, received_at, facts, body FROM arrivals WHERE id > ? ORDER BY id LIMIT ?"
REMOVE = "DELETE FROM arrivals WHERE id IN (SELECT value FROM json_each(?))"
WAITING = "SELECT site, '', count(*), min(received_at) FROM arrivals GROUP BY site"
LAST = "SELECT coalesce(max(id), 0) FROM arrivals"
PROVE = "UPDATE proof SET written = written + 1"
REMOVE_OLD = """
DELETE FROM arrivals WHERE id IN (
    SELECT id FROM arrivals WHERE site = ? AND received_at < ? LIMIT ?)
"""

FIND_BYTES = 4 * 1024 * 1024
"""Bodies that are read together, unless a single one is larger."""


def store(db: sqlite3.Connection, arrivals: Sequence[Arrival]) -> None:
    """They are committed, all or none."""
    if len(arrivals) <= STORE_MOST:
        db.execute(STORE_SOME[len(arrivals)], tuple(chain.from_iterable(arrivals)))
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        for first in range(0, len(arrivals), STORE_MOST):
            some = arrivals[first : first + STORE_MOST]
            db.execute(STORE_SOME[len(some)], tuple(chain.from_iterable(some)))
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # a full disk has ended it already
            db.execute("ROLLBACK")
        raise


def find(db: sqlite3.Connection, limit: int, after: int) -> list[Arrival]:
    """Those after that `id`, oldest first, as many as memory should hold."""
    found: list[Arrival] = []
    size = 0
    for row in db.execute(FIND, (after, limit)):
        found.append(Arrival(*row))
        size += len(found[-1].body)
        if size > FIND_BYTES:
            break
    return found


def remove(db: sqlite3.Connection, ids: Sequence[int]) -> None:
    """They are gone."""
    db.execute(REMOVE, (json.dumps(ids),))


def purge(db: sqlite3.Connection, site: str, before_ms: int, limit: int) -> int:
    """How many of at most `limit` are gone, received before then."""
    return db.execute(REMOVE_OLD, (site, before_ms, limit)).rowcount


def prove(db: sqlite3.Connection) -> None:
    """Something was written."""
    db.execute(PROVE)


def last(db: sqlite3.Connection) -> int:
    """The `id` of the newest, 0 without one."""
    (found,) = db.execute(LAST).fetchone()
    return int(found)


def waiting(db: sqlite3.Connection) -> list[Backlog]:
    """How many there are of each site, and when the oldest was received."""
    return [Backlog(*row) for row in db.execute(WAITING)]
