"""A backlog in an outbox, written straight into its file: as many deliveries as one likes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from relay.outbox.sqlite_file import connect
from tests.relay.records import NOW, event


def fill(path: Path, count: int, *destinations: str, title: int = 4) -> None:
    """So many events wait for each of these destinations, the last of them since `NOW`.

    They are `waits_1` and so on, of a page with so many characters in its title. The file must be
    laid out.
    """
    before, after = json.dumps(event("{}", page={"title": "x" * title})).split("{}")
    db = connect(path, synchronous="NORMAL")
    try:
        (first,) = db.execute("SELECT coalesce(max(id), 0) + 1 FROM events").fetchone()
        db.execute("BEGIN")
        db.executemany(
            "INSERT INTO events (id, site, event_id, event_name, received_at, body) "
            "VALUES (?, 'toko', 'waits_' || ?, 'add_to_cart', ?, ?)",
            (
                (first + n, first + n, NOW, f"{before}waits_{first + n}{after}")
                for n in range(count)
            ),
        )
        for destination in destinations:
            db.executemany(
                "INSERT INTO deliveries "
                "(event, destination, site, state, due_ms, reason, sent_as, updated_at) "
                "VALUES (?, ?, 'toko', 'waiting', ?, '', NULL, ?)",
                ((first + n, destination, NOW - count + n + 1, NOW) for n in range(count)),
            )
        db.execute("COMMIT")
    finally:
        db.close()


class Steps:
    """Counts what SQLite does on a connection, by the steps of its virtual machine."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.count = 0
        db.set_progress_handler(self._step, 1)

    def _step(self) -> int:
        self.count += 1
        return 0


def plans(db: sqlite3.Connection, statement: str, values: tuple[Any, ...]) -> Iterator[str]:
    """How SQLite means to find the rows, a line for each table."""
    for *_, detail in db.execute(f"EXPLAIN QUERY PLAN {statement}", values):
        yield detail
