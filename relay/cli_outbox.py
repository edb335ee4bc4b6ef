"""The command line's look into an outbox: `pixelmirror dead-letters ...` and `events show`.

It works on the file itself, whether or not a relay is running on it.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from relay.assets import AssetsMissing
from relay.outbox import OutboxError
from relay.outbox.sqlite import SqliteOutbox
from relay.story_text import Story, find_story, moment, story_lines

LIST_MOST = 1000

DATA = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var"),
    show_default=True,
    help="Folder of the outbox.",
)
OUTBOX = click.option(
    "--outbox", "outbox_url", default=None, help="sqlite:FILE; outbox.db in --data by default."
)
SITES = click.option("--site", "sites", multiple=True, help="All without it; may be repeated.")

UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


def _since(_: click.Context, __: click.Parameter, text: str | None) -> int | None:
    """Milliseconds since 1970."""
    if text is None:
        return None
    if ago := re.fullmatch(r"([0-9]{1,6})([smhdw])", text):
        return int((time.time() - int(ago[1]) * UNIT_S[ago[2]]) * 1000)
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        message = "must be a time such as 2026-11-21T06:00 (UTC), or how long ago: 90s 30m 2h 3d 1w"
        raise click.BadParameter(message) from None
    return int((told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp() * 1000)


Which = Callable[..., None]


def _which(function: Which) -> Which:
    """The options that say which dead letters are meant."""
    for option in (
        click.option(
            "--since",
            "since_ms",
            callback=_since,
            help="Dead since then: 2h, 3d, or 2026-11-21T06:00 (UTC unless it says).",
        ),
        click.option("--event", "--event-id", "event_id", help="Of this event."),
        click.option(
            "--destination", help="Of this destination; scalev is scalev.meta and the others too."
        ),
        SITES,
        OUTBOX,
        DATA,
    ):
        function = option(function)
    return function


@click.group("dead-letters")
def dead_letters() -> None:
    """What will not be tried again by itself, with its reason.

    The options together say which are meant; without any it is all of them. A relay may be running
    meanwhile.
    """


@dead_letters.command("list")
@_which
@click.option("--limit", default=LIST_MOST, show_default=True, type=click.IntRange(1), help="Most.")
def list_dead_letters(
    sites: tuple[str, ...], data: Path, outbox_url: str | None, limit: int, **which: Any
) -> None:
    """Print each with when and why it died, the last first."""

    async def run(outbox: SqliteOutbox) -> None:
        for site in sites or await outbox.sites():
            rows = await outbox.dead_letters(site, limit=limit + 1, **which)
            for row in rows[:limit]:
                died = moment(row["updated_at"])
                click.echo(f"{died} {site} {row['destination']} {row['event_id']}: {row['reason']}")
            if len(rows) > limit:
                click.echo(f"{site}: there are more than these {limit}, see --limit", err=True)

    _look(outbox_file(outbox_url, data), run)


@dead_letters.command("replay")
@_which
def replay_dead_letters(
    sites: tuple[str, ...], data: Path, outbox_url: str | None, **which: Any
) -> None:
    """Let them be tried again, under the same event IDs.

    A running relay tries them within half a minute, another one when it starts. What is too old
    for its destination by then is a dead letter again at once.
    """

    _decide(SqliteOutbox.replay, "replayed", sites, outbox_file(outbox_url, data), which)


@dead_letters.command("drop")
@_which
def drop_dead_letters(
    sites: tuple[str, ...], data: Path, outbox_url: str | None, **which: Any
) -> None:
    """Give them up; their personal data is erased."""

    _decide(SqliteOutbox.drop, "dropped", sites, outbox_file(outbox_url, data), which)


def _decide(
    decide: Callable[..., Coroutine[Any, Any, int]],
    done: str,
    sites: tuple[str, ...],
    file: Path,
    which: dict[str, Any],
) -> None:
    """What is decided of those dead letters is done, site by site, and how many it are is said."""

    async def run(outbox: SqliteOutbox) -> None:
        for site in sites or await outbox.sites():
            told = _SoFar(site, done)
            count = await decide(outbox, site, now_ms=_now_ms(), so_far=told, **which)
            click.echo(f"{site}: {count} dead letters {done}")

    _look(file, run)


@click.group("events")
def events() -> None:
    """What became of an event, at each destination."""


@events.command("show")
@click.argument("mark", metavar="EVENT_ID|ORDER_ID")
@SITES
@OUTBOX
@DATA
@click.option("--json", "as_json", is_flag=True, help="As JSON, times in milliseconds since 1970.")
def show_event(
    mark: str, sites: tuple[str, ...], data: Path, outbox_url: str | None, as_json: bool
) -> None:
    """Tell the story of an event, or of all events of an order.

    When it was received and from whom, its consent, and for each destination why it was skipped, or
    every attempt with its status and reason. Times are UTC. A relay may be running meanwhile.
    """
    file = outbox_file(outbox_url, data)
    stories: list[Story] = []

    async def run(outbox: SqliteOutbox) -> None:
        for site in sites or await outbox.sites():
            story = await find_story(outbox, site, mark)
            if any(story[part] for part in ("events", "payments", "kept")):
                stories.append(story)
        if count := sum(backlog.count for backlog in await outbox.arrivals_waiting()):
            click.echo(
                f"{count} requests have arrived and are not routed yet: a running relay does that "
                "within moments, another one when it starts",
                err=True,
            )

    _look(file, run)
    if not stories:
        raise click.ClickException(
            f"nothing is known of {mark!r} in {file}: it never came, was refused when it came, or "
            "was over more than 7 days ago"
        )
    if as_json:
        click.echo(json.dumps({"stories": stories}, indent=2))
    else:
        click.echo("\n\n".join("\n".join(story_lines(story)) for story in stories))


class _SoFar:
    """Says every few seconds how many it are, so that long work is seen to go on."""

    def __init__(self, site: str, done: str) -> None:
        self._site = site
        self._done = done
        self._next_at = time.monotonic() + SAY_EVERY_S

    def __call__(self, count: int) -> None:
        if time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + SAY_EVERY_S
            click.echo(f"{self._site}: {count} dead letters {self._done} so far", err=True)


SAY_EVERY_S = 2.0


def outbox_file(url: str | None, data: Path) -> Path:
    """The outbox's file, by `--outbox` or else `--data`."""
    if url is None:
        return data / "outbox.db"
    scheme, _, rest = url.partition(":")
    if scheme != "sqlite" or not rest:
        raise click.ClickException("--outbox: must be sqlite:FILE")
    return Path(rest)


def _look(file: Path, work: Callable[[SqliteOutbox], Coroutine[Any, Any, None]]) -> None:
    """The work is done on this outbox, beside the relay that may have it open."""

    async def run() -> None:
        async with await SqliteOutbox.beside(file) as outbox:
            await work(outbox)

    run_to_the_end(run)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def run_to_the_end(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run to the end on uvloop; what can't be opened is said without a traceback."""
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(main())
    except (OutboxError, AssetsMissing) as error:
        raise click.ClickException(str(error)) from error


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None  # where there is no uvloop, asyncio's own loop serves
    return uvloop.new_event_loop
