"""What is told of every request: its ID in the answer, a line in the log, its time in the metrics.

The ID is always made here: what a caller sends as `X-Request-Id` is nothing to go by. The line
names the route, never the path, the query, the address or the user agent.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Container
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relay import logs
from relay.lines import Place
from relay.logs import QuickLogger
from relay.metrics import Metrics
from relay.refusals import SCOPE_KEY as REFUSED

REQUEST_ID = "pixelmirror.request_id"
SITE = "pixelmirror.site"
"""Keys of the ASGI scope: the request's ID; its site, where the path does not name it."""

METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds, so told at level debug only."""

log = QuickLogger("pixelmirror.requests", "request", places=("@request_id", 987654321.5))

_chance = random.Random()  # noqa: S311 - an ID is no secret, and this is a quarter of the cost


def new_id() -> str:
    """Sixteen hexadecimal digits that no other request has."""
    return f"{_chance.getrandbits(64):016x}"


class Asked(NamedTuple):
    """What a request was, as far as it may be told: only names of ours.

    `site`: empty where it is not known; `status`: 0 without an answer; `code`: a refusal's.
    """

    method: str
    route: str
    site: str
    status: int
    code: str | None = None

    def pairs(self, *values: Place) -> dict[str, Place | None]:
        """Of the log's entry, in which a request's ID and milliseconds are the values."""
        request_id, duration_ms = values
        return {
            "request_id": request_id,
            "method": self.method,
            "route": self.route,
            "site": self.site or None,
            "status": self.status,
            "code": self.code,
            "duration_ms": duration_ms,
        }


def tell(metrics: Metrics, asked: Asked, request_id: str, seconds: float) -> None:
    """The request is in the metrics and in the log."""
    method, route, site, status, code = asked
    if code:
        metrics.refused(site, code)
    metrics.requested(route, method, status, seconds)
    level = logging.DEBUG if route in PROBES else logging.INFO
    log.log(level, asked, request_id, f"{seconds * 1000:.1f}")


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
        request_id = scope[REQUEST_ID] = new_id()
        before = logs.REQUEST_ID.set(request_id)
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
            logs.REQUEST_ID.reset(before)
        except Exception:  # it is left as it is: the server will tell of it
            status, scope[REFUSED] = 500, "internal_error"
            raise
        finally:
            asked = self._asked(scope, status)
            tell(self._metrics, asked, request_id, time.perf_counter() - start)

    def _asked(self, scope: Scope, status: int) -> Asked:
        route = getattr(scope.get("route"), "path", "none")
        method = scope["method"] if scope["method"] in METHODS else "other"
        site = scope.get(SITE) or scope.get("path_params", {}).get("site", "")
        if site not in self._sites:
            site = ""
        return Asked(method, route, site, status, scope.get(REFUSED))
