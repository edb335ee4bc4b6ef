"""The headers by which a browser makes of an answer nothing but what it is: data for a script.

Page assets are for every page to load, and say so themselves (`relay.assets`, `relay.pages`).
HSTS is for who ends TLS: the proxy in front.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
PAGE_ASSET = "Cross-Origin-Resource-Policy"


class SecurityHeaders:
    """Plain ASGI: adds what an answer has not set otherwise."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if PAGE_ASSET not in headers:
                    for name, value in HEADERS.items():
                        headers.setdefault(name, value)
            await send(message)

        if scope["type"] == "http":
            await self.app(scope, receive, send_with_headers)
        else:
            await self.app(scope, receive, send)
