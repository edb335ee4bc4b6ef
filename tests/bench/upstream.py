"""The outside systems of a benchmark, all of them: a server that accepts whatever it is sent.

A program of its own, so that it may have a core of its own: `upstream.py PORT DELAY_MS CORE`
(-1 for any core). Each request is answered so long after it has arrived, in words that every
destination takes for a yes.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from typing import Any

import uvloop

YES = b'{"events_received":1,"code":0,"result":1,"status":true}'
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
    len(YES),
    YES,
)
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


class Connection(asyncio.Protocol):
    """Answers each request once all of it is there."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._missing = 0
        self._head = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._missing == 0:
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            length = LENGTH.search(head + b"\r\n")
            self._missing = int(length[1]) if length else 0
            self._head = b""
        self._missing -= len(data)
        if self._missing == 0:
            self._answer()

    def _answer(self) -> None:
        if self._delay_s:
            asyncio.get_running_loop().call_later(self._delay_s, self._transport.write, ANSWER)
        else:
            self._transport.write(ANSWER)


async def serve(port: int, delay_s: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(delay_s), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    port, delay_ms, core = map(int, sys.argv[1:])
    if core >= 0:
        os.sched_setaffinity(0, [core])
    uvloop.run(serve(port, delay_ms / 1000))
