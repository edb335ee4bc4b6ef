"""Whether the relay is ready, and what it says of its own when something is wrong for long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from relay import watch
from relay.disk import LEAST_FREE_BYTES, Disk
from relay.metrics import Metrics
from relay.outbox import Outcome
from tests.relay.relay_stage import EVENT, NOW, Stage, stage

MIB = 1024 * 1024
HOUR_MS = 60 * 60 * 1000
MINUTE_MS = 60 * 1000


class Usage:
    """A disk with so much room."""

    def __init__(self, free: int) -> None:
        self.free = free

    def __call__(self, folder: Path) -> Usage:
        return self


@contextmanager
def on_a_disk(
    folder: Path, free: int, least: int = LEAST_FREE_BYTES
) -> Iterator[tuple[Stage, Usage]]:
    usage = Usage(free)
    with stage(folder, disk=Disk(folder / "outbox.db", least, usage)) as toko:
        yield toko, usage


# --- ready ---

# Free MiB, the least that is asked for, and what is wrong.
DISKS = [
    (64, 64, ""),
    (63, 64, "only 63 MiB are free on the outbox's disk, 64 MiB are needed"),
    (0, 64, "only 0 MiB are free on the outbox's disk, 64 MiB are needed"),
    (0, 0, ""),
    (99, 100, "only 99 MiB are free on the outbox's disk, 100 MiB are needed"),
]


@pytest.mark.parametrize(("free", "least", "wrong"), DISKS)
def test_readyz_is_503_before_the_disk_is_full(
    tmp_path: Path, free: int, least: int, wrong: str
) -> None:
    """While what was taken can still be stored; `/healthz` stays 200, a restart would not help."""
    with on_a_disk(tmp_path, free * MIB, least * MIB) as (toko, _):
        answer = toko.ask("GET", "/readyz")
        expected = (503, f"not ready: {wrong}") if wrong else (200, "ready")
        assert (answer.status_code, answer.text) == expected
        assert toko.ask("GET", "/healthz").status_code == 200
        assert toko.page({"events": [EVENT]}).status_code == 204


def test_readyz_is_200_again_when_there_is_room(tmp_path: Path) -> None:
    """Nothing has to be restarted."""
    with on_a_disk(tmp_path, 0) as (toko, usage):
        assert toko.ask("GET", "/readyz").status_code == 503
        usage.free = 65 * MIB
        assert toko.ask("GET", "/readyz").status_code == 200


def test_readyz_is_503_where_the_disk_is_gone(tmp_path: Path) -> None:
    """An unmounted one, say; the metrics say what is still known."""

    def gone(folder: Path) -> Any:
        raise FileNotFoundError(2, "No such file or directory", str(folder))

    with stage(tmp_path, disk=Disk(tmp_path / "outbox.db", usage=gone)) as toko:
        answer = toko.ask("GET", "/readyz")
        why = "the outbox's disk can't be looked at: No such file or directory"
        assert (answer.status_code, answer.text) == (503, f"not ready: {why}")
        assert toko.ask("GET", "/metrics").status_code == 200


def test_the_disk_is_the_one_of_the_outbox(tmp_path: Path) -> None:
    """What the system says of the folder that it is in."""
    disk = Disk(tmp_path / "outbox.db")
    assert disk.free_bytes() > 0
    assert disk.outbox_bytes() == 0
    (tmp_path / "outbox.db").write_bytes(b"12345")
    assert disk.outbox_bytes() == 5


def test_a_relay_that_stops_is_not_ready(toko: Stage) -> None:
    """From the signal on, while it answers what is in flight: load balancers look elsewhere."""

    async def stop() -> None:
        toko.relay.begin_stop()

    assert toko.ask("GET", "/readyz").status_code == 200
    toko.run(stop())
    answer = toko.ask("GET", "/readyz")
    assert (answer.status_code, answer.text) == (503, "not ready: stopping")
    assert toko.ask("GET", "/healthz").status_code == 200
    assert toko.page({"events": [EVENT]}).status_code == 204


# --- said ---


def looked(toko: Stage, caplog: pytest.LogCaptureFixture) -> list[str]:
    """What one look says."""
    caplog.clear()
    toko.run(toko.relay.routing.caught_up())
    toko.run(toko.relay.watch.look())
    return caplog.messages


def test_nothing_is_said_while_all_is_well(toko: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """Deliveries that wait for less than an hour are as it should be."""
    toko.page({"events": [EVENT]})
    toko.now_ms = NOW + HOUR_MS - 1
    assert looked(toko, caplog) == []


def test_what_waits_for_more_than_an_hour_is_said(
    toko: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """For each destination, with how many and since when; that it is over is said once."""
    toko.page({"events": [{**EVENT, "destinations": ["tracify"]}]})
    toko.now_ms = NOW + HOUR_MS
    said = f"{watch.LATE} site=toko destination=tracify waiting=1 oldest_s=3600"
    assert looked(toko, caplog) == [said]
    toko.run(_give_up(toko))
    toko.now_ms += MINUTE_MS
    (over,) = looked(toko, caplog)
    assert over.startswith("over what=")
    assert over.endswith("site=toko destination=tracify")
    assert looked(toko, caplog) == []


def test_requests_that_are_not_routed_are_said(
    toko: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """After ten minutes, in which a rush is over; with how many and since when."""

    async def arrive() -> None:
        await toko.outbox.accept("toko", NOW, b"{}", b"what no relay has written")

    toko.run(arrive())
    for minutes, said in ((1, []), (10, [f"{watch.NOT_ROUTED} site=toko waiting=1 oldest_s=600"])):
        toko.now_ms = NOW + minutes * MINUTE_MS
        told = [line for line in looked(toko, caplog) if "internal error" not in line]
        assert told == said


async def _give_up(toko: Stage) -> None:
    found = await toko.outbox.claim("toko", "tracify", 9, toko.now_ms)
    await toko.outbox.settle([Outcome(one, "dead") for one in found], toko.now_ms)


class Loop:
    """A delivery of which only this is asked."""

    def __init__(self) -> None:
        self.paused = {("toko", "scalev.meta"): "credentials refused (401)"}


def test_a_paused_destination_is_said_every_ten_minutes(
    toko: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """It was said when it paused, in a log that nobody may have read."""
    loop = Loop()
    one = watch.Watch(toko.outbox, cast(Any, loop), Metrics(), None, lambda: toko.now_ms)
    said = f"{watch.STILL_PAUSED} site=toko destination=scalev.meta"
    for minute in range(31):
        toko.now_ms = NOW + minute * MINUTE_MS
        caplog.clear()
        toko.run(one.look())
        assert caplog.messages == ([said] if minute % 10 == 0 else []), minute
    loop.paused.clear()
    caplog.clear()
    toko.run(one.look())
    (over,) = caplog.messages
    assert over.startswith("over what=")


def test_a_disk_in_trouble_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Also where nobody asks `/readyz`."""
    with on_a_disk(tmp_path, MIB) as (toko, usage):
        (said,) = looked(toko, caplog)
        assert said.startswith(watch.FULL)
        assert "only 1 MiB are free" in said
        usage.free = 100 * MIB
        assert len(looked(toko, caplog)) == 1
        assert looked(toko, caplog) == []
