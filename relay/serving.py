"""Serving an app until a signal, and ending in order within a deadline."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from socket import socket
from types import FrameType
from typing import Any, cast

import uvicorn

from relay.connection import Connection, most_connections
from relay.logs import get_logger

log = get_logger("pixelmirror.serving")

STOP_WITHIN_S = 10

GARBAGE_AFTER = (5_000, 20, 50)
"""Objects after which Python looks for cycles among them, and how often among older ones.

A request under way holds a hundred, which go by themselves when it is answered; by the default of
700 they are looked over again and again until then, for an eighth of all that a request costs.
"""


def finish_within_s(stop_within_s: int) -> int:
    """What of the time to stop in is for what is in flight; the rest is for storing its outcome."""
    return stop_within_s - max(1, stop_within_s // 5)


class Server(uvicorn.Server):
    """uvicorn's server, but a signal ends it in order and in time.

    uvicorn's own raises the signal again, which would end the process before the outbox is closed.
    """

    def __init__(
        self, config: uvicorn.Config, stop_within_s: int, on_stop: Callable[[], object]
    ) -> None:
        super().__init__(config)
        self._stop_within_s = stop_within_s
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """What is loaded by now is here to stay, so nobody looks for garbage in it any more."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GARBAGE_AFTER)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The handlers stay to the end of the loop: the outbox is closed after the server."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Nothing more is taken. A second signal ends the process at once, as does the deadline.

        What is on disk then is what a killed process leaves: nothing is lost.
        """
        if self.should_exit:
            log.warning("a second signal: ended at once")
            os._exit(128 + sig)
        log.info("stopping", signal=signal.Signals(sig).name, within_s=self._stop_within_s)
        self.should_exit = True
        loop = asyncio.get_running_loop()
        loop.call_later(self._stop_within_s, _give_up)
        self._on_stop()


def _give_up() -> None:
    log.error("not stopped in time: ended at once")
    os._exit(1)


async def serve_app(
    app: Any,
    host: str,
    port: int,
    *,
    stop_within_s: int = STOP_WITHIN_S,
    on_stop: Callable[[], object] = lambda: None,
    refused: Callable[[str], None] = lambda code: None,
) -> None:
    """Serve until SIGINT or SIGTERM. The peer is taken as it is: no proxy is believed here.

    `on_stop` hears of the signal at once; `refused` of what is refused before the app sees it.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=cast(type[Connection], partial(Connection, most=most_connections(), refused=refused)),
        ws="none",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=finish_within_s(stop_within_s),
    )
    await Server(config, stop_within_s, on_stop).serve()
