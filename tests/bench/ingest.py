"""What `POST /s/{site}` costs over the least that could answer it.

Ours is `pixelmirror serve` as users run it: each event is on the disk for its seven destinations
before its 204. The baseline is a Starlette route under uvicorn that reads the body and answers 204.
Both are asked by the same load (`tests/bench/load.py`), taking turns on one core; the load has
the other.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import httpx

from relay.delivery import system_now_ms
from relay.outbox.sqlite_file import connect, prepare
from tests.bench.load import uuid7
from tests.bench.posted import HEAD, body
from tests.bench.rows import RELAY, Benchmark, Row, Run, at_least, at_most, columns
from tests.relay.processes import free_port, until

CONNECTIONS = 64
ROUNDS = 5
SECONDS = 2.0
WARM_S = 0.5
CALM_S = 0.2
QUIET_WITHIN_S = 180

SITE = """
site = "toko"
publishable_key = "pmk_toko"
secret_key = "the-secret-key-of-toko"
origins = ["https://toko.example"]
rate_limit = 0

[destinations.meta]
mode = "server"
pixel_ids = ["1"]
access_token = "token-1"
base_url = "NOBODY"

[destinations.second]
kind = "meta"
mode = "server"
pixel_ids = ["2"]
access_token = "token-2"
base_url = "NOBODY"

[destinations.tiktok]
mode = "server"
pixel_ids = ["C1"]
access_token = "token-3"
base_url = "NOBODY"

[destinations.kwai]
mode = "server"
pixel_ids = ["1"]
access_token = "token-4"
base_url = "NOBODY"

[destinations.tracify]
customer_site_id = "5f0c9c52-7f0e-4c55-9a7a-2f2c8b6d1e10"
token = "token-5"
base_url = "NOBODY"

[destinations.commanders_act]
mode = "server"
site_id = "3311"
source_key = "token-6"
base_url = "NOBODY"

[destinations.alhena]
mode = "server"
company_key = "company-1"
base_url = "NOBODY"
"""

BARE = """
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

async def taken(request):
    await request.body()
    return Response(status_code=204)

app = Starlette(routes=[Route("/s/{site}", taken, methods=["POST"])])
"""


@dataclass(frozen=True)
class Turn:
    """What a turn of the load came to.

    `cpu_us`: what a request took of the server's core while the load lasted, `routed_us` with all
    that followed; `loaded_mb`: what the server had in memory at the end of the load.
    """

    per_second: float
    p99_ms: float
    cpu_us: float
    routed_us: float
    loaded_mb: float


class Asked:
    """A server on its core, asked by the load on the other."""

    def __init__(self, command: list[str], port: int, path: str, log: Path) -> None:
        self._port = port
        core, self._load_core = CORES
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                command, cwd=log.parent, stderr=file, preexec_fn=lambda: pin(core)
            )
        url = f"http://127.0.0.1:{port}{path}"
        until(lambda: self._is_ready(url), f"{command} is ready")

    def _is_ready(self, url: str) -> bool:
        assert self._process.poll() is None, "it has ended"
        try:
            return httpx.get(url, trust_env=False).status_code < 500
        except httpx.TransportError:
            return False

    def turn(self, events: int = 1, seconds: float = SECONDS) -> Turn:
        """A turn of the load, with requests of so many events. It is quiet again afterwards."""
        text = body(events, system_now_ms())
        task = {
            "port": self._port,
            "head": HEAD.format(length=len(text.encode())),
            "body": text,
            "connections": CONNECTIONS,
            "seconds": seconds,
            "core": self._load_core,
        }
        before = self.cpu_s()
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("load.py"))],
            input=json.dumps(task),
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        taken_s, loaded_mb = self.cpu_s() - before, self.resident_mb()
        self.is_quiet()
        told = json.loads(done.stdout)
        count = told["requests"]
        return Turn(
            per_second=count / told["seconds"],
            p99_ms=told["p99_ms"],
            cpu_us=taken_s / count * 1e6,
            routed_us=(self.cpu_s() - before) / count * 1e6,
            loaded_mb=loaded_mb,
        )

    def cpu_s(self) -> float:
        """The seconds that all its threads have run, in user space and in the kernel."""
        times = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mb(self) -> float:
        """What it has in memory."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith("VmRSS")]
        return int(line.split()[1]) / 1024

    def is_quiet(self) -> None:
        """It has nothing left to do: what was taken is routed, and nobody listens for it."""
        deadline = time.monotonic() + QUIET_WITHIN_S
        taken = CALM_S
        while taken > CALM_S / 20:
            assert time.monotonic() < deadline, f"still at work after {QUIET_WITHIN_S} s"
            before = self.cpu_s()
            time.sleep(CALM_S)
            taken = self.cpu_s() - before

    def close(self) -> None:
        """It has ended, in order."""
        self._process.terminate()
        self._process.wait(QUIET_WITHIN_S)


def pin(core: int | None) -> None:
    """This process runs on that core from now on, with all its threads."""
    if core is not None:
        os.sched_setaffinity(0, [core])


def cores() -> tuple[int | None, int | None]:
    """The server's and the load's, where there are two."""
    if sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2:
        return None, None
    first, second, *_ = sorted(os.sched_getaffinity(0))
    return first, second


CORES = cores()


@contextmanager
def relay(folder: Path) -> Iterator[Asked]:
    """`pixelmirror serve`, as users run it. Nobody listens where its destinations are."""
    site = folder / "toko.toml"
    site.write_text(SITE.replace("NOBODY", f"http://127.0.0.1:{free_port()}"))
    port = free_port()
    program = str(Path(sys.executable).with_name("pixelmirror"))
    command = [program, "serve", str(site), "--port", str(port), "--data", str(folder / "var")]
    asked = Asked(command, port, "/readyz", folder / "relay.log")
    try:
        yield asked
    finally:
        asked.close()


@contextmanager
def bare(folder: Path) -> Iterator[Asked]:
    """The bare route."""
    (folder / "bare.py").write_text(BARE)
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bare:app", "--port", str(port), "--no-access-log"]
    asked = Asked(command, port, "/", folder / "bare.log")
    try:
        yield asked
    finally:
        asked.close()


def ingest(run: Run) -> Iterator[Row]:
    """The relay's rows."""
    with (
        tempfile.TemporaryDirectory() as name,
        bare(Path(name)) as least,
        relay(Path(name)) as ours,
    ):
        idle_mb = ours.resident_mb()
        for server in (ours, least):
            server.turn(1, WARM_S)
        ones, bares, tens = [], [], []
        for _ in run.turns():
            bares.append(least.turn())
            ones.append(ours.turn())
            tens.append(ours.turn(10, SECONDS / 2))
    against = "a bare Starlette route"
    yield Row(
        "requests/s of one event, 64 at once",
        "/s",
        [one.per_second for one in ones],
        [one.per_second for one in bares],
        against,
        at_least(0.50),
        is_headline=True,
    )
    yield Row(
        "server's CPU a request",
        "us",
        [one.cpu_us for one in ones],
        [one.cpu_us for one in bares],
        against,
    )
    yield Row(
        "the same with what follows the 204: routing to seven destinations",
        "us",
        [one.routed_us for one in ones],
        [one.cpu_us for one in bares],
        against,
    )
    yield Row(
        "p99",
        "ms",
        [one.p99_ms for one in ones],
        [one.p99_ms for one in bares],
        against,
        at_most(4),
        is_headline=True,
    )
    yield Row(
        "events/s in requests of ten",
        "/s",
        [one.per_second * 10 for one in tens],
        [one.per_second for one in ones],
        "requests of one event",
        at_least(6),
    )
    yield Row("resident, idle", "MB", [idle_mb], target=at_most(60, "ours"), is_headline=True)
    yield Row("resident, after a round of that load", "MB", [one.loaded_mb for one in ones])


def history(events: int) -> Iterator[Row]:
    """What it costs that so many events were taken before; it takes minutes to put them there."""
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / "many", Path(name) / "none"]
        for folder, count in zip(folders, (events, 0), strict=True):
            (folder / "var").mkdir(parents=True)
            _took(folder / "var" / "outbox.db", count)
        with relay(folders[0]) as many, relay(folders[1]) as none:
            turns = [(many.turn(), none.turn()) for _ in range(ROUNDS)]
    yield Row(
        f"requests/s with {events:,} events in the outbox",
        "/s",
        *columns((one.per_second, two.per_second) for one, two in turns),
        "an empty outbox",
        at_least(0.90),
    )


def _took(file: Path, count: int) -> None:
    """The outbox of so many events, all delivered in the last days."""
    now_ms = system_now_ms()
    os.close(prepare(file, now_ms))
    db = connect(file, synchronous="NORMAL")
    db.execute("BEGIN")
    db.executemany(
        "INSERT INTO events (id, site, event_id, event_name, received_at) "
        "VALUES (?, 'toko', 'add_to_cart_' || ?, 'add_to_cart', ?)",
        ((n, uuid7(now_ms - 60 * (count - n), n).decode(), now_ms) for n in range(1, count + 1)),
    )
    db.executemany(
        "INSERT INTO deliveries (event, destination, site, state, due_ms, attempts, reason, "
        "updated_at) VALUES (?, 'tracify', 'toko', 'done', 0, 1, '', ?)",
        ((n, now_ms) for n in range(1, count + 1)),
    )
    db.execute("COMMIT")
    db.close()


BENCHMARKS = [Benchmark("ingest", RELAY, ingest)]


if __name__ == "__main__":
    from tests.bench.table import line

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--history", type=int, help="measure with so many events in the outbox")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    for row in history(asked.history) if asked.history else ingest(Run("ingest", asked.rounds)):
        print(line(row), flush=True)
