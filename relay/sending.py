"""Sends one request of a destination and says how it ended. The relay's only way out."""

from __future__ import annotations

import asyncio
import logging
import ssl
import zlib
from collections.abc import Callable
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from relay.destinations import Answer, Request

TOTAL_TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 4.0
"""For the connection, and once more for TLS: both together end before the request as a whole, so
that what was not sent is known not to be."""

KEEP_ALIVE_S = 3.0
"""An idle connection is not used again after that. Many servers close theirs after five: a request
sent just then has no answer, and where it must not be repeated its event would be lost."""

MAX_ANSWER_BYTES = 64 * 1024

HEADERS = {"user-agent": "pixelmirror", "accept-encoding": "identity"}

LOOPBACK = ("all://127.0.0.1", "all://localhost", "all://[::1]")

NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
"""Errors before the first byte of a request: it surely did not arrive."""

Transport = Callable[[], httpx.AsyncBaseTransport]


def quiet_http_logs() -> None:
    """httpx and httpcore log URLs and headers, in which tokens travel: only warnings get out."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)


@cache
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context()  # some 15 ms, so all senders share one


class Sender:
    """The connections to one destination, shared with no other.

    Each request under way has a client of its own, the last one used first: httpx looks through
    all connections of a client several times a request.
    """

    def __init__(
        self, transport: Transport | None = None, *, within_s: float = TOTAL_TIMEOUT_S
    ) -> None:
        self._transport = transport
        self._within_s = within_s
        self._idle: list[httpx.AsyncClient] = []
        self._under_way: set[asyncio.Timeout] = set()

    async def send(self, request: Request) -> Answer:
        """How the request ended. An error that httpx does not know is raised.

        An answer that breaks off, or takes too long, counts as far as it came: its status is said.
        """
        heard = _Heard()
        try:
            async with asyncio.timeout(self._within_s) as limit:
                self._under_way.add(limit)
                try:
                    await self._exchange(request, heard)
                finally:
                    self._under_way.discard(limit)
        except NOT_SENT as error:
            return Answer(failure="not_sent", detail=str(error) or type(error).__name__)
        except TimeoutError:
            return heard.answer(f"not within {self._within_s:g} s")
        except (httpx.HTTPError, OSError) as error:
            return heard.answer(type(error).__name__)
        return heard.answer("")

    def cut_short(self) -> None:
        """What is under way ends now, without an answer."""
        for limit in self._under_way:
            if not limit.expired():
                limit.reschedule(asyncio.get_running_loop().time())

    async def close(self) -> None:
        """The connections are closed; nothing is under way any more."""
        while self._idle:
            await self._idle.pop().aclose()

    async def _exchange(self, request: Request, heard: _Heard) -> None:
        client = self._idle.pop() if self._idle else self._client()
        try:
            await _ask(client, request, heard)
            if heard.leaves_more:
                await client.aclose()
                client = self._client()
        finally:
            self._idle.append(client)

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=self._transport() if self._transport else None,
            mounts=dict.fromkeys(LOOPBACK),  # what runs on this machine is not behind a proxy
            headers=HEADERS,
            timeout=httpx.Timeout(TOTAL_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            limits=httpx.Limits(keepalive_expiry=KEEP_ALIVE_S),
            verify=_trusted(),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
        )


class _Heard:
    """What came of an answer."""

    def __init__(self) -> None:
        self._status: int | None = None
        self._headers: dict[str, str] = {}
        self.raw = bytearray()

    def head(self, response: httpx.Response) -> None:
        """The status and the headers are known."""
        self._status, self._headers = response.status_code, dict(response.headers.items())

    @property
    def leaves_more(self) -> bool:
        """A body is announced where none may be: it would be read as the next answer."""
        length = self._headers.get("content-length", "0")
        return self._status == 204 and (length != "0" or "transfer-encoding" in self._headers)

    def answer(self, detail: str) -> Answer:
        """All of it; `detail` is why there is none, if there is none."""
        if self._status is None:
            return Answer(failure="no_answer", detail=detail)
        body = _plain(bytes(self.raw), self._headers.get("content-encoding", ""))
        return Answer(self._status, body[:MAX_ANSWER_BYTES], self._headers)


async def _ask(client: httpx.AsyncClient, request: Request, heard: _Heard) -> None:
    async with client.stream(
        request.method, request.url, content=request.body, headers=dict(request.headers)
    ) as response:
        heard.head(response)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        async for chunk in response.stream:  # as it came: unpacked, a little could be gigabytes
            heard.raw += chunk
            if len(heard.raw) >= MAX_ANSWER_BYTES:
                return


def _plain(raw: bytes, encoding: str) -> bytes:
    """The body unpacked, where a system packs it though we ask it not to; no more than may be."""
    if encoding.strip().lower() not in ("gzip", "deflate"):
        return raw
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(raw, MAX_ANSWER_BYTES)
    except zlib.error:
        return raw
