"""One bad event never holds up or takes down those it travels with (DESIGN 5.5)."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from relay.loading import in_batches
from relay.outbox import Delivery
from tests.relay.delivery_stage import FakeDestination, System, says, stage
from tests.relay.records import event

pytestmark = pytest.mark.anyio

EVENTS = [f"e{n:02}" for n in range(40)]
BAD = "e17"


def at_bad(answer: System) -> System:
    """A system that answers so wherever the bad event is, and else takes everything."""
    return lambda ids: answer(ids) if BAD in ids else httpx.Response(200)


def silence(ids: list[str]) -> httpx.Response:
    raise httpx.ReadTimeout("slow")


@pytest.mark.parametrize(
    ("system", "reason"),
    [
        (says(500), "server error (500)"),
        (says(503), "server error (503)"),
        (silence, "no answer: ReadTimeout"),
        (says(429), "throttled (429)"),
        (says(403), "credentials refused (403)"),
    ],
)
async def test_an_event_at_which_the_system_breaks_is_alone_in_the_end(
    path: Path, system: System, reason: str
) -> None:
    """No word names it; the others are delivered within minutes, and it is tried until its age
    limit."""
    async with stage(path, FakeDestination(batch=40, max_age_s=7200)) as on:
        on.systems["meta"] = at_bad(system)
        await on.put(*EVENTS)
        await on.quiet()
        assert set((await on.states()).values()) == {"waiting"}
        await on.passes(600)
        left = [one for one, state in (await on.states()).items() if state != "done"]
        assert left == [BAD]
        await on.passes(2 * 7200)
        row = (await on.rows())[BAD]
        assert row["state"] == "dead"
        assert row["reason"] == (
            f"older than 2 hours, the most this destination takes; the last attempt: {reason}"
        )


async def test_an_event_that_a_firewall_forbids_does_not_stop_the_others(path: Path) -> None:
    """Its 403 looks as if our credentials were refused; it comes back ever more seldom, so that
    the destination is rarely paused for it."""
    async with stage(path, FakeDestination(in_flight=1)) as on:
        on.systems["meta"] = at_bad(says(403))
        await on.put(*EVENTS)
        await on.quiet()
        for minute in range(40):
            await on.put(f"m{minute:03}", event_time=on.time.now)
            await on.passes(60)
        assert [one for one, state in (await on.states()).items() if state != "done"] == [BAD]
        assert on.sent().count([BAD]) <= 20


async def test_many_events_at_which_the_system_breaks_do_not_hold_up_a_good_one(
    path: Path,
) -> None:
    """They open the breaker and are always due; the probe is made with what failed least."""
    async with stage(path) as on:
        on.systems["meta"] = lambda ids: httpx.Response(500 if ids[0] in EVENTS else 200)
        await on.put(*EVENTS)
        await on.quiet()
        await on.passes(3600)
        assert on.loop.states == {("toko", "meta"): "half_open"} or on.loop.states == {
            ("toko", "meta"): "open"
        }
        await on.put("good", event_time=on.time.now, received_at=on.time.now)
        await on.passes(61)
        assert (await on.states())["good"] == "done"


def delivery(event_id: str, attempts: int) -> Delivery:
    return Delivery("toko", event_id, "meta", event(event_id), attempts, "", None, 1)


@pytest.mark.parametrize(
    ("attempts", "sizes"),
    [
        (0, [100, 100]),
        (1, [100, 100]),
        (2, [25] * 8),
        (3, [6] * 33 + [2]),
        (4, [1] * 200),
        (5000, [1] * 200),
    ],
)
def test_who_failed_often_travels_in_small_company(attempts: int, sizes: list[int]) -> None:
    """A quarter of it after each further attempt."""
    some = [delivery(f"e{n}", attempts) for n in range(200)]
    assert [len(batch) for batch in in_batches(some, 100)] == sizes


def test_who_failed_often_does_not_travel_with_who_did_not() -> None:
    """New events go on as they would without."""
    batches = in_batches([delivery("a", 0), delivery("b", 3), delivery("c", 1)], 100)
    assert [[one.event_id for one in batch] for batch in batches] == [["a", "c"], ["b"]]
