"""A real relay is killed, runs out of disk, or is started twice: nothing lost, nothing repeated.

`make soak` does all of it at once, for as long as one likes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.relay.disk import full_disk
from tests.relay.ordeal import Ordeal, check, pid_of
from tests.relay.process_shop import ORIGIN, SCALEV, SHOPPER, event, relay
from tests.relay.processes import RelayProcess, SandboxProcess, until


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("crashes")


@pytest.fixture(scope="module")
def sandbox(folder: Path) -> Iterator[SandboxProcess]:
    one = SandboxProcess(folder)
    one.start()
    yield one
    one.close()


@pytest.fixture(scope="module")
def toko(folder: Path, sandbox: SandboxProcess) -> Iterator[RelayProcess]:
    one = relay(folder, "toko", SCALEV, sandbox.url)
    one.start()
    yield one
    one.close()


def test_a_relay_killed_again_and_again_loses_and_repeats_nothing(tmp_path: Path) -> None:
    """Under load, with systems that fail, stall, throttle, answer garbage and hang up; then with a
    full disk for a while, and a clock that is set back by a day.

    Every event that was acknowledged reached every destination, or is a dead letter that may have
    arrived where a repeat would count twice; there, none arrived twice.
    """
    with Ordeal(tmp_path, seed=4) as ordeal:
        for _ in range(3):
            ordeal.trouble()
            ordeal.kill()
        ordeal.fill_the_disk()
        ordeal.set_the_clock_back()
        assert check(ordeal)["acknowledged"] > 15


# --- a full disk ---


def test_a_full_disk_is_refused_whole_and_recovered_from(
    toko: RelayProcess, sandbox: SandboxProcess
) -> None:
    """503 `not_durable` with `Retry-After`, nothing of the request stored; with room it goes on.

    What was under way meanwhile is done then, and was sent once.
    """
    sandbox.behave("tracify", "stall", times=1, seconds=1)
    toko.post(event("under-way", "tracify"), **SHOPPER)
    until(lambda: sandbox.calls("tracify", "under-way"), "it is under way")
    names = [f"no-room-{number}" for number in range(3)]
    with full_disk(pid_of(toko)):
        body = json.dumps({"events": [event(name) for name in names]})
        headers = {"Origin": ORIGIN, "Content-Type": "text/plain", **SHOPPER}
        answer = toko.ask("POST", "/s/toko", content=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_durable")
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert toko.ask("GET", "/readyz").status_code == 503
        assert toko.ask("GET", "/healthz").status_code == 200
        for name in names:
            assert toko.rows(event_id=name) == []
    until(lambda: toko.ask("GET", "/readyz").status_code == 200, "it is ready again")
    toko.post(*(event(name) for name in names), **SHOPPER)
    for name in names:
        assert {row["state"] for row in toko.settled(4, event_id=name)} == {"done"}
    (row,) = toko.settled(1, event_id="under-way", destination="tracify")
    assert (row["state"], row["attempts"]) == ("done", 1)
    assert len(sandbox.calls("tracify", "under-way")) == 1


# --- two relays ---


def test_a_second_relay_on_the_same_data_ends_at_once_and_harms_nothing(
    toko: RelayProcess, folder: Path
) -> None:
    """Exit 1 with what to do; the first takes and delivers on."""
    program = str(Path(sys.executable).with_name("pixelmirror"))
    words = ["serve", str(folder / "toko.toml"), "--port", "0", "--data", str(folder / "var-toko")]
    second = subprocess.run([program, *words], capture_output=True, text=True, timeout=20)
    assert second.returncode == 1
    assert "is in use by another process: stop that one first" in second.stderr
    assert "Traceback" not in second.stderr
    toko.post(event("after-the-second", "tracify"), **SHOPPER)
    (row,) = toko.settled(1, event_id="after-the-second", destination="tracify")
    assert row["state"] == "done"
