"""What delivery promises (DESIGN 5.5), one promise a test."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from relay.outbox.sqlite import SqliteOutbox
from tests.relay.delivery_stage import (
    FakeDestination,
    Held,
    System,
    accept,
    fails,
    says,
    stage,
)
from tests.relay.records import DAY_MS, NOW, raw, record

pytestmark = pytest.mark.anyio


class TestEveryEventArrives:
    async def test_what_is_put_is_delivered_without_time_passing(self, path: Path) -> None:
        """Waking is enough: no poll stands between the shopper's click and the system."""
        async with stage(path, FakeDestination("meta"), FakeDestination("tiktok")) as on:
            await on.put("e1", "e2", to=["meta", "tiktok"])
            await on.quiet()
            assert sorted(on.sent("meta")) == sorted(on.sent("tiktok")) == [["e1"], ["e2"]]
            assert await on.states("meta") == {"e1": "done", "e2": "done"}
            counted = {"site": "toko", "destination": "tiktok", "outcome": "delivered"}
            assert on.loop.metrics.value("deliveries_total", **counted) == 2

    async def test_what_waited_from_before_is_delivered_at_the_start(self, path: Path) -> None:
        """A relay that was stopped, or killed, goes on where it was."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([record("e1")])
            await outbox.claim("toko", "meta", 1, NOW)
        async with stage(path) as on:
            assert on.sent() == [["e1"]]

    async def test_events_travel_together_where_a_system_takes_batches(self, path: Path) -> None:
        """As many as it takes, never more."""
        async with stage(path, FakeDestination(batch=3)) as on:
            await on.put(*(f"e{n}" for n in range(8)))
            await on.quiet()
            assert sorted(map(len, on.sent())) == [2, 3, 3]
            assert set((await on.states()).values()) == {"done"}

    async def test_an_idle_relay_asks_its_outbox_for_nothing(self, path: Path) -> None:
        """No busy polling: with nothing due, a worker looks once in thirty seconds."""
        async with stage(path) as on:
            await on.put("e1")
            await on.quiet()
            on.time.rests.clear()
            await on.passes(300)
            assert on.time.rests == [30.0] * 10

    async def test_the_shoppers_data_leaves_the_disk_once_delivered(self, path: Path) -> None:
        """As soon as the last delivery of the event is done, and not before."""
        async with stage(path, FakeDestination("meta"), FakeDestination("tiktok")) as on:
            on.systems["tiktok"] = held = Held()
            await on.put("e1", to=["meta", "tiktok"])
            await on.quiet(stalled=1)
            assert (await on.states("meta")) == {"e1": "done"}
            assert b"siti" in raw(path)
            held.let_go.set()
            await on.quiet()
            await on.outbox.check()
            assert b"siti" not in raw(path)


class TestRetry:
    async def test_the_waits_double_up_to_fifteen_minutes(self, path: Path) -> None:
        """With the most chance can give; with the least, it is tried again at once."""
        async with stage(path) as on:
            on.systems["meta"] = says(503)
            await on.put("e1")
            await on.quiet()
            await on.passes(4000)
            assert on.times() == [0, 2, 6, 14, 30, 62, 126, 254, 510, 1022, 1922, 2822, 3722]
            row = (await on.rows())["e1"]
            assert (row["state"], row["attempts"], row["status"]) == ("waiting", 13, 503)
            assert row["reason"] == "server error (503)"

    async def test_retry_after_is_obeyed_by_the_whole_destination(self, path: Path) -> None:
        """A throttled system is asked for nothing until it said, new events included."""
        async with stage(path) as on:
            on.systems["meta"] = says(429, **{"Retry-After": "40"})
            await on.put("e1")
            await on.quiet()
            on.systems["meta"] = accept
            await on.passes(20)
            await on.put("e2")
            await on.passes(30)
            assert on.times() == [0, 40, 40]
            assert await on.states() == {"e1": "done", "e2": "done"}

    async def test_an_event_is_tried_until_its_destinations_age_limit(self, path: Path) -> None:
        """Then it is a dead letter that says how the last attempt ended."""
        async with stage(path, FakeDestination(max_age_s=3600)) as on:
            on.systems["meta"] = says(500)
            await on.put("e1")
            await on.quiet()
            await on.passes(2 * 3600)
            assert max(on.times()) <= 3600
            row = (await on.rows())["e1"]
            assert row["state"] == "dead"
            assert row["reason"].startswith("older than 60 minutes")
            assert row["reason"].endswith("server error (500)")
            assert row["attempts"] == len(on.times())

    async def test_an_event_that_arrives_too_old_is_never_sent(self, path: Path) -> None:
        """A page kept it for eight days, Meta takes seven."""
        async with stage(path) as on:
            await on.put("old", event_time=NOW - 8 * DAY_MS)
            await on.put("new", event_time=NOW - 6 * DAY_MS)
            await on.quiet()
            assert on.sent() == [["new"]]
            row = (await on.rows())["old"]
            assert (row["state"], row["attempts"]) == ("dead", 0)
            assert row["reason"] == "older than 7 days, the most this destination takes"


@pytest.mark.parametrize(
    ("system", "repeatable", "state", "words"),
    [
        (fails(httpx.ConnectError("refused")), False, "waiting", "no connection: refused"),
        (fails(httpx.ConnectTimeout("slow")), False, "waiting", "no connection: slow"),
        (says(429), False, "waiting", "throttled (429)"),
        (says(401), False, "waiting", "credentials refused (401)"),
        (fails(httpx.ReadTimeout("slow")), False, "dead", "it may have arrived"),
        (fails(httpx.RemoteProtocolError("closed")), False, "dead", "it may have arrived"),
        (says(500), False, "dead", "it may have arrived"),
        (fails(httpx.ReadTimeout("slow")), True, "waiting", "no answer: ReadTimeout"),
        (says(500), True, "waiting", "server error (500)"),
        (says(400, "bad currency"), True, "dead", "bad currency"),
        (says(400, "x" * 999), True, "dead", "x" * 300),
    ],
)
async def test_only_what_cannot_count_twice_is_tried_again(
    path: Path, system: System, repeatable: bool, state: str, words: str
) -> None:
    """At most once where a repeat would count twice: an ambiguous end is a dead letter there."""
    async with stage(path, FakeDestination(repeatable=repeatable)) as on:
        on.systems["meta"] = system
        await on.put("e1")
        await on.quiet()
        row = (await on.rows())["e1"]
        assert (row["state"], row["attempts"]) == (state, 1)
        assert words in row["reason"]
        assert len(row["reason"]) <= 300


def refuses(bad: str) -> System:
    return lambda ids: (
        httpx.Response(400, text=f"{bad} is wrong") if bad in ids else httpx.Response(200)
    )


class TestBatch:
    async def test_one_bad_event_among_eight_is_found(self, path: Path) -> None:
        """It alone is a dead letter, with the system's words; the other seven are delivered."""
        async with stage(path, FakeDestination(batch=8)) as on:
            on.systems["meta"] = refuses("e5")
            await on.put(*(f"e{n}" for n in range(8)))
            await on.quiet()
            states = await on.states()
            assert [event_id for event_id, state in states.items() if state == "dead"] == ["e5"]
            assert list(states.values()).count("done") == 7
            assert (await on.rows())["e5"]["reason"] == "e5 is wrong"
            assert [len(ids) for ids in on.sent()] == [8, 4, 4, 2, 1, 1, 2]

    async def test_a_batch_that_may_have_arrived_is_not_split(self, path: Path) -> None:
        """No answer, and a repeat would count twice: all of it are dead letters, sent once."""
        async with stage(path, FakeDestination(batch=4, repeatable=False)) as on:
            on.systems["meta"] = says(500)
            await on.put("e1", "e2", "e3", "e4")
            await on.quiet()
            assert len(on.sent()) == 1
            assert set((await on.states()).values()) == {"dead"}

    async def test_a_batch_refused_as_a_whole_is_split_though_it_must_not_be_repeated(
        self, path: Path
    ) -> None:
        """A 400 says that nothing was taken."""
        async with stage(path, FakeDestination(batch=4, repeatable=False)) as on:
            on.systems["meta"] = refuses("e2")
            await on.put("e1", "e2", "e3", "e4")
            await on.quiet()
            assert await on.states() == {"e1": "done", "e2": "dead", "e3": "done", "e4": "done"}

    async def test_splitting_stops_where_the_system_says_wait(self, path: Path) -> None:
        """The parts not sent yet wait too, without an attempt."""
        answers = iter([httpx.Response(400), httpx.Response(429, headers={"Retry-After": "9"})])
        async with stage(path, FakeDestination(batch=4)) as on:
            on.systems["meta"] = lambda ids: next(answers, httpx.Response(200))
            await on.put("e1", "e2", "e3", "e4")
            await on.quiet()
            assert len(on.sent()) == 2
            attempts = {event_id: row["attempts"] for event_id, row in (await on.rows()).items()}
            assert sorted(attempts.values()) == [0, 0, 1, 1]
            await on.passes(9)
            assert set((await on.states()).values()) == {"done"}
