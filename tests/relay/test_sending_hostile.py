"""How a request to a broken or hostile system ends, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from relay.destinations import Answer, Request
from relay.sending import CONNECT_TIMEOUT_S, MAX_ANSWER_BYTES, TOTAL_TIMEOUT_S, Sender

pytestmark = pytest.mark.anyio

BODY = b'{"event_id": "e1"}'
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

System = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def heard(reader: asyncio.StreamReader) -> bytes:
    """One request, head and body; empty when none comes any more."""
    try:
        return await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(len(BODY))
    except asyncio.IncompleteReadError:
        return b""


@asynccontextmanager
async def listening(system: System) -> AsyncIterator[int]:
    """The port at which the system listens."""
    at_work: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        at_work.add(task)
        try:
            await system(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the sender has gone, or the test has
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in at_work:
            task.cancel()
        await asyncio.gather(*at_work)
        await server.wait_closed()


def request_to(port: int, scheme: str = "http", host: str = "127.0.0.1") -> Request:
    return Request(f"{scheme}://{host}:{port}/events", BODY, {}, [], repeatable=False)


async def asked(system: System, *, within_s: float = 5.0) -> Answer:
    """How one request to this system ends."""
    sender = Sender(within_s=within_s)
    async with listening(system) as port:
        try:
            return await sender.send(request_to(port))
        finally:
            await sender.close()


def says(*parts: bytes, forever: bool = False) -> System:
    """A system that reads the request, says this (the last part for ever), and hangs up."""

    async def system(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await heard(reader)
        for part in parts:
            writer.write(part)
            await writer.drain()
        while forever:
            writer.write(parts[-1])
            await writer.drain()
            await asyncio.sleep(0)

    return system


def falls_silent(*parts: bytes) -> System:
    """A system that says this and then nothing, with the connection open."""

    async def system(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await heard(reader)
        for part in parts:
            writer.write(part)
        await asyncio.Future()

    return system


async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await heard(reader)
    linger = struct.pack("ii", 1, 0)  # close with a reset
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.close()


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "system",
    [
        resets,
        says(),
        says(b"hello\r\n\r\n"),
        says(b"\x16\x03\x01\x00\x00"),
        says(b"HTTP/1.1 200"),
        says(HEAD),
        says(HEAD + b"Content-Length: many\r\n\r\n"),
        says(HEAD + b"no header\r\n\r\n"),
        says(HEAD + b"X: " + b"y" * 500_000 + b"\r\n\r\n"),
        says(HEAD, b"X: y\r\n", forever=True),
    ],
    ids=[
        "reset",
        "hung up",
        "no HTTP",
        "TLS",
        "half a status",
        "half a head",
        "no number",
        "no header",
        "large header",
        "endless head",
    ],
)
async def test_what_is_no_answer_is_none(system: System) -> None:
    """The request may have arrived, whatever came back."""
    answer = await asked(system)
    assert (answer.status, answer.failure) == (None, "no_answer")
    assert answer.detail


@pytest.mark.parametrize(
    "system",
    [
        falls_silent(),
        falls_silent(HEAD),
        says(b"HTTP/1.1 100 Continue\r\n\r\n", forever=True),
    ],
    ids=["silent", "half a head", "for ever 100"],
)
async def test_no_system_is_waited_for_without_end(system: System) -> None:
    """One limit for the request as a whole, however busy the connection is."""
    answer = await asked(system, within_s=0.2)
    assert (answer.failure, answer.detail) == ("no_answer", "not within 0.2 s")


@pytest.mark.parametrize(
    ("system", "status", "body"),
    [
        (says(HEAD + b"Content-Length: 100\r\n\r\nhal"), 200, b"hal"),
        (says(b"HTTP/1.1 429 No\r\nContent-Length: 100\r\n\r\nhal"), 429, b"hal"),
        (says(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhal\r\nZ\r\n"), 200, b"hal"),
        (says(HEAD + b"Content-Encoding: gzip\r\n\r\nhalf"), 200, b"half"),
        (falls_silent(HEAD + b"Content-Length: 100\r\n\r\nhal"), 200, b"hal"),
        (falls_silent(b"HTTP/1.1 401 No\r\nContent-Length: 9\r\n\r\n"), 401, b""),
    ],
    ids=["cut off", "429 cut off", "bad chunk", "no gzip", "slow", "401 slow"],
)
async def test_an_answer_that_breaks_off_counts_as_far_as_it_came(
    system: System, status: int, body: bytes
) -> None:
    """Its status is a word of the system: what was taken is not sent again, nor called lost."""
    answer = await asked(system, within_s=0.5)
    assert (answer.status, answer.body, answer.failure) == (status, body, None)


@pytest.mark.parametrize(
    "system",
    [
        says(HEAD + b"\r\n", b"x" * 8192, forever=True),
        says(HEAD + b"Content-Length: 10000000000\r\n\r\n", b"x" * 8192, forever=True),
        says(HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"x" * 50_000_000)),
    ],
    ids=["endless", "ten gigabytes", "gzip bomb"],
)
async def test_no_more_of_an_answer_is_kept_than_64_kib(system: System) -> None:
    """And none is unpacked beyond that."""
    answer = await asked(system)
    assert answer.body == b"x" * MAX_ANSWER_BYTES


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_an_answer_that_comes_packed_is_unpacked(encoding: str) -> None:
    """Though it was asked for as it is."""
    packed = gzip.compress(b"bad currency")
    head = HEAD + f"Content-Encoding: {encoding}\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    assert (await asked(says(head + packed))).body == b"bad currency"


async def test_requests_follow_each_other_on_one_connection() -> None:
    """The next one is sent when the answer is there, and asks for nothing in between."""
    connections: list[list[bytes]] = []

    async def system(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(got := [])
        while request := await heard(reader):
            got.append(request)
            writer.write(OK)

    sender = Sender()
    async with listening(system) as port:
        for _ in range(3):
            assert (await sender.send(request_to(port))).body == b"ok"
        await sender.close()
    ((first, *others),) = connections
    assert others == [first, first]
    head, _, body = first.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /events HTTP/1.1\r\n")
    assert body == BODY
    names = {line.split(b":")[0].lower() for line in head.split(b"\r\n")[1:]}
    assert names == {
        b"host",
        b"accept",
        b"accept-encoding",
        b"connection",
        b"user-agent",
        b"content-length",
    }


async def test_a_connection_that_the_system_closed_meanwhile_costs_no_event() -> None:
    """It is seen to be closed, and another is made."""
    count = 0

    async def system(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        await heard(reader)
        writer.write(OK)
        writer.close()
        await writer.wait_closed()

    sender = Sender()
    async with listening(system) as port:
        for _ in range(3):
            assert (await sender.send(request_to(port))).status == 200
            await asyncio.sleep(0.01)  # the end of the connection comes over a real socket
        await sender.close()
    assert count == 3


@pytest.mark.parametrize("header", [b"Content-Length: 2", b"Transfer-Encoding: chunked"])
async def test_a_body_where_none_may_be_is_not_taken_for_the_next_answer(header: bytes) -> None:
    """A 204 has no body; some systems send one all the same."""

    async def system(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await heard(reader):
            writer.write(b"HTTP/1.1 204 No Content\r\n" + header + b"\r\n\r\n{}")

    sender = Sender()
    async with listening(system) as port:
        answers = [await sender.send(request_to(port)) for _ in range(3)]
        await sender.close()
    assert [answer.status for answer in answers] == [204] * 3


async def test_what_broke_off_is_not_read_on_by_the_next_request() -> None:
    """A connection with a late answer in it is not used again."""
    count = 0

    async def system(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        await heard(reader)
        if count > 1:
            writer.write(OK)
        await asyncio.Future()

    sender = Sender(within_s=0.2)
    async with listening(system) as port:
        assert (await sender.send(request_to(port))).failure == "no_answer"
        assert (await sender.send(request_to(port))).status == 200
        await sender.close()
    assert count == 2


@pytest.mark.parametrize(
    "reply", [b"HTTP/1.1 400 No\r\n\r\n", b"", b"\x15\x03\x03\x00\x02\x02\x28"]
)
async def test_without_tls_nothing_is_sent(reply: bytes) -> None:
    """What fails before the handshake is over has not been told the event."""

    async def system(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(reply)

    sender = Sender()
    async with listening(system) as port:
        answer = await sender.send(request_to(port, "https"))
        await sender.close()
    assert answer.failure == "not_sent"


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)


async def test_the_certificate_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the right name, by an authority the system trusts."""
    used: list[ssl.SSLContext] = []
    inner = ssl.SSLContext.wrap_bio

    def seen(self: ssl.SSLContext, *args: object, **more: object) -> ssl.SSLObject:
        used.append(self)
        return inner(self, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(ssl.SSLContext, "wrap_bio", seen)
    sender = Sender()
    async with listening(hangs_up) as port:
        await sender.send(request_to(port, "https"))
        await sender.close()
    assert [(one.check_hostname, one.verify_mode) for one in used] == [(True, ssl.CERT_REQUIRED)]


async def test_a_name_that_does_not_resolve_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS is down: nobody was told anything."""

    def fails(*args: object, **more: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    sender = Sender()
    answer = await sender.send(request_to(80, host="api.example"))
    await sender.close()
    assert answer.failure == "not_sent"
    assert "Temporary failure in name resolution" in answer.detail


class TestProxy:
    async def test_what_runs_on_this_machine_is_asked_without_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The sandbox is not behind a proxy."""
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
        assert (await asked(says(OK))).status == 200

    async def test_a_proxy_that_refuses_has_passed_nothing_on(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Before the connection through it is there, the request is not under way."""

        async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

        async with listening(proxy) as port:
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
            sender = Sender()
            answer = await sender.send(request_to(443, "https", "api.example"))
            await sender.close()
        assert answer.failure == "not_sent"
        assert "403" in answer.detail


def test_a_connection_is_given_up_before_the_request_is() -> None:
    """TCP and TLS take their time one after the other: not sent is known as not sent."""
    assert 2 * CONNECT_TIMEOUT_S < TOTAL_TIMEOUT_S
