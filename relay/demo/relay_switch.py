"""The demo's switch that takes the relay down for pages, to show that nothing is lost."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

MAX_BODY_BYTES = 100


class RelaySwitch:
    """While it is down, a POST to `path` is answered 503, as by a relay that can't store."""

    def __init__(self, path: str) -> None:
        self.is_up = True
        self._path = path
        self.routes = [
            Route("/demo/relay", self.tell),
            Route("/demo/relay", self.change, methods=["POST"]),
        ]

    async def tell(self, _: Request) -> Response:
        return JSONResponse({"up": self.is_up})

    async def change(self, request: Request) -> Response:
        """Takes `{"up": false}` or `{"up": true}`."""
        try:
            wanted = json.loads((await request.body())[:MAX_BODY_BYTES])["up"]
        except (ValueError, TypeError, KeyError):
            wanted = None
        if not isinstance(wanted, bool):
            return JSONResponse({"error": 'send {"up": true} or {"up": false}'}, 422)
        self.is_up = wanted
        return await self.tell(request)

    def before(self, relay: ASGIApp) -> ASGIApp:
        """The relay behind this switch."""

        async def switched(scope: Scope, receive: Receive, send: Send) -> None:
            app = relay
            if not self.is_up and (scope["method"], scope["path"]) == ("POST", self._path):
                app = JSONResponse(
                    {"error": {"code": "not_durable", "message": "the relay is switched off"}},
                    503,
                    {"Retry-After": "1"},
                )
            await app(scope, receive, send)

        return switched
