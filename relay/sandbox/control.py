"""The sandbox's own routes: what it was given, how it is to behave, what Midtrans is to answer."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from relay.sandbox import wire
from relay.sandbox.apis.midtrans import Payments
from relay.sandbox.behaviour import Behaviours
from relay.sandbox.calls import Record
from relay.sandbox.shape import dotted

MAX_PAYMENTS = 1_000


def refusal(status: int, message: str) -> Response:
    """The sandbox's own kind of error, which is no vendor's."""
    return JSONResponse({"error": message}, status)


def routes(record: Record, behaviours: Behaviours, payments: Payments) -> list[Route]:
    """`/calls`, `/behaviour` and `/midtrans/{order_id}`."""

    async def read_calls(request: Request) -> Response:
        since = request.query_params.get("since", "0")
        if not (since.isascii() and since.isdigit()):
            return refusal(400, "since must be a whole number, the n of the last call seen")
        event_id = request.query_params.get("event_id")
        return JSONResponse({"calls": record.since(int(since), event_id)})

    async def forget_calls(_: Request) -> Response:
        record.forget()
        return Response(status_code=204)

    async def change_behaviour(request: Request) -> Response:
        wanted, refused = await _body(request)
        if refused:
            return refused
        for fault in behaviours.change(wanted):
            return refusal(400, f"{dotted(fault.path)} {fault.words}")
        return Response(status_code=204)

    async def reset_behaviour(_: Request) -> Response:
        behaviours.reset()
        payments.clear()
        return Response(status_code=204)

    async def set_payment(request: Request) -> Response:
        answer, refused = await _body(request)
        if refused:
            return refused
        if not isinstance(answer, dict):
            return refusal(400, "the status body must be an object")
        order_id = request.path_params["order_id"]
        payments.pop(order_id, None)
        payments[order_id] = answer
        if len(payments) > MAX_PAYMENTS:
            del payments[next(iter(payments))]
        return Response(status_code=204)

    return [
        Route("/calls", read_calls, methods=["GET"]),
        Route("/calls", forget_calls, methods=["DELETE"]),
        Route("/behaviour", change_behaviour, methods=["POST"]),
        Route("/behaviour", reset_behaviour, methods=["DELETE"]),
        Route("/midtrans/{order_id}", set_payment, methods=["POST"]),
    ]


async def _body(request: Request) -> tuple[Any, Response | None]:
    try:
        return wire.parse_json(await wire.read_text(request)), None
    except wire.TooLarge:
        return None, refusal(413, f"the body is over {wire.MAX_BYTES} bytes")
    except ValueError as error:
        return None, refusal(400, f"the body is no JSON: {error}")
