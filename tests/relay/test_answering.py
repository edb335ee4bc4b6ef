"""The head of a 204 (relay.answering): byte for byte what uvicorn would have written."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from relay.answering import Answering

HEADERS = [(b"Vary", b"Origin"), (b"set-cookie", b"_fbp=1; Path=/"), (b"set-cookie", b"_fbc=2")]


class Wire(asyncio.Transport):
    """What was written."""

    def __init__(self) -> None:
        super().__init__()
        self.text = b""
        self.is_closed = False

    def write(self, data: Any) -> None:
        self.text += data

    def close(self) -> None:
        self.is_closed = True


def written(
    kind: type[RequestResponseCycle], status: int, headers: Any, *, keep_alive: bool
) -> tuple[bytes, bool]:
    """What goes over the wire for this answer, and whether the connection is closed."""

    async def answer() -> tuple[bytes, bool]:
        wire = Wire()
        log = logging.getLogger("test")
        cycle = kind(
            scope={"method": "POST"},  # type: ignore[typeddict-item]
            transport=wire,
            flow=FlowControl(wire),
            logger=log,
            access_logger=log,
            access_log=False,
            default_headers=[(b"date", b"Sat, 21 Nov 2026 11:00:00 GMT")],
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=keep_alive,
            on_response=lambda: None,
        )
        await cycle.send({"type": "http.response.start", "status": status, "headers": headers})
        await cycle.send({"type": "http.response.body", "body": b"", "more_body": False})
        assert cycle.response_complete
        return wire.text, wire.is_closed

    return asyncio.run(answer())


@pytest.mark.parametrize("keep_alive", [True, False])
@pytest.mark.parametrize("status", [204, 200, 503])
def test_it_is_what_uvicorn_writes(status: int, keep_alive: bool) -> None:
    """The first time and later on, whatever is remembered."""
    headers = HEADERS if status == 204 else [*HEADERS, (b"content-length", b"0")]
    expected = written(RequestResponseCycle, status, headers, keep_alive=keep_alive)
    for _ in range(2):
        assert written(Answering, status, headers, keep_alive=keep_alive) == expected


@pytest.mark.parametrize(
    "header", [(b"a\r\nb", b"c"), (b"set-cookie", b"a\r\nb: c"), (b"a", b"\0")]
)
def test_no_header_is_written_that_would_be_two(header: tuple[bytes, bytes]) -> None:
    """As uvicorn, it is refused."""
    for kind in (RequestResponseCycle, Answering):
        with pytest.raises(RuntimeError, match="Invalid HTTP header"):
            written(kind, 204, [header], keep_alive=True)
