"""How a request ends: what surely did not arrive, what may have, and what the system said."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest

from relay.destinations import Answer, Request
from relay.sending import MAX_ANSWER_BYTES, Sender

pytestmark = pytest.mark.anyio

REQUEST = Request("https://api.example/events", b"{}", {"x-key": "k"}, [], repeatable=True)


def sender_to(handler: Callable[[httpx.Request], httpx.Response]) -> Sender:
    return Sender(lambda: httpx.MockTransport(handler))


async def send_once(handler: Callable[[httpx.Request], httpx.Response]) -> Answer:
    sender = sender_to(handler)
    try:
        return await sender.send(REQUEST)
    finally:
        await sender.close()


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (httpx.ConnectError("connection refused"), "not_sent"),
        (httpx.ConnectTimeout(""), "not_sent"),
        (httpx.PoolTimeout(""), "not_sent"),
        (httpx.UnsupportedProtocol("no scheme"), "not_sent"),
        (httpx.WriteTimeout(""), "no_answer"),
        (httpx.WriteError(""), "no_answer"),
        (httpx.ReadTimeout(""), "no_answer"),
        (httpx.ReadError(""), "no_answer"),
        (httpx.RemoteProtocolError(""), "no_answer"),
        (httpx.DecodingError(""), "no_answer"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
async def test_only_what_had_no_connection_surely_did_not_arrive(
    error: httpx.HTTPError, failure: str
) -> None:
    """Everything after the connection may have arrived (DESIGN 5.5: at most once)."""

    def handler(request: httpx.Request) -> httpx.Response:
        raise error

    answer = await send_once(handler)
    assert (answer.status, answer.failure) == (None, failure)
    assert answer.detail


async def test_the_answer_is_status_headers_and_body() -> None:
    """And the request is what the destination made, under our own name."""
    got: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        got.append(request)
        return httpx.Response(422, headers={"Retry-After": "3"}, text="bad currency")

    answer = await send_once(handler)
    assert (answer.status, answer.body, answer.failure) == (422, b"bad currency", None)
    assert answer.headers["retry-after"] == "3"
    assert (got[0].method, got[0].content, got[0].headers["x-key"]) == ("POST", b"{}", "k")
    assert got[0].headers["user-agent"] == "pixelmirror"


async def test_a_redirect_is_not_followed() -> None:
    """An access token never goes to another address."""
    answer = await send_once(
        lambda _: httpx.Response(307, headers={"Location": "https://x.example"})
    )
    assert answer.status == 307


async def test_cookies_are_not_kept() -> None:
    """What one shopper's event was answered never travels with another's."""
    got: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        got.append(request)
        return httpx.Response(200, headers={"Set-Cookie": "visitor=1; Path=/"})

    sender = sender_to(handler)
    await sender.send(REQUEST)
    await sender.send(REQUEST)
    assert "cookie" not in got[1].headers
    await sender.close()


class Endless(httpx.AsyncByteStream):
    """An answer without an end."""

    async def __aiter__(self):  # type: ignore[no-untyped-def]
        while True:
            yield b"x" * 5000


async def test_no_more_than_64_kib_of_an_answer_are_read() -> None:
    """A system that answers without an end takes no memory."""
    answer = await send_once(lambda _: httpx.Response(200, stream=Endless()))
    assert answer.body == b"x" * MAX_ANSWER_BYTES


async def test_what_is_cut_short_may_have_arrived() -> None:
    """The relay stops while a system is silent: that request has no answer."""
    is_asked = asyncio.Event()

    async def handler(request: httpx.Request) -> httpx.Response:
        is_asked.set()
        return await asyncio.Future[httpx.Response]()

    sender = Sender(lambda: httpx.MockTransport(handler))
    sending = asyncio.ensure_future(sender.send(REQUEST))
    await is_asked.wait()
    sender.cut_short()
    assert (await sending).failure == "no_answer"
    await sender.close()


async def test_nothing_listens_is_not_sent() -> None:
    """A real refused connection, without a stand-in for the network."""
    sender = Sender()
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    answer = await sender.send(Request(f"http://127.0.0.1:{port}/", b"", {}, [], repeatable=True))
    assert answer.failure == "not_sent"
    await sender.close()


async def test_a_system_that_hangs_up_may_have_got_it() -> None:
    """A real connection closed without an answer."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sender = Sender()
    answer = await sender.send(Request(f"http://127.0.0.1:{port}/", b"", {}, [], repeatable=True))
    assert answer.failure == "no_answer"
    await sender.close()
    server.close()
    await server.wait_closed()
