"""The threads SQLite works on, so that no coroutine ever waits for a disk.

One thread writes. Arrivals go first, and alone: all that wait are committed in one step, so that
whoever waits for them never waits for other work. Then it takes the calls that wait, runs them in
one transaction, a savepoint each, commits once and answers all (group commit). A few threads read,
and never wait for the writer.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from relay.outbox import OutboxUnavailable
from relay.outbox import sqlite_arrivals as arrivals
from relay.outbox.arrival import Arrival
from relay.outbox.sqlite_file import BUSY_TIMEOUT_MS

T = TypeVar("T")

COMMIT_MOST = 256
"""Calls in one transaction at most, so that the first of them need not wait long."""

SCRUB_EVERY_S = 2.0
"""Seconds between two clean-ups of the write-ahead log, which keeps copies of erased pages."""

SCRUB_PATIENCE_MS = 100
"""How long a clean-up holds up the writer for a reader that is in the log."""


@dataclass
class _Call:
    work: Callable[[sqlite3.Connection], Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None


class _Group:
    """Arrivals of one turn of the event loop; they go to the writer, and are answered, together."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.futures: list[asyncio.Future[None]] = []
        self.error: Exception | None = None

    def __len__(self) -> int:
        return len(self.arrivals)


class Writer:
    """The one connection that writes. Belongs to the event loop it was made in.

    `last_arrival`: the `id` of the newest that is stored.
    """

    def __init__(self, db: sqlite3.Connection, last_arrival: int = 0) -> None:
        self._db = db
        self._loop = asyncio.get_running_loop()
        self._asked: SimpleQueue[_Call | _Group | None] = SimpleQueue()
        self._group = _Group()
        self._next_id = last_arrival + 1
        self.last_arrival = last_arrival
        self.on_arrivals: Callable[[Sequence[Arrival]], None] = _unheard
        self._is_closed = False
        self._has_erased = False
        self._scrub_at = 0.0
        self._ended = self._loop.create_future()
        threading.Thread(target=self._run, name="outbox-writer", daemon=True).start()

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns, once it is committed. Raises `OutboxUnavailable`."""
        if self._is_closed:
            raise OutboxUnavailable("the outbox is closed")
        call = _Call(work, self._loop.create_future())
        self._hand_over()  # what was accepted before is stored before
        self._asked.put(call)
        result: T = await call.future
        return result

    def accept(
        self, site: str, received_at: int, facts: bytes, body: bytes
    ) -> asyncio.Future[None]:
        """Done once the arrival is committed. Raises `OutboxUnavailable`, as may the future."""
        if self._is_closed:
            raise OutboxUnavailable("the outbox is closed")
        group = self._group
        if not group.arrivals:
            self._loop.call_soon(self._hand_over)
        future = self._loop.create_future()
        group.arrivals.append(Arrival(self._next_id, site, received_at, facts, body))
        group.futures.append(future)
        self._next_id += 1
        return future

    def _hand_over(self) -> None:
        if self._group:
            self._asked.put(self._group)
            self._group = _Group()

    def scrub_soon(self) -> None:
        """Said by `work` that has erased personal data: the log's copies of it go soon too."""
        self._has_erased = True

    async def close(self) -> None:
        """All calls made so far are answered, the log is empty, the connection closed."""
        if not self._is_closed:
            self._is_closed = True
            self._hand_over()
            self._asked.put(None)
        await asyncio.shield(self._ended)

    def _run(self) -> None:
        calls: list[_Call] = []
        is_open = True
        while is_open or calls:
            groups, more, is_open = self._waiting(is_blocking=is_open and not calls)
            calls += more
            if groups:
                self._store(groups)
                self._tell(self._answer_groups, groups)
            if calls:
                self._commit(calls[:COMMIT_MOST])
                self._tell(_answer, calls[:COMMIT_MOST])
                del calls[:COMMIT_MOST]
            if self._has_erased and (not is_open or time.monotonic() >= self._scrub_at):
                self._scrub()
        self._db.close()
        self._tell(_end, self._ended)

    def _waiting(self, *, is_blocking: bool) -> tuple[list[_Group], list[_Call], bool]:
        """All that waits, at least one if it may block and need not scrub; False after the last."""
        groups: list[_Group] = []
        calls: list[_Call] = []
        timeout_s = max(0.0, self._scrub_at - time.monotonic()) if self._has_erased else None
        with suppress(Empty):
            while True:
                is_first = is_blocking and not groups and not calls
                one = self._asked.get(timeout=timeout_s) if is_first else self._asked.get_nowait()
                if one is None:
                    return groups, calls, False
                if isinstance(one, _Group):
                    groups.append(one)
                else:
                    calls.append(one)
        return groups, calls, True

    def _store(self, groups: list[_Group]) -> None:
        """Their arrivals are committed, those of all groups or none."""
        try:
            arrivals.store(self._db, [one for group in groups for one in group.arrivals])
        except Exception as error:
            for group in groups:
                group.error = _unavailable(error) if isinstance(error, sqlite3.Error) else error

    def _answer_groups(self, groups: list[_Group]) -> None:
        for group in groups:
            for future in group.futures:
                _settle(future, None, group.error)
            if group.error is None:
                self.last_arrival = group.arrivals[-1].id
                self.on_arrivals(group.arrivals)

    def _commit(self, calls: list[_Call]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for call in calls:
                self._run_one(call)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            for call in calls:
                call.error = _unavailable(error)

    def _run_one(self, call: _Call) -> None:
        self._db.execute("SAVEPOINT one")
        try:
            call.result = call.work(self._db)
        except Exception as error:
            if not self._db.in_transaction:  # a full disk ends the whole transaction
                raise
            self._db.execute("ROLLBACK TO one")
            call.error = _unavailable(error) if isinstance(error, sqlite3.Error) else error
        self._db.execute("RELEASE one")

    def _scrub(self) -> None:
        self._scrub_at = time.monotonic() + SCRUB_EVERY_S
        try:
            self._db.execute(f"PRAGMA busy_timeout = {SCRUB_PATIENCE_MS}")
            (is_busy, *_) = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error:  # a full disk: tried again with the next turn, as when a reader is in
            is_busy = 1
        self._db.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        self._has_erased = bool(is_busy)

    def _tell(self, answer: Callable[[Any], None], what: Any) -> None:
        with suppress(RuntimeError):  # the event loop is gone, and with it whoever asked
            self._loop.call_soon_threadsafe(answer, what)


def _answer(calls: list[_Call]) -> None:
    for call in calls:
        _settle(call.future, call.result, call.error)


def _settle(future: asyncio.Future[Any], result: object, error: Exception | None) -> None:
    if future.done():  # whoever asked was cancelled
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


def _unheard(_: Sequence[Arrival]) -> None:
    """Nobody listens."""


def _end(ended: asyncio.Future[None]) -> None:
    ended.set_result(None)


class Readers:
    """A few connections that read, each on its own thread, each call in one snapshot."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], threads: int = 2) -> None:
        self._connect = connect
        self._pool = ThreadPoolExecutor(threads, "outbox-reader")
        self._own = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._is_closed = False

    async def do(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """What `query` returns. Raises `OutboxUnavailable`."""
        if self._is_closed:
            raise OutboxUnavailable("the outbox is closed")
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._pool, self._in_snapshot, query)
        except sqlite3.Error as error:
            raise _unavailable(error) from error

    def close(self) -> None:
        """No reader is at work and their connections are closed."""
        self._is_closed = True
        self._pool.shutdown()
        while self._opened:
            self._opened.pop().close()

    def _in_snapshot(self, query: Callable[[sqlite3.Connection], T]) -> T:
        db: sqlite3.Connection | None = getattr(self._own, "db", None)
        if db is None:
            db = self._own.db = self._connect()
            db.execute("PRAGMA query_only = ON")
            self._opened.append(db)
        db.execute("BEGIN")
        try:
            return query(db)
        finally:
            db.execute("ROLLBACK")


def _unavailable(error: Exception) -> OutboxUnavailable:
    return OutboxUnavailable(f"the outbox can't do this now: {error}")
