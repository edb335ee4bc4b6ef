"""How fast what waits in the outbox reaches its destinations.

The relay's own delivery, with a real outbox on disk and real connections over loopback, to
destinations as a site file sets them up; the systems (`tests/bench/upstream.py`) are a program of
their own on the other core. The baseline is httpx alone, sending the same requests, made before.
"""

from __future__ import annotations

import asyncio
import gc
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import httpx
import uvloop

from relay.delivery import DeliveryLoop, system_now_ms
from relay.destinations import Destination, Request
from relay.destinations.registry import destinations
from relay.metrics import Metrics
from relay.outbox import Record
from relay.outbox.sqlite import SqliteOutbox
from relay.record import Received, enrich, record
from relay.serving import GARBAGE_AFTER
from relay.site import Site, load
from tests.bench.ingest import CORES, WARM_S, Asked, pin
from tests.bench.load import PLACE, uuid7
from tests.bench.posted import body
from tests.bench.rows import RELAY, Benchmark, Row, Run, at_least, at_most, columns
from tests.relay.processes import free_port, until

SITE = """
site = "toko"
publishable_key = "pmk_toko"
secret_key = "the-secret-key-of-toko"
origins = ["https://toko.example"]
rate_limit = 0
{destination}
"""
META = """[destinations.meta]
mode = "server"
pixel_ids = ["1234567890"]
access_token = "t1"
base_url = "{upstream}"
"""
SCALEV = """[destinations.scalev]
store_id = "store_1"
api_key = "k1"
providers = ["meta"]
base_url = "{upstream}"
"""

BATCHED, WAITED, SINGLE, BACKLOG = 12_000, 24_000, 2_000, 30_000
FILL_AT_ONCE = 500
ROUND_WITHIN_S = 120

CLIENT = {
    "ip": "203.0.113.7",
    "user_agent": "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/141.0.0.0 Mobile Safari/537.36",
}


def records(count: int, site: Site) -> Iterator[Record]:
    """So many events of a page, four of each shopper, as they are stored for this site."""
    now_ms = system_now_ms()
    sent, made = body(1, now_ms), destinations(site)
    for number in range(count):
        text = sent.replace(PLACE, uuid7(now_ms, number).decode())
        shopper = number // 4
        text = text.replace("kaos-polos", f"kaos-{number % 300}")
        text = text.replace("siti@", f"siti{shopper}@").replace("34567890", f"{shopper:08}")
        (event,) = json.loads(text)["events"]
        yield record(enrich(event, site, Received(now_ms, None, CLIENT)), made)


@dataclass(frozen=True)
class Task:
    """What the program that delivers is told: the site's table, where its system is, how many."""

    table: str
    port: int
    folder: str
    count: int
    is_bare: bool = False

    @property
    def site_file(self) -> Path:
        path = Path(self.folder) / "toko.toml"
        upstream = f"http://127.0.0.1:{self.port}"
        path.write_text(SITE.format(destination=self.table.format(upstream=upstream)))
        return path

    @property
    def site(self) -> Site:
        return load(self.site_file)

    @property
    def destination(self) -> Destination:
        (found,) = destinations(self.site)
        return found

    @property
    def outbox(self) -> Path:
        return Path(self.folder) / "outbox.db"


@dataclass(frozen=True)
class Taken:
    """What it came to; `cpu_s` is what all of the program's threads ran."""

    seconds: float
    cpu_s: float


class Counted(Metrics):
    """Knows when so many are delivered."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._left = count
        self.is_over = asyncio.Event()

    def settled(self, site: str, destination: str, verdict: str, seconds: float) -> None:
        super().settled(site, destination, verdict, seconds)
        assert verdict == "done", verdict
        self._left -= 1
        if self._left == 0:
            self.is_over.set()


async def deliver(task: Task) -> Taken:
    """Everything in the outbox is delivered."""
    metrics = Counted(task.count)
    async with await SqliteOutbox.open(task.outbox) as outbox:
        loop = DeliveryLoop(outbox, [("toko", task.destination)], metrics=metrics)
        gc.collect()  # as `relay.serving` does
        gc.freeze()
        gc.set_threshold(*GARBAGE_AFTER)
        start, cpu = time.perf_counter(), time.process_time()
        loop.start()
        await metrics.is_over.wait()
        taken = Taken(time.perf_counter() - start, time.process_time() - cpu)
        await loop.stop(5)
    return taken


async def send(task: Task) -> Taken:
    """The same requests by httpx alone, a client for each that is under way together."""
    destination = task.destination
    events = [event for event, _ in records(task.count, task.site)]
    size = destination.batch
    chunks = [events[start : start + size] for start in range(0, len(events), size)]
    requests = iter([one for chunk in chunks for one in destination.requests(chunk)])

    async def some(requests: Iterator[Request]) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            for one in requests:
                answer = await client.post(one.url, content=one.body, headers=dict(one.headers))
                assert answer.status_code == 200

    start, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(some(requests) for _ in range(destination.in_flight)))
    return Taken(time.perf_counter() - start, time.process_time() - cpu)


async def fill(task: Task) -> None:
    """So many events wait."""
    async with await SqliteOutbox.open(task.outbox) as outbox:
        rows = list(records(task.count, task.site))
        for start in range(0, len(rows), FILL_AT_ONCE):
            await outbox.put(rows[start : start + FILL_AT_ONCE])


class Stage:
    """A full outbox, to be emptied again and again, and the systems that it is emptied into."""

    def __init__(self, folder: Path, table: str, count: int, delay_ms: int) -> None:
        self._full = Task(table, free_port(), str(folder / "full"), count)
        Path(self._full.folder).mkdir()
        asyncio.run(fill(self._full))
        core, self._core = CORES
        program = str(Path(__file__).with_name("upstream.py"))
        told = (self._full.port, delay_ms, -1 if self._core is None else self._core)
        self._upstream = subprocess.Popen([sys.executable, program, *map(str, told)])
        self._own_core = core

    @property
    def destination(self) -> Destination:
        return self._full.destination

    def is_up(self) -> None:
        """The system answers."""
        until(self._answers, "the upstream is up")

    def _answers(self) -> bool:
        assert self._upstream.poll() is None, "it has ended"
        try:
            return httpx.get(f"http://127.0.0.1:{self._full.port}", trust_env=False).is_success
        except httpx.TransportError:
            return False

    def hold(self) -> None:
        """The system takes connections and requests, and answers none."""
        self._upstream.send_signal(signal.SIGSTOP)

    def let_go(self) -> None:
        """It answers again, also what it was asked meanwhile."""
        self._upstream.send_signal(signal.SIGCONT)

    @contextmanager
    def relay(self, *, is_full: bool) -> Iterator[Asked]:
        """`pixelmirror serve` with the full outbox; or with an empty one and nobody to deliver to.

        A full one ends as it is: it has no time to deliver all.
        """
        with tempfile.TemporaryDirectory() as folder:
            task = replace(
                self._full, folder=folder, port=self._full.port if is_full else free_port()
            )
            data = Path(folder) / "var"
            data.mkdir()
            if is_full:
                shutil.copy(self._full.outbox, data)
            port, program = free_port(), str(Path(sys.executable).with_name("pixelmirror"))
            more = ["--port", str(port), "--data", str(data)]
            command = [program, "serve", str(task.site_file), *more]
            asked = Asked(command, port, "/readyz", Path(folder) / "relay.log")
            try:
                yield asked
            finally:
                asked.close()

    def close(self) -> None:
        self.let_go()
        self._upstream.terminate()
        self._upstream.wait(60)

    def taken(self, *, is_bare: bool = False) -> Taken:
        """One round, in a program of its own."""
        with tempfile.TemporaryDirectory() as folder:
            task = replace(self._full, folder=folder, is_bare=is_bare)
            if not is_bare:
                shutil.copy(self._full.outbox, task.outbox)
            done = subprocess.run(
                [sys.executable, __file__],
                input=json.dumps(asdict(task)),
                stdout=subprocess.PIPE,
                check=True,
                text=True,
                timeout=ROUND_WITHIN_S,
                preexec_fn=lambda: pin(self._own_core),
            )
        return Taken(**json.loads(done.stdout))


@contextmanager
def stage(table: str, count: int, delay_ms: int = 0) -> Iterator[Stage]:
    with tempfile.TemporaryDirectory() as folder:
        made = Stage(Path(folder), table, count, delay_ms)
        try:
            made.is_up()
            yield made
        finally:
            made.close()


def batches(run: Run) -> Iterator[Row]:
    """100 events a request, to a system that answers at once."""
    with stage(META, BATCHED) as here:
        turns = [(here.taken(), here.taken(is_bare=True)) for _ in run.turns()]
    pairs = [(BATCHED / one.seconds, BATCHED / other.seconds) for one, other in turns]
    yield Row(
        "events delivered, 100 a request",
        "/s",
        *columns(pairs),
        "httpx alone, the requests made beforehand",
        at_least(5000, of="ours"),
        is_headline=True,
    )
    cpu_us = [(one.cpu_s / BATCHED * 1e6, other.cpu_s / BATCHED * 1e6) for one, other in turns]
    yield Row("CPU a delivery, 100 a request", "us", *columns(cpu_us), "httpx alone")


def waiting(run: Run) -> Iterator[Row]:
    """The same to a system that takes 100 ms to answer."""
    with stage(META, WAITED, delay_ms=100) as here:
        turns = [here.taken() for _ in run.turns()]
        destination = here.destination
    most = destination.in_flight * destination.batch / 0.1
    pairs = [(WAITED / one.seconds, most) for one in turns]
    yield Row(
        "events delivered, 100 a request, answers after 100 ms",
        "/s",
        *columns(pairs),
        f"{destination.in_flight} requests under way, always",
        at_least(0.8),
    )


def singles(run: Run) -> Iterator[Row]:
    """One event a request, to a system that answers at once."""
    with stage(SCALEV, SINGLE) as here:
        turns = [(here.taken(), here.taken(is_bare=True)) for _ in run.turns()]
    pairs = [(SINGLE / one.seconds, SINGLE / other.seconds) for one, other in turns]
    yield Row(
        "events delivered, one a request",
        "/s",
        *columns(pairs),
        "httpx alone, the requests made beforehand",
        is_headline=True,
    )
    cpu_us = [(one.cpu_s / SINGLE * 1e6, other.cpu_s / SINGLE * 1e6) for one, other in turns]
    yield Row("CPU a delivery, one a request", "us", *columns(cpu_us), "httpx alone")


def beside(run: Run) -> Iterator[Row]:
    """Ingest as fast as it can while a backlog is delivered as fast as that can."""
    turns = []
    with stage(META, BACKLOG) as here:
        for _ in run.turns():
            here.hold()
            with here.relay(is_full=True) as ours, here.relay(is_full=False) as alone:
                alone.turn(1, WARM_S), ours.turn(1, WARM_S)
                alone.is_quiet()
                ours.is_quiet()
                without = alone.turn()
                alone.is_quiet()
                here.let_go()
                turns.append((ours.turn(), without))
    yield Row(
        "p99 of a request, 64 at once, while a backlog is delivered",
        "ms",
        *columns([(one.p99_ms, other.p99_ms) for one, other in turns]),
        "the same with nothing to deliver",
        at_most(1.5),
    )
    yield Row(
        "requests/s of one event meanwhile",
        "/s",
        *columns([(one.per_second, other.per_second) for one, other in turns]),
        "the same with nothing to deliver",
    )


BENCHMARKS = [
    Benchmark("delivery batches", RELAY, batches, rounds=3),
    Benchmark("delivery waiting", RELAY, waiting, rounds=3),
    Benchmark("delivery singles", RELAY, singles, rounds=3),
    Benchmark("delivery beside ingest", RELAY, beside, rounds=3),
]


if __name__ == "__main__":
    task = Task(**json.load(sys.stdin))
    print(json.dumps(asdict(uvloop.run(send(task) if task.is_bare else deliver(task)))))
