"""The server APIs as routes: each request is judged, put on record and answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from relay.sandbox import wire
from relay.sandbox.apis.exchange import UNREADABLE, Api, Received, Verdict
from relay.sandbox.behaviour import Behaviour, Behaviours
from relay.sandbox.calls import Record, Seen

GARBAGE = "<!doctype html><title>Bad gateway</title><h1>Something went wrong</h1>"
_TOLD = "the sandbox was told to {}"


def routes(
    apis: tuple[Api, ...], record: Record, behaviours: Behaviours, now_ms: Callable[[], int]
) -> list[Route]:
    """A route for each API, at the vendor's own path."""

    def route(api: Api) -> Route:
        async def serve(request: Request) -> Response:
            return await _serve(api, request, record, behaviours, now_ms())

        return Route(api.path, serve, methods=[api.method])

    return [route(api) for api in apis]


async def _serve(
    api: Api, request: Request, record: Record, behaviours: Behaviours, now_ms: int
) -> Response:
    behaviour = behaviours.take(api.system, "server")
    verdict = _misbehaving(api, behaviour, await _judged(api, request, now_ms))
    told = behaviour.do if behaviour else None
    for seen in verdict.seen:
        record.add(api.system, "server", None if told == "close" else verdict.status, seen)
    if behaviour and told == "stall":
        await wire.stall(request, behaviour.seconds)
    if told == "close":
        await wire.cut_off(request)
    return HTMLResponse(GARBAGE) if told == "garbage" else _response(verdict)


async def _judged(api: Api, request: Request, now_ms: int) -> Verdict:
    try:
        text = await wire.read_text(request)
    except wire.TooLarge:
        message = f"the body is over {wire.MAX_BYTES} bytes"
        return Verdict(413, api.refuse(413, message), (Seen(None, None, None, error=message),))
    try:
        body = wire.parse_json(text)
    except ValueError:
        body = UNREADABLE
    return api.judge(
        Received(
            path=dict(request.path_params),
            query=dict(request.query_params),
            headers=dict(request.headers),
            text=text,
            body=body,
            now_ms=now_ms,
        )
    )


def _misbehaving(api: Api, behaviour: Behaviour | None, verdict: Verdict) -> Verdict:
    """The verdict after what the system was told to do. A stall changes it in nothing: the vendor
    has the event, the client does not hear of it in time."""
    if behaviour is None or behaviour.do == "stall":
        return verdict
    words = _TOLD.format(behaviour.do)
    status = {"throttle": 429, "garbage": 200}.get(behaviour.do, behaviour.status)
    body: Any = api.refuse(status, words) if behaviour.body is None else behaviour.body
    refused = verdict.refused(status, body, words)
    if behaviour.do != "throttle":
        return refused
    headers = {"Retry-After": str(behaviour.retry_after_s)}
    return Verdict(refused.status, refused.body, refused.seen, headers)


def _response(verdict: Verdict) -> Response:
    headers = dict(verdict.headers)
    if verdict.body is None:
        return Response(status_code=verdict.status, headers=headers)
    if isinstance(verdict.body, str):
        return PlainTextResponse(verdict.body, verdict.status, headers)
    return JSONResponse(verdict.body, verdict.status, headers)
