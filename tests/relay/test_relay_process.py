"""A real relay against a real sandbox: what delivery promises, over real sockets (DESIGN 5.5)."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.relay.process_shop import (
    DIRECT,
    PRIVATE,
    SCALEV,
    SHOPPER,
    USER,
    event,
    relay,
)
from tests.relay.processes import RelayProcess, SandboxProcess, until


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("processes")


@pytest.fixture(scope="module")
def sandbox(folder: Path) -> Iterator[SandboxProcess]:
    one = SandboxProcess(folder)
    one.start()
    yield one
    one.close()


@pytest.fixture(scope="module")
def toko(folder: Path, sandbox: SandboxProcess) -> Iterator[RelayProcess]:
    """A running relay of a shop with Scalev and Tracify."""
    one = relay(folder, "toko", SCALEV, sandbox.url)
    one.start()
    yield one
    one.close()


@pytest.fixture(scope="module")
def troubles(toko: RelayProcess, sandbox: SandboxProcess) -> None:
    """One event for each trouble, all under way at once."""
    sandbox.behave("scalev.meta", "fail", times=2, status=503)
    toko.post(event("fails-twice", "scalev.meta"), **SHOPPER)
    sandbox.behave("scalev.tiktok", "throttle", times=1, retry_after_s=1)
    toko.post(event("throttled", "scalev.tiktok"), **SHOPPER)
    sandbox.behave("scalev.snackvideo", "stall", times=1, seconds=30)
    toko.post(event("stalled", "scalev.snackvideo"), **SHOPPER)
    token = SCALEV["tracify"]["token"]
    refusal = {"error": f"{USER['email']} {USER['phone']} is not welcome with {token}"}
    sandbox.behave("tracify", "fail", times=1, status=400, body=refusal)
    toko.post(event("refused", "tracify"), **SHOPPER)
    until(lambda: sandbox.calls("tracify", "refused"), "it was the first that tracify was given")


def test_an_event_goes_through_to_every_destination(
    toko: RelayProcess, sandbox: SandboxProcess
) -> None:
    """Accepted by each, under one event ID where the system knows one."""
    event_id = "add_to_cart_1"
    toko.post(event(event_id), **SHOPPER)
    rows = toko.settled(4, event_id=event_id)
    assert {row["destination"]: (row["state"], row["attempts"]) for row in rows} == {
        "scalev.meta": ("done", 1),
        "scalev.tiktok": ("done", 1),
        "scalev.snackvideo": ("done", 1),
        "tracify": ("done", 1),
    }
    for system in ("scalev.meta", "scalev.tiktok", "scalev.snackvideo", "tracify"):
        assert [call["accepted"] for call in sandbox.calls(system, event_id)] == [True]
    for system in ("scalev.meta", "scalev.tiktok"):
        assert sandbox.calls(system, event_id)[0]["event_id"] == event_id


def test_troubles_are_no_fault_of_the_events_that_follow(
    troubles: None, toko: RelayProcess, sandbox: SandboxProcess
) -> None:
    """One slow or broken destination holds up no other, and no request of a page."""
    toko.post(event("meanwhile", "tracify"), **SHOPPER)
    (row,) = toko.settled(1, event_id="meanwhile", destination="tracify")
    assert (row["state"], row["attempts"]) == ("done", 1)
    (row,) = toko.rows(event_id="stalled", destination="scalev.snackvideo")
    assert (row["state"], row["attempts"]) == ("waiting", 0)


def test_direct_routes_are_served_too(folder: Path, sandbox: SandboxProcess) -> None:
    """Each vendor's own API takes an order, in the relay's words; none is refused or waits."""
    direct = relay(folder, "direct", DIRECT, sandbox.url)
    direct.start()
    try:
        direct.post(event("ORD-1-purchase", name="purchase"), **SHOPPER)
        rows = direct.settled(len(DIRECT), order_id="ORD-1")
        assert {row["destination"] for row in rows} == set(DIRECT)
        assert {(row["state"], row["reason"]) for row in rows} == {("done", "")}
        for system in DIRECT:
            assert {call["accepted"] for call in sandbox.calls(system)} == {True}
    finally:
        direct.close()


# --- the end of the process ---


def test_sigterm_finishes_what_is_in_flight_and_exits_0(folder: Path, tmp_path: Path) -> None:
    """Its outcome is stored, nothing new is taken, and the next start repeats nothing."""
    slow = SandboxProcess(tmp_path)
    slow.start()
    ends = relay(folder, "ends", SCALEV, slow.url)
    ends.start()
    try:
        slow.behave("tracify", "stall", times=1, seconds=1)
        ends.post(event("in-flight", "tracify"), **SHOPPER)
        until(lambda: slow.calls("tracify"), "the request has arrived")
        (row,) = ends.rows(event_id="in-flight", destination="tracify")
        assert row["state"] == "waiting"
        assert ends.end(signal.SIGTERM) == 0
        ends.start()
        (row,) = ends.settled(1, event_id="in-flight", destination="tracify")
        assert (row["state"], row["attempts"]) == ("done", 1)
        assert len(slow.calls("tracify")) == 1
        assert ends.end(signal.SIGINT) == 0
    finally:
        ends.close()
        slow.close()


def test_sigkill_right_after_204_loses_nothing(folder: Path, tmp_path: Path) -> None:
    """204 means: on disk, for every destination; the next process delivers it.

    What could count twice, and may have been under way, is a dead letter that says so.
    """
    away = SandboxProcess(tmp_path)
    killed = relay(folder, "killed", SCALEV, away.url)
    killed.start()
    try:
        for batch in range(5):
            killed.post(*(event(f"k{batch}-{number}") for number in range(4)), **SHOPPER)
        assert killed.end(signal.SIGKILL) == -signal.SIGKILL
        away.start()
        killed.start()
        rows = killed.settled(20 * 4)
        for row in rows:
            if row["state"] == "dead":
                assert row["destination"] in ("scalev.snackvideo", "tracify")
                assert "the relay was killed while it was sent" in row["reason"]
            else:
                assert row["state"] == "done"
        expected = {f"k{batch}-{number}" for batch in range(5) for number in range(4)}
        for system in ("scalev.meta", "scalev.tiktok"):
            assert {call["event_id"] for call in away.calls(system)} == expected
    finally:
        killed.close()
        away.close()


def test_an_unreachable_system_costs_nothing_but_time(folder: Path, tmp_path: Path) -> None:
    """Pages get their 204, deliveries wait with the reason, and all arrive when it is back."""
    back = SandboxProcess(tmp_path)
    alone = relay(folder, "alone", SCALEV, back.url)
    alone.start()
    try:
        alone.post(event("patient"), **SHOPPER)
        rows = until(
            alone.rows,
            "each was tried",
            lambda rows: len(rows) == 4 and all(row["attempts"] for row in rows),
        )
        assert {row["state"] for row in rows} == {"waiting"}
        assert all(row["reason"].startswith("no connection") for row in rows)
        back.start()
        assert {row["state"] for row in alone.settled(4)} == {"done"}
    finally:
        alone.close()
        back.close()


def test_a_taken_port_is_said_and_ends_with_an_error(toko: RelayProcess, folder: Path) -> None:
    """In the log, with the port; the outbox is left in order."""
    port = toko.url.rpartition(":")[2]
    program = str(Path(sys.executable).with_name("pixelmirror"))
    words = ["serve", str(folder / "toko.toml"), "--port", port, "--data", str(folder / "other")]
    done = subprocess.run([program, *words], capture_output=True, text=True, timeout=20)
    assert done.returncode > 0
    assert port in done.stderr
    assert "Traceback" not in done.stderr


# --- what only a real server sees ---


def connected(toko: RelayProcess) -> socket.socket:
    host, port = toko.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def answer(toko: RelayProcess, request: bytes) -> bytes:
    """The first line of what these bytes are answered."""
    with connected(toko) as one:
        one.sendall(request)
        return one.recv(4096).split(b"\r\n")[0]


def test_broken_requests_get_a_refusal_and_leave_no_noise(toko: RelayProcess) -> None:
    """Odd bytes in path, query and headers; a page that leaves in the middle of its body."""
    head = b"Host: t.toko.example\r\nOrigin: https://toko.example\r\nContent-Type: text/plain\r\n"
    body = json.dumps({"events": [event("odd", "tracify")]}).encode()
    length = b"Content-Length: %d\r\n\r\n" % len(body)
    odd = b"User-Agent: \xff\xfe\r\nX-Forwarded-For: \xff, ,\r\n"
    assert b" 400 " in answer(toko, b"POST /s/toko?x=\xff HTTP/1.1\r\n" + head + length + body)
    assert b" 204 " in answer(toko, b"POST /s/toko?x=%ff HTTP/1.1\r\n" + head + length + body)
    assert b" 204 " in answer(toko, b"POST /s/toko HTTP/1.1\r\n" + odd + head + length + body)
    assert b" 404 " in answer(toko, b"POST /s/%ff%00 HTTP/1.1\r\n" + head + length + body)
    assert b" 404 " in answer(toko, b"GET /s/toko.js HTTP/1.1\r\nHost: [\xff\r\n\r\n")
    key = b"Host: a\r\nAuthorization: Bearer \xff\r\n\r\n"
    assert b" 401 " in answer(toko, b"GET /v1/deliveries HTTP/1.1\r\n" + key)
    with connected(toko) as one:
        one.sendall(b"POST /s/toko HTTP/1.1\r\n" + head + length + body[:50])
    assert toko.ask("GET", "/readyz").status_code == 200
    assert "Traceback" not in toko.log.read_text()


# --- how the troubles ended ---


def test_a_system_that_recovers_gets_the_event_at_the_third_attempt(
    troubles: None, toko: RelayProcess, sandbox: SandboxProcess
) -> None:
    """Two refusals of its server are no refusals of the event."""
    (row,) = toko.settled(1, event_id="fails-twice", destination="scalev.meta")
    assert (row["state"], row["attempts"], row["status"]) == ("done", 3, 204)
    calls = sandbox.calls("scalev.meta", "fails-twice")
    assert [call["status"] for call in calls] == [503, 503, 204]
    assert calls[1]["at"] - calls[0]["at"] < 4000


def test_retry_after_is_obeyed(troubles: None, toko: RelayProcess, sandbox: SandboxProcess) -> None:
    """The second attempt comes when the system said, not before."""
    (row,) = toko.settled(1, event_id="throttled", destination="scalev.tiktok")
    assert (row["state"], row["attempts"]) == ("done", 2)
    calls = sandbox.calls("scalev.tiktok", "throttled")
    assert [call["status"] for call in calls] == [429, 204]
    assert calls[1]["at"] - calls[0]["at"] >= 1000


def test_a_refused_event_is_a_dead_letter_without_what_the_system_quoted(
    troubles: None, toko: RelayProcess
) -> None:
    """Not tried again; its reason names no shopper and no key, whatever the system answered."""
    (row,) = toko.settled(1, event_id="refused", destination="tracify")
    assert (row["state"], row["attempts"], row["status"]) == ("dead", 1, 400)
    assert row["reason"].startswith("refused (400)")
    assert "is not welcome with" in row["reason"]
    assert not [private for private in PRIVATE if private in row["reason"]]


def test_an_ambiguous_end_is_not_repeated_where_it_would_count_twice(
    troubles: None, toko: RelayProcess, sandbox: SandboxProcess
) -> None:
    """SnackVideo knows no event ID: after a time-out it is a dead letter, seen there once."""
    (row,) = toko.settled(1, event_id="stalled", destination="scalev.snackvideo")
    assert (row["state"], row["attempts"]) == ("dead", 1)
    assert "it may have arrived, and a repeat would count twice" in row["reason"]
    assert len(sandbox.calls("scalev.snackvideo", "stalled")) == 1


def test_no_log_holds_personal_data_or_a_key(
    troubles: None, toko: RelayProcess, folder: Path
) -> None:
    """Not of what went well, nor of what failed, was killed or was broken."""
    toko.settled(1, event_id="stalled", destination="scalev.snackvideo")
    logs = [file.read_text() for file in folder.glob("*.log") if "sandbox" not in file.name]
    assert logs
    assert any('"event_id":"stalled"' in text for text in logs)
    for text in logs:
        assert not [private for private in PRIVATE if private in text]
        assert "Traceback" not in text
