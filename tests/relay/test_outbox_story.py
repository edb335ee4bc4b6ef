"""What became of each delivery: every attempt with its time, status and reason, kept compact."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Literal

import pytest

from relay.outbox import Outcome
from relay.outbox.sqlite import SqliteOutbox
from tests.relay.delivery_stage import FakeDestination, says, stage
from tests.relay.records import DAY_MS, NOW, claim, end, event, raw, record, to

pytestmark = pytest.mark.anyio

CONSENT = {"status": "granted", "categories": ["1", "3"]}


async def attempt(
    outbox: SqliteOutbox, verdict: Literal["done", "retry", "dead"], status: int, at: int
) -> None:
    """The one delivery to meta was tried and ended so."""
    (one,) = await outbox.claim("toko", "meta", 9, at)
    await outbox.settle([Outcome(one, verdict, status, f"said {status}", at + 1)], at)


async def story(outbox: SqliteOutbox, event_id: str = "e1") -> list[tuple[Any, ...]]:
    """The steps of the event's delivery to meta: when, what, which attempt, status, reason."""
    (row,) = await outbox.deliveries("toko", event_id=event_id, destination="meta")
    return [(step["at"] - NOW, *list(step.values())[1:]) for step in row["history"]]


def history_rows(path: Path) -> int:
    db = sqlite3.connect(path)
    (count,) = db.execute("SELECT count(*) FROM history").fetchone()
    db.close()
    return int(count)


async def test_each_attempt_is_told_with_its_time_status_and_reason(path: Path) -> None:
    """From queued to done, over a death and a replay; the event keeps its ID."""
    async with await SqliteOutbox.open(path) as outbox:
        await outbox.put([record()])
        await attempt(outbox, "retry", 503, NOW + 10)
        await attempt(outbox, "retry", 429, NOW + 20)
        await attempt(outbox, "dead", 400, NOW + 30)
        await outbox.replay("toko", now_ms=NOW + 40)
        await attempt(outbox, "done", 200, NOW + 50)
        assert await story(outbox) == [
            (0, "queued", None, None, ""),
            (10, "retry", 1, 503, "said 503"),
            (20, "retry", 2, 429, "said 429"),
            (30, "dead", 3, 400, "said 400"),
            (40, "replayed", None, None, ""),
            (50, "done", 1, 200, "said 200"),
        ]


async def test_what_was_skipped_says_why_at_once(path: Path) -> None:
    """It was never queued."""
    async with await SqliteOutbox.open(path) as outbox:
        await outbox.put([(event(), [to("meta", "skipped")])])
        assert await story(outbox) == [(0, "skipped", None, None, "no consent")]


async def test_a_dropped_dead_letter_still_tells_how_it_died(path: Path) -> None:
    """And when it was dropped."""
    async with await SqliteOutbox.open(path) as outbox:
        await outbox.put([record()])
        await attempt(outbox, "dead", 400, NOW + 10)
        await outbox.drop("toko", now_ms=NOW + 20)
        assert (await story(outbox))[1:] == [
            (10, "dead", 1, 400, "said 400"),
            (20, "dropped", None, None, "dropped: said 400"),
        ]


async def test_what_a_killed_relay_was_sending_is_an_attempt_too(path: Path) -> None:
    """Found at the next start, with its reason."""
    async with await SqliteOutbox.open(path) as outbox:
        await outbox.put([record()])
        await attempt(outbox, "retry", 429, NOW + 10)
        await outbox.begin(await outbox.claim("toko", "meta", 1, NOW + 20))
    async with await SqliteOutbox.open(path, now_ms=NOW + 30) as outbox:
        *_, retry, last = await story(outbox)
        assert retry == (10, "retry", 1, 429, "said 429")
        assert last[:4] == (30, "dead", 2, None)
        assert "may have arrived" in last[4]


async def test_where_it_came_from_and_its_consent_outlive_its_personal_data(path: Path) -> None:
    """With the order's ID, when it was received and when it will be tried next."""
    async with await SqliteOutbox.open(path) as outbox:
        await outbox.put([record("e1", source="page", consent=CONSENT)])
        await attempt(outbox, "retry", 503, NOW + 10)
        (row,) = await outbox.deliveries("toko", event_id="e1")
        assert row["due_at"] == NOW + 11
        await attempt(outbox, "done", 200, NOW + 20)
        await outbox.check()
        assert b"siti" not in raw(path)
        (row,) = await outbox.deliveries("toko", event_id="e1")
        kept = {key: row[key] for key in ("source", "consent", "received_at", "due_at", "order_id")}
        assert kept == {
            "source": "page",
            "consent": CONSENT,
            "received_at": NOW,
            "due_at": None,
            "order_id": None,
        }


async def test_a_list_of_many_deliveries_tells_no_stories(path: Path) -> None:
    """They are told of an event or an order that is asked for."""
    async with await SqliteOutbox.open(path) as outbox:
        await outbox.put([record("O1-purchase", name="purchase", params={"id": "O1"})])
        (row,) = await outbox.deliveries("toko")
        assert "history" not in row
        (row,) = await outbox.deliveries("toko", order_id="O1")
        assert (row["order_id"], [step["what"] for step in row["history"]]) == ("O1", ["queued"])


async def test_what_is_done_at_once_costs_no_row_of_history(path: Path) -> None:
    """As most deliveries are: their own row tells all."""
    async with await SqliteOutbox.open(path) as outbox:
        await outbox.put([record(f"e{n}") for n in range(9)])
        await end(outbox, "done")
        assert [step[1] for step in await story(outbox)] == ["queued", "done"]
    assert history_rows(path) == 0


async def test_of_many_attempts_the_last_are_kept(path: Path) -> None:
    """A system that is down for a week does not fill the disk; the number of attempts is right."""
    async with await SqliteOutbox.open(path) as outbox:
        await outbox.put([record()])
        for n in range(1, 101):
            await attempt(outbox, "retry", 503, NOW + 10 * n)
        told = [step[2] for step in await story(outbox)]
        assert told == [None, *range(80, 101)]
    assert history_rows(path) == 20


async def test_a_forgotten_delivery_leaves_no_history(path: Path) -> None:
    """It goes with its delivery."""
    async with await SqliteOutbox.open(path) as outbox:
        await outbox.put([record()])
        await attempt(outbox, "retry", 503, NOW + 10)
        await attempt(outbox, "done", 200, NOW + 20)
        assert await outbox.purge(NOW + 8 * DAY_MS, {}) == 1
    assert history_rows(path) == 0


async def test_a_replay_respects_the_destinations_age_limit(path: Path) -> None:
    """What is too old for it by then is a dead letter again, at once and unsent, and says so."""
    async with stage(path, FakeDestination(max_age_s=3600)) as toko:
        toko.systems["meta"] = says(400, "bad currency")
        await toko.put("e1")
        await toko.quiet()
        del toko.systems["meta"]
        toko.time.now += 3600 * 1000 + 1
        assert await toko.outbox.replay("toko", now_ms=toko.time.now) == 1
        toko.loop.wake("toko")
        await toko.quiet()
        assert toko.sent() == [["e1"]]
        *_, died, replayed, again = await story(toko.outbox)
        assert died[1:] == ("dead", 1, 400, "bad currency")
        assert replayed[1] == "replayed"
        assert again[1:4] == ("dead", None, None)
        assert again[4].startswith("older than 60 minutes, the most this destination takes")


async def test_a_replay_sends_the_same_event_id(path: Path) -> None:
    """So that a destination which has it already drops the repeat."""
    async with stage(path) as toko:
        toko.systems["meta"] = says(400, "bad currency")
        await toko.put("e1")
        await toko.quiet()
        del toko.systems["meta"]
        await toko.outbox.replay("toko", event_id="e1", now_ms=toko.time.now)
        toko.loop.wake("toko")
        await toko.quiet()
        assert toko.sent() == [["e1"], ["e1"]]
        assert (await claim(toko.outbox)) == []
        (row,) = await toko.outbox.deliveries("toko", event_id="e1")
        assert (row["state"], row["sent_as"]) == ("done", "sent-e1")


async def test_a_replay_from_outside_is_found_by_a_running_relay(path: Path) -> None:
    """Within half a minute, though nobody wakes it: the command line is another process."""
    async with stage(path) as toko:
        toko.systems["meta"] = says(400, "bad currency")
        await toko.put("e1")
        await toko.quiet()
        del toko.systems["meta"]
        async with await SqliteOutbox.beside(path) as outside:
            assert await outside.replay("toko", now_ms=toko.time.now) == 1
        await toko.passes(30)
        assert await toko.states() == {"e1": "done"}
