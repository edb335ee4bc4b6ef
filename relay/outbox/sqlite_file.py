"""The outbox's file: who may open it, how it is laid out, what a killed process left in it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from relay.outbox import OutboxInUse, OutboxRefused

Synchronous = Literal["FULL", "NORMAL"]
"""`FULL` survives a power cut; `NORMAL` only a killed process, with fewer waits for the disk."""

DURABILITY: dict[str, Synchronous] = {"power-cut": "FULL", "process": "NORMAL"}
"""What survives, by what an operator calls it (`serve --durability`)."""

BUSY_TIMEOUT_MS = 2000
"""How long a call waits for somebody else's lock, a backup's say, before it fails."""

EVENTS = """
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    site TEXT NOT NULL,
    event_id TEXT NOT NULL,
    event_name TEXT NOT NULL,
    order_id TEXT,
    received_at INTEGER NOT NULL,
    body TEXT, -- the event as JSON: personal data, NULL once nobody needs it
    UNIQUE (site, event_id)
);
CREATE INDEX events_of_order ON events (site, order_id) WHERE order_id IS NOT NULL;
CREATE TABLE deliveries (
    event INTEGER NOT NULL, -- events.id
    destination TEXT NOT NULL,
    site TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'dead', 'skipped')),
    due_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    status INTEGER,
    reason TEXT NOT NULL,
    sent_as TEXT,
    begun INTEGER NOT NULL DEFAULT 0, -- 1 while a request that must not be repeated is under way
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (event, destination)
) WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (site, destination, due_ms) WHERE state = 'waiting';
CREATE INDEX deliveries_changed ON deliveries (site, state, updated_at);
CREATE INDEX deliveries_begun ON deliveries (event) WHERE begun = 1;
CREATE TABLE proof (id INTEGER PRIMARY KEY CHECK (id = 1), written INTEGER NOT NULL);
INSERT INTO proof VALUES (1, 0);
"""

ORDERS = """
CREATE TABLE orders (
    site TEXT NOT NULL,
    order_id TEXT NOT NULL,
    is_told INTEGER NOT NULL DEFAULT 0, -- 1 once the page's copy of its event was taken
    state TEXT CHECK (state IN ('paid', 'reversed')), -- NULL before a payment is heard of
    status TEXT,
    payment TEXT, -- as JSON
    event_id TEXT, -- of the event that the payment sent
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (site, order_id)
) WITHOUT ROWID;
CREATE INDEX orders_changed ON orders (site, updated_at);
CREATE TABLE contexts (
    site TEXT NOT NULL,
    order_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    body TEXT NOT NULL, -- what the event told, as JSON: personal data
    UNIQUE (site, order_id, event_id)
);
CREATE INDEX contexts_age ON contexts (site, received_at);
"""

STORIES = """
ALTER TABLE events ADD COLUMN source TEXT; -- page, server or payment; NULL: stored by schema 2
ALTER TABLE events ADD COLUMN consent TEXT; -- as the event told it, as JSON
CREATE TABLE history ( -- what a delivery's row told before it told something else
    event INTEGER NOT NULL,
    destination TEXT NOT NULL,
    n INTEGER NOT NULL,
    at INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    status INTEGER,
    reason TEXT NOT NULL,
    PRIMARY KEY (event, destination, n)
) WITHOUT ROWID;
-- Not of what was just put: most deliveries are done at their first attempt, and cost no row here.
CREATE TRIGGER deliveries_told AFTER UPDATE OF state ON deliveries
WHEN OLD.attempts > 0 OR OLD.reason <> ''
BEGIN
    INSERT INTO history
    SELECT OLD.event, OLD.destination, coalesce(max(n), 0) + 1,
        OLD.updated_at, OLD.state, OLD.attempts, OLD.status, OLD.reason
    FROM history WHERE event = OLD.event AND destination = OLD.destination;
    DELETE FROM history WHERE event = OLD.event AND destination = OLD.destination AND n <= (
        SELECT max(n) - 20 FROM history WHERE event = OLD.event AND destination = OLD.destination);
END;
CREATE TRIGGER deliveries_forgotten AFTER DELETE ON deliveries
BEGIN
    DELETE FROM history WHERE event = OLD.event AND destination = OLD.destination;
END;
"""

STEPS = (EVENTS, ORDERS, STORIES)
"""What makes the file of each schema version from the one before; none is ever changed."""

SCHEMA_VERSION = len(STEPS)

ARRIVALS = """
CREATE TABLE arrivals ( -- what is durable and not yet routed; mostly for milliseconds
    id INTEGER PRIMARY KEY,
    site TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    facts BLOB NOT NULL, -- what is known of the request, as JSON: personal data
    body BLOB NOT NULL -- what it brought, as JSON: personal data
);
CREATE TABLE proof (id INTEGER PRIMARY KEY CHECK (id = 1), written INTEGER NOT NULL);
INSERT INTO proof VALUES (1, 0);
"""

ARRIVALS_STEPS = (ARRIVALS,)
"""As `STEPS`, of the file that arrivals have."""


PAGE = 4096
ARRIVALS_PAGE = 32_768
"""Bytes of a page: what arrives together is written in a few large ones, not in many small, and
three requests of ten events fill one."""


def arrivals_path(path: Path) -> Path:
    """Where the outbox of this file keeps its arrivals.

    A file of their own: who commits there need not wait for what is written to the outbox.
    """
    return path.with_name(f"{path.name}.arrivals")


# At most once where a repeat would count twice: what was under way when the process died is a
# dead letter, as any other ambiguous end (DESIGN 5.5).
BURY_BEGUN = """
UPDATE deliveries
SET state = 'dead', begun = 0, attempts = attempts + 1, status = NULL, updated_at = ?,
    reason = 'the relay was killed while it was sent; it may have arrived, and a repeat would '
        || 'count twice'
WHERE begun = 1
"""


def connect(
    path: Path, *, synchronous: Synchronous = "FULL", page_bytes: int = PAGE
) -> sqlite3.Connection:
    """A connection as the outbox needs it: write-ahead log, transactions begun by hand."""
    db = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None, check_same_thread=False
    )
    db.execute(f"PRAGMA page_size = {page_bytes}")  # as the next, of a new file alone
    db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(f"PRAGMA synchronous = {synchronous}")
    db.execute("PRAGMA secure_delete = ON")
    db.execute("PRAGMA temp_store = MEMORY")  # nothing personal in the system's temporary files
    return db


def prepare(path: Path, now_ms: int) -> int:
    """The file is there, ours alone and of this schema; what came back is the lock to release.

    Directory 0700 and file 0600: it holds personal data while deliveries wait. Raises
    `OutboxRefused`.
    """
    try:
        _make_directory(path.parent, 0o700)
        lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise OutboxRefused(f"the outbox {path} cannot be made: {error.strerror}") from error
    try:
        _take(lock, path)
        for file, steps, page_bytes in (
            (path, STEPS, PAGE),
            (arrivals_path(path), ARRIVALS_STEPS, ARRIVALS_PAGE),
        ):
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
            _lay_out(file, steps, page_bytes)
        _bury_begun(path, now_ms)
        _make_names_durable(path.parent)
    except (OSError, sqlite3.Error) as error:
        os.close(lock)
        raise OutboxRefused(f"the outbox {path} cannot be opened: {error}") from error
    except OutboxRefused:
        os.close(lock)
        raise
    return lock


def _make_directory(directory: Path, mode: int = 0o777) -> None:
    """It is there, and is still after a power cut: so are the names of what had to be made."""
    if not directory.exists():
        _make_directory(directory.parent)
        directory.mkdir(mode, exist_ok=True)
        _make_names_durable(directory.parent)


def find(path: Path) -> None:
    """The file is there and of this schema, whoever has it open. Raises `OutboxRefused`."""
    if not path.exists():
        raise OutboxRefused(f"there is no outbox in {path.parent}")
    try:
        db = connect(path)
        try:
            version = _version(db, path, SCHEMA_VERSION)
        finally:
            db.close()
    except sqlite3.Error as error:
        raise OutboxRefused(f"the outbox {path} cannot be opened: {error}") from error
    if version < SCHEMA_VERSION:
        raise OutboxRefused(
            f"the outbox {path} has schema {version} and this pixelmirror needs {SCHEMA_VERSION}: "
            "start the relay once, it brings the file up to date"
        )


def _take(lock: int, path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OutboxInUse(
            f"the outbox {path} is in use by another process: stop that one first, "
            "or give this one another data directory"
        ) from None


def _lay_out(path: Path, steps: Sequence[str], page_bytes: int) -> None:
    db = connect(path, page_bytes=page_bytes)
    try:
        version = _version(db, path, len(steps))
        if version < len(steps):
            missing = " ".join(steps[version:])
            db.executescript(f"BEGIN; {missing} PRAGMA user_version = {len(steps)}; COMMIT")
    finally:
        db.close()


def _bury_begun(path: Path, now_ms: int) -> None:
    db = connect(path)
    try:
        db.execute(BURY_BEGUN, (now_ms,))
    finally:
        db.close()


def _version(db: sqlite3.Connection, path: Path, known: int) -> int:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > known:
        raise OutboxRefused(
            f"the outbox {path} has schema {version} and this pixelmirror knows up to "
            f"{known}: start the version that wrote it, or a newer one"
        )
    return int(version)


def _make_names_durable(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
