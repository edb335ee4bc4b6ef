"""What pages load by the site's name: `GET /s/{site}.js` and its PyScript config (DESIGN 5.4)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pixelmirror.pixels import PIXELS
from relay.pages import SitePages
from relay.site import Site
from tests.relay.relay_stage import HOST, SITE, TRACIFY, Stage, page_assets, site, stage

NODE = Path(sys.executable).with_name("node")
BASE = f"//{HOST}/s"

SECRETS = {
    "TOKO_SECRET": "hush-secret-key",
    "META_TOKEN": "hush-meta-token",
    "TIKTOK_TOKEN": "hush-tiktok-token",
    "KWAI_TOKEN": "hush-kwai-token",
    "SCALEV_KEY": "hush-scalev-key",
    "TRACIFY_TOKEN": "hush-tracify-token",
    "MIDTRANS_KEY": "hush-midtrans-key",
}
EVERYTHING: dict[str, Any] = {
    **SITE,
    "secret_key": "env:TOKO_SECRET",
    "destinations": {
        "meta": {"pixel_ids": ["111"], "access_token": "env:META_TOKEN", "events": ["purchase"]},
        "tiktok": {
            "pixel_ids": ["C222"],
            "access_token": "env:TIKTOK_TOKEN",
            "test_event_code": "hush-tiktok-test",
            "events": ["purchase"],
        },
        "kwai": {"pixel_ids": ["333"], "access_token": "env:KWAI_TOKEN", "mode": "browser"},
        "scalev": {
            "store_id": "hush-store",
            "api_key": "env:SCALEV_KEY",
            "events": ["add_to_cart"],
        },
        "tracify": {**TRACIFY, "token": "env:TRACIFY_TOKEN"},
        "commanders_act": {"site_id": "444"},
        "alhena": {"company_key": "toko"},
    },
    "midtrans": {"server_key": "env:MIDTRANS_KEY"},
}


def loader(folder: Path, one: Site) -> str:
    return SitePages(one, page_assets(folder / "dist")).loader(BASE)


def settings_of(text: str) -> dict[str, Any]:
    """The public settings in a loader, as JavaScript reads them."""
    read: dict[str, Any]
    read, _ = json.JSONDecoder().raw_decode(text, text.index('{"site"'))
    return read


def is_javascript(text: str) -> bool:
    done = subprocess.run(
        [NODE, "--check", "--input-type=commonjs", "-"], input=text, text=True, capture_output=True
    )
    return done.returncode == 0


# --- what is in it ---


def test_the_loader_holds_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, no token, no test code, nothing of a destination without a pixel."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    one = site(EVERYTHING)
    pages = SitePages(one, page_assets(tmp_path))
    for text in (pages.loader(BASE), pages.pyscript_config(BASE), pages.client_config(BASE)):
        assert "hush" not in text
        assert "env:" not in text
        assert TRACIFY["customer_site_id"] not in text
        assert "pmk_toko" not in text
    destinations = settings_of(pages.loader(BASE))["destinations"]
    assert set(destinations) == {"meta", "tiktok", "kwai", "commanders_act", "alhena"}


def test_only_pages_that_post_to_scalev_load_what_does_it(tmp_path: Path) -> None:
    """The image of all others is a tenth smaller."""
    direct = {"api_key": "sfpk_toko", "store_id": "s", "transport": "direct"}
    tables = {
        "none": {},
        "relay": {"scalev": {**direct, "transport": "relay"}},
        "direct": {"scalev": direct},
    }
    images = {}
    for name, table in tables.items():
        text = loader(tmp_path / name, site(destinations=table))
        images[name] = settings_of(text)["assets"]["image"].split("/")[-2]
    assert images == {
        "none": "hash-of-image",
        "relay": "hash-of-image",
        "direct": "hash-of-direct_image",
    }


def test_the_settings_are_what_the_page_may_know(tmp_path: Path) -> None:
    """Site, where the relay is, currency, consent, cookies, own events, pixels, runtimes."""
    tables = {"meta": {"mode": "browser", "pixel_ids": ["111"], "event_names": {"page_view": "V"}}}
    one = site(destinations=tables, custom_events=["quiz"], consent="required", cookie_domain="")
    settings = settings_of(loader(tmp_path, one))
    settings.pop("version")
    assert settings == {
        "site": "toko",
        "relay": f"{BASE}/toko",
        "assets": {
            "page": f"{BASE}/assets/hash-of-page/page.js",
            "micropython": f"{BASE}/assets/hash-of-micropython/micropython.mjs",
            "image": f"{BASE}/assets/hash-of-image/pixelmirror.romfs",
            "pyscript": f"{BASE}/assets/hash-of-pyscript/core.js",
            "tracker": f"{BASE}/assets/hash-of-tracker/pixelmirror.tar.gz",
            "pyodide": f"{BASE}/assets/hash-of-pyodide/pyodide.mjs",
        },
        "currency": "IDR",
        "consent": "required",
        "cookie_domain": "",
        "custom_events": ["quiz"],
        "data_layer": [],
        "has_alhena": False,
        "destinations": {
            "meta": {
                "kind": "meta",
                "stub": True,
                "sdk_urls": list(PIXELS["meta"].SDK_URLS),
                "event_names": {"page_view": "V"},
                "categories": [],
                "order_event_id": "{order_id}-{event_name}-FORM",
                "pixel_ids": ["111"],
            }
        },
    }


@pytest.mark.parametrize(
    ("sdk_url", "stub", "urls"),
    [
        (None, True, list(PIXELS["tiktok"].SDK_URLS)),
        ("https://cdn.example/t.js", True, ["https://cdn.example/t.js"]),
        ("", False, []),
    ],
)
def test_an_sdk_comes_from_its_vendor_unless_the_site_says_otherwise(
    tmp_path: Path, sdk_url: str | None, stub: bool, urls: list[str]
) -> None:
    """`sdk_url` replaces its whole URL; empty: the page loads it itself, stub and all."""
    table: dict[str, Any] = {"mode": "browser", "pixel_ids": ["C1"]}
    if sdk_url is not None:
        table["sdk_url"] = sdk_url
    settings = settings_of(loader(tmp_path, site(destinations={"tiktok": table})))
    pixel = settings["destinations"]["tiktok"]
    assert (pixel["stub"], pixel["sdk_urls"]) == (stub, urls)


@pytest.mark.parametrize("kind", ["meta", "tiktok"])
def test_a_page_is_told_of_advanced_matching_only_where_asked(tmp_path: Path, kind: str) -> None:
    """`advanced_matching = true` is in the settings; false, the default, is not."""
    for asked in (True, False):
        table = {"mode": "browser", "pixel_ids": ["1"], "advanced_matching": asked}
        made = loader(tmp_path / str(asked), site(destinations={kind: table}))
        assert settings_of(made)["destinations"][kind].get("advanced_matching") == (asked or None)


def test_a_page_is_told_nothing_of_a_pixel_in_server_mode(tmp_path: Path) -> None:
    """Nor of a destination that has none."""
    table = {"mode": "server", "pixel_ids": ["98765"]}
    text = loader(tmp_path, site(destinations={"meta": table, "tracify": TRACIFY}))
    assert settings_of(text)["destinations"] == {}
    assert "98765" not in text


BREAKING = [
    "</script><script>alert(1)</script>",
    "<!--",
    "\u2028\u2029",
    "\"'`${alert(1)}\\",
    "SETTINGS",
    "\\1\\g<0>",
]


@pytest.mark.parametrize("text", BREAKING)
def test_nothing_in_a_setting_can_break_the_script(tmp_path: Path, text: str) -> None:
    """It is read back as it was, whatever it holds, also where the loader is put into a page."""
    order_event_id = text + "{order_id}"
    table = {"mode": "browser", "pixel_ids": [text]}
    one = site(destinations={"meta": table}, order_event_id=order_event_id)
    made = loader(tmp_path, one)
    pixel = settings_of(made)["destinations"]["meta"]
    assert pixel["pixel_ids"] == [text]
    assert pixel["order_event_id"] == order_event_id
    assert "</script" not in made
    assert not {"\u2028", "\u2029"} & set(made)
    assert is_javascript(made)


# --- how it is answered ---


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/s/toko.js", "text/javascript; charset=utf-8"),
        ("/s/toko/pyscript.json", "application/json"),
        ("/s/toko/client.json", "application/json"),
    ],
)
def test_the_answer_is_for_any_page_and_kept_for_five_minutes(
    shared: Stage, path: str, media_type: str
) -> None:
    """Public, of the right type, with an ETag by which a browser asks again."""
    answer = shared.ask("GET", path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    assert answer.headers["cache-control"].startswith("public, max-age=300")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = shared.ask("GET", path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == answer.headers["etag"]
    weak = {"If-None-Match": f'"other", W/{answer.headers["etag"]}'}
    assert shared.ask("GET", path, headers=weak).status_code == 304
    assert shared.ask("GET", path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_the_loader_of_another_address_has_another_etag(shared: Stage) -> None:
    """It names the relay by the host under which the page found it, in the page's own scheme."""
    tags = set()
    for host in ("t.toko.example", "localhost:8700", "[::1]:8700", "relay_1:8700"):
        answer = shared.ask("GET", "/s/toko.js", headers={"Host": host})
        assert settings_of(answer.text)["relay"] == f"//{host}/s/toko"
        tags.add(answer.headers["etag"])
    assert len(tags) == 4


@pytest.mark.parametrize(
    "host", ['"><script>', "a b", "a/b", "user@host", "toko.example:", "", "a" * 254]
)
def test_a_host_that_is_none_is_refused(shared: Stage, host: str) -> None:
    """It would stand in the script as it is."""
    for path in ("/s/toko.js", "/s/toko/pyscript.json", "/s/toko/client.json"):
        answer = shared.ask("GET", path, headers={"Host": host})
        assert answer.status_code == 404
        assert "script" not in answer.text


def test_a_public_address_that_is_set_stands_whatever_host_is_asked_for(tmp_path: Path) -> None:
    """So no cache between can be made to tell pages of another's host."""
    with stage(tmp_path, site(), public_url="https://t.toko.example") as toko:
        for host in ("t.toko.example", "evil.example", '"><script>'):
            for path in ("/s/toko.js", "/s/toko/pyscript.json", "/s/toko/client.json"):
                text = toko.ask("GET", path, headers={"Host": host}).text
                assert "https://t.toko.example/s/assets/" in text
                assert host == "t.toko.example" or host not in text


def test_the_pyscript_config_makes_import_pixelmirror_work(shared: Stage) -> None:
    """The tracker's files, and the loader as the module that the tracker asks for."""
    config = shared.ask("GET", "/s/toko/pyscript.json").json()
    assert config == {
        "files": {f"{BASE}/assets/hash-of-tracker/pixelmirror.tar.gz": "./*"},
        "js_modules": {"main": {f"{BASE}/toko.js": "pixelmirror_loader"}},
    }


def test_the_client_config_makes_import_pixelmirror_client_work(shared: Stage) -> None:
    """The tracker's files and the client's, and the Pyodide that both were tested with."""
    config = shared.ask("GET", "/s/toko/client.json").json()
    assert config == {
        "interpreter": f"{BASE}/assets/hash-of-pyodide/pyodide.mjs",
        "files": {
            f"{BASE}/assets/hash-of-tracker/pixelmirror.tar.gz": "./*",
            f"{BASE}/assets/hash-of-client/client.tar.gz": "./*",
        },
    }


@pytest.mark.parametrize(
    ("path", "base"), [("/px", "/px"), ("a/b/", "/a/b"), ("/", ""), ("", ""), ("/s", "/s")]
)
def test_the_path_is_a_setting(tmp_path: Path, path: str, base: str) -> None:
    """So that block lists have nothing fixed to match: every route of pages moves with it."""
    with stage(tmp_path, site(), path=path) as toko:
        answer = toko.ask("GET", f"{base}/toko.js")
        settings = settings_of(answer.text)
        assert settings["relay"] == f"//{HOST}{base}/toko"
        assert toko.ask("GET", f"{base}/toko/pyscript.json").status_code == 200
        assert toko.ask("GET", f"{base}/toko/client.json").status_code == 200
        assert toko.ask("GET", settings["assets"]["page"]).status_code == 200
        assert toko.page({"calls": [{}]}, path=f"{base}/toko").status_code == 204
        assert toko.ask("GET", "/healthz").status_code == 200
        if base != "/s":
            assert toko.ask("GET", "/s/toko.js").status_code == 404
