"""Refusals: every answer of the relay that is not a yes (DESIGN 5.4, the table of errors).

    Refusal
    ├── of what was sent        400 invalid_json, invalid_notification, invalid_request
    │                           408 too_slow · 413 · 415 · 422 invalid_event
    │                           431 head_too_large
    ├── of who sent it          401 unknown_key · 403 origin_not_allowed, wrong_signature
    │                           429 rate_limited
    ├── of where it was sent    404 unknown_site, unknown_store, unknown_asset,
    │                           not_found · 405
    └── because of us           503 not_durable, not_confirmed · 500 internal_error

Each is one `Refusal`, told apart by its code.
"""

from __future__ import annotations

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from relay.redaction import hidden

STATUS = {
    "invalid_json": 400,
    "invalid_notification": 400,
    "invalid_request": 400,
    "unknown_key": 401,
    "origin_not_allowed": 403,
    "wrong_signature": 403,
    "unknown_site": 404,
    "unknown_store": 404,
    "unknown_asset": 404,
    "not_found": 404,
    "method_not_allowed": 405,
    "too_slow": 408,
    "too_large": 413,
    "unsupported_media_type": 415,
    "invalid_event": 422,
    "rate_limited": 429,
    "head_too_large": 431,
    "internal_error": 500,
    "not_durable": 503,
    "not_confirmed": 503,
}


class Refusal(Exception):
    """One refusal: its code, why in words, and the field's path where one is wrong."""

    def __init__(
        self, code: str, message: str, *, field: str | None = None, retry_after_s: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.retry_after_s = retry_after_s


SCOPE_KEY = "pixelmirror.refused"
"""In the ASGI scope of a refused request: the refusal's code, for the log and the metrics."""


class Refused(JSONResponse):
    """The refusal as the contract's JSON body; it quotes no personal data that it was sent."""

    def __init__(self, refusal: Refusal) -> None:
        self.code = refusal.code
        error = {"code": refusal.code, "message": hidden(refusal.message)}
        if refusal.field is not None:
            error["field"] = hidden(refusal.field)
        headers = {}
        if refusal.retry_after_s is not None:
            headers["Retry-After"] = str(refusal.retry_after_s)
        super().__init__({"error": error}, STATUS[refusal.code], headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[SCOPE_KEY] = self.code
        await super().__call__(scope, receive, send)


def answer(refusal: Refusal) -> Refused:
    """The refusal as it is answered."""
    return Refused(refusal)
