"""An outbox of an earlier version is brought up to date whole, or left as it is."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from relay.outbox import OutboxRefused
from relay.outbox.sqlite import SqliteOutbox
from relay.outbox.sqlite_file import SCHEMA_VERSION
from tests.relay.disk import full_disk
from tests.relay.killed import ROOT
from tests.relay.outbox_orders import join, payment, waiting
from tests.relay.outbox_versions import VERSIONS, content_of, version_of, write_version
from tests.relay.records import DAY_MS, NOW, states

pytestmark = pytest.mark.anyio


@pytest.fixture(params=VERSIONS, ids="version {}".format)
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def path(tmp_path: Path, version: int) -> Path:
    """The file of an outbox of this version."""
    file = tmp_path / "var" / "outbox.db"
    write_version(version, file)
    return file


def test_there_is_a_file_of_every_earlier_version() -> None:
    """Who makes the next one writes down the last."""
    assert list(VERSIONS) == list(range(1, SCHEMA_VERSION))


async def test_an_earlier_outbox_is_taken_over_with_all_that_is_in_it(path: Path) -> None:
    """What waits is delivered, what was being sent is buried, what is over stays known."""
    async with await SqliteOutbox.open(path, now_ms=NOW) as outbox:
        assert await states(outbox) == [
            ("O7-purchase", "kwai", "skipped"),
            ("O7-purchase", "meta", "done"),
            ("e1", "meta", "waiting"),
            ("e1", "scalev", "dead"),
            ("e1", "tiktok", "dead"),
        ]
        assert await waiting(outbox, "meta") == [{"params": {}}]
        assert await outbox.replay("toko", destination="tiktok", now_ms=NOW) == 1
        assert await waiting(outbox, "tiktok") == [{"params": {}}]
    assert version_of(path) == SCHEMA_VERSION
    async with await SqliteOutbox.open(path, now_ms=NOW) as outbox:
        assert len(await states(outbox)) == 5


async def test_an_earlier_outboxs_deliveries_have_the_story_that_is_known(path: Path) -> None:
    """Their last attempt; who told the event and its consent were not written down then."""
    async with await SqliteOutbox.open(path, now_ms=NOW) as outbox:
        (row,) = await outbox.deliveries("toko", order_id="O7", destination="meta")
        assert (row["source"], row["consent"], row["received_at"]) == (None, None, NOW)
        assert [(step["what"], step["attempt"], step["at"]) for step in row["history"]] == [
            ("queued", None, NOW),
            ("done", 2, NOW + 700),
        ]
        await outbox.replay("toko", destination="tiktok", now_ms=NOW + 900)
        (row,) = await outbox.deliveries("toko", event_id="e1", destination="tiktok")
        assert [(step["what"], step["reason"]) for step in row["history"]] == [
            ("queued", ""),
            ("dead", "bad currency"),
            ("replayed", ""),
        ]


async def test_orders_are_known_in_an_outbox_of_any_version(path: Path, version: int) -> None:
    """Paid ones stay paid, and what was told of one that is not paid yet finds its payment."""
    async with await SqliteOutbox.open(path, now_ms=NOW) as outbox:
        paid = [row["order_id"] for row in await outbox.payments("toko")]
        assert paid == (["O7"] if version >= 2 else [])
        await outbox.pay(replace(payment(), order_id="O8"), join)
        (event,) = await waiting(outbox, "scalev", NOW + DAY_MS)
        assert event["user"] == {"emails": ["siti@example.com"] if version >= 2 else []}


async def test_a_migration_without_room_leaves_the_file_as_it_was(path: Path, version: int) -> None:
    """The relay does not start and says why; with room it starts, and nothing is missing."""
    before = content_of(path)
    with full_disk(), pytest.raises(OutboxRefused, match=r"outbox\.db cannot be opened"):
        await SqliteOutbox.open(path, now_ms=NOW)
    assert (version_of(path), content_of(path)) == (version, before)
    await (await SqliteOutbox.open(path, now_ms=NOW)).close()
    assert version_of(path) == SCHEMA_VERSION


KILLED_WHILE_IT_MIGRATES = """
import asyncio, os, signal, sys
from relay.outbox import sqlite_file
from relay.outbox.sqlite import SqliteOutbox

connect, last_words = sqlite_file.connect, sys.argv[2]

def watched(path, **more):
    db = connect(path, **more)
    db.set_trace_callback(
        lambda said: os.kill(os.getpid(), signal.SIGKILL) if last_words in said else None
    )
    return db

sqlite_file.connect = watched
asyncio.run(SqliteOutbox.open(sys.argv[1]))
"""


def migrate_and_be_killed(path: Path, last_words: str) -> None:
    command = [sys.executable, "-c", KILLED_WHILE_IT_MIGRATES, str(path), last_words]
    assert subprocess.run(command, cwd=ROOT, timeout=20).returncode == -signal.SIGKILL


@pytest.mark.parametrize("last_words", ["TRIGGER deliveries_forgotten", "COMMIT"])
async def test_a_migration_that_is_killed_leaves_the_file_as_it_was(
    path: Path, version: int, last_words: str
) -> None:
    """SIGKILL in its last steps: the next start finds the earlier version, and all of it."""
    before = content_of(path)
    await asyncio.to_thread(migrate_and_be_killed, path, last_words)
    assert (version_of(path), content_of(path)) == (version, before)
    async with await SqliteOutbox.open(path, now_ms=NOW) as outbox:
        assert len(await states(outbox)) == 5


async def test_the_file_of_a_newer_version_is_refused_and_not_touched(path: Path) -> None:
    """With both versions and what to do."""
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    before = content_of(path)
    words = (
        rf"has schema {SCHEMA_VERSION + 1} and this pixelmirror knows up to {SCHEMA_VERSION}: "
        "start the version that wrote it, or a newer one"
    )
    for open_it in (SqliteOutbox.open, SqliteOutbox.beside):
        with pytest.raises(OutboxRefused, match=words):
            await open_it(path)
    assert content_of(path) == before
