"""A request and its answer, as uvicorn has them, with a shorter way for a 204.

That is what every page gets, again and again with the same dozen headers: each is looked over and
put into text once, and then remembered.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

ANEW = frozenset({b"set-cookie", b"x-request-id"})
"""Headers that never come again; the first is the shopper's, and kept nowhere."""


class Answering(RequestResponseCycle):
    """uvicorn's, but for the head of a 204, which has no body and says nothing of one."""

    async def send(self, message: Any) -> None:
        is_plain = message["type"] == "http.response.start" and message["status"] == 204
        if not is_plain or self.response_started or self.flow.write_paused or self.disconnected:
            await super().send(message)
            return
        self.response_started = True
        self.waiting_for_100_continue = False
        headers = [*self.default_headers, *message["headers"]]
        lines = [_line(one) if one[0] in ANEW else _known(one) for one in headers]
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
        self.transport.write(b"".join([STATUS_LINE[204], *lines, b"\r\n"]))


def _line(header: tuple[bytes, bytes]) -> bytes:
    """Raises RuntimeError, as uvicorn does."""
    name, value = header
    if HEADER_RE.search(name) or HEADER_VALUE_RE.search(value):
        raise RuntimeError("Invalid HTTP header.")
    return name.lower() + b": " + value + b"\r\n"


_known = lru_cache(256)(_line)
