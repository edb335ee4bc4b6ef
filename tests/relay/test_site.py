"""The site file: what it may say, and how files are read (DESIGN 5.2)."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

import pytest

from relay.site import KINDS, Site, SiteError, load, load_all, parse
from tests.relay.sandbox_client import changed
from tests.relay.site_files import FULL, LEAST, TABLES, problems

# --- what a file may say ---


def test_a_site_needs_four_keys_and_the_rest_has_defaults() -> None:
    """The defaults are those of the contract."""
    site = parse(LEAST, "toko.toml")
    assert site.model_dump() == {
        **LEAST,
        "store_id": "",
        "currency": "IDR",
        "country": "id",
        "consent": "granted",
        "order_event_id": "{order_id}-{event_name}-FORM",
        "purchase_on": "created",
        "cookie_domain": "auto",
        "data_layer": False,
        "trusted_proxies": [],
        "custom_events": [],
        "bots": "skip",
        "rate_limit": 50,
        "retention_days": 30,
        "destinations": {},
        "midtrans": None,
    }


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("meta", "both"),
        ("tiktok", "both"),
        ("kwai", "browser"),
        ("scalev", "server"),
        ("tracify", "server"),
        ("commanders_act", "browser"),
        ("alhena", "browser"),
    ],
)
def test_each_kind_has_its_default_mode(kind: str, mode: str) -> None:
    """The table's name is its kind unless `kind` says otherwise."""
    table = {key: value for key, value in TABLES[kind].items() if key != "mode"}
    site = parse({**LEAST, "destinations": {kind: table}}, "f")
    assert site.destinations[kind].mode == mode
    other = parse({**LEAST, "destinations": {"mine": {**table, "kind": kind}}}, "f")
    assert (other.destinations["mine"].kind, other.destinations["mine"].mode) == (kind, mode)


def test_every_kind_of_the_contract_is_known() -> None:
    """Seven of them."""
    assert set(KINDS) == set(TABLES)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://toko.example", "https://toko.example"),
        ("https://Toko.Example:443", "https://toko.example"),
        ("http://toko.example:80", "http://toko.example"),
        ("http://127.0.0.1:8700", "http://127.0.0.1:8700"),
        ("http://[::1]:8700", "http://[::1]:8700"),
        ("https://toko.example:80", "https://toko.example:80"),
    ],
)
def test_an_origin_is_kept_as_browsers_say_it(given: str, kept: str) -> None:
    """They write it in lower case and leave the scheme's own port away."""
    assert parse({**LEAST, "origins": [given]}, "f").origins == [kept]


def test_trusted_proxies_are_read_once() -> None:
    """Addresses and networks, of both versions."""
    proxies = ["10.0.0.1", "10.1.2.3/8", "2001:db8::/32"]
    assert parse({**LEAST, "trusted_proxies": proxies}, "f").trusted_proxies == [
        ipaddress.ip_network("10.0.0.1/32"),
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("2001:db8::/32"),
    ]


def test_the_environment_is_read_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts, lists, numbers, flags, at any depth."""
    for name, value in {
        "SECRET": "from-the-environment",
        "ORIGIN": "https://toko.example",
        "RATE": "7",
        "YES": "true",
        "NO": "false",
        "TOKEN": "t0ken",
        "NAME": "Purchase",
    }.items():
        monkeypatch.setenv(name, value)
    raw: dict[str, Any] = {
        **LEAST,
        "secret_key": "env:SECRET",
        "origins": ["env:ORIGIN"],
        "rate_limit": "env:RATE",
        "data_layer": "env:YES",
        "destinations": {
            "tracify": {**TABLES["tracify"], "token": "env:TOKEN"},
            "kwai": {"pixel_ids": ["env:TOKEN"], "test": "env:NO"},
            "scalev": {
                **TABLES["scalev"],
                "event_names": {"meta": {"purchase": "env:NAME"}},
            },
        },
    }
    site = parse(raw, "f")
    assert (site.secret_key, site.origins) == ("from-the-environment", ["https://toko.example"])
    assert (site.rate_limit, site.data_layer) == (7, True)
    tables = {name: table.model_dump() for name, table in site.destinations.items()}
    assert tables["tracify"]["token"] == "t0ken"
    assert (tables["kwai"]["pixel_ids"], tables["kwai"]["test"]) == (["t0ken"], False)
    assert tables["scalev"]["event_names"] == {"meta": {"purchase": "Purchase"}}


@pytest.mark.parametrize(
    ("where", "key"),
    [
        ("secret_key", "secret_key"),
        ("origins.0", "origins[0]"),
        ("destinations.tracify.customer_site_id", "destinations.tracify.customer_site_id"),
        ("destinations.kwai.pixel_ids.0", "destinations.kwai.pixel_ids[0]"),
        ("midtrans.server_key", "midtrans.server_key"),
    ],
)
def test_what_the_environment_has_not_is_one_mistake(where: str, key: str) -> None:
    """Named by the variable; what else would be wrong with an empty value is no news."""
    raw = changed(FULL, where, "env:NOT_SET_ANYWHERE")
    assert problems(raw) == [(key, "the environment has no NOT_SET_ANYWHERE")]


# --- files ---


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def toml(name: str, key: str = "the-secret-key") -> str:
    return (
        f'site = "{name}"\npublishable_key = "pmk_{name}"\nsecret_key = "{key}-{name}"\n'
        'origins = ["https://toko.example"]\n'
    )


def test_a_file_is_read(tmp_path: Path) -> None:
    """UTF-8, as TOML is."""
    site = load(write(tmp_path / "toko.toml", "# kaos é\n" + toml("toko")))
    assert isinstance(site, Site)
    assert site.site == "toko"


def test_a_file_that_cannot_be_read_is_a_mistake_of_the_file(tmp_path: Path) -> None:
    """Missing, a folder, not TOML, not UTF-8."""
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b'site = "\xe9"')
    for path, reason in (
        (tmp_path / "none.toml", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (write(tmp_path / "a.toml", "site = toko"), "is not TOML: Invalid value"),
        (write(tmp_path / "b.toml", 'site = "a"\nsite = "b"'), "is not TOML: Cannot overwrite"),
        (latin, "is not TOML: 'utf-8' codec can't decode"),
    ):
        with pytest.raises(SiteError) as caught:
            load(path)
        assert str(caught.value).startswith(f"{path}: file: {reason}")


def test_the_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    """A line each: file, key, reason."""
    good = write(tmp_path / "good.toml", toml("good"))
    one = write(tmp_path / "one.toml", toml("one") + 'consent = "yes"')
    two = write(tmp_path / "two.toml", toml("two") + "rate_limit = -1")
    with pytest.raises(SiteError) as caught:
        load_all([good, one, two])
    assert str(caught.value).splitlines() == [
        f"{one}: consent: must be 'granted' or 'required'",
        f"{two}: rate_limit: must be 0 or more",
    ]


def test_no_two_sites_share_a_name_or_a_key(tmp_path: Path) -> None:
    """Else one shop would answer for the other."""
    one = write(tmp_path / "one.toml", toml("toko"))
    two = write(tmp_path / "two.toml", toml("toko"))
    three = write(tmp_path / "three.toml", toml("batik").replace("pmk_batik", "pmk_toko"))
    with pytest.raises(SiteError) as caught:
        load_all([one, two, three])
    assert [tuple(mistake) for mistake in caught.value.mistakes] == [
        (str(two), "site", f"is the same as in {one}"),
        (str(two), "publishable_key", f"is the same as in {one}"),
        (str(three), "publishable_key", f"is the same as in {one}"),
        (str(two), "secret_key", f"is the same as in {one}"),
    ]
    sites = load_all([one, write(tmp_path / "four.toml", toml("batik"))])
    assert [site.site for site in sites] == ["toko", "batik"]
