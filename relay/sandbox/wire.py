"""What happens on a connection: reading a body, keeping it waiting, cutting it off."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NoReturn

from starlette.requests import Request

MAX_BYTES = 1024 * 1024


class TooLarge(Exception):
    """The body is over `MAX_BYTES`."""


async def read_text(request: Request) -> str:
    """The body as text, bytes that are no UTF-8 replaced. Raises `TooLarge`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise TooLarge
    return body.decode(errors="replace")


def parse_json(text: str) -> Any:
    """The value of strict JSON: NaN and Infinity, which Python takes, are refused.

    Raises ValueError.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


async def stall(request: Request, seconds: float) -> None:
    """`seconds` have passed, or the client has gone. Others are served meanwhile."""
    try:
        await asyncio.wait_for(_gone(request), seconds)
    except TimeoutError:
        return


async def cut_off(request: Request) -> None:
    """The connection has ended without an answer.

    ASGI has no word for it and uvicorn answers 500 to whatever an app raises, so this takes the
    connection from the object whose method `receive` is. Under another server it raises, which a
    client in the same process sees as a lost connection.
    """
    transport = getattr(getattr(request.receive, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionAbortedError("the sandbox was told to end the connection")
    transport.close()
    await _gone(request)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
