"""What a connection may send, and how long it may take (relay.connection), over real sockets."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.server import ServerState

from relay import connection
from relay.connection import MAX_HEAD_BYTES, MAX_HEADERS, Connection

ROOT = Path(__file__).parents[2]

POST = b"POST /read HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n"
GET = b"GET /at-once HTTP/1.1\r\nHost: t\r\n\r\n"


class Peer:
    """One connection to the app, and what its request for the body came to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, text: bytes) -> None:
        self._writer.write(text)
        await self._writer.drain()

    async def answer(self) -> tuple[int, bytes]:
        """The next answer's status and body."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        status = int(head.split()[1])
        if b"application/json" in head:  # not the app's own answer
            assert b"\r\nx-content-type-options: nosniff\r\n" in head
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        return status, await self._reader.readexactly(int(length or 0))

    async def error(self) -> tuple[int, str]:
        """The status and code of a refusal, after which the connection is closed."""
        status, body = await self.answer()
        await self.is_closed()
        return status, json.loads(body)["error"]["code"]

    async def is_closed(self) -> None:
        """Nothing more comes, and then the end."""
        with suppress(ConnectionResetError):
            assert await self._reader.read() == b""


Work = Callable[[Callable[[], Awaitable[Peer]]], Awaitable[None]]


@asynccontextmanager
async def serving(
    kind: type[Connection], most: int, keep_alive_s: float, disconnected: asyncio.Event
) -> AsyncIterator[Callable[[], Awaitable[Peer]]]:
    async def read(request: Request) -> Response:
        try:
            return PlainTextResponse(str(len(await request.body())))
        except ClientDisconnect:
            disconnected.set()
            raise

    async def at_once(_: Request) -> Response:
        return PlainTextResponse("yes")

    async def gone(_: Request, __: Exception) -> Response:
        return PlainTextResponse("to nobody")

    app = Starlette(
        routes=[
            Route("/read", read, methods=["POST"]),
            Route("/at-once", at_once, methods=["GET", "POST"]),
        ],
        exception_handlers={ClientDisconnect: gone},
    )
    config = uvicorn.Config(app, http=kind, ws="none", log_config=None)
    config.timeout_keep_alive = keep_alive_s  # type: ignore[assignment]
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: kind(config=config, server_state=state, app_state={}, most=most), "127.0.0.1", 0
    )
    writers = []

    async def connected() -> Peer:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        return Peer(reader, writer)

    try:
        yield connected
    finally:
        for writer in writers:
            writer.transport.abort()
        server.close()
        await server.wait_closed()


def run(
    work: Work, *, patience_s: float = 60.0, most: int = 100, keep_alive_s: float = 30.0
) -> asyncio.Event:
    """What the work holds is so; the event is set where an app's reading was ended."""
    kind = type("Limited", (Connection,), {"patience_s": patience_s})
    disconnected = asyncio.Event()

    async def main() -> None:
        async with (
            asyncio.timeout(20),
            serving(kind, most, keep_alive_s, disconnected) as connected,
        ):
            await work(connected)

    asyncio.run(main())
    return disconnected


SOON_S = 0.05


# --- slow senders ---


@pytest.mark.parametrize("start", [b"GET", POST[:-2], GET + GET[:9], POST, POST + b"12345"])
def test_who_does_not_go_on_is_cut_off_and_told(start: bytes) -> None:
    """In the head or in the body, in the first request or a later one."""

    async def work(connected: Callable[[], Awaitable[Peer]]) -> None:
        peer = await connected()
        await peer.send(start)
        if start.startswith(GET):
            assert await peer.answer() == (200, b"yes")
        assert await peer.error() == (408, "too_slow")

    was_reading = run(work, patience_s=SOON_S).is_set()
    assert was_reading is start.startswith(POST)


def test_who_says_nothing_is_cut_off_without_a_word() -> None:
    """It asked nothing; nor did one that sends empty lines between two requests."""

    async def work(connected: Callable[[], Awaitable[Peer]]) -> None:
        await (await connected()).is_closed()
        peer = await connected()
        await peer.send(GET)
        assert await peer.answer() == (200, b"yes")
        await peer.send(b"\r\n")
        await peer.is_closed()

    run(work, patience_s=SOON_S)


def test_who_goes_on_after_the_answer_is_cut_off_too() -> None:
    """The answer came before the body; there is no second one."""

    async def work(connected: Callable[[], Awaitable[Peer]]) -> None:
        peer = await connected()
        await peer.send(POST.replace(b"/read", b"/at-once") + b"1")
        assert await peer.answer() == (200, b"yes")
        await peer.is_closed()

    run(work, patience_s=SOON_S)


def test_each_byte_gives_a_little_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large body on a slow line is taken; the patience alone would be over long before."""
    monkeypatch.setattr(connection, "BYTES_A_S", 1)

    async def work(connected: Callable[[], Awaitable[Peer]]) -> None:
        peer, slow = await connected(), await connected()
        await peer.send(POST + b"12345")
        await slow.is_closed()  # the patience is over
        await peer.send(b"67890")
        assert await peer.answer() == (200, b"10")

    run(work, patience_s=SOON_S)


def test_a_sound_request_is_not_hurried() -> None:
    """Once it is complete it may wait for its answer, and its connection for the next."""

    async def work(connected: Callable[[], Awaitable[Peer]]) -> None:
        peer, slow = await connected(), await connected()
        await peer.send(POST + b"1234567890")
        assert await peer.answer() == (200, b"10")
        await slow.is_closed()
        await peer.send(GET)
        assert await peer.answer() == (200, b"yes")

    run(work, patience_s=SOON_S)


def test_an_idle_connection_is_closed_after_a_while() -> None:
    """Without a word, in its time and not before: the next request may come until then."""

    async def work(connected: Callable[[], Awaitable[Peer]]) -> None:
        peer, silent = await connected(), await connected()
        await peer.send(GET)
        assert await peer.answer() == (200, b"yes")
        await silent.is_closed()
        await peer.send(GET)
        assert await peer.answer() == (200, b"yes")
        await peer.is_closed()

    run(work, patience_s=SOON_S, keep_alive_s=3 * SOON_S)


def test_a_connection_is_idle_after_a_body_that_nobody_waited_for() -> None:
    """Its answer came first."""

    async def work(connected: Callable[[], Awaitable[Peer]]) -> None:
        peer = await connected()
        await peer.send(POST.replace(b"/read", b"/at-once") + b"12345")
        assert await peer.answer() == (200, b"yes")
        await peer.send(b"67890")
        await peer.is_closed()

    run(work, keep_alive_s=SOON_S, patience_s=20 * SOON_S)


# --- large heads ---


@pytest.mark.parametrize(
    "head",
    [
        GET[:-2] + b"A: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n",
        GET[:-2] + b"A: " + b"x" * 300_000,
        b"GET /" + b"x" * 300_000,
        GET[:-2] + b"x" * 300_000,
        GET[:-2] + b"a: b\r\n" * (MAX_HEADERS + 1) + b"\r\n",
    ],
    ids=["header", "endless header", "endless path", "endless name", "many"],
)
def test_a_head_over_the_limit_is_431(head: bytes) -> None:
    """Also one that never ends; little more than the limit is ever kept of it."""

    async def work(connected: Callable[[], Awaitable[Peer]]) -> None:
        peer = await connected()
        await peer.send(head)
        assert await peer.error() == (431, "head_too_large")

    run(work)


def test_a_head_as_large_as_browsers_send_is_taken() -> None:
    """Shops have many cookies."""

    async def work(connected: Callable[[], Awaitable[Peer]]) -> None:
        peer = await connected()
        cookies = b"".join(b"Cookie: " + b"c" * 4000 + b"\r\n" for _ in range(7))
        await peer.send(GET[:-2] + cookies + b"a: b\r\n" * (MAX_HEADERS - 8) + b"\r\n")
        assert await peer.answer() == (200, b"yes")

    run(work)


# --- what is no HTTP ---


@pytest.mark.parametrize(
    "text",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost : t\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\0c\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: t\r\n\r\n",
        b"CONNECT t:443 HTTP/1.1\r\nHost: t\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, x\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ],
)
def test_what_is_no_http_is_400(text: bytes) -> None:
    """Two readings of where a request ends are two requests to whoever stands behind a proxy."""

    async def work(connected: Callable[[], Awaitable[Peer]]) -> None:
        peer = await connected()
        await peer.send(text)
        status, _ = await peer.answer()
        assert status in (400, 404)

    run(work)


def test_a_websocket_is_not_spoken() -> None:
    """The request is answered as any other, and nothing is logged."""

    async def work(connected: Callable[[], Awaitable[Peer]]) -> None:
        peer = await connected()
        await peer.send(GET[:-2] + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert (await peer.answer())[0] == 200

    run(work)


# --- how much and how many ---


def test_an_endless_body_is_not_read_for_ever() -> None:
    """Its answer is long known."""

    async def work(connected: Callable[[], Awaitable[Peer]]) -> None:
        peer = await connected()
        await peer.send(POST.replace(b"/read", b"/at-once").replace(b"10", b"99999999999"))
        assert await peer.answer() == (200, b"yes")
        with pytest.raises(ConnectionError):
            await peer.send(b"x" * 100_000_000)

    run(work)


def test_there_are_only_so_many_connections() -> None:
    """One more is closed at once; when another ends there is room again."""

    async def work(connected: Callable[[], Awaitable[Peer]]) -> None:
        first, second, third = [await connected() for _ in range(3)]
        await third.is_closed()
        await first.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert await first.answer() == (200, b"yes")
        await first.is_closed()
        fourth = await connected()
        for peer in (second, fourth):
            await peer.send(GET)
            assert await peer.answer() == (200, b"yes")

    run(work, most=2)


def test_the_relays_own_files_are_left_over() -> None:
    """Half of what the process may open, as much of that as there is to be had."""
    program = """
import resource
from relay.connection import most_connections
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, min(most, 1000)))
print(most_connections(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True
    )
    assert told.stdout.split() == [b"500", b"1000", b"1000"]
