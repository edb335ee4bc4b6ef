"""What a million waiting deliveries cost: to claim and to store beside them, and in memory."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import httpx

from relay.delivery import DeliveryLoop, system_now_ms
from relay.outbox.sqlite import SqliteOutbox
from relay.outbox.sqlite_file import prepare
from tests.bench.relay import Pair, timed_async
from tests.relay.backlog import fill
from tests.relay.delivery_stage import FakeDestination
from tests.relay.records import NOW, event, record

FEW, MANY = 1_000, 1_000_000
CENTURY_S = 100 * 366 * 86_400  # the backlog is of a made-up time
TURNS = 20
EVENTS = 100


def outbox_with(folder: str, count: int) -> Path:
    """An outbox in which so many deliveries wait for `meta`."""
    path = Path(folder) / str(count) / "outbox.db"
    os.close(prepare(path, NOW))
    fill(path, count, "meta")
    return path


async def claim(path: Path) -> None:
    async with await SqliteOutbox.open(path) as outbox:
        for _ in range(TURNS):
            await outbox.release(await outbox.claim("toko", "meta", EVENTS, NOW))


async def store(path: Path) -> None:
    stamp = time.time_ns()
    async with await SqliteOutbox.open(path) as outbox:
        await asyncio.gather(
            *(outbox.put([record(f"add_to_cart_{stamp}_{n}", "tiktok")]) for n in range(EVENTS))
        )


@contextmanager
def claiming() -> Iterator[Pair]:
    with tempfile.TemporaryDirectory() as folder:
        many, few = outbox_with(folder, MANY), outbox_with(folder, FEW)
        yield lambda: timed_async(lambda: claim(many)), lambda: timed_async(lambda: claim(few))


@contextmanager
def storing() -> Iterator[Pair]:
    with tempfile.TemporaryDirectory() as folder:
        many, few = outbox_with(folder, MANY), outbox_with(folder, FEW)
        yield lambda: timed_async(lambda: store(many)), lambda: timed_async(lambda: store(few))


BENCHMARKS = [
    (f"claim {TURNS} times {EVENTS} of {MANY:,} waiting", f"of {FEW:,} waiting", claiming),
    (f"store {EVENTS} events beside {MANY:,} waiting", f"beside {FEW:,} waiting", storing),
]


def memory() -> Iterator[str]:
    """What a relay's delivery takes with a dead destination's backlog, a line for each size."""
    for count in (FEW, MANY):
        with tempfile.TemporaryDirectory() as folder:
            path = outbox_with(folder, count)
            yield subprocess.run(
                [sys.executable, __file__, str(path)], check=True, capture_output=True, text=True
            ).stdout.strip()


async def deliver_beside(path: Path) -> str:
    """Events come for a destination that is up while the backlog waits for one that is not."""

    is_asked = asyncio.Event()

    async def system(request: httpx.Request) -> httpx.Response:
        if request.url.host == "meta.example":
            raise httpx.ConnectError("refused")
        is_asked.set()
        return httpx.Response(200)

    async with await SqliteOutbox.open(path) as outbox:
        loop = DeliveryLoop(
            outbox,
            [
                ("toko", FakeDestination("meta", batch=100, max_age_s=CENTURY_S)),
                ("toko", FakeDestination("tiktok")),
            ],
            transport=lambda: httpx.MockTransport(system),
        )
        loop.start()
        waits_s = []
        for n in range(EVENTS):
            start = time.perf_counter()
            one = event(f"live_{n}", event_time=system_now_ms(), received_at=system_now_ms())
            for site, name in await outbox.put([(one, record("", "tiktok")[1])]):
                loop.wake(site, name)
            await is_asked.wait()
            is_asked.clear()
            waits_s.append(time.perf_counter() - start)
        waiting = {one.destination: one.count for one in await outbox.waiting()}
        await loop.stop(5)
    return (
        f"{waiting['meta']:>9,} wait for a dead destination: {resident_mb():.0f} MB resident, "
        f"another's events sent within {max(waits_s) * 1000:.0f} ms"
    )


def resident_mb() -> float:
    """The most this process ever had in memory."""
    status = Path("/proc/self/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    print(asyncio.run(deliver_beside(Path(sys.argv[1]))))
