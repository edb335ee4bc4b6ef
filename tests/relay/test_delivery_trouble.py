"""What delivery promises (DESIGN 5.5) when something is wrong, one promise a test."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from relay.destinations import Answer, Judgement, Request
from relay.outbox import OutboxUnavailable
from relay.outbox.sqlite import SqliteOutbox
from tests.relay.delivery_stage import (
    FakeDestination,
    Held,
    accept,
    says,
    stage,
)
from tests.relay.killed import killed_after
from tests.relay.records import DAY_MS, NOW, record

pytestmark = pytest.mark.anyio


class TestCredentials:
    async def test_a_refusal_pauses_and_buries_nothing(
        self, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It says so once and loudly, tries one delivery a minute, and goes on with the first
        success."""
        async with stage(path, FakeDestination(batch=4)) as on:
            on.systems["meta"] = says(401)
            await on.put("e0")
            await on.quiet()
            await on.put(*(f"e{n}" for n in range(1, 40)))
            await on.passes(299)
            assert on.times() == [0, 60, 120, 180, 240]
            assert [len(ids) for ids in on.sent()] == [1] * 5
            assert set((await on.states()).values()) == {"waiting"}
            assert on.loop.paused == {("toko", "meta"): "credentials refused (401)"}
            (line,) = [one.getMessage() for one in caplog.records if one.levelname == "ERROR"]
            assert line.startswith("PAUSED: check this destination in the site file")
            assert line.endswith('site=toko destination=meta reason="credentials refused (401)"')
            on.systems["meta"] = accept
            await on.passes(70)
            assert set((await on.states()).values()) == {"done"}
            assert on.loop.paused == {}

    async def test_the_same_delivery_is_tried_every_minute_where_there_is_no_other(
        self, path: Path
    ) -> None:
        """A pause is no failure of the delivery: its waits do not double."""
        async with stage(path) as on:
            on.systems["meta"] = says(401)
            await on.put("e1")
            await on.quiet()
            await on.passes(900)
            assert on.times() == [60 * n for n in range(16)]

    async def test_what_grows_too_old_meanwhile_is_a_dead_letter_all_the_same(
        self, path: Path
    ) -> None:
        """With why it waited; and nothing of it is sent to a system that takes it no more."""
        async with stage(path, FakeDestination(max_age_s=3600)) as on:
            on.systems["meta"] = says(401)
            await on.put(*(f"e{n}" for n in range(300)))
            await on.quiet()
            await on.passes(3600)
            asked = len(on.calls)
            assert set((await on.states()).values()) == {"waiting"}
            await on.passes(60)
            assert len(on.calls) == asked
            assert set((await on.states()).values()) == {"dead"}

    async def test_other_destinations_go_on(self, path: Path) -> None:
        """A wrong token of one is no concern of the others."""
        async with stage(path, FakeDestination("meta"), FakeDestination("tiktok")) as on:
            on.systems["meta"] = says(403)
            await on.put("e1", "e2", to=["meta", "tiktok"])
            await on.quiet()
            assert await on.states("tiktok") == {"e1": "done", "e2": "done"}


class TestSlow:
    async def test_a_slow_destination_delays_no_other(self, path: Path) -> None:
        """Though it holds as many requests as it may."""
        async with stage(path, FakeDestination("meta"), FakeDestination("tiktok")) as on:
            on.systems["meta"] = held = Held()
            await on.put(*(f"e{n}" for n in range(30)), to=["meta", "tiktok"])
            await on.quiet(stalled=8)
            assert len(on.sent("meta")) == 8
            assert set((await on.states("tiktok")).values()) == {"done"}
            held.let_go.set()
            await on.quiet()
            assert set((await on.states("meta")).values()) == {"done"}

    async def test_a_slow_answer_holds_up_nothing_else_of_its_destination(self, path: Path) -> None:
        """Seven other requests go on beside it."""
        async with stage(path) as on:
            on.systems["meta"] = held = Held(only="e0")
            await on.put(*(f"e{n}" for n in range(30)))
            await on.quiet(stalled=1)
            states = await on.states()
            assert [event_id for event_id, state in states.items() if state != "done"] == ["e0"]
            held.let_go.set()
            await on.quiet()


class Broken(FakeDestination):
    """A destination with a fault in our own code."""

    def requests(self, events: Any) -> list[Request]:
        if any(event["event_id"] == "bad" for event in events):
            raise KeyError(events[0]["user"]["email"])
        if any(event["event_id"] == "lost" for event in events):
            return []
        return super().requests(events)

    def judge(self, request: Request, answer: Answer, now: float) -> Judgement:
        if any(event["event_id"] == "odd" for event in request.events):
            raise ValueError(request.events[0]["user"]["email"])
        return super().judge(request, answer, now)


@pytest.mark.parametrize(
    ("event_id", "reason"),
    [
        ("bad", "internal error: KeyError"),
        ("lost", "internal error: EventsLeftOut"),
        ("odd", "internal error: ValueError"),
    ],
)
async def test_a_fault_of_ours_buries_one_event_and_stops_nobody(
    path: Path, caplog: pytest.LogCaptureFixture, event_id: str, reason: str
) -> None:
    """Where it happened is logged, without the exception's words: they may quote the shopper."""
    async with stage(path, Broken(batch=8)) as on:
        await on.put("e1", "e2", event_id, "e3")
        await on.quiet()
        await on.put("e4")
        await on.quiet()
        states = await on.states()
        assert states.pop(event_id) == "dead"
        assert set(states.values()) == {"done"}
        assert (await on.rows())[event_id]["reason"] == reason
        assert reason in caplog.text
        assert "siti" not in caplog.text


class FullDisk(SqliteOutbox):
    """An outbox that can't write what becomes of deliveries, until there is room."""

    is_full = True

    async def begin(self, deliveries: Any) -> None:
        if self.is_full:
            raise OutboxUnavailable("database or disk is full")
        await super().begin(deliveries)

    async def settle(self, outcomes: Any, now_ms: int) -> None:
        if self.is_full:
            raise OutboxUnavailable("database or disk is full")
        await super().settle(outcomes, now_ms)


class TestFullDisk:
    async def test_what_happened_is_stored_as_soon_as_it_can_be(self, path: Path) -> None:
        """The disk is full when the answer comes: it is settled later, and not sent again."""
        async with stage(path, store=FullDisk) as on:
            await on.put("e1")
            await on.quiet(stalled=1, resting=3)  # the request's own task rests too
            cast(FullDisk, on.outbox).is_full = False
            on.time.pass_to(NOW + 5000)
            await on.quiet()
            assert on.sent() == [["e1"]]
            assert await on.states() == {"e1": "done"}

    async def test_what_must_not_be_repeated_is_not_sent_unnoted(self, path: Path) -> None:
        """That it is about to be sent must be on disk first; till then it waits."""
        async with stage(path, FakeDestination(repeatable=False), store=FullDisk) as on:
            await on.put("e1")
            await on.quiet()
            assert on.sent() == []
            cast(FullDisk, on.outbox).is_full = False
            await on.passes(5)
            assert on.sent() == [["e1"]]
            assert await on.states() == {"e1": "done"}


class TestStop:
    async def test_what_is_under_way_is_finished(self, path: Path) -> None:
        """Within the deadline; nothing new is started, the rest waits for the next start."""
        async with stage(path, FakeDestination(in_flight=1)) as on:
            on.systems["meta"] = held = Held()
            await on.put("e1", "e2")
            await on.quiet(stalled=1)
            stopping = asyncio.ensure_future(on.loop.stop(30))
            await asyncio.sleep(0)
            held.let_go.set()
            await stopping
            assert on.sent() == [["e1"]]
            assert await on.states() == {"e1": "done", "e2": "waiting"}

    @pytest.mark.parametrize(("repeatable", "state"), [(True, "waiting"), (False, "dead")])
    async def test_what_is_cut_short_may_have_arrived(
        self, path: Path, repeatable: bool, state: str
    ) -> None:
        """At the deadline: sent again at the next start, but where a repeat would count twice."""
        async with stage(path, FakeDestination(repeatable=repeatable)) as on:
            on.systems["meta"] = Held()
            await on.put("e1")
            await on.quiet(stalled=1)
            async with asyncio.timeout(5):  # half the time a request may take
                await on.loop.stop(0)
            assert await on.states() == {"e1": state}


class TestHouse:
    async def test_what_is_over_is_purged_every_hour(self, path: Path) -> None:
        """By the site's own retention."""
        async with stage(path, retention_days={"toko": 1}) as on:
            on.systems["meta"] = says(400)
            await on.put("e1")
            await on.quiet()
            on.time.pass_to(NOW + DAY_MS + 3_600_000)
            await on.quiet()
            assert await on.states() == {"e1": "skipped"}

    async def test_deliveries_that_nobody_will_make_are_told(
        self, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A destination taken out of the site file leaves what waits for it, with a warning."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([record("e1", "kwai")])
        async with stage(path):
            assert "deliveries wait for a destination that no site file has" in caplog.text
            assert "site=toko destination=kwai waiting=1" in caplog.text

    async def test_what_nobody_will_make_is_a_dead_letter_after_a_day(self, path: Path) -> None:
        """Time enough to start again with the right site file; then operators see it among the
        dead letters, and replay or drop it."""
        async with await SqliteOutbox.open(path) as outbox:
            await outbox.put([record(f"e{n:03}", "kwai") for n in range(450)])
            await outbox.put([record("e1", "kwai", "meta", received_at=NOW + 3_600_000)])
        async with stage(path) as on:
            on.time.pass_to(NOW + DAY_MS - 1)
            await on.quiet()
            assert await on.outbox.dead_letters("toko") == []
            on.time.pass_to(NOW + DAY_MS + 3_600_000 - 1)
            await on.quiet()
            letters = await on.outbox.dead_letters("toko")
            assert len(letters) == 450
            assert {(row["attempts"], row["reason"]) for row in letters} == {
                (0, "no site file has this destination any more")
            }
            on.time.pass_to(NOW + DAY_MS + 7_200_000)
            await on.quiet()
            assert len(await on.outbox.dead_letters("toko")) == 451
            assert await on.states("meta") == {"e1": "done"}
            assert await on.outbox.replay("toko", destination="kwai", now_ms=on.time.now) == 451


async def test_nothing_personal_and_no_secret_is_logged(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever the level and whatever the system says: no body, no e-mail, no token, no query."""
    caplog.set_level(0)
    words = "bad e-mail siti@example.com, token T0ken-in-the-url"
    async with stage(path, FakeDestination("meta"), FakeDestination("tiktok")) as on:
        for answer in (says(400, words), says(401, words), says(503, words), accept):
            on.systems["meta"] = answer
            await on.put(f"e{len(on.calls)}", to=["meta", "tiktok"])
            await on.passes(120)
        reasons = " ".join(row["reason"] for row in (await on.rows()).values())
    assert 'event_id=e0 attempt=1 status=400 reason="bad e-mail [hidden]' in caplog.text
    for secret in ("siti", "T0ken", "access_token", "authorization", "3000000000"):
        assert secret not in caplog.text
        assert secret not in reasons


ASKS_AND_WAITS = """
import asyncio, sys, httpx
from relay.delivery import DeliveryLoop
from relay.outbox.sqlite import SqliteOutbox
from tests.relay.delivery_stage import FakeDestination
from tests.relay.records import NOW, record

async def never_answers(request):
    print(request.url.host, flush=True)
    await asyncio.Future()

async def main():
    outbox = await SqliteOutbox.open(sys.argv[1])
    await outbox.put([record("e1", "meta", "kwai")])
    DeliveryLoop(
        outbox,
        [("toko", FakeDestination("meta")), ("toko", FakeDestination("kwai", repeatable=False))],
        transport=lambda: httpx.MockTransport(never_answers),
        now_ms=lambda: NOW,
    ).start()
    await asyncio.Future()

asyncio.run(main())
"""


async def test_a_relay_killed_while_it_sends_repeats_only_what_cannot_count_twice(
    path: Path,
) -> None:
    """SIGKILL with both requests under way: one is sent again, the other is a dead letter."""
    said = await killed_after(2, ASKS_AND_WAITS, path)
    assert sorted(said) == ["kwai.example", "meta.example"]
    async with stage(path, FakeDestination("meta"), FakeDestination("kwai")) as on:
        assert on.sent("meta") == [["e1"]]
        assert on.sent("kwai") == []
        (letter,) = await on.outbox.dead_letters("toko")
        assert letter["destination"] == "kwai"
        assert "may have arrived" in letter["reason"]
