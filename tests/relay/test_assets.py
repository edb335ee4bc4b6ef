"""Page assets over HTTP: what `GET /s/assets/{hash}/...` promises (DESIGN 5.4)."""

import gzip
import json
import shutil
from pathlib import Path

import brotli
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from relay.assets import Assets, AssetsMissing, preferred_coding

CORE = b"import './chunk.js'; // core " * 50
LOCK = b'{"packages": {}}' * 20
WASM = b"\0asm" + bytes(range(256)) * 4
ARCHIVE = b"\x1f\x8b, as good as an archive here"
CURRENT, STALE = "0123456789abcdef", "fedcba9876543210"


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A dist folder with one file of each type, and a folder that the manifest does not name."""
    files = {"core.js": CORE, "core.mjs": CORE, "lock.json": LOCK, "a.wasm": WASM}
    folder = tmp_path / "dist" / CURRENT
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
        (folder / f"{name}.br").write_bytes(brotli.compress(content))
    (folder / "core.js.gz").write_bytes(_gzip(CORE))
    (folder / "std.zip").write_bytes(ARCHIVE)
    (folder / "pixelmirror.romfs").write_bytes(ARCHIVE)
    (folder / "pixelmirror.tar.gz").write_bytes(ARCHIVE)
    (folder.parent / STALE).mkdir()
    (folder.parent / STALE / "core.js").write_bytes(b"old")
    (folder.parent / "secret.toml").write_bytes(b"secret")
    manifest = {"pyscript": f"{CURRENT}/core.js", "tracker": f"{CURRENT}/pixelmirror.tar.gz"}
    (folder.parent / "manifest.json").write_text(json.dumps(manifest))
    return folder.parent


@pytest.fixture
def client(dist: Path) -> TestClient:
    endpoint = Assets(dist).endpoint
    app = Starlette(routes=[Mount("/s", routes=[Route("/assets/{path:path}", endpoint)])])
    return TestClient(app)


MEDIA_TYPES = [
    ("core.js", "text/javascript; charset=utf-8", CORE),
    ("core.mjs", "text/javascript; charset=utf-8", CORE),
    ("a.wasm", "application/wasm", WASM),
    ("lock.json", "application/json", LOCK),
    ("std.zip", "application/zip", ARCHIVE),
    ("pixelmirror.romfs", "application/octet-stream", ARCHIVE),
    ("pixelmirror.tar.gz", "application/gzip", ARCHIVE),
]


@pytest.mark.parametrize(("name", "media_type", "content"), MEDIA_TYPES)
def test_every_file_has_the_type_that_browsers_insist_on(
    client: TestClient, name: str, media_type: str, content: bytes
) -> None:
    """A module script and a streamed WebAssembly file load under their exact type only."""
    answer = client.get(f"/s/assets/{CURRENT}/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    assert answer.content == content


@pytest.mark.parametrize("path", [f"{CURRENT}/core.js", f"{CURRENT}/pixelmirror.tar.gz", "none.js"])
def test_shop_pages_of_any_origin_may_use_every_answer(client: TestClient, path: str) -> None:
    """A page imports modules from the relay's origin, also under a cross-origin embedder policy."""
    headers = client.get(f"/s/assets/{path}").headers
    assert headers["access-control-allow-origin"] == "*"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["vary"] == "Accept-Encoding"


def test_a_browser_may_keep_an_asset_for_ever(client: TestClient) -> None:
    headers = client.get(f"/s/assets/{CURRENT}/core.js").headers
    assert headers["cache-control"] == "public, max-age=31536000, immutable"


ACCEPT_ENCODING = [
    ("br, gzip", "br", "equal weights: the smaller form"),
    ("gzip, deflate, br, zstd", "br", "as Chromium and Firefox say it over HTTPS"),
    ("gzip, deflate", "gzip", "as browsers say it over plain HTTP"),
    ("GZIP", "gzip", "codings have no case"),
    ("br;q=0.5, gzip;q=0.8", "gzip", "the client's weights come first"),
    ("br;q=0, gzip", "gzip", "weight 0 refuses"),
    ("br ; q=0 , gzip ; q=0", "identity", "spaces do not matter"),
    ("*", "br", "a star is any coding"),
    ("*;q=0", "identity", "also when it refuses"),
    ("br;q=0, *", "gzip", "a star is any coding that is not named"),
    ("identity, br;q=0.5", "identity", "identity may be liked best"),
    ("deflate", "identity", "a coding that we have not made"),
    ("br;q=high", "identity", "a weight that is no number"),
    ("", "identity", "an empty list accepts none"),
    (None, "identity", "a client that says nothing may understand nothing"),
]


@pytest.mark.parametrize(("accept_encoding", "expected", "why"), ACCEPT_ENCODING)
def test_the_coding_is_the_one_that_the_client_likes_best(
    accept_encoding: str | None, expected: str, why: str
) -> None:
    """The rules of RFC 9110, section 12.5.3, each row with its own."""
    forms = {"identity": Path("a.js"), "br": Path("a.js.br"), "gzip": Path("a.js.gz")}
    assert preferred_coding(accept_encoding, forms) == expected, why


@pytest.mark.parametrize("coding", ["br", "gzip", "identity"])
def test_the_compressed_form_is_the_same_file(client: TestClient, coding: str) -> None:
    answer = client.get(f"/s/assets/{CURRENT}/core.js", headers={"Accept-Encoding": coding})
    assert answer.headers.get("content-encoding", "identity") == coding
    assert answer.content == CORE
    stored = {"br": brotli.compress(CORE), "gzip": _gzip(CORE), "identity": CORE}[coding]
    assert answer.headers["content-length"] == str(len(stored))


@pytest.mark.parametrize("name", ["std.zip", "pixelmirror.tar.gz"])
def test_an_archive_reaches_python_as_it_is(client: TestClient, name: str) -> None:
    """Were the archive's gzip named as its coding, the browser would unpack it before PyScript."""
    answer = client.get(f"/s/assets/{CURRENT}/{name}", headers={"Accept-Encoding": "br, gzip"})
    assert "content-encoding" not in answer.headers
    assert answer.content == ARCHIVE


def test_a_compressed_form_is_no_asset_of_its_own(client: TestClient) -> None:
    assert client.get(f"/s/assets/{CURRENT}/core.js.br").status_code == 404
    assert client.get(f"/s/assets/{CURRENT}/core.js.gz").status_code == 404


def test_head_answers_as_get_does_without_the_body(client: TestClient) -> None:
    path = f"/s/assets/{CURRENT}/core.js"
    head, get = client.head(path), client.get(path)
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers == get.headers


@pytest.mark.parametrize("shape", ["{}", "W/{}", '"other", {}', "*"])
def test_what_the_browser_has_already_is_not_sent_again(client: TestClient, shape: str) -> None:
    path = f"/s/assets/{CURRENT}/core.js"
    etag = client.get(path).headers["etag"]
    answer = client.get(path, headers={"If-None-Match": shape.format(etag)})
    assert answer.status_code == 304
    assert answer.content == b""
    assert answer.headers["etag"] == etag
    assert "immutable" in answer.headers["cache-control"]


def test_each_form_has_an_etag_of_its_own(client: TestClient) -> None:
    """A cache that holds the brotli form must not be told that the plain one is the same."""
    path = f"/s/assets/{CURRENT}/core.js"
    codings = ("br", "gzip", "identity")
    etags = {client.get(path, headers={"Accept-Encoding": c}).headers["etag"] for c in codings}
    assert len(etags) == 3
    stale = client.get(path, headers={"Accept-Encoding": "br", "If-None-Match": '"other"'})
    assert stale.status_code == 200


NOT_SERVED = [
    "none.js",
    "",
    CURRENT,
    f"{CURRENT}/",
    f"{CURRENT}/none.js",
    f"{STALE}/core.js",
    "manifest.json",
    "secret.toml",
    f"{CURRENT}/../secret.toml",
    f"{CURRENT}/..%2Fsecret.toml",
    f"{CURRENT}/%2e%2e/secret.toml",
    "%2Fetc%2Fpasswd",
    f"{CURRENT}/core.js%00",
]


@pytest.mark.parametrize("path", NOT_SERVED)
def test_nothing_but_the_current_groups_is_served(client: TestClient, path: str) -> None:
    """Only names read at start exist: no way out of the folder, no folder that is out of use."""
    answer = client.get(f"/s/assets/{path}")
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert error["code"] == "unknown_asset"
    assert "no page asset" in error["message"]
    assert answer.headers["cache-control"] == "no-store"


def test_assets_built_again_under_a_running_relay_are_404_and_no_crash(
    client: TestClient, dist: Path
) -> None:
    shutil.rmtree(dist / CURRENT)
    assert client.get(f"/s/assets/{CURRENT}/core.js").status_code == 404


@pytest.mark.parametrize("base", ["https://t.shop.example/s", "https://t.shop.example/s/"])
def test_a_groups_url_is_its_entry_file_below_the_relays_path(dist: Path, base: str) -> None:
    url = Assets(dist).url(base, "tracker")
    assert url == f"https://t.shop.example/s/assets/{CURRENT}/pixelmirror.tar.gz"


def test_a_relay_without_its_assets_says_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(AssetsMissing, match=r"python web/build\.py"):
        Assets(tmp_path)


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)
