"""The end of a relay, in order and in time, and how the next one goes on (DESIGN 5.1, 5.5)."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.relay.process_shop import ORIGIN, SCALEV, SHOPPER, event, relay
from tests.relay.processes import ROOT, RelayProcess, SandboxProcess, until

TABLES = {**SCALEV, "scalev": {**SCALEV["scalev"], "providers": ["meta"]}}
HEADERS = {"Origin": ORIGIN, "Content-Type": "text/plain", **SHOPPER}
POSTERS = 3


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    one = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    one.start()
    yield one
    one.close()


@pytest.fixture
def stalled(tmp_path: Path, sandbox: SandboxProcess) -> Iterator[RelayProcess]:
    """A relay with a request under way to a system that does not answer. It stops within 3 s."""
    one = relay(tmp_path, "stalled", TABLES, sandbox.url, "--stop-within", "3")
    yield from _with_a_stall(one, sandbox)


@pytest.fixture
def patient(tmp_path: Path, sandbox: SandboxProcess) -> Iterator[RelayProcess]:
    """The same with all the time in the world."""
    one = relay(tmp_path, "patient", TABLES, sandbox.url, "--stop-within", "600")
    yield from _with_a_stall(one, sandbox)


def _with_a_stall(one: RelayProcess, sandbox: SandboxProcess) -> Iterator[RelayProcess]:
    event_id = f"stalls-{one.site}"
    sandbox.behave("scalev.meta", "stall", times=1, seconds=30)
    sandbox.behave("tracify", "stall", times=1, seconds=30)
    one.start()
    one.post(event(event_id), **SHOPPER)
    for system in ("scalev.meta", "tracify"):
        until(partial(sandbox.calls, system, event_id), f"{system} was asked")
    yield one
    one.close()


def test_a_system_that_stalls_does_not_hold_up_the_end(
    stalled: RelayProcess, sandbox: SandboxProcess
) -> None:
    """Exit 0 within the deadline, which would have ended it with 1; no delivery is lost.

    What may be repeated is sent again at the next start; the rest is a dead letter that says why.
    """
    assert stalled.end(signal.SIGTERM) == 0
    stalled.start()
    rows = {row["destination"]: row for row in stalled.settled(2)}
    assert (rows["scalev.meta"]["state"], rows["scalev.meta"]["attempts"]) == ("done", 2)
    assert rows["tracify"]["state"] == "dead"
    assert "it may have arrived" in rows["tracify"]["reason"]
    assert len(sandbox.calls("tracify", "stalls-stalled")) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(patient: RelayProcess, number: signal.Signals) -> None:
    """As a kill does; nothing is lost."""
    patient.hears(signal.SIGTERM)
    until(lambda: '"stopping"' in patient.log.read_text(), "it stops")
    assert patient.end(number) == 128 + number
    patient.start()
    assert {row["state"] for row in patient.settled(2)} == {"done", "dead"}


NEVER_ENDS = """
import asyncio, sys
from relay.logs import written
from relay.serving import serve_app

async def app(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await asyncio.Future()

with written("text"):
    asyncio.run(serve_app(app, "127.0.0.1", 0, stop_within_s=2))
"""


def test_the_deadline_holds_whatever_does_not_end() -> None:
    """Exit 1, and the log says so."""
    command = [sys.executable, "-c", NEVER_ENDS]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = iter(process.stderr)
        assert any("running on" in line for line in said)
        process.send_signal(signal.SIGTERM)
        assert "not stopped in time" in list(said)[-1]
        assert process.wait(10) == 1


def test_a_request_in_flight_is_answered_and_no_other_is_taken(
    tmp_path: Path, sandbox: SandboxProcess
) -> None:
    """A page that was heard half-way gets its 204; who comes later finds nobody."""
    one = relay(tmp_path, "half", TABLES, sandbox.url)
    one.start()
    host, port = one.url.removeprefix("http://").split(":")
    body = json.dumps({"events": [event("half-way")]}).encode()
    lines = [f"{name}: {value}" for name, value in HEADERS.items()]
    head = "\r\n".join(["POST /s/half HTTP/1.1", "Host: t", *lines, f"Content-Length: {len(body)}"])
    try:
        with socket.create_connection((host, int(port)), timeout=10) as page:
            page.sendall(head.encode() + b"\r\n\r\n" + body[:20])
            until(lambda: one.ask("GET", "/healthz").status_code == 200, "it has read that far")
            one.hears(signal.SIGTERM)
            until(lambda: _is_refused(host, int(port)), "nobody listens any more")
            page.sendall(body[20:])
            assert b" 204 " in page.recv(4096).split(b"\r\n")[0]
        assert one.end(signal.SIGTERM) in (0, 128 + signal.SIGTERM)
        one.start()
        assert {row["event_id"] for row in one.settled(2)} == {"half-way"}
    finally:
        one.close()


def _is_refused(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return True
    return False


def test_the_next_relay_may_wait_for_the_first_to_end(
    tmp_path: Path, sandbox: SandboxProcess
) -> None:
    """`--wait`: it is ready as soon as the outbox is free, and serves what the first took."""
    first = relay(tmp_path, "toko", TABLES, sandbox.url)
    second = relay(tmp_path, "toko", TABLES, sandbox.url, "--wait", "30")
    first.start()
    try:
        first.post(event("of-the-first"), **SHOPPER)
        second.spawn()
        until(lambda: "the outbox is in use" in second.log.read_text(), "the second waits")
        assert first.end(signal.SIGTERM) == 0
        second.is_up()
        assert {row["event_id"] for row in second.settled(2)} == {"of-the-first"}
    finally:
        first.close()
        second.close()


class Poster(threading.Thread):
    """A page that goes on shopping: it sends each event until it is told 204, as the tracker does.

    That an answer got lost it can't know, so it sends the same event again.
    """

    def __init__(self, url: str, name: str, is_over: threading.Event) -> None:
        super().__init__()
        self.taken: list[str] = []
        self.troubles = 0
        self._url = url
        self._name = name
        self._is_over = is_over

    def run(self) -> None:
        with httpx.Client(base_url=self._url, trust_env=False, timeout=5) as http:
            number = 0
            while not self._is_over.is_set():
                event_id = f"{self._name}-{number}."
                while not self._is_taken(http, event_id):
                    self.troubles += 1
                    self._is_over.wait(0.05)
                self.taken.append(event_id)
                self._is_over.wait(0.01)
                number += 1

    def _is_taken(self, http: httpx.Client, event_id: str) -> bool:
        body = json.dumps({"sent_at": int(time.time() * 1000), "events": [event(event_id)]})
        try:
            answer = http.post("/s/rolling", content=body, headers=HEADERS)
        except httpx.TransportError:
            return False
        assert answer.status_code in (204, 503), answer.text
        return answer.status_code == 204


def _more_than(count: int, posters: list[Poster]) -> bool:
    return sum(len(poster.taken) for poster in posters) > count


def test_a_rolling_restart_loses_nothing(tmp_path: Path, sandbox: SandboxProcess) -> None:
    """Stopped and started again and again while pages send: each event arrives, each once.

    Also where a repeat would count twice, as in Tracify.
    """
    rolling = relay(tmp_path, "rolling", TABLES, sandbox.url)
    rolling.start()
    is_over = threading.Event()
    posters = [Poster(rolling.url, f"rolls-{n}", is_over) for n in range(POSTERS)]
    for poster in posters:
        poster.start()
    try:
        for _ in range(3):
            seen = sum(len(poster.taken) for poster in posters)
            until(partial(_more_than, seen + 20, posters), "they go on")
            assert rolling.end(signal.SIGTERM) == 0
            rolling.start()
    finally:
        is_over.set()
        for poster in posters:
            poster.join()
    expected = Counter(event_id for poster in posters for event_id in poster.taken)
    try:
        assert any(poster.troubles for poster in posters)
        for system in ("scalev.meta", "tracify"):
            rows = rolling.settled(len(expected), destination=system)
            assert {row["state"] for row in rows} == {"done"}
            calls = [json.dumps(call["call"]) for call in sandbox.calls(system, "rolls-")]
            arrived = Counter({key: sum(key in call for call in calls) for key in expected})
            assert arrived == expected, system
            assert len(calls) == len(expected)
    finally:
        rolling.close()
