"""Sends one request of a destination and says how it ended. The relay's only way out."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from relay.destinations import Answer, Request

CONNECT_TIMEOUT_S = 5.0
TOTAL_TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 64 * 1024

HEADERS = {"user-agent": "pixelmirror", "accept-encoding": "identity"}

LOOPBACK = ("all://127.0.0.1", "all://localhost", "all://[::1]")

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
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

    def __init__(self, transport: Transport | None = None) -> None:
        self._transport = transport
        self._idle: list[httpx.AsyncClient] = []
        self._under_way: set[asyncio.Timeout] = set()

    async def send(self, request: Request) -> Answer:
        """How the request ended. An error that httpx does not know is raised."""
        try:
            async with asyncio.timeout(TOTAL_TIMEOUT_S) as limit:
                self._under_way.add(limit)
                try:
                    return await self._exchange(request)
                finally:
                    self._under_way.discard(limit)
        except NOT_SENT as error:
            return Answer(failure="not_sent", detail=str(error) or type(error).__name__)
        except httpx.HTTPError as error:
            return Answer(failure="no_answer", detail=type(error).__name__)
        except TimeoutError:
            return Answer(failure="no_answer", detail=f"not within {TOTAL_TIMEOUT_S:.0f} s")

    def cut_short(self) -> None:
        """What is under way ends now, without an answer."""
        for limit in self._under_way:
            if not limit.expired():
                limit.reschedule(asyncio.get_running_loop().time())

    async def close(self) -> None:
        """The connections are closed; nothing is under way any more."""
        while self._idle:
            await self._idle.pop().aclose()

    async def _exchange(self, request: Request) -> Answer:
        client = self._idle.pop() if self._idle else self._client()
        try:
            return await _ask(client, request)
        finally:
            self._idle.append(client)

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=self._transport() if self._transport else None,
            mounts=dict.fromkeys(LOOPBACK),  # what runs on this machine is not behind a proxy
            headers=HEADERS,
            timeout=httpx.Timeout(TOTAL_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            verify=_trusted(),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
        )


async def _ask(client: httpx.AsyncClient, request: Request) -> Answer:
    async with client.stream(
        request.method, request.url, content=request.body, headers=dict(request.headers)
    ) as response:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) >= MAX_ANSWER_BYTES:
                break
        return Answer(response.status_code, bytes(body[:MAX_ANSWER_BYTES]), dict(response.headers))
