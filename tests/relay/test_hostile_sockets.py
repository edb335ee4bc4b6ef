"""A relay as `serve` runs it, and bytes that are no request, or nearly one."""

from __future__ import annotations

import random
import re
import socket
from collections.abc import Iterator

import pytest

from tests.relay.processes import RelayProcess

KEY = "the-secret-key-of-toko"
ORIGIN = "https://toko.example"
SITE = f"""
site = "toko"
publishable_key = "pmk_toko"
secret_key = "{KEY}"
origins = ["{ORIGIN}"]
rate_limit = 0
"""

BODY = b'{"events":[{"event_id":"e1","event_name":"login","event_time":1760000000000}]}'
REQUESTS = [
    b"POST /s/toko HTTP/1.1\r\nHost: t\r\nOrigin: https://toko.example\r\nContent-Type: text/plain"
    b"\r\nContent-Length: 78\r\n\r\n" + BODY,
    b"POST /s/toko HTTP/1.1\r\nHost: t\r\nOrigin: https://toko.example\r\nContent-Type: text/plain"
    b"\r\nTransfer-Encoding: chunked\r\n\r\n4e\r\n" + BODY + b"\r\n0\r\n\r\n",
    b"GET /v1/deliveries?limit=5&state=done HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer "
    + KEY.encode()
    + b"\r\n\r\n",
    b"GET /s/toko.js HTTP/1.1\r\nHost: t.toko.example:8700\r\nAccept-Encoding: br, gzip\r\n\r\n",
    b"OPTIONS /s/toko HTTP/1.1\r\nHost: t\r\nOrigin: https://toko.example\r\n"
    b"Access-Control-Request-Method: POST\r\n\r\n",
    b"GET /s/assets/x HTTP/1.1\r\nHost: t\r\nRange: bytes=0-5\r\nIf-None-Match: *\r\n\r\n",
]
PARTS = [
    *(b"", b"\r\n", b"\0", b"\xff\xfe", b"%", b"%00", b"..", b"/", b"?", b"#", b" ", b":", b"\t"),
    *(b"HTTP/0.9", b"HTTP/1.0", b"HTTP/2.0", b"chunked", b"Content-Length: 5\r\n", b"-1", b"0"),
    *(b"Upgrade: websocket\r\nConnection: Upgrade\r\n", b"Expect: 100-continue\r\n", b"\xf0\x9f"),
    *(b"Content-Encoding: gzip\r\n", b"X-Forwarded-For: 1.2.3.4\r\n", b"Range: bytes=9-1\r\n"),
    *(b"Cookie: a=b; CAID=\xff\r\n", b"Origin: null\r\n", b"Host: a b\r\n", b"a" * 5000),
]


@pytest.fixture(scope="module")
def toko(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayProcess]:
    """A relay in a process of its own."""
    file = tmp_path_factory.mktemp("hostile") / "toko.toml"
    file.write_text(SITE)
    relay = RelayProcess(file, KEY, ORIGIN)
    try:
        relay.start()
        yield relay
    finally:
        relay.close()


LAST = b"GET /healthz HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"
WAIT_S = 0.1


def said(toko: RelayProcess, text: bytes) -> bytes:
    """All that comes back, until the relay has closed the connection or waits for more.

    A sound request follows, so that only what takes that for its own end is waited for.
    """
    port = int(toko.url.rpartition(":")[2])
    found = b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as peer:
        try:
            peer.sendall(text + LAST)
            peer.settimeout(WAIT_S if text not in REQUESTS else 20)
            while part := peer.recv(65536):
                found += part
        except (ConnectionError, TimeoutError):
            pass  # it had enough, or it has not
    return found


def damaged(chance: random.Random) -> bytes:
    """A request with some of its bytes cut out, doubled or others put in."""
    text = bytearray(chance.choice(REQUESTS))
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(text) + 1)
        end = min(start + chance.choice([0, 0, 1, 5, 20]), len(text))
        text[start:end] = chance.choice([*PARTS, bytes(text[start:end]) * 2])
    return bytes(text)


def test_what_is_not_damaged_is_answered(toko: RelayProcess) -> None:
    """Each of those that are damaged below."""
    expected = [b"204", b"204", b"200", b"200", b"204", b"404"]
    for text, status in zip(REQUESTS, expected, strict=True):
        answers = said(toko, text).split(b"HTTP/1.1 ")[1:]
        assert [answer[:3] for answer in answers] == [status, b"200"]


def test_no_bytes_are_an_error_of_ours(toko: RelayProcess) -> None:
    """500 damaged requests, the same each time: each is refused, answered or let go."""
    chance = random.Random(11)  # noqa: S311 - not for secrets
    statuses = set()
    for _ in range(500):
        text = damaged(chance)
        answers = said(toko, text)
        assert not answers or answers.startswith(b"HTTP/1.1 "), text
        found = {int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", answers)}
        assert not found or max(found) < 500, text
        statuses |= found
    assert {200, 204, 400, 401, 403, 404} <= statuses
    assert toko.ask("GET", "/readyz").status_code == 200
    assert "Traceback" not in toko.log.read_text()


def test_bytes_without_end_are_not_kept(toko: RelayProcess) -> None:
    """However they begin."""
    for start in (b"GET /", b"GET / HTTP/1.1\r\nA: ", b"\r\n" * 99, b"\x16\x03\x01"):
        answer = said(toko, start + b"x" * 10_000_000)
        assert answer == b"" or answer.split()[1] in (b"400", b"431")
    assert toko.ask("GET", "/readyz").status_code == 200
