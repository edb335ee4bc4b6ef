"""Several applications on one port, told apart by the first part of the path."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send


class Neighbours:
    """Hands `/{name}...` on to the application of that name, and all else to the one it wraps.

    Unlike a mount it leaves the path whole: each application knows its own prefix. The names may
    be filled in later, while the application starts.
    """

    def __init__(self, app: ASGIApp, others: Mapping[str, ASGIApp]) -> None:
        self._app = app
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http":
            app = self._others.get(scope["path"].split("/")[1], self._app)
        await app(scope, receive, send)
