"""The command line: `pixelmirror serve|check|snippet|build|dead-letters` (DESIGN 5.1)."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import brotli
import httpx
import pytest
from click.testing import CliRunner, Result

from pixelmirror.pixels import PIXELS
from relay import __version__
from relay.assets import web_root
from relay.cli import main
from relay.outbox.sqlite import SqliteOutbox

TOKO = """
site = "toko"
publishable_key = "pmk_toko"
secret_key = "the-secret-key-of-toko"
origins = ["https://toko.example"]

[destinations.meta]
mode = "browser"
pixel_ids = ["1234567890"]

[destinations.scalev]
store_id = "store_1"
api_key = "env:SCALEV_KEY"
providers = ["meta", "snackvideo"]
"""


def run(*words: object, code: int = 0) -> Result:
    """The command's result, which ended with this exit code and without a traceback."""
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


@pytest.fixture
def toko(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sound site file."""
    monkeypatch.setenv("SCALEV_KEY", "hush-scalev-key")
    file = tmp_path / "toko.toml"
    file.write_text(TOKO)
    return file


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """A site file with two mistakes, one of them in a secret."""
    file = tmp_path / "wrong.toml"
    file.write_text(TOKO.replace("toko", "wrong").replace('"env:SCALEV_KEY"', "7777777") + "x = 1")
    return file


# --- help ---

COMMANDS = [
    (),
    ("serve",),
    ("check",),
    ("snippet",),
    ("build",),
    ("demo",),
    ("dead-letters",),
    ("dead-letters", "list"),
    ("dead-letters", "replay"),
    ("dead-letters", "drop"),
    ("events",),
    ("events", "show"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_says_what_it_does(command: tuple[str, ...]) -> None:
    """`--help`, and `-h` for short, without reading any file."""
    text = run(*command, "--help").output
    assert text.startswith("Usage: ")
    assert re.search(r"\n\n  [A-Z].+", text), "a sentence about what it does"
    assert run(*command, "-h").output == text


def test_the_version_is_told() -> None:
    """The one of the package."""
    assert __version__ in run("--version").output


def test_a_slip_of_the_pen_is_exit_2() -> None:
    """A wrong command line is not a wrong file."""
    run("chekc", code=2)
    run("check", code=2)
    run("serve", code=2)
    run("serve", "toko.toml", "--port", "eighty", code=2)
    run("serve", "toko.toml", "--url", "t.shop.example", code=2)
    run("serve", "toko.toml", "--stop-within", "1", code=2)
    run("serve", "toko.toml", "--log-format", "xml", code=2)
    run("serve", "toko.toml", "--log-level", "loud", code=2)


# --- check ---


def test_check_says_what_will_go_where(toko: Path) -> None:
    """Exit 0: each table, and each destination that its server copies go to; no secret."""
    result = run("check", toko)
    assert result.stdout.splitlines() == [
        "toko: sound",
        "  meta: pixel in the page, no server copies",
        "  scalev: no pixel, server copies",
        "  server copies to scalev.meta",
        "  server copies to scalev.snackvideo",
    ]
    assert "hush" not in result.output


def test_check_says_what_is_wrong(toko: Path, wrong: Path, tmp_path: Path) -> None:
    """Exit 1: file, key and reason of every mistake in every file; no value."""
    none = tmp_path / "none.toml"
    text = run("check", toko, wrong, none, code=1).stderr
    assert f"{wrong}: destinations.scalev.api_key: must be a text in quotes" in text
    assert f"{wrong}: destinations.scalev.x: unknown key 'x'" in text
    assert f"{none}: file: No such file or directory" in text
    assert "7777777" not in text
    assert "sound" not in text


# --- serve ---


def test_serve_stops_at_a_wrong_file(toko: Path, wrong: Path, tmp_path: Path) -> None:
    """Exit 1 with file, key and reason, before anything is opened or listened to."""
    data = tmp_path / "var"
    text = run("serve", toko, wrong, "--data", data, code=1).stderr
    assert f"{wrong}: destinations.scalev.api_key: must be a text in quotes" in text
    assert not data.exists()


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--outbox", "nats://127.0.0.1", "--outbox: must be sqlite:FILE"),
        ("--outbox", "sqlite:", "--outbox: must be sqlite:FILE"),
        ("--outbox", "sqlite:/dev/null/outbox.db", "cannot be made"),
        ("--data", "/dev/null/var", "cannot be made"),
    ],
)
def test_serve_says_why_it_cannot_start(toko: Path, option: str, value: str, words: str) -> None:
    """Exit 1, a sentence, no traceback."""
    assert words in run("serve", toko, option, value, code=1).stderr


def test_serve_does_not_share_its_outbox(toko: Path, tmp_path: Path) -> None:
    """Two relays on one file would deliver everything twice."""

    async def while_open() -> Result:
        async with await SqliteOutbox.open(tmp_path / "outbox.db"):
            words = ("serve", toko, "--data", tmp_path)
            return await asyncio.to_thread(run, *words, code=1)

    assert "is in use by another process" in asyncio.run(while_open()).stderr


# --- snippet ---


@pytest.mark.parametrize(
    ("words", "address"),
    [
        (["--url", "https://t.shop.example"], "https://t.shop.example/s"),
        (["--url", "https://t.shop.example/"], "https://t.shop.example/s"),
        (["--url", "https://t.shop.example", "--path", "/px/"], "https://t.shop.example/px"),
        (["--url", "http://127.0.0.1:8700", "--path", "/"], "http://127.0.0.1:8700"),
        (["--url", "https://shop.example/t"], "https://shop.example/t/s"),
    ],
)
def test_the_snippet_is_the_tag_to_paste(toko: Path, words: list[str], address: str) -> None:
    """One script tag, for the path that `serve` was told."""
    expected = f'<script async src="{address}/toko.js"></script>\n'
    assert run("snippet", toko, *words).stdout == expected


@pytest.mark.parametrize(
    "url", ["t.shop.example", "//t.shop.example", 'https://a"><b', "", "ftp://a"]
)
def test_a_tag_that_would_not_load_is_not_printed(toko: Path, url: str) -> None:
    """`--url` is a whole address."""
    assert "must be an http or https URL" in run("snippet", toko, "--url", url, code=2).stderr
    assert "must hold only" in run("build", toko, "--url", "https://a", "--out", "x", "--path",
                                   "/a b", code=2).stderr  # fmt: skip


# --- build ---


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a web server that knows nothing but files."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing to say."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def urls(text: str) -> set[str]:
    """Every address that a file names."""
    return set(re.findall(r"https?://[^\s\"'`<>\\]+", text))


def test_a_build_is_all_that_pages_load(toko: Path, tmp_path: Path) -> None:
    """Served by any web server: the loader, the PyScript configs, every asset they name.

    Everything comes from that one address, but for the official SDKs of the site's pixels.
    """
    out = tmp_path / "out"
    (out / "old").mkdir(parents=True)
    with served(out) as base:
        assert "written to" in run("build", toko, "--url", base, "--out", out).stdout
        loader = httpx.get(f"{base}/s/toko.js").raise_for_status().text
        found = urls(loader)
        for name in ("pyscript.json", "client.json"):
            found |= urls(httpx.get(f"{base}/s/toko/{name}").raise_for_status().text)
        ours = {url for url in found if url.startswith(f"{base}/")}
        assert found - ours == set(PIXELS["meta"].SDK_URLS)
        posts_to = f"{base}/s/toko"
        assert posts_to in ours
        for url in sorted(ours - {posts_to}):
            assert httpx.get(url).raise_for_status().content, url
    dist = web_root() / "dist"
    groups = {entry.partition("/")[0] for entry in json.loads(
        (dist / "manifest.json").read_text()).values()}  # fmt: skip
    files = {file.relative_to(dist) for group in groups for file in (dist / group).rglob("*")}
    assets = out / "s" / "assets"
    assert files <= {file.relative_to(assets) for file in assets.rglob("*")}
    assert not (assets / "manifest.json").exists()


@pytest.mark.parametrize("name", ["toko.js", "toko/pyscript.json", "toko/client.json"])
def test_a_build_has_each_text_in_each_compressed_form(
    toko: Path, tmp_path: Path, name: str
) -> None:
    """For web servers that send `.br` and `.gz` files beside, as they do with the assets."""
    run("build", toko, "--url", "https://cdn.example", "--out", tmp_path)
    file = tmp_path / "s" / name
    assert brotli.decompress(file.with_name(f"{file.name}.br").read_bytes()) == file.read_bytes()
    assert gzip.decompress(file.with_name(f"{file.name}.gz").read_bytes()) == file.read_bytes()


def test_a_build_moves_with_the_path_and_can_be_repeated(toko: Path, tmp_path: Path) -> None:
    """The same files again, nothing asked."""
    words = ("build", toko, "--url", "https://cdn.example", "--path", "/px", "--out", tmp_path)
    run(*words)
    first = (tmp_path / "px" / "toko.js").read_text()
    run(*words)
    assert (tmp_path / "px" / "toko.js").read_text() == first
    assert '"https://cdn.example/px/toko"' in first
    assert not (tmp_path / "s").exists()
