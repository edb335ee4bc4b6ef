"""Which pages may ask the sandbox what: each the same, but for Scalev, which is asked as it allows.

Source: scalev section 2 (CORS): the exact origin, and no headers but these four.
"""

from __future__ import annotations

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

SCALEV_PATH = "/api/v3/stores/"
SCALEV_HEADERS = (
    "X-Scalev-Storefront-Api-Key",
    "X-Scalev-Guest-Token",
    "Authorization",
    "Content-Type",
)
EXPOSED = ["Retry-After"]


class Cors:
    """Answers preflights, and lets pages read the answers. Every origin counts as registered."""

    def __init__(self, app: ASGIApp) -> None:
        self._usual = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=EXPOSED,
        )
        self._scalev = CORSMiddleware(
            app,
            allow_origin_regex=".*",
            allow_methods=["POST"],
            allow_headers=SCALEV_HEADERS,
            expose_headers=EXPOSED,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_scalev = SCALEV_PATH in scope.get("path", "")
        await (self._scalev if is_scalev else self._usual)(scope, receive, send)
