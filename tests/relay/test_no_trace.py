"""Nothing personal is left behind: every byte of the relay's files, its log and its metrics.

The events tell as much as they can: user, address, click IDs, and a link from a newsletter that has
e-mail and phone in its URL.
"""

from __future__ import annotations

import hashlib
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.relay.process_shop import (
    DIRECT,
    ORIGIN,
    PRIVATE,
    SCALEV,
    SHOPPER,
    USER,
    UUID,
    event,
    relay,
)
from tests.relay.processes import RelayProcess, SandboxProcess, until
from tests.relay.records import DAY_MS

QUERY = "?email=siti.hush%40example.com&tel=081234567890&fbclid=AbCdHush9"
HASHES = [
    hashlib.sha256(plain.encode()).hexdigest()
    for plain in (USER["email"], USER["phone"], USER["phone"].removeprefix("+"))
]
CLICKS = ["fb.1.1760000000000.AbC", "fb.1.1750000000000.4821", "E.C.P.x", "kw-9f", UUID]
TRACES = [*PRIVATE, *HASHES, *CLICKS, "AbCdHush9", "202612345678901234567890"]
TRACY = {"tracify": SCALEV["tracify"]}


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxProcess]:
    (tmp_path / "outside").mkdir()
    one = SandboxProcess(tmp_path / "outside")
    one.start()
    yield one
    one.close()


class Shop:
    """A relay and the folder that has its files and its log, and nothing else."""

    def __init__(self, folder: Path, tables: dict[str, Any], upstream: str) -> None:
        self.relay: RelayProcess = relay(folder, "toko", tables, upstream)
        self.data = folder / "var-toko"
        self.relay.start()

    def send(self, *event_ids: str, **more: Any) -> None:
        events = [event(event_id, **more) for event_id in event_ids]
        for one in events:
            one["page"] = {"url": f"{ORIGIN}/p/{one['event_id']}{QUERY}", "referrer": ORIGIN}
        self.relay.post(*events, **SHOPPER)

    def kept(self) -> set[str]:
        """What can be read of the shopper in any file of the outbox."""
        found = b"".join(file.read_bytes() for file in sorted(self.data.iterdir()))
        return {trace for trace in TRACES if trace.encode() in found}

    def told(self) -> set[str]:
        """What can be read of the shopper, or of a key, in the log and on /metrics."""
        metrics = self.relay.ask("GET", "/metrics").raise_for_status().text
        text = self.relay.log.read_text() + metrics
        return {trace for trace in TRACES if trace in text}

    def nothing_is_left(self) -> None:
        """Within the two seconds that the write-ahead log is kept."""
        until(self.kept, "nothing personal is left", lambda found: not found)
        assert self.told() == set()


@pytest.fixture
def shop(tmp_path: Path, sandbox: SandboxProcess, request: pytest.FixtureRequest) -> Iterator[Shop]:
    one = Shop(tmp_path, getattr(request, "param", TRACY), sandbox.url)
    yield one
    one.relay.close()


@pytest.mark.parametrize("shop", [SCALEV, DIRECT], ids=["Scalev", "direct"], indirect=True)
def test_what_every_destination_has_got_leaves_no_trace(shop: Shop) -> None:
    """While the relay runs, not only when it ends; and its log and metrics never had any."""
    shop.send(*(f"trace-{number}" for number in range(5)))
    shop.send("ORD-1-purchase", name="purchase")
    rows = until(shop.relay.rows, "all is over", lambda rows: all_over(rows, 6))
    assert "done" in {row["state"] for row in rows}
    shop.nothing_is_left()
    for row in shop.relay.rows(order_id="ORD-1"):
        assert row["history"], "what became of it is still known"


def all_over(rows: list[dict[str, Any]], events: int) -> bool:
    settled = [row for row in rows if row["state"] in ("done", "skipped")]
    return len({row["event_id"] for row in rows}) == events and len(settled) == len(rows)


def test_a_kill_leaves_no_trace_once_the_relay_is_up_again(
    shop: Shop, sandbox: SandboxProcess
) -> None:
    """Killed with some delivered and not yet wiped out of the write-ahead log, and some to go."""
    sandbox.behave("tracify", "throttle", times=1, retry_after_s=1)
    shop.send("to-go")
    until(
        lambda: shop.relay.rows(event_id="to-go"),
        "it was tried, and that is written down",
        lambda rows: bool(rows) and rows[0]["attempts"] == 1,
    )
    assert shop.relay.end(signal.SIGKILL) == -signal.SIGKILL
    assert shop.kept()
    shop.relay.start()
    shop.relay.settled(1, event_id="to-go")
    assert shop.relay.end(signal.SIGKILL) == -signal.SIGKILL
    shop.relay.start()
    shop.nothing_is_left()


def test_a_dead_letter_keeps_its_event_for_as_long_as_the_site_says(
    shop: Shop, sandbox: SandboxProcess
) -> None:
    """It could not be replayed without; after `retention_days`, or dropped, it leaves no trace."""
    sandbox.behave("tracify", "fail", times=2, status=400)
    for name in ("dead-1", "dead-2"):
        shop.send(name)
        shop.relay.settled(1, event_id=name)
    rows = shop.relay.settled(2)
    assert {row["state"] for row in rows} == {"dead"}
    assert shop.kept()
    assert shop.told() == set()
    dropped = [*DEAD_LETTERS, "drop", "--data", str(shop.data), "--event", "dead-1"]
    done = subprocess.run(dropped, capture_output=True, text=True, timeout=20)
    assert done.stdout == "toko: 1 dead letters dropped\n"
    assert shop.kept()
    shop.relay.end()
    pass_days(shop.data / "outbox.db", 31)
    shop.relay.start()
    shop.nothing_is_left()
    assert {row["state"] for row in shop.relay.rows()} <= {"skipped"}


DEAD_LETTERS = [str(Path(sys.executable).with_name("pixelmirror")), "dead-letters"]


def pass_days(outbox: Path, days: int) -> None:
    """Everything in the outbox happened so many days earlier."""
    db = sqlite3.connect(outbox)
    with db:
        db.execute("UPDATE deliveries SET updated_at = updated_at - ?", (days * DAY_MS,))
    db.close()
