"""Delivery to Meta and TikTok, as it runs: outbox, worker, sender and the vendor's stand-in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from relay.delivery import DeliveryLoop
from relay.destinations import Destination, Event
from relay.outbox import DeliveryRow
from relay.outbox.sqlite import SqliteOutbox
from relay.record import route
from tests.relay import shop
from tests.relay.delivery_stage import FakeTime
from tests.relay.pixel_api_shop import SANDBOX, one
from tests.relay.sandbox_client import NOW_S, Sandbox

# The relay's clock is a minute behind.
NOW_MS = (NOW_S - 60) * 1000
WEEK_MS = 7 * 86_400_000

# An event that is sent and refused: Meta finds it too old, and TikTok takes no hash for a click ID.
BAD = {
    "meta": shop.add_to_cart(event_id="bad", time_ms=NOW_MS - WEEK_MS + 1000),
    "tiktok": shop.add_to_cart(
        event_id="bad", time_ms=NOW_MS - 1000, attribution={"ttclid": "a" * 64}
    ),
}
GOOD = [
    shop.add_to_cart(event_id=f"good-{n}", time_ms=NOW_MS - 1000, user=shop.USER) for n in range(12)
]


async def delivered(
    path: Path, to: Destination, events: Sequence[Event], sandbox: Sandbox
) -> tuple[dict[str, DeliveryRow], dict[tuple[str, str], str]]:
    """The deliveries when all is quiet, by event ID, and who is paused."""
    time = FakeTime()
    time.now = NOW_MS
    async with await SqliteOutbox.open(path / "outbox.db") as outbox:
        await outbox.put([(dict(event), [route(event, to)]) for event in events])
        loop = DeliveryLoop(
            outbox,
            [("toko", to)],
            transport=lambda: httpx.ASGITransport(sandbox.app),
            now_ms=time.now_ms,
            chance=lambda: 1.0,
            wait=time.wait,
        )
        loop.start()
        async with asyncio.timeout(20):
            while time.resting() < 2 or loop.under_way:  # noqa: ASYNC110
                await asyncio.sleep(0)  # the outbox's threads have no event to wait for
        paused = loop.paused
        await loop.stop(0)
        rows = await outbox.deliveries("toko", limit=100)
        return {row["event_id"]: row for row in rows}, paused


@pytest.mark.parametrize("kind", ["meta", "tiktok"])
def test_the_one_bad_event_of_a_batch_is_found(tmp_path: Path, kind: str) -> None:
    """meta 4, tiktok 4, DESIGN 5.5: it is a dead letter, and every other one is delivered."""
    sandbox = Sandbox()
    events = [*GOOD[:7], BAD[kind], *GOOD[7:]]
    to = one(kind, base_url=SANDBOX)
    rows, paused = asyncio.run(delivered(tmp_path, to, events, sandbox))
    states = {event_id: row["state"] for event_id, row in rows.items()}
    assert states == {**dict.fromkeys((event["event_id"] for event in GOOD), "done"), "bad": "dead"}
    assert rows["bad"]["reason"].startswith("refused (code ")
    assert paused == {}
    taken = [call["event_id"] for call in sandbox.calls() if call["accepted"]]
    assert sorted(taken) == sorted(event["event_id"] for event in GOOD)


@pytest.mark.parametrize("kind", ["meta", "tiktok"])
def test_a_wrong_token_buries_nothing(tmp_path: Path, kind: str) -> None:
    """DESIGN 5.5: Meta's 190 and TikTok's 40105 pause the destination, and every event waits."""
    to = one(kind, base_url=SANDBOX, access_token="wrong-token")
    rows, paused = asyncio.run(delivered(tmp_path, to, GOOD, Sandbox()))
    assert {row["state"] for row in rows.values()} == {"waiting"}
    assert ("toko", kind) in paused
    assert "wrong-token" not in str((rows, paused))


THROTTLED: dict[str, Any] = {"do": "throttle", "times": 1}


@pytest.mark.parametrize("kind", ["meta", "tiktok"])
def test_a_throttled_destination_is_tried_again(tmp_path: Path, kind: str) -> None:
    """meta 6, tiktok 6: nothing is lost, and nobody is paused."""
    sandbox = Sandbox()
    assert sandbox.behave(system=kind, **THROTTLED).is_success
    rows, paused = asyncio.run(delivered(tmp_path, one(kind, base_url=SANDBOX), GOOD, sandbox))
    assert {(row["state"], row["attempts"]) for row in rows.values()} == {("waiting", 1)}
    assert paused == {}
