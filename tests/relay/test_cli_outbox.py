"""The command line's look into an outbox: dead letters, and the story of an event (DESIGN 5.1)."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from relay import cli_outbox
from relay.outbox import Outcome
from relay.outbox.sqlite import SqliteOutbox
from relay.outbox.sqlite_file import SCHEMA_VERSION
from tests.relay.outbox_orders import join, payment, told
from tests.relay.records import NOW, event, record, to
from tests.relay.test_cli import run


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with three dead letters of `toko`, and one delivery that waits."""

    async def fill() -> None:
        async with await SqliteOutbox.open(tmp_path / "data" / "outbox.db") as outbox:
            await outbox.put([record("e1", "scalev.meta", "tracify"), record("e2", "scalev.meta")])
            await outbox.put([record("e3", "scalev.snackvideo")])
            for destination, at in (("scalev.meta", NOW), ("tracify", NOW + 1500)):
                found = await outbox.claim("toko", destination, 9, NOW)
                ends = [Outcome(one, "dead", 400, f"refused by {destination}") for one in found]
                await outbox.settle(ends, at)

    asyncio.run(fill())
    return tmp_path / "data"


def listed(data: Path, *words: object) -> list[str]:
    result = run("dead-letters", "list", "--site", "toko", "--data", data, *words)
    return sorted(result.stdout.splitlines())


META = "2025-10-09T08:53:20Z toko scalev.meta {}: refused by scalev.meta"
TRACIFY = "2025-10-09T08:53:21.500Z toko tracify e1: refused by tracify"


def test_dead_letters_are_listed_with_their_reasons(data: Path) -> None:
    """A line each; of a site, of a destination or of an event, where that is asked."""
    every = run("dead-letters", "list", "--data", data).stdout.splitlines()
    assert sorted(every) == [META.format("e1"), META.format("e2"), TRACIFY]
    assert run("dead-letters", "list", "--data", data, "--site", "warung").stdout == ""
    assert listed(data) == [META.format("e1"), META.format("e2"), TRACIFY]
    assert listed(data, "--destination", "scalev") == [META.format("e1"), META.format("e2")]
    assert listed(data, "--event-id", "e1") == [META.format("e1"), TRACIFY]
    assert listed(data, "--destination", "kwai") == []


# What is asked for, and which dead letters stay.
WHICH: list[tuple[list[str], list[str]]] = [
    ([], []),
    (["--destination", "scalev"], [TRACIFY]),
    (["--destination", "tracify"], [META.format("e1"), META.format("e2")]),
    (["--event-id", "e1"], [META.format("e2")]),
    (["--event", "e1", "--destination", "tracify"], [META.format("e1"), META.format("e2")]),
    (["--since", "2025-10-09T08:53:21"], [META.format("e1"), META.format("e2")]),
    (["--since", "2025-10-09T15:53:21+07:00"], [META.format("e1"), META.format("e2")]),
    (["--since", "2h"], [META.format("e1"), META.format("e2"), TRACIFY]),
    (["--event-id", "none"], [META.format("e1"), META.format("e2"), TRACIFY]),
]


DONE = {"replay": "replayed", "drop": "dropped"}


@pytest.mark.parametrize(("words", "left"), WHICH)
@pytest.mark.parametrize("verb", ["replay", "drop"])
def test_dead_letters_are_replayed_or_dropped(
    data: Path, verb: str, words: list[str], left: list[str]
) -> None:
    """It says how many; a replayed one waits again, a dropped one never does."""
    result = run("dead-letters", verb, "--site", "toko", "--data", data, *words)
    assert result.stdout == f"toko: {3 - len(left)} dead letters {DONE[verb]}\n"
    assert listed(data) == left
    waiting = 1 + (3 - len(left) if verb == "replay" else 0)
    assert asyncio.run(count(data, "waiting")) == waiting


async def count(data: Path, state: Any) -> int:
    async with await SqliteOutbox.open(data / "outbox.db") as outbox:
        return len(await outbox.deliveries("toko", state=state))


@pytest.mark.parametrize("verb", ["list", "replay", "drop"])
def test_a_folder_without_an_outbox_is_a_mistake(tmp_path: Path, verb: str) -> None:
    """None is made: an empty list would be a comforting lie."""
    folder = tmp_path / "typo"
    result = run("dead-letters", verb, "--site", "toko", "--data", folder, code=1)
    assert f"there is no outbox in {folder}" in result.stderr
    assert not folder.exists()


def test_what_is_no_time_is_a_slip_of_the_pen(data: Path) -> None:
    """Exit 2 with examples; nothing is replayed."""
    for text in ("yesterday", "2 h", "-2h", "1760000000000"):
        words = ("dead-letters", "replay", "--data", data, "--since", text)
        assert "or how long ago: 90s 30m 2h 3d 1w" in run(*words, code=2).stderr
    assert len(listed(data)) == 3


def test_a_list_that_is_cut_says_so(data: Path) -> None:
    """The last ones are shown, and how to see more."""
    result = run("dead-letters", "list", "--data", data, "--limit", 1)
    assert result.stdout.splitlines() == [TRACIFY]
    assert result.stderr == "toko: there are more than these 1, see --limit\n"


def test_long_work_says_how_far_it_is(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the result, so that it is not in the way of who reads that."""
    monkeypatch.setattr(cli_outbox, "SAY_EVERY_S", 0.0)
    result = run("dead-letters", "drop", "--data", data)
    assert result.stdout == "toko: 3 dead letters dropped\n"
    assert result.stderr == "toko: 3 dead letters dropped so far\n"


def test_the_outbox_may_have_a_name_of_its_own(data: Path) -> None:
    """As `serve --outbox` takes it."""
    where = ("--outbox", f"sqlite:{data / 'outbox.db'}")
    assert len(run("dead-letters", "list", *where).stdout.splitlines()) == 3
    assert run("dead-letters", "replay", *where, "--event", "e2").stdout.endswith(
        "1 dead letters replayed\n"
    )
    assert "e1" in run("events", "show", "e1", *where).stdout
    result = run("events", "show", "e1", "--outbox", "nats://127.0.0.1", code=1)
    assert "--outbox: must be sqlite:FILE" in result.stderr


# --- events show ---

EVENT_STORY = """\
purchase O1-purchase (site toko, order O1)
  2025-10-09T08:53:20Z received from a page and checked; consent granted for 1, 3
  kwai: skipped
    2025-10-09T08:53:20Z skipped: no consent
  meta: done, sent as sent-e1
    2025-10-09T08:53:20Z queued
    2025-10-09T08:53:21Z attempt 1: 503 failed, to be tried again: server error (503)
    2025-10-09T08:53:23.250Z attempt 2: 200 done
  scalev.meta: dead, sent as sent-e1
    2025-10-09T08:53:20Z queued
    2025-10-09T08:53:24Z attempt 1: 400 dead letter: refused (400): no
  tracify: waiting, sent as sent-e1
    2025-10-09T08:53:20Z queued
    2025-10-09T08:53:25Z attempt 1: failed, to be tried again: no connection
    2025-10-09T08:53:27Z next attempt, at the earliest
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A data folder with an order that went every way there is."""

    async def end(outbox: SqliteOutbox, to: str, at: int, *how: Any) -> None:
        (one,) = await outbox.claim("toko", to, 9, NOW + at)
        await outbox.settle([Outcome(one, *how)], NOW + at)

    async def fill() -> None:
        async with await SqliteOutbox.open(tmp_path / "data" / "outbox.db") as outbox:
            order = event(
                "O1-purchase",
                "purchase",
                source="page",
                consent={"status": "granted", "categories": ["1", "3"]},
                params={"id": "O1"},
            )
            some = [to(name) for name in ("meta", "scalev.meta", "tracify")]
            await outbox.put([(order, [*some, to("kwai", "skipped")])])
            await end(outbox, "meta", 1000, "retry", 503, "server error (503)", NOW + 3000)
            await end(outbox, "meta", 3250, "done", 200)
            await end(outbox, "scalev.meta", 4000, "dead", 400, "refused (400): no")
            await end(outbox, "tracify", 5000, "retry", None, "no connection", NOW + 7000)

    asyncio.run(fill())
    return tmp_path / "data"


@contextmanager
def running_relay(data: Path) -> Iterator[None]:
    """The outbox is open as a relay has it."""
    with asyncio.Runner() as runner:
        outbox = runner.run(SqliteOutbox.open(data / "outbox.db"))
        try:
            yield
        finally:
            runner.run(outbox.close())


@pytest.mark.parametrize("mark", ["O1-purchase", "O1"])
def test_an_events_story_is_told_in_order(shop: Path, mark: str) -> None:
    """By its ID or the order's: received, consent, and per destination what became of it."""
    assert run("events", "show", mark, "--data", shop).stdout == EVENT_STORY
    assert run("events", "show", mark, "--data", shop, "--site", "toko").stdout == EVENT_STORY


def test_a_story_can_be_had_by_machines(shop: Path) -> None:
    """The same as JSON."""
    told = json.loads(run("events", "show", "O1", "--data", shop, "--json").stdout)
    ((story,), payments) = told["stories"][0]["events"], told["stories"][0]["payments"]
    assert (story["event_id"], story["source"], payments) == ("O1-purchase", "page", [])
    meta = next(one for one in story["deliveries"] if one["destination"] == "meta")
    assert (meta["state"], meta["attempts"], meta["due_at"]) == ("done", 2, None)
    assert [step["what"] for step in meta["history"]] == ["queued", "retry", "done"]


def test_no_story_holds_personal_data(shop: Path) -> None:
    """It may be pasted into a ticket."""
    for words in ((), ("--json",)):
        assert "siti" not in run("events", "show", "O1", "--data", shop, *words).output


def test_of_what_nothing_is_known_is_said_so(shop: Path) -> None:
    """Exit 1, with what that may mean; another site's event is not this one's."""
    for words in (("O2",), ("O1", "--site", "warung")):
        result = run("events", "show", *words, "--data", shop, code=1)
        assert f"nothing is known of '{words[0]}'" in result.stderr
        assert result.stdout == ""


def test_an_order_that_waits_for_its_payment_is_known(tmp_path: Path) -> None:
    """Nothing is sent of it yet; once it is paid, the story has the payment too."""

    async def fill(*, is_paid: bool) -> None:
        async with await SqliteOutbox.open(tmp_path / "outbox.db") as outbox:
            await outbox.tell([], [told("purchase")], join)
            if is_paid:
                await outbox.pay(payment(), join)

    asyncio.run(fill(is_paid=False))
    expected = (
        "2025-10-09T08:53:20Z purchase-of-siti@example.com received and checked; kept for the "
        "payment of order O1\n"
    )
    for mark in ("O1", "purchase-of-siti@example.com"):
        assert run("events", "show", mark, "--data", tmp_path).stdout == expected
    asyncio.run(fill(is_paid=True))
    text = run("events", "show", "O1", "--data", tmp_path).stdout
    assert "purchase O1-purchase (site toko, order O1)" in text
    assert text.endswith("order O1 paid (settlement); it sent O1-purchase\n")


def test_what_is_not_routed_yet_is_told_beside_a_story(data: Path) -> None:
    """A relay was killed in a rush: what is asked for may be among it."""
    assert run("events", "show", "e1", "--data", data).stderr == ""

    async def rush() -> None:
        async with await SqliteOutbox.open(data / "outbox.db") as outbox:
            await asyncio.gather(*(outbox.accept("toko", NOW, b"{}", b"{}") for _ in range(3)))

    asyncio.run(rush())
    said = "3 requests have arrived and are not routed yet"
    assert run("events", "show", "e1", "--data", data).stderr.startswith(said)
    assert said in run("events", "show", "e9", "--data", data, code=1).stderr


def test_the_parts_of_an_event_are_in_its_story(tmp_path: Path) -> None:
    """Where a destination gets one event for each item."""

    async def fill() -> None:
        async with await SqliteOutbox.open(tmp_path / "outbox.db") as outbox:
            parts = [(event(f"e1.{n}"), [to("alhena")]) for n in (1, 2)]
            whole = to("alhena", "skipped")
            whole.update({"reason": "sent as 2 events", "parts": parts})
            await outbox.put([(event("e1"), [whole, to("meta")])])

    asyncio.run(fill())
    text = run("events", "show", "e1", "--data", tmp_path).stdout
    heads = [line for line in text.splitlines() if line.startswith("add_to_cart")]
    assert [head.split()[1] for head in heads] == ["e1", "e1.1", "e1.2"]


# --- beside a running relay ---


def test_it_all_works_beside_a_running_relay(data: Path) -> None:
    """It need not be stopped; the relay finds what was replayed with its next look."""
    with running_relay(data):
        assert len(listed(data)) == 3
        assert "e1" in run("events", "show", "e1", "--data", data).stdout
        run("dead-letters", "replay", "--data", data, "--destination", "tracify")
        run("dead-letters", "drop", "--data", data, "--event", "e2")
        assert listed(data) == [META.format("e1")]
    assert asyncio.run(count(data, "waiting")) == 2


def test_what_a_running_relay_is_sending_is_left_alone(data: Path) -> None:
    """Only a starting relay takes it for what a killed one left behind."""

    async def begin(outbox: SqliteOutbox) -> None:
        await outbox.begin(await outbox.claim("toko", "scalev.snackvideo", 9, NOW))

    with asyncio.Runner() as runner:
        outbox = runner.run(SqliteOutbox.open(data / "outbox.db"))
        runner.run(begin(outbox))
        run("events", "show", "e3", "--data", data)
        assert runner.run(outbox.deliveries("toko", event_id="e3"))[0]["state"] == "waiting"
        runner.run(outbox.close())


def test_an_outbox_of_an_earlier_version_waits_for_its_relay(data: Path) -> None:
    """A look changes no file; it is told what does."""
    file = data / "outbox.db"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version = 2")
    db.close()
    result = run("events", "show", "e1", "--data", data, code=1)
    words = f"has schema 2 and this pixelmirror needs {SCHEMA_VERSION}: start the relay once"
    assert words in result.stderr
