"""What a million waiting deliveries cost: to claim and to store beside them, and in memory."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import httpx

from relay.delivery import DeliveryLoop, system_now_ms
from relay.outbox.sqlite import SqliteOutbox
from relay.outbox.sqlite_file import prepare
from tests.bench.relay import timed_async
from tests.bench.rows import RELAY, Benchmark, Row, Run, at_most, columns
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


def backlog(run: Run) -> Iterator[Row]:
    """With a million waiting, against a thousand."""
    with tempfile.TemporaryDirectory() as folder:
        run.say(f"{MANY:,} deliveries are put into an outbox")
        many, few = outbox_with(folder, MANY), outbox_with(folder, FEW)
        yield Row(
            f"resident, {MANY:,} waiting",
            "MB",
            *columns([(memory_mb(many), memory_mb(few))]),
            f"{FEW:,} waiting",
            at_most(120, of="ours"),
            is_headline=True,
        )
        for words, work in (
            (f"claim {TURNS} times {EVENTS} of {MANY:,} waiting", claim),
            (f"store {EVENTS} events beside {MANY:,} waiting", store),
        ):
            pairs = [
                (timed_async(lambda: work(many)), timed_async(lambda: work(few)))  # noqa: B023
                for _ in run.turns()
            ]
            yield Row(
                words,
                "ms",
                *columns([(one * 1000, other * 1000) for one, other in pairs]),
                f"{FEW:,} waiting",
                at_most(1.25),
            )


BENCHMARKS = [Benchmark("backlog", RELAY, backlog)]


def memory_mb(path: Path) -> float:
    """The most that a program has in memory that delivers beside this backlog."""
    done = subprocess.run(
        [sys.executable, __file__, str(path)], check=True, stdout=subprocess.PIPE, text=True
    )
    return float(done.stdout)


async def deliver_beside(path: Path) -> None:
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
        for n in range(EVENTS):
            one = event(f"live_{n}", event_time=system_now_ms(), received_at=system_now_ms())
            for site, name in await outbox.put([(one, record("", "tiktok")[1])]):
                loop.wake(site, name)
            await is_asked.wait()
            is_asked.clear()
        await loop.stop(5)


def resident_mb() -> float:
    """The most this process ever had in memory."""
    status = Path("/proc/self/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # that the one is down
    asyncio.run(deliver_beside(Path(sys.argv[1])))
    print(resident_mb())
