"""How fast delivery goes (DESIGN 5.5): limits, circuit breaker and what answers ask for."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.relay.delivery_stage import FakeDestination, Held, System, accept, fails, says, stage
from tests.relay.records import DAY_MS

pytestmark = pytest.mark.anyio

DEAD = fails(httpx.ConnectError("refused"))


class TestBreaker:
    @pytest.mark.parametrize(
        "system", [DEAD, says(503), says(429), fails(httpx.ReadTimeout("slow"))]
    )
    async def test_a_system_that_is_down_is_left_alone(self, path: Path, system: System) -> None:
        """Ten failures in a row, then one delivery after 1, 2, 4 ... seconds, a minute at most."""
        async with stage(path) as on:
            on.systems["meta"] = system
            await on.put(*(f"e{n}" for n in range(100)))
            await on.quiet()
            started = len(on.calls)
            assert 10 <= started < 10 + 8
            assert on.loop.states == {("toko", "meta"): "open"}
            await on.passes(200)
            probes = on.times()[started:]
            assert probes == [1, 3, 7, 15, 31, 63, 123, 183]

    async def test_nothing_waiting_spends_an_attempt_on_a_system_that_is_down(
        self, path: Path
    ) -> None:
        """An hour of it costs the attempts of the probes, and buries nothing."""
        async with stage(path) as on:
            on.systems["meta"] = DEAD
            await on.put(*(f"e{n}" for n in range(100)))
            await on.quiet()
            await on.passes(3600)
            rows = (await on.rows(limit=200)).values()
            assert {row["state"] for row in rows} == {"waiting"}
            assert sum(row["attempts"] for row in rows) == len(on.calls) < 90
            assert max(row["attempts"] for row in rows) <= 2

    async def test_what_waited_follows_the_first_success_at_once(self, path: Path) -> None:
        """Two at once, four, eight: a system that just came back is not overrun."""
        async with stage(path) as on:
            on.systems["meta"] = DEAD
            await on.put(*(f"e{n}" for n in range(100)))
            await on.quiet()
            on.systems["meta"] = held = Held()
            await on.passes(1, stalled=1)
            assert on.loop.states == {("toko", "meta"): "half_open"}
            held.let_go.set()
            await on.quiet()
            assert on.loop.states == {("toko", "meta"): "closed"}
            assert len(await on.rows(state="done", limit=200)) >= 80

    async def test_a_system_that_comes_back_is_not_overrun(self, path: Path) -> None:
        """After the probe there are two requests at once, not eight."""
        async with stage(path) as on:
            on.systems["meta"] = DEAD
            await on.put(*(f"e{n}" for n in range(40)))
            await on.quiet()
            before, held = len(on.calls), Held()
            answered: list[list[str]] = []

            async def answer(ids: list[str]) -> httpx.Response:
                answered.append(ids)
                return accept(ids) if len(answered) == 1 else await held(ids)

            on.systems["meta"] = answer
            await on.passes(1, stalled=2)
            await on.asked(before + 3)
            assert len(answered) == 3
            held.let_go.set()
            await on.quiet()

    async def test_what_must_not_be_repeated_is_spared_a_silent_system(self, path: Path) -> None:
        """Each request without an answer costs its event; an hour costs some twenty of them."""
        async with stage(path, FakeDestination(repeatable=False)) as on:
            on.systems["meta"] = fails(httpx.ReadTimeout("slow"))
            await on.put(*(f"e{n}" for n in range(100)))
            await on.quiet()
            await on.passes(3600)
            states = list((await on.rows(limit=200)).values())
            dead = [row for row in states if row["state"] == "dead"]
            assert len(dead) == len(on.calls) <= 30

    async def test_a_dead_destination_does_not_slow_another(self, path: Path) -> None:
        """Each has a breaker of its own."""
        async with stage(path, FakeDestination("meta"), FakeDestination("tiktok")) as on:
            on.systems["meta"] = DEAD
            await on.put(*(f"e{n}" for n in range(50)), to=["meta", "tiktok"])
            await on.quiet()
            assert on.loop.states == {("toko", "meta"): "open", ("toko", "tiktok"): "closed"}
            assert len(await on.rows(destination="tiktok", state="done", limit=200)) == 50

    async def test_it_is_said_when_a_system_goes_and_when_it_comes_back(
        self, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Once each."""
        async with stage(path) as on:
            on.systems["meta"] = DEAD
            await on.put(*(f"e{n}" for n in range(20)))
            await on.passes(60)
            on.systems["meta"] = accept
            await on.passes(60)
        lines = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
        assert [line.split(":")[0].split()[0] for line in lines] == ["down", "resumed"]
        assert 'site=toko destination=meta reason="no connection: refused"' in lines[0]


@pytest.mark.parametrize(
    ("system", "wait_s"), [(DEAD, 1), (says(429, **{"Retry-After": "40"}), 40), (says(401), 60)]
)
async def test_a_date_that_is_set_back_holds_up_nothing(
    path: Path, system: System, wait_s: float
) -> None:
    """By a day, while the destination is down, throttled or paused: its pace asks no date."""
    async with stage(path) as on:
        on.systems["meta"] = system
        await on.put(*(f"e{n}" for n in range(30)))
        await on.quiet()
        on.systems["meta"] = accept
        on.time.ahead_ms = -DAY_MS
        before = len(on.calls)
        await on.passes(wait_s - 0.5)
        assert len(on.calls) == before
        await on.passes(0.5)
        assert len(on.calls) > before


class TestLimits:
    @pytest.mark.parametrize("in_flight", [1, 2, 5])
    async def test_no_more_requests_are_under_way_than_the_destination_takes(
        self, path: Path, in_flight: int
    ) -> None:
        """Whatever waits."""
        async with stage(path, FakeDestination(in_flight=in_flight)) as on:
            on.systems["meta"] = held = Held()
            await on.put(*(f"e{n}" for n in range(20)))
            await on.quiet(stalled=in_flight)
            await on.asked(in_flight)
            assert len(on.calls) == in_flight
            held.let_go.set()
            await on.quiet()
            assert set((await on.states()).values()) == {"done"}

    async def test_no_more_requests_are_sent_a_second_than_the_destination_takes(
        self, path: Path
    ) -> None:
        """Three at the start, then three a second."""
        async with stage(path, FakeDestination(per_second=3)) as on:
            await on.put(*(f"e{n}" for n in range(12)))
            await on.quiet()
            assert on.times() == [0, 0, 0]
            await on.passes(1)
            assert on.times() == [0, 0, 0, 0.334, 0.667, 1.0]
            await on.passes(2)
            assert len(on.times()) == 12

    async def test_a_limit_is_the_destination_s_own(self, path: Path) -> None:
        """Another one of the same event is not slowed by it."""
        slow, quick = FakeDestination("kwai", per_second=1), FakeDestination("meta")
        async with stage(path, slow, quick) as on:
            await on.put(*(f"e{n}" for n in range(9)), to=["kwai", "meta"])
            await on.quiet()
            assert (len(on.sent("kwai")), len(on.sent("meta"))) == (1, 9)

    async def test_requests_that_hold_less_than_they_may_stay_within_the_limit(
        self, path: Path
    ) -> None:
        """What does not fit into the requests at hand waits, and is not held in memory."""
        async with stage(path, OneByOne(batch=50, in_flight=2)) as on:
            on.systems["meta"] = held = Held()
            await on.put(*(f"e{n}" for n in range(30)))
            await on.quiet(stalled=2)
            await on.asked(2)
            assert len(on.calls) == 2
            held.let_go.set()
            await on.quiet()
            assert sorted(on.sent()) == sorted([f"e{n}"] for n in range(30))


class OneByOne(FakeDestination):
    """Its events are too large to travel together."""

    def requests(self, events):  # type: ignore[no-untyped-def]
        return [request for event in events for request in super(OneByOne, self).requests([event])]


async def test_a_system_may_ask_for_a_rest_with_a_success(path: Path) -> None:
    """Scalev: nothing is left of the rate limit; what follows is not sent to be refused."""
    async with stage(path, Courteous(in_flight=1)) as on:
        await on.put("e1", "e2")
        await on.quiet()
        assert on.times() == [0]
        await on.passes(30)
        assert on.times() == [0, 12]


class Courteous(FakeDestination):
    """Asks for twelve seconds with each answer."""

    def judge(self, request, answer, now):  # type: ignore[no-untyped-def]
        judgement = super().judge(request, answer, now)
        return type(judgement)(judgement.verdict, judgement.reason, 12.0)
