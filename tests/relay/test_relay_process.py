"""A real relay against a real sandbox: what delivery promises, over real sockets (DESIGN 5.5)."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.relay.processes import RelayProcess, SandboxProcess, until

ORIGIN = "https://toko.example"
KEY = "hush-the-secret-key"
UUID = "5f0c9c52-7f0e-4c55-9a7a-2f2c8b6d1e10"
USER = {
    "id": "C-77",
    "email": "siti.hush@example.com",
    "phone": "+6281234567890",
    "firstname": "Sitihush",
    "lastname": "Rahmahush",
    "city": "Bandunghush",
}
PRIVATE = [
    KEY,
    "hush",
    "81234567890",
    "%40example.com",
    "Mozilla/5.0 (Linux; Android 10; K)",
    "203.0.113.7",
    "5d0c-visitor",
]
ITEM = {"id": "v1", "quantity": 2, "product": {"id": "p1", "name": "Kaos", "price": 60000}}
SCALEV: dict[str, Any] = {
    "scalev": {"store_id": "store_1", "api_key": "sfpk_hush"},
    "tracify": {"customer_site_id": UUID, "token": "tracify-hush-0a1b2c3d"},
}
DIRECT: dict[str, Any] = {
    "meta": {"mode": "server", "pixel_ids": ["111"], "access_token": "EAAhush1234567890"},
    "tiktok": {"mode": "server", "pixel_ids": ["C222"], "access_token": "tthush1234567890"},
    "kwai": {"mode": "server", "pixel_ids": ["333"], "access_token": "kwhush1234567890"},
    "commanders_act": {"mode": "server", "site_id": "444", "source_key": "cahush1234567890"},
    "alhena": {"mode": "server", "company_key": "alhush1234567890"},
}


def event(event_id: str, *destinations: str, name: str = "add_to_cart") -> dict[str, Any]:
    """An event that every system takes, for these destinations or for all.

    Its page's path ends in its ID, as some systems are told no event ID.
    """
    params: dict[str, Any] = {"items": [ITEM]}
    if name == "purchase":
        params |= {"id": event_id.removesuffix("-purchase"), "value": 120000}
    found = {
        "event_id": event_id,
        "event_name": name,
        "event_time": int(time.time() * 1000),
        "page": {"url": f"{ORIGIN}/p/{event_id}", "referrer": "https://m.facebook.com/"},
        "params": params,
        "user": USER,
        "visitor_id": "5d0c-visitor",
        "attribution": {
            "fbc": "fb.1.1760000000000.AbC",
            "fbp": "fb.1.1750000000000.4821",
            "ttclid": "E.C.P.x",
            "ttp": "2abc",
            "kwai_click_id": "kw-9f",
            "caid": "202612345678901234567890",
            "alhena_fingerprint": UUID,
            "alhena_faq_fingerprint": UUID,
        },
        "consent": {"status": "granted", "categories": ["1", "3"]},
    }
    return {**found, "destinations": list(destinations)} if destinations else found


def relay(folder: Path, name: str, tables: dict[str, Any], upstream: str) -> RelayProcess:
    """The relay of a site whose systems are all at this address; it is not started yet."""
    lines = [
        f'site = "{name}"',
        f'publishable_key = "pmk_{name}"',
        f'secret_key = "{KEY}"',
        f'origins = ["{ORIGIN}"]',
        'trusted_proxies = ["127.0.0.1"]',
        "rate_limit = 0",
    ]
    for table, keys in tables.items():
        lines.append(f"[destinations.{table}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
        lines.append(f'base_url = "{upstream}/sandbox/api"')
    file = folder / f"{name}.toml"
    file.write_text("\n".join(lines) + "\n")
    return RelayProcess(file, KEY, ORIGIN)


SHOPPER = {"User-Agent": "Mozilla/5.0 (Linux; Android 10; K)", "X-Forwarded-For": "203.0.113.7"}


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
