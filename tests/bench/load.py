"""The load: so many connections, each with one request under way, for so many seconds.

A program of its own, so that it may have a core of its own. It reads what to send as JSON: `port`,
`head` and `body` of a request whose `UUIDS` places are to be filled anew each time, `connections`,
`seconds` and `core`. It prints what became of it: requests, and the latencies' median and p99.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from array import array
from functools import partial
from typing import Any

import uvloop

PLACE = "00000000-0000-7000-8000-000000000000"
"""Where a body has a UUID of its own in each request."""

TAKEN = b"HTTP/1.1 204 "


def uuid7(at_ms: int, number: int) -> bytes:
    """A UUID version 7 of this millisecond: later ones, and higher numbers, come later."""
    text = f"{at_ms:012x}7{number % 4096:03x}8{number:015x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}".encode()


class Load:
    """Makes the requests and keeps their latencies, in nanoseconds."""

    def __init__(self, head: bytes, body: bytes) -> None:
        first, *self._rest = (head + body).split(PLACE.encode())
        self._parts = [first]
        for part in self._rest:
            self._parts += [b"", part]
        self._places = range(1, len(self._parts), 2)
        self._number = int.from_bytes(os.urandom(5))
        self.latencies = array("Q")
        self.is_over = False

    def request(self) -> bytes:
        """The next request's bytes, like no other's."""
        at_ms = time.time_ns() // 1_000_000
        for place in self._places:
            self._number += 1
            self._parts[place] = uuid7(at_ms, self._number)
        return b"".join(self._parts)


class Connection(asyncio.Protocol):
    """Asks again as soon as it is answered, until the load is over."""

    def __init__(self, load: Load, left: asyncio.Future[None]) -> None:
        self._load = load
        self._left = left

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        request = self._load.request()
        self._since = time.perf_counter_ns()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._load.latencies.append(time.perf_counter_ns() - self._since)
        if not (data.startswith(TAKEN) and data.endswith(b"\r\n\r\n")):
            self._transport.abort()
            self._left.set_exception(RuntimeError(f"not a whole 204: {data[:2000]!r}"))
        elif self._load.is_over:
            self._transport.abort()
            self._left.set_result(None)
        else:
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._left.done():
            self._left.set_exception(exc or ConnectionError("closed by the server"))


async def sent(task: dict[str, Any]) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    load = Load(task["head"].encode(), task["body"].encode())
    ends = [loop.create_future() for _ in range(task["connections"])]
    start = time.perf_counter()
    for end in ends:
        await loop.create_connection(partial(Connection, load, end), "127.0.0.1", task["port"])
    await asyncio.sleep(task["seconds"])
    load.is_over = True
    seconds = time.perf_counter() - start
    count = len(load.latencies)
    await asyncio.gather(*ends)
    slowest = sorted(load.latencies)
    return {
        "requests": count,
        "seconds": seconds,
        "p50_ms": slowest[len(slowest) // 2] / 1e6,
        "p99_ms": slowest[len(slowest) * 99 // 100] / 1e6,
    }


if __name__ == "__main__":
    task = json.load(sys.stdin)
    if task["core"] is not None:
        os.sched_setaffinity(0, [task["core"]])
    print(json.dumps(uvloop.run(sent(task))))
