"""The outbox in one SQLite file: for one relay process, nothing to set up."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from relay.outbox import (
    ORDER_DAYS,
    UNIQUE_DAYS,
    Backlog,
    Delivery,
    DeliveryRow,
    Join,
    KeptRow,
    Outcome,
    Payment,
    PaymentRow,
    Record,
    State,
    StoryRow,
    Told,
)
from relay.outbox import sqlite_lookup as lookup
from relay.outbox import sqlite_orders as orders
from relay.outbox import sqlite_put as puts
from relay.outbox import sqlite_statements as statements
from relay.outbox.arrival import Arrival
from relay.outbox.arrivals_file import ArrivalsFile, left
from relay.outbox.sqlite_file import Synchronous, connect, find, prepare
from relay.outbox.sqlite_statements import Filter, Key, Route, key_of
from relay.outbox.sqlite_threads import Readers, Writer

CHUNK = 1000
"""Deliveries that one purge, replay or drop transaction touches, so that no put waits long."""

RETENTION_DAYS = 30
"""Days that dead letters are kept for a site that does not say."""

DAY_MS = 86_400_000

SoFar = Callable[[int], None]
"""Told how many dead letters it are so far, where it may be very many."""


def quietly(_: int) -> None:
    """Nobody wants to know how many it are so far."""


class SqliteOutbox:
    """Keeps the promises of `relay.outbox.Outbox`. Open it with `await SqliteOutbox.open(path)`.

    What is claimed is remembered in memory only: after a restart it waits again. It belongs to
    the event loop it was opened in.
    """

    def __init__(
        self, path: Path, writer: Writer, arrived: ArrivalsFile | None, lock: int | None
    ) -> None:
        self._path = path
        self._writer = writer
        self._arrived = arrived
        self._readers = Readers(lambda: connect(path))
        self._lock = lock
        self._claiming: defaultdict[Route, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._claimed: defaultdict[Route, set[int]] = defaultdict(set)
        self._begun: set[Key] = set()

    @classmethod
    async def open(
        cls, path: Path | str, *, synchronous: Synchronous = "FULL", now_ms: int | None = None
    ) -> Self:
        """The outbox of this file, made if it is not there. Raises `OutboxRefused`.

        `now_ms` dates the dead letters of what was being sent when the last process was killed.
        """
        path = Path(path)
        now_ms = int(time.time() * 1000) if now_ms is None else now_ms
        lock = await asyncio.to_thread(prepare, path, now_ms)
        writer = Writer(connect(path, synchronous=synchronous))
        return cls(path, writer, ArrivalsFile(path, synchronous), lock)

    @classmethod
    async def beside(cls, path: Path | str) -> Self:
        """The outbox of this file beside the relay that may be at work on it.

        To look things up, replay and drop; nothing arrives in it or is claimed of it. A running
        relay finds what was replayed with its next look. Raises `OutboxRefused`.
        """
        path = Path(path)
        await asyncio.to_thread(find, path)
        return cls(path, Writer(connect(path)), None, None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await asyncio.to_thread(self._readers.close)
        await self._writer.close()
        if self._arrived is not None:
            await self._arrived.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def put(self, records: Sequence[Record]) -> set[Route]:
        rows = [puts.stored(record) for record in records if record[1]]
        return await self._writer.do(lambda db: puts.put(db, rows)) if rows else set()

    async def tell(self, records: Sequence[Record], told: Sequence[Told], join: Join) -> set[Route]:
        rows = [puts.stored(record) for record in records if record[1]]

        def work(db: sqlite3.Connection) -> set[Route]:
            routes = puts.put(db, rows)
            for one in told:
                self._writer.scrub_soon()  # what is told may replace or erase what was
                routes |= orders.tell(db, one, join)
            return routes

        return await self._writer.do(work)

    def accept(self, site: str, received_at: int, facts: bytes, body: bytes) -> Awaitable[None]:
        return self._arrivals.accept(site, received_at, facts, body)

    def on_arrivals(self, tell: Callable[[Sequence[Arrival]], None]) -> int:
        return self._arrivals.on_arrivals(tell)

    async def arrivals(self, limit: int, after: int) -> list[Arrival]:
        return await self._arrivals.find(limit, after)

    async def arrivals_waiting(self) -> list[Backlog]:
        if self._arrived is None:
            return await asyncio.to_thread(left, self._path)
        return await self._arrived.waiting()

    async def routed(
        self, ids: Sequence[int], records: Sequence[Record], told: Sequence[Told], join: Join
    ) -> set[Route]:
        routes = await self.tell(records, told, join)
        await self._arrivals.remove(ids)
        return routes

    @property
    def _arrivals(self) -> ArrivalsFile:
        assert self._arrived is not None, "nothing arrives beside another process"
        return self._arrived

    async def pay(self, payment: Payment, join: Join) -> set[Route]:
        def work(db: sqlite3.Connection) -> set[Route]:
            self._writer.scrub_soon()
            return orders.pay(db, payment, join)

        return await self._writer.do(work)

    async def reverse(
        self, site: str, order_id: str, status: str, now_ms: int, *, was_paid: bool
    ) -> bool:
        def work(db: sqlite3.Connection) -> bool:
            self._writer.scrub_soon()
            return orders.reverse(db, site, order_id, status, now_ms, was_paid)

        return await self._writer.do(work)

    async def payments(
        self, site: str, *, order_id: str | None = None, limit: int = 100
    ) -> list[PaymentRow]:
        return await self._readers.do(lambda db: orders.payments(db, site, order_id, limit))

    async def claim(self, site: str, destination: str, limit: int, now_ms: int) -> list[Delivery]:
        route = (site, destination)
        async with self._claiming[route]:
            # Copied before the snapshot is made: what is settled in between is in the copy, or
            # no longer waits in the snapshot.
            claimed = frozenset(self._claimed[route])

            def due(db: sqlite3.Connection) -> tuple[list[Delivery], bool]:
                found = statements.find_due(db, route, limit, now_ms, claimed)
                is_all = len(found) < limit
                return found, is_all and statements.is_clock_set_back(db, site, now_ms)

            found, is_set_back = await self._readers.do(due)
            if is_set_back:
                await self._in_chunks(lambda db: statements.set_back(db, site, now_ms, CHUNK))
                found, _ = await self._readers.do(due)
            self._claimed[route].update(cast(int, delivery.handle) for delivery in found)
        return found

    async def begin(self, deliveries: Sequence[Delivery]) -> None:
        keys = [key_of(delivery) for delivery in deliveries]
        await self._writer.do(lambda db: statements.mark_begun(db, keys, is_begun=True))
        self._begun.update(keys)

    async def release(self, deliveries: Sequence[Delivery]) -> None:
        keys = [key for key in map(key_of, deliveries) if key in self._begun]
        try:
            if keys:
                await self._writer.do(lambda db: statements.mark_begun(db, keys, is_begun=False))
                self._begun.difference_update(keys)
        finally:
            self._forget_claims(deliveries)

    async def settle(self, outcomes: Sequence[Outcome], now_ms: int) -> None:
        def work(db: sqlite3.Connection) -> None:
            if statements.settle(db, outcomes, now_ms):
                self._writer.scrub_soon()

        await self._writer.do(work)
        settled = [outcome.delivery for outcome in outcomes]
        self._forget_claims(settled)
        self._begun.difference_update(map(key_of, settled))

    async def next_due(self, site: str, destination: str) -> int | None:
        route = (site, destination)
        claimed = frozenset(self._claimed[route])
        return await self._readers.do(lambda db: statements.next_due(db, route, claimed))

    async def deliveries(
        self,
        site: str,
        *,
        event_id: str | None = None,
        order_id: str | None = None,
        state: State | None = None,
        destination: str | None = None,
        limit: int = 100,
    ) -> list[StoryRow]:
        chosen = Filter(destination=destination, event_id=event_id, order_id=order_id)
        return await self._readers.do(lambda db: lookup.rows(db, site, state, chosen, limit))

    async def dead_letters(
        self,
        site: str,
        *,
        destination: str | None = None,
        event_id: str | None = None,
        since_ms: int | None = None,
        limit: int = 1000,
    ) -> list[DeliveryRow]:
        chosen = Filter(destination=destination, event_id=event_id, since_ms=since_ms)
        found = await self._readers.do(lambda db: lookup.rows(db, site, "dead", chosen, limit))
        return list(found)

    async def kept(self, site: str, mark: str) -> list[KeptRow]:
        return await self._readers.do(lambda db: lookup.kept(db, site, mark))

    async def replay(
        self,
        site: str,
        *,
        destination: str | None = None,
        event_id: str | None = None,
        since_ms: int | None = None,
        now_ms: int,
        so_far: SoFar = quietly,
    ) -> int:
        chosen = Filter(destination=destination, event_id=event_id, since_ms=since_ms)
        return await self._in_chunks(
            lambda db: statements.replay(db, site, chosen, CHUNK, now_ms), so_far
        )

    async def drop(
        self,
        site: str,
        *,
        destination: str | None = None,
        event_id: str | None = None,
        since_ms: int | None = None,
        now_ms: int,
        so_far: SoFar = quietly,
    ) -> int:
        chosen = Filter(destination=destination, event_id=event_id, since_ms=since_ms)
        return await self._drop(site, chosen, now_ms, "dropped", so_far)

    async def sites(self) -> list[str]:
        return await self._readers.do(lookup.sites)

    async def waiting(self) -> list[Backlog]:
        return await self._readers.do(statements.waiting)

    async def purge(self, now_ms: int, retention_days: Mapping[str, int]) -> int:
        forgotten = 0
        for site in await self.sites():
            days = retention_days.get(site, RETENTION_DAYS)
            expired = Filter(before_ms=now_ms - days * DAY_MS)
            await self._drop(site, expired, now_ms, f"dropped after {days} days")
            over = Filter(before_ms=now_ms - UNIQUE_DAYS * DAY_MS)
            forgotten += await self._remove(site, "done", over)
            forgotten += await self._remove(site, "skipped", over)
        await self._purge_orders(now_ms, retention_days)
        await self._purge_arrivals(now_ms, retention_days)
        await self._shrink()
        return forgotten

    async def check(self) -> None:
        await self._writer.do(statements.prove)
        if self._arrived is not None:
            await self._arrived.check()

    async def _purge_orders(self, now_ms: int, retention_days: Mapping[str, int]) -> None:
        for site in await self._readers.do(
            lambda db: statements.sites(db, orders.SITES_WITH_CONTEXTS)
        ):
            days = retention_days.get(site, RETENTION_DAYS)
            await self._erase(orders.REMOVE_OLD_CONTEXTS, site, now_ms - days * DAY_MS)
            await self._erase(orders.REMOVE_CONTEXTS_OF_PAID, site, now_ms - UNIQUE_DAYS * DAY_MS)
        for site in await self._readers.do(
            lambda db: statements.sites(db, orders.SITES_WITH_ORDERS)
        ):
            await self._erase(orders.REMOVE_ORDERS, site, now_ms - ORDER_DAYS * DAY_MS)

    async def _purge_arrivals(self, now_ms: int, retention_days: Mapping[str, int]) -> None:
        """What could not be routed for so long is not kept any longer."""
        for site in {backlog.site for backlog in await self.arrivals_waiting()}:
            before_ms = now_ms - retention_days.get(site, RETENTION_DAYS) * DAY_MS
            while await self._arrivals.purge(site, before_ms, CHUNK) == CHUNK:
                pass

    async def _shrink(self) -> None:
        def work(db: sqlite3.Connection) -> int:
            count = statements.shrink(db, CHUNK)
            if count:
                self._writer.scrub_soon()  # the file ends where it ends once the log is emptied
            return count

        await self._in_chunks(work)

    async def _erase(self, statement: str, site: str, before_ms: int) -> None:
        def work(db: sqlite3.Connection) -> int:
            count = db.execute(statement, (site, before_ms, CHUNK)).rowcount
            if count:
                self._writer.scrub_soon()
            return count

        await self._in_chunks(work)

    async def _drop(
        self, site: str, chosen: Filter, now_ms: int, why: str, so_far: SoFar = quietly
    ) -> int:
        def work(db: sqlite3.Connection) -> int:
            count, has_erased = statements.drop(db, site, chosen, CHUNK, now_ms, why)
            if has_erased:
                self._writer.scrub_soon()
            return count

        return await self._in_chunks(work, so_far)

    async def _remove(self, site: str, state: State, chosen: Filter) -> int:
        return await self._in_chunks(lambda db: statements.remove(db, site, state, chosen, CHUNK))

    async def _in_chunks(
        self, work: Callable[[sqlite3.Connection], int], so_far: SoFar = quietly
    ) -> int:
        """The sum of what `work` did, called again for as long as it finds a full chunk."""
        total = 0
        while True:
            count = await self._writer.do(work)
            total += count
            so_far(total)
            if count < CHUNK:
                return total

    def _forget_claims(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            event, destination = key_of(delivery)
            self._claimed[delivery.site, destination].discard(event)
