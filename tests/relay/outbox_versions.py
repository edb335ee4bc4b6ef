"""Outbox files as earlier versions made them, with something in each table.

The statements are those of their time, written down: today's code could only make today's file.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

_1 = """
CREATE TABLE events (
    id INTEGER PRIMARY KEY, site TEXT NOT NULL, event_id TEXT NOT NULL, event_name TEXT NOT NULL,
    order_id TEXT, received_at INTEGER NOT NULL, body TEXT, UNIQUE (site, event_id)
);
CREATE INDEX events_of_order ON events (site, order_id) WHERE order_id IS NOT NULL;
CREATE TABLE deliveries (
    event INTEGER NOT NULL, destination TEXT NOT NULL, site TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'dead', 'skipped')),
    due_ms INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, status INTEGER,
    reason TEXT NOT NULL, sent_as TEXT, begun INTEGER NOT NULL DEFAULT 0,
    updated_at INTEGER NOT NULL, PRIMARY KEY (event, destination)
) WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (site, destination, due_ms) WHERE state = 'waiting';
CREATE INDEX deliveries_changed ON deliveries (site, state, updated_at);
CREATE INDEX deliveries_begun ON deliveries (event) WHERE begun = 1;
CREATE TABLE proof (id INTEGER PRIMARY KEY CHECK (id = 1), written INTEGER NOT NULL);
INSERT INTO proof VALUES (1, 0);
INSERT INTO events VALUES
    (1, 'toko', 'e1', 'add_to_cart', NULL, 1760000000000, '{"params":{}}'),
    (2, 'toko', 'O7-purchase', 'purchase', 'O7', 1760000000000, NULL);
INSERT INTO deliveries VALUES
    (1, 'meta', 'toko', 'waiting', 1760000000000, 0, NULL, '', 'e1', 0, 1760000000000),
    (1, 'scalev', 'toko', 'waiting', 1760000000000, 1, NULL, '', 'e1', 1, 1760000000000),
    (1, 'tiktok', 'toko', 'dead', 1760000000000, 3, 400, 'bad currency', 'e1', 0, 1760000000500),
    (2, 'kwai', 'toko', 'skipped', 1760000000000, 0, NULL, 'no consent', NULL, 0, 1760000000000),
    (2, 'meta', 'toko', 'done', 1760000000000, 2, 200, '', 'O7-Purchase', 0, 1760000000700);
PRAGMA user_version = 1;
"""

_2 = """
CREATE TABLE orders (
    site TEXT NOT NULL, order_id TEXT NOT NULL, is_told INTEGER NOT NULL DEFAULT 0,
    state TEXT CHECK (state IN ('paid', 'reversed')), status TEXT, payment TEXT, event_id TEXT,
    updated_at INTEGER NOT NULL, PRIMARY KEY (site, order_id)
) WITHOUT ROWID;
CREATE INDEX orders_changed ON orders (site, updated_at);
CREATE TABLE contexts (
    site TEXT NOT NULL, order_id TEXT NOT NULL, event_id TEXT NOT NULL,
    received_at INTEGER NOT NULL, body TEXT NOT NULL, UNIQUE (site, order_id, event_id)
);
CREATE INDEX contexts_age ON contexts (site, received_at);
INSERT INTO orders VALUES
    ('toko', 'O7', 1, 'paid', 'settlement', NULL, 'O7-purchase', 1760000000000);
INSERT INTO contexts VALUES
    ('toko', 'O8', 'begin_checkout-8', 1760000000000, '{"event_id":"begin_checkout-8",
     "event_name":"begin_checkout","received_at":1760000000000,"email":"siti@example.com"}');
PRAGMA user_version = 2;
"""

VERSIONS = {1: _1, 2: _1 + _2}
"""By schema version, what makes its file."""


def write_version(version: int, path: Path) -> None:
    """The file is there as this version left it, write-ahead log and all."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.executescript(VERSIONS[version])
    db.close()


def version_of(path: Path) -> int:
    """The schema version that the file says it has."""
    db = sqlite3.connect(path)
    (version,) = db.execute("PRAGMA user_version").fetchone()
    db.close()
    return int(version)


def content_of(path: Path) -> list[str]:
    """The whole file as SQL, but for its version."""
    db = sqlite3.connect(path)
    lines = list(db.iterdump())
    db.close()
    return lines
