"""A destination's requests, sent to the sandbox by the relay's own sender."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx

from relay.destinations import Destination, Event, Judgement
from relay.sandbox import create_sandbox
from relay.sending import Sender

BASE_URL = "http://vendor.test/sandbox/api"
NOW = 1760000001.0


def round_trip(
    to: Destination, events: Sequence[Event], behaviour: dict[str, Any] | None = None
) -> tuple[list[Judgement], list[dict[str, Any]]]:
    """What each answer meant, and what the sandbox put on record of each event."""
    return asyncio.run(_round_trip(to, events, behaviour))


async def _round_trip(
    to: Destination, events: Sequence[Event], behaviour: dict[str, Any] | None
) -> tuple[list[Judgement], list[dict[str, Any]]]:
    transport = httpx.ASGITransport(create_sandbox())
    sender = Sender(lambda: transport)
    async with httpx.AsyncClient(transport=transport, base_url="http://vendor.test") as client:
        if behaviour:
            told = await client.post("/sandbox/behaviour", json=behaviour)
            assert told.is_success, told.text
        judgements = [
            to.judge(request, await sender.send(request), NOW) for request in to.requests(events)
        ]
        calls = (await client.get("/sandbox/calls")).json()["calls"]
    await sender.close()
    return judgements, calls
