"""The command line: `pixelmirror serve|check|snippet|build|demo`; more in `relay.cli_outbox`."""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
import time
from pathlib import Path

import click

from pixelmirror.wanted import is_named
from relay import __version__
from relay.app import Relay, create_app, page_path
from relay.assets import CODINGS, Assets, AssetsMissing
from relay.cli_outbox import DATA, dead_letters, events, outbox_file, run_to_the_end
from relay.destinations.registry import destinations
from relay.disk import LEAST_FREE_BYTES, Disk
from relay.logs import LogFormat, get_logger, written
from relay.outbox import OutboxInUse
from relay.outbox.sqlite import SqliteOutbox
from relay.outbox.sqlite_file import DURABILITY, Synchronous
from relay.pages import SitePages
from relay.redaction import secrets
from relay.serving import STOP_WITHIN_S, finish_within_s, serve_app
from relay.site import Site, SiteError, load_all
from relay.texts import compressed

log = get_logger("pixelmirror.serving")

LOOK_AGAIN_S = 0.1
"""Between two looks whether an outbox is free."""

SITE_FILE = click.Path(path_type=Path, dir_okay=False)


def _public_url(_: click.Context, __: click.Parameter, url: str | None) -> str:
    if url is None:
        return ""
    if not re.fullmatch(r"https?://[^\s\"'<>/?#]+(/[^\s\"'<>?#]*)?", url):
        raise click.BadParameter("must be an http or https URL, such as https://t.shop.example")
    return url.rstrip("/")


URL = click.option(
    "--url",
    required=True,
    callback=_public_url,
    help="The relay's public address, such as https://t.shop.example.",
)


def _page_path(_: click.Context, __: click.Parameter, path: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._~/-]*", path):
        raise click.BadParameter("must hold only letters, digits, /, ., _, ~ and -")
    return page_path(path)


PATH = click.option(
    "--path",
    default="/s",
    show_default=True,
    callback=_page_path,
    help="Where pages find the relay.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Every pixel in the page and the matching server copy, under one event ID."""


main.add_command(dead_letters)
main.add_command(events)


@main.command()
@click.argument("files", type=SITE_FILE, nargs=-1, required=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8700, show_default=True, type=click.IntRange(0, 65535))
@PATH
@click.option(
    "--url",
    default=None,
    callback=_public_url,
    help="The relay's public address, as for snippet; by default what each request's Host says.",
)
@click.option("--outbox", "outbox_url", default=None, help="sqlite:FILE; DIR/outbox.db by default.")
@DATA
@click.option(
    "--durability",
    type=click.Choice(list(DURABILITY)),
    default="power-cut",
    show_default=True,
    help="What a 204 survives. process: a killed relay, but not a power cut.",
)
@click.option(
    "--wait",
    "wait_s",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    help="Seconds to wait for an outbox that another relay is about to leave.",
)
@click.option(
    "--stop-within",
    "stop_within_s",
    default=STOP_WITHIN_S,
    show_default=True,
    type=click.IntRange(2),
    help="Seconds from SIGTERM to the end.",
)
@click.option(
    "--least-free",
    "least_free_mib",
    default=LEAST_FREE_BYTES >> 20,
    show_default=True,
    type=click.IntRange(0),
    help="MiB on the outbox's disk below which the relay is not ready.",
)
@click.option(
    "--log-format",
    type=click.Choice(["auto", "text", "json"]),
    default="auto",
    show_default=True,
    help="auto: text on a terminal, JSON elsewhere.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="info tells of every request, warning only of what is wrong.",
)
def serve(
    files: tuple[Path, ...],
    host: str,
    port: int,
    path: str,
    url: str,
    outbox_url: str | None,
    data: Path,
    durability: str,
    wait_s: int,
    stop_within_s: int,
    least_free_mib: int,
    log_format: LogFormat,
    log_level: str,
) -> None:
    """Run the relay for the sites of these files.

    Ready when GET /readyz answers 200. SIGTERM: takes nothing more, finishes what is in flight
    and keeps the rest for the next start. A second SIGTERM ends it at once, as a kill does.
    """
    sites = _sites(files)
    file = outbox_file(outbox_url, data)

    async def run() -> None:
        async with await _opened(file, DURABILITY[durability], wait_s) as outbox:
            relay = Relay(
                sites,
                outbox,
                Assets(),
                path,
                public_url=url,
                disk=Disk(file, least_free_mib << 20),
                finish_within_s=finish_within_s(stop_within_s),
            )
            await serve_app(
                create_app(relay),
                host,
                port,
                stop_within_s=stop_within_s,
                on_stop=relay.begin_stop,
                refused=relay.refused_unread,
            )

    known = (secret for site in sites for secret in secrets(site))
    with written(log_format, log_level, known):
        run_to_the_end(run)


async def _opened(file: Path, synchronous: Synchronous, wait_s: int) -> SqliteOutbox:
    """The outbox, once whoever has it leaves it; raises OutboxInUse when the time is over."""
    give_up = time.monotonic() + wait_s
    is_told = False
    while True:
        try:
            return await SqliteOutbox.open(file, synchronous=synchronous)
        except OutboxInUse:
            if time.monotonic() >= give_up:
                raise
            if not is_told:
                log.info("the outbox is in use: waiting for the other relay to end")
                is_told = True
        await asyncio.sleep(LOOK_AGAIN_S)


@main.command()
@click.argument("files", type=SITE_FILE, nargs=-1, required=True)
def check(files: tuple[Path, ...]) -> None:
    """Say what is wrong with site files, or what will go where."""
    for site in _sites(files):
        click.echo(f"{site.site}: sound")
        for name, table in site.destinations.items():
            pixel = "pixel in the page" if table.has_pixel else "no pixel"
            copies = "server copies" if table.has_server_copy else "no server copies"
            kind = f" ({table.kind})" if table.kind != name else ""
            click.echo(f"  {name}{kind}: {pixel}, {copies}")
        direct = site.posted_by_pages()
        for destination in destinations(site):
            way = ", by the page itself: its script holds the api_key"
            is_direct = is_named(destination.name, direct)
            click.echo(f"  server copies to {destination.name}{way if is_direct else ''}")


@main.command()
@click.argument("file", type=SITE_FILE)
@URL
@PATH
def snippet(file: Path, url: str, path: str) -> None:
    """Print the tag to paste into every page."""
    site = _sites((file,))[0]
    click.echo(f'<script async src="{url}{path}/{site.site}.js"></script>')


@main.command()
@click.argument("file", type=SITE_FILE)
@URL
@PATH
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False))
def build(file: Path, url: str, path: str, out: Path) -> None:
    """Write the page's files for a CDN: the loader, the PyScript configs and the assets."""
    site = _sites((file,))[0]
    assets = _assets()
    pages = SitePages(site, assets)
    base = url + path
    folder = out / path.strip("/")
    (folder / site.site).mkdir(parents=True, exist_ok=True)
    texts = {
        folder / f"{site.site}.js": pages.loader(base),
        folder / site.site / "pyscript.json": pages.pyscript_config(base),
        folder / site.site / "client.json": pages.client_config(base),
    }
    for name, text in texts.items():
        name.write_text(text, encoding="utf-8")
        for coding, ending in CODINGS.items():
            compact = compressed(text.encode(), coding)
            name.with_name(name.name + ending).write_bytes(compact)
    shutil.copytree(
        assets.dist,
        folder / "assets",
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("manifest.json"),
    )
    click.echo(f"written to {folder}")


@main.command()
@click.option("--port", default=8700, show_default=True, type=click.IntRange(1, 65535))
def demo(port: int) -> None:
    """Run the demo: a shop, the relay and a sandbox for every outside system, on one port."""
    from relay.demo import create_demo  # not loaded by `serve`

    async def run(folder: str) -> None:
        await serve_app(create_demo(port, Path(folder)), "127.0.0.1", port)

    with written(), tempfile.TemporaryDirectory(prefix="pixelmirror-demo-") as folder:
        run_to_the_end(lambda: run(folder))


def _sites(files: tuple[Path, ...]) -> list[Site]:
    try:
        return load_all(files)
    except SiteError as error:
        raise click.ClickException(str(error)) from error


def _assets() -> Assets:
    try:
        return Assets()
    except AssetsMissing as error:
        raise click.ClickException(str(error)) from error
