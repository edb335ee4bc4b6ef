"""What is told of every request: its ID in the answer, a line in the log, its time in the metrics.

The ID is always made here: what a caller sends as `X-Request-Id` is nothing to go by. The line
names the route, never the path, the query, the address or the user agent.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Container

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars

from relay.logs import QuickLogger
from relay.metrics import Metrics
from relay.refusals import SCOPE_KEY as REFUSED

log = QuickLogger("pixelmirror.requests")

REQUEST_ID = "pixelmirror.request_id"
SITE = "pixelmirror.site"
"""Keys of the ASGI scope: the request's ID; its site, where the path does not name it."""

METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds, so told at level debug only."""


class RequestLog:
    """Plain ASGI. Around all that the app does but its answer to a mistake of ours."""

    def __init__(self, app: ASGIApp, metrics: Metrics, sites: Container[str]) -> None:
        self.app = app
        self._metrics = metrics
        self._sites = sites

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()
        request_id = scope[REQUEST_ID] = secrets.token_hex(8)
        bound = bind_contextvars(request_id=request_id)
        status = 0  # no answer

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
            reset_contextvars(**bound)
        except Exception:  # bound is left as it is: the server will tell of it
            status, scope[REFUSED] = 500, "internal_error"
            raise
        finally:
            self._tell(scope, status, time.perf_counter() - start)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        method = scope["method"] if scope["method"] in METHODS else "other"
        site = scope.get(SITE) or scope.get("path_params", {}).get("site", "")
        if site not in self._sites:
            site = ""
        code = scope.get(REFUSED)
        if code:
            self._metrics.refused(site, code)
        self._metrics.requested(route, method, status, seconds)
        log.log(
            logging.DEBUG if route in PROBES else logging.INFO,
            "request",
            request_id=scope[REQUEST_ID],
            method=method,
            route=route,
            site=site or None,
            status=status,
            code=code,
            duration_ms=round(seconds * 1000, 1),
        )
