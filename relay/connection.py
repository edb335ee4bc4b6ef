"""One HTTP connection: how many there are, how much and how slowly each may send.

uvicorn's own protocol reads heads of any size and waits for any sender; this one does not. Who is
cut off is answered where the answer would not run into another's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import chain
from typing import Any, Literal
from urllib.parse import unquote

from httptools import parse_url
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from relay.answering import Answering
from relay.body import MAX_BYTES
from relay.refusals import Refusal, answer
from relay.security_headers import HEADERS

PATIENCE_S = 10.0
"""Every request may take so long, whatever its size; so may a new connection be silent."""
BYTES_A_S = 4096
"""Each byte that has come gives a little more time: by this, a full body has 140 seconds."""

MAX_HEAD_BYTES = 32 * 1024  # the shop's cookies come along
MAX_HEADERS = 100
MAX_REQUEST_BYTES = 8 * MAX_BYTES
"""What is read of a request whose answer is already known, before the connection is closed."""

MAX_CONNECTIONS = 10_000
SPARE_FILES = 2
"""One file of so many may be a caller's connection: deliveries and the outbox need some too."""


def most_connections() -> int:
    """As many as the files that this process may open leave room for; it asks for more first."""
    try:
        import resource
    except ImportError:
        return MAX_CONNECTIONS  # Windows has no such limit
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS * SPARE_FILES
    if most != resource.RLIM_INFINITY:
        wanted = min(wanted, most)
    if files != resource.RLIM_INFINITY and files < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    return wanted // SPARE_FILES


class Connection(HttpToolsProtocol):
    """uvicorn's protocol with limits on what a peer may send before the app sees it."""

    patience_s = PATIENCE_S

    def __init__(
        self,
        *given: Any,
        most: int = MAX_CONNECTIONS,
        refused: Callable[[str], None] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(*given, **settings)
        self._most = most
        self._refused = refused
        self.url = b""
        self._timer: asyncio.TimerHandle | None = None  # one for many requests: each costs a little
        self._since: float | None = None  # when the peer's turn began; None while it is ours
        self._is_idle = False  # the last request is answered, the next has not begun
        self._bytes = 0  # that came since
        self._chunk = 0  # bytes of the last ones that came
        self._begun_in = 0  # bytes of those in which the request under way began
        self._part: Literal["", "head", "body"] = ""  # of a request, that is under way

    # --- the connection ---

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._most:
            transport.abort()
        else:
            self._wait_for_peer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._since is None or self._is_idle:
            self._wait_for_peer()
        self._chunk = len(data)
        self._bytes += self._chunk
        super().data_received(data)
        if self._bytes <= MAX_HEAD_BYTES or self.transport.is_closing():
            return
        if self._part == "head":
            self._cut_off(_head_too_large())
        elif self._bytes > MAX_REQUEST_BYTES:
            self.transport.close()

    # --- the request ---

    def on_message_begin(self) -> None:
        if self._since is None or self._is_idle:
            self._wait_for_peer()
        self._part = "head"
        self._begun_in = self._chunk
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """As uvicorn's, without what is never set here: WebSockets, a root path, a limit."""
        if self._is_head_too_large():
            raise ValueError  # the parser's callers get to know that something was wrong, no more
        version = self.parser.get_http_version()
        url = parse_url(self.url)
        path = url.path.decode("ascii")
        self.scope["http_version"] = version
        self.scope["method"] = self.parser.get_method().decode("ascii")
        self.scope["path"] = unquote(path) if "%" in path else path
        self.scope["raw_path"] = url.path
        self.scope["query_string"] = url.query or b""
        before = self.cycle
        self.cycle = Answering(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        self._part = "body"
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def on_message_complete(self) -> None:
        self._since = None
        self._part = ""
        super().on_message_complete()
        if self.cycle.response_complete:  # the answer did not wait for the body
            self._rest()

    def on_response_complete(self) -> None:
        """As uvicorn's, but for its timer at each answer."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._since is None:
            self._rest()

    def send_400_response(self, msg: str) -> None:
        if self._is_head_too_large():
            self._cut_off(_head_too_large())
        else:
            self._cut_off(Refusal("invalid_request", "this is no HTTP request"))

    def _unsupported_upgrade_warning(self) -> None:
        """Anyone may ask for a WebSocket; it is answered as if he had not, and is no news."""

    def _is_head_too_large(self) -> bool:
        headers = self.headers or ()
        if len(headers) > MAX_HEADERS:
            return True
        if self._bytes + self._begun_in <= MAX_HEAD_BYTES:  # all that came is not larger
            return False
        return len(self.url) + sum(map(len, chain.from_iterable(headers))) > MAX_HEAD_BYTES

    # --- its time ---

    def _wait_for_peer(self) -> None:
        self._since = self.loop.time()
        self._is_idle = False
        self._bytes = 0
        if self._timer is None:
            self._timer = self.loop.call_later(self.patience_s, self._look)

    def _rest(self) -> None:
        self._wait_for_peer()
        self._is_idle = True

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """The time is over, unless the bytes that came meanwhile gave more, or it is our turn.

        An idle connection is closed at the next look after its time: at most `patience_s` later.
        """
        self._timer = None
        if self._since is None:
            return
        if self._is_idle:
            due = self._since + self.timeout_keep_alive
        else:
            due = self._since + self.patience_s + self._bytes / BYTES_A_S
        if self.loop.time() < due:
            self._timer = self.loop.call_at(due, self._look)
        elif self._is_idle:
            self.transport.close()
        else:
            self._cut_off(Refusal("too_slow", "the request took too long to arrive"))

    def _cut_off(self, refusal: Refusal) -> None:
        """The connection is closed; the peer is told why where it listens for an answer."""
        self._stop()
        if self._refused is not None and self._part:  # a silent connection asked for nothing
            self._refused(refusal.code)
        is_first = self.cycle is None or self.cycle.response_complete
        is_unanswered = not is_first and not self.cycle.response_started and not self.pipeline
        if (self._part == "head" and is_first) or (self._part == "body" and is_unanswered):
            self.transport.write(_as_text(refusal))
        self.transport.close()


def _head_too_large() -> Refusal:
    return Refusal("head_too_large", f"the head has more than {MAX_HEAD_BYTES} bytes")


def _as_text(refusal: Refusal) -> bytes:
    """The whole answer, as it goes over the wire."""
    response = answer(refusal)
    response.headers.update({**HEADERS, "Connection": "close"})
    lines = [name + b": " + value + b"\r\n" for name, value in response.raw_headers]
    head = STATUS_LINE[response.status_code] + b"".join(lines) + b"\r\n"
    return head + bytes(response.body)
