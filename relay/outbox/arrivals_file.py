"""The file that arrivals have for themselves, beside the outbox's.

Who commits an arrival waits for this file's writer alone, and not for one that puts, settles or
purges deliveries. What was routed is durable in the outbox before it is gone from here: a process
that is killed in between routes it again, which changes nothing, as any repeat.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from relay.outbox import Backlog, OutboxUnavailable
from relay.outbox import sqlite_arrivals as statements
from relay.outbox.arrival import Arrival
from relay.outbox.sqlite_file import ARRIVALS_PAGE, Synchronous, arrivals_path, connect
from relay.outbox.sqlite_threads import Readers, Writer

LOG_PAGES = 1024 * 1024 // ARRIVALS_PAGE
"""1 MiB, after which a commit copies the write-ahead log into the file. With SQLite's own 1,000
pages whoever waits for that commit waits four times as long."""


class ArrivalsFile:
    """The arrivals of the outbox at `path`, whose lock we have. `close()` it."""

    def __init__(self, path: Path, synchronous: Synchronous) -> None:
        file = arrivals_path(path)
        db = connect(file, synchronous=synchronous)
        db.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
        self._writer = Writer(db, statements.last(db))
        self._readers = Readers(lambda: connect(file), threads=1)

    def accept(self, site: str, received_at: int, facts: bytes, body: bytes) -> Awaitable[None]:
        """As `Arrivals.accept`."""
        return self._writer.accept(site, received_at, facts, body)

    def on_arrivals(self, tell: Callable[[Sequence[Arrival]], None]) -> int:
        """As `Arrivals.on_arrivals`."""
        self._writer.on_arrivals = tell
        return self._writer.last_arrival

    async def find(self, limit: int, after: int) -> list[Arrival]:
        """As `Arrivals.arrivals`."""
        return await self._readers.do(lambda db: statements.find(db, limit, after))

    async def waiting(self) -> list[Backlog]:
        """As `Arrivals.arrivals_waiting`."""
        return await self._readers.do(statements.waiting)

    async def remove(self, ids: Sequence[int]) -> None:
        """They are gone, bytes and all."""

        def work(db: sqlite3.Connection) -> None:
            self._writer.scrub_soon()
            statements.remove(db, ids)

        await self._writer.do(work)

    async def purge(self, site: str, before_ms: int, limit: int) -> int:
        """How many of at most `limit` are gone that a site no longer keeps."""

        def work(db: sqlite3.Connection) -> int:
            self._writer.scrub_soon()
            return statements.purge(db, site, before_ms, limit)

        return await self._writer.do(work)

    async def check(self) -> None:
        """An arrival could be stored just now."""
        await self._writer.do(statements.prove)

    async def close(self) -> None:
        """What was accepted is stored and the file is free."""
        await asyncio.to_thread(self._readers.close)
        await self._writer.close()


def left(path: Path) -> list[Backlog]:
    """The arrivals of the outbox at `path`, whoever has it open."""
    file = arrivals_path(path)
    if not file.exists():  # of a relay that knew none
        return []
    try:
        db = connect(file)
        try:
            return statements.waiting(db)
        finally:
            db.close()
    except sqlite3.Error as error:
        raise OutboxUnavailable(f"the arrivals {file} cannot be read: {error}") from error
