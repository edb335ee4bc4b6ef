"""What the relay's own work costs over the least that could do the same."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from pixelmirror.event import check_params
from relay import wire
from relay.body import decoded
from relay.canonical import canonical
from relay.outbox.sqlite import SqliteOutbox
from relay.outbox.sqlite_file import DURABILITY
from tests.bench.posted import body
from tests.relay.relay_stage import NOW, site

EVENTS = 500
TOKO = site()
Measure = Callable[[], float]
Pair = tuple[Measure, Measure]

PARAMS = {
    "items": [
        {"id": f"v{i}", "quantity": 2, "product": {"name": "Kaos", "price": 60000}}
        for i in range(3)
    ]
}


def event(number: int) -> dict[str, Any]:
    """An event as the outbox keeps it."""
    return {
        "site": "bench",
        "event_id": f"add_to_cart_{time.time_ns()}_{number}",
        "event_name": "add_to_cart",
        "event_time": int(time.time() * 1000),
        "received_at": int(time.time() * 1000),
        "params": check_params("add_to_cart", PARAMS, "IDR"),
    }


def timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def worked(action: Callable[[], object]) -> float:
    """The seconds that this process has run, whatever else does."""
    start = time.process_time()
    action()
    return time.process_time() - start


def timed_async(action: Callable[[], Awaitable[None]]) -> float:
    async def run() -> float:
        start = time.perf_counter()
        await action()
        return time.perf_counter() - start

    return asyncio.run(run())


@contextmanager
def checking() -> Iterator[Pair]:
    text = json.dumps(PARAMS)

    def ours() -> None:
        for _ in range(EVENTS):
            check_params("add_to_cart", json.loads(text), "IDR")

    def baseline() -> None:
        for _ in range(EVENTS):
            json.loads(text)

    yield lambda: worked(ours), lambda: worked(baseline)


@contextmanager
def reading(read: Callable[[bytes], object], events: int) -> Iterator[Pair]:
    """Bodies of so many events, as a page posts them."""
    raw = body(events, NOW).encode()
    assert read(raw)

    def ours() -> None:
        for _ in range(EVENTS // events):
            read(raw)

    def baseline() -> None:
        for _ in range(EVENTS // events):
            json.loads(raw)

    yield lambda: worked(ours), lambda: worked(baseline)


def checked(raw: bytes) -> object:
    return wire.events(decoded(raw), TOKO, is_server=False)


@contextmanager
def storing() -> Iterator[Pair]:
    """Concurrent puts share commits; the baseline commits each row on its own, as durably."""
    with tempfile.TemporaryDirectory() as folder:
        raw = sqlite3.connect(Path(folder) / "raw.db")
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("PRAGMA synchronous=FULL")
        raw.execute("CREATE TABLE events (body TEXT)")

        async def put_all() -> None:
            async with await SqliteOutbox.open(Path(folder) / "outbox.db") as outbox:
                puts = [outbox.put([(event(i), [waiting("one")])]) for i in range(EVENTS)]
                await asyncio.gather(*puts)

        def commit_each() -> None:
            for i in range(EVENTS):
                with raw:
                    raw.execute("INSERT INTO events VALUES (?)", (json.dumps(event(i)),))

        yield lambda: timed_async(put_all), lambda: timed(commit_each)
        raw.close()


@contextmanager
def surviving(*, is_one_by_one: bool) -> Iterator[Pair]:
    """What `--durability power-cut` costs over `process`: it waits for the disk at each commit."""
    with tempfile.TemporaryDirectory() as folder:

        async def put_all(durability: str) -> None:
            path = Path(folder) / f"{durability}.db"
            async with await SqliteOutbox.open(path, synchronous=DURABILITY[durability]) as outbox:
                puts = [outbox.put([(event(i), [waiting("one")])]) for i in range(EVENTS)]
                if is_one_by_one:
                    for put in puts:
                        await put
                else:
                    await asyncio.gather(*puts)

        yield (
            lambda: timed_async(lambda: put_all("power-cut")),
            lambda: timed_async(lambda: put_all("process")),
        )


def waiting(destination: str) -> Any:
    return {"destination": destination, "state": "waiting", "reason": "", "sent_as": None}


BENCHMARKS: list[tuple[str, str, Callable[[], AbstractContextManager[Pair]]]] = [
    (f"check {EVENTS} events", "json.loads of the same text", checking),
    *(
        (
            f"{what} {EVENTS} events of 1 KB, {many} a body",
            "json.loads",
            partial(reading, read, many),
        )
        for what, read in (("know", canonical), ("check", checked))
        for many in (1, 10)
    ),
    (f"store {EVENTS} events, durable", "one SQLite commit for each event", storing),
    (
        f"store {EVENTS} events at once, --durability power-cut",
        "--durability process",
        partial(surviving, is_one_by_one=False),
    ),
    (
        f"store {EVENTS} events one by one, --durability power-cut",
        "--durability process",
        partial(surviving, is_one_by_one=True),
    ),
]
