"""The stand-in SDKs as scripts, and the reports they send of what pages gave them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from importlib import resources
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from relay.sandbox import wire
from relay.sandbox.apis.exchange import dedup_key
from relay.sandbox.behaviour import Behaviours
from relay.sandbox.calls import Record, Seen
from relay.sandbox.control import refusal
from relay.sandbox.servers import GARBAGE
from relay.sandbox.shape import anything, dotted, either, list_of, number, one_of, record, string

# Each SDK is these files in one function, so that pages get one script, as from the vendor.
_FILES = {
    "meta": ("report.js", "meta.js"),
    "tiktok": ("report.js", "instances.js", "tiktok.js"),
    "kwai": ("report.js", "instances.js", "kwai.js"),
    "commanders_act": ("report.js", "commanders_act.js"),
    "alhena": ("report.js", "alhena.js"),
}
NAMES = tuple(_FILES)

_unset = one_of([None])
_REPORT = record(
    {
        "name": either(string, _unset),
        "event_id": either(string, _unset),
        "pixel": either(string, _unset),
        "arguments": list_of(anything),
    },
    {"error": either(string, _unset), "at": number},
    closed=True,
)
# What the real SDKs deduplicate on the vendor's side: Meta and TikTok by pixel, name and event ID.
_DEDUPLICATING = ("meta", "tiktok")


def script(name: str) -> str:
    """The stand-in SDK of that name."""
    folder = resources.files("relay.sandbox") / "sdk"
    parts = "\n".join((folder / file).read_text("utf-8") for file in _FILES[name])
    return f'(function (SDK) {{\n"use strict";\n{parts}}})("{name}");\n'


def routes(calls: Record, behaviours: Behaviours) -> list[Route]:
    """`GET /sdk/{name}.js` and `POST /pixels/{name}` for each SDK."""
    return [
        route
        for name in NAMES
        for route in (
            Route(f"/sdk/{name}.js", _serving(name, behaviours)),
            Route(f"/pixels/{name}", _receiving(name, calls), methods=["POST"]),
        )
    ]


_Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


def _serving(name: str, behaviours: Behaviours) -> _Endpoint:
    whole = script(name)

    async def serve(request: Request) -> Response:
        """The script, or what the SDK's host was told to do instead."""
        told = behaviours.take(name, "pixel")
        if told is not None and told.do == "stall":
            await wire.stall(request, told.seconds)
        elif told is not None and told.do == "close":
            await wire.cut_off(request)
        elif told is not None:
            return HTMLResponse(GARBAGE, {"throttle": 429, "fail": told.status}.get(told.do, 200))
        return Response(whole, media_type="text/javascript", headers={"Cache-Control": "no-cache"})

    return serve


def _receiving(name: str, calls: Record) -> _Endpoint:
    async def receive(request: Request) -> Response:
        """204 when the reports, one or a list in their order, are on record."""
        try:
            sent = wire.parse_json(await wire.read_text(request))
        except wire.TooLarge:
            return refusal(413, f"the body is over {wire.MAX_BYTES} bytes")
        except ValueError as error:
            return refusal(400, f"the body is no JSON: {error}")
        reports = sent if isinstance(sent, list) else [sent]
        for fault in list_of(_REPORT)(reports, ("reports",)):
            return refusal(400, f"{dotted(fault.path)} {fault.words}")
        for report in reports:
            calls.add(name, "pixel", 200, _seen(name, report))
        return Response(status_code=204)

    return receive


def _seen(name: str, report: dict[str, Any]) -> Seen:
    event_name, event_id, pixel = report["name"], report["event_id"], report["pixel"]
    key = dedup_key(pixel, event_name, event_id) if name in _DEDUPLICATING else None
    return Seen(
        event_name, event_id, report["arguments"], pixel, key, report.get("error"), report.get("at")
    )
