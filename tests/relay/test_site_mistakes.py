"""The mistakes of a site file: each named by key and reason, all at once (DESIGN 5.2)."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from relay.site import SiteError, parse
from tests.relay.sandbox_client import GONE, changed
from tests.relay.site_files import FULL, LEAST, TABLES, problems

NAMES = "must be 1 to 50 of A-Z, a-z, 0-9, _, . and -"
ORIGIN = "must be scheme and host only, such as https://toko.example: no path, no *"
TEXT, TABLE, URL = "must be a text in quotes", "must be a table", "must be an http or https URL"
TRUE = "must be true or false, without quotes"
WHOLE = "must be a whole number, without quotes"

# Where in the full file, what stands there, and what is said of it (under that key unless given).
MISTAKES: list[tuple[str, Any, str] | tuple[str, Any, str, str]] = [
    ("site", GONE, "is required"),
    ("site", "Toko", "must hold only a-z, 0-9 and -, 1 to 64 of them"),
    ("site", "toko/..", "must hold only a-z, 0-9 and -, 1 to 64 of them"),
    ("site", "t" * 65, "must hold only a-z, 0-9 and -, 1 to 64 of them"),
    ("site", "assets", "must not be assets: that path is the page assets' own"),
    ("site", 7, TEXT),
    ("publishable_key", "", "must not be empty"),
    ("publishable_key", GONE, "is required"),
    ("secret_key", GONE, "is required"),
    ("secret_key", "short", "must have 8 characters or more"),
    ("publishable_key", "the-secret-key", "must not be the publishable_key, which everyone may"
     " know", "secret_key"),
    ("origins", GONE, "is required"),
    ("origins", [], "must not be empty"),
    ("origins", "https://toko.example", "must be a list: [...]"),
    ("origins.0", "https://toko.example/", ORIGIN, "origins[0]"),
    ("origins.0", "https://toko.example/shop", ORIGIN, "origins[0]"),
    ("origins.0", "https://*.toko.example", ORIGIN, "origins[0]"),
    ("origins.0", "*", ORIGIN, "origins[0]"),
    ("origins.0", "toko.example", ORIGIN, "origins[0]"),
    ("origins.0", "ftp://toko.example", ORIGIN, "origins[0]"),
    ("origins.0", "https://user@toko.example", ORIGIN, "origins[0]"),
    ("origins.0", "https://toko.example?", ORIGIN, "origins[0]"),
    ("origins.0", " https://toko.example", ORIGIN, "origins[0]"),
    ("origins.0", 7, TEXT, "origins[0]"),
    ("currency", "idr", "must be a three-letter ISO 4217 code, such as IDR"),
    ("currency", "ABC", "must be a three-letter ISO 4217 code, such as IDR"),
    ("country", "ID", "must be two letters a-z, such as id"),
    ("consent", "yes", "must be 'granted' or 'required'"),
    ("order_event_id", "{event_name}", "must hold {order_id}"),
    ("purchase_on", "later", "must be 'created' or 'paid'"),
    ("cookie_domain", "https://toko.example", "must be auto, a domain such as toko.example, or"
     " empty for the host only"),
    ("data_layer", "true", TRUE),
    ("destinations.meta.advanced_matching", "yes", TRUE),
    ("destinations.tiktok.advanced_matching", 1, TRUE),
    ("trusted_proxies", ["10.0.0.0/8", "proxy"], "must be an IP address or a network such as"
     " 10.0.0.0/8", "trusted_proxies[1]"),
    ("trusted_proxies", [10], "must be an IP address or a network such as 10.0.0.0/8",
     "trusted_proxies[0]"),
    ("custom_events", ["a quiz"], NAMES, "custom_events[0]"),
    ("custom_events", ["quiz", "refund"], "must not hold refund, which is no custom event",
     "custom_events[1]"),
    ("bots", "block", "must be 'skip' or 'send'"),
    ("rate_limit", "50", WHOLE),
    ("rate_limit", 1.5, WHOLE),
    ("rate_limit", True, WHOLE),
    ("rate_limit", -1, "must be 0 or more"),
    ("retention_days", 0, "must be 1 or more"),
    ("secrt_key", "x", "unknown key 'secrt_key', did you mean 'secret_key'?"),
    ("destinations", [], "must be tables: [destinations.meta]"),
    ("destinations.meta", "1234", TABLE),
    ("destinations.facebook", {"pixel_ids": ["1"]}, "unknown kind 'facebook', known: meta, tiktok,"
     " kwai, scalev, tracify, commanders_act, alhena", "destinations.facebook.kind"),
    ("destinations.tiktock", {"pixel_ids": ["1"]}, "unknown kind 'tiktock', did you mean 'tiktok'?",
     "destinations.tiktock.kind"),
    ("destinations.meta.kind", ["meta"], TEXT),
    ("destinations.my pixel", {"kind": "alhena"}, "its name must hold only A-Z, a-z, 0-9, _ and -"),
    ("destinations.meta.mode", "server-side", "must be 'browser', 'server' or 'both'"),
    ("destinations.scalev.mode", "both", "must be 'server'"),
    ("destinations.meta.pixel_id", "1", "unknown key 'pixel_id', did you mean 'pixel_ids'?"),
    ("destinations.meta.pixel_ids", GONE, "is required"),
    ("destinations.meta.pixel_ids", [], "must not be empty"),
    ("destinations.meta.pixel_ids.0", 1234567890, TEXT, "destinations.meta.pixel_ids[0]"),
    ("destinations.meta.pixel_ids.0", "", "must not be empty",
     "destinations.meta.pixel_ids[0]"),
    ("destinations.meta.api_version", "25", "must look like v25.0"),
    ("destinations.meta.access_token", 1, TEXT),
    ("destinations.kwai.test", 1, TRUE),
    ("destinations.meta.categories", "3", "must be a list: [...]"),
    ("destinations.meta.base_url", "127.0.0.1:9000", URL),
    ("destinations.meta.base_url", "", URL),
    ("destinations.meta.sdk_url", "//cdn.example/x.js", URL + ", or empty for none"),
    ("destinations.meta.events", ["purchse"], "unknown event 'purchse', did you mean 'purchase'?"),
    ("destinations.meta.events", "purchase", "must be a list: [...]"),
    ("destinations.meta.event_names", {"view_cat": "View"}, "unknown event 'view_cat', did you"
     " mean 'view_cart'?"),
    ("destinations.meta.event_names", {"purchase": "My Purchase"}, NAMES,
     "destinations.meta.event_names.purchase"),
    ("destinations.meta.event_names", ["Purchase"], TABLE),
    ("destinations.scalev.providers", ["facebook"], "must be 'meta', 'tiktok' or 'snackvideo'",
     "destinations.scalev.providers[0]"),
    ("destinations.scalev.providers", [], "must not be empty"),
    ("destinations.scalev.event_names", {"purchase": "Purchase"}, "must be 'meta', 'tiktok' or"
     " 'snackvideo'", "destinations.scalev.event_names.purchase"),
    ("destinations.scalev.event_names", {"tiktok": {"purchase": "a b"}}, NAMES,
     "destinations.scalev.event_names.tiktok.purchase"),
    ("destinations.scalev.event_names", {"tiktok": {"buy": "Buy"}}, "unknown event 'buy', known:",
     "destinations.scalev.event_names.tiktok"),
    ("destinations.tracify.customer_site_id", "5f0c", "must be a UUID, such as"),
    ("midtrans", True, TABLE),
    ("midtrans.server_key", GONE, "is required"),
    ("midtrans.servr_key", "m", "unknown key 'servr_key', did you mean 'server_key'?"),
    ("midtrans.confirm", "no", TRUE),
]  # fmt: skip


@pytest.mark.parametrize("row", MISTAKES, ids=lambda row: f"{row[0]}={row[1]!r}"[:60])
def test_a_mistake_is_told_by_key_and_reason(row: tuple[Any, ...]) -> None:
    """In words of the file, never in the checker's; the key as it stands in the file."""
    where, value, reason, *key = row
    found = problems(changed(FULL, where, value))
    told = dict(found)
    assert told[key[0] if key else where].startswith(reason)
    for _, words in found:
        assert not {"Input", "input", "should", "valid", "str"} & set(words.split())


def test_a_nearest_key_is_offered_beside_the_one_that_is_missing() -> None:
    """Both ends of a slip of the pen."""
    raw = changed(changed(LEAST, "secret_key", GONE), "secretkey", "x")
    assert problems(raw) == [
        ("secret_key", "is required"),
        ("secretkey", "unknown key 'secretkey', did you mean 'secret_key'?"),
    ]


def test_all_mistakes_are_told_at_once() -> None:
    """Nobody mends a file one line a run."""
    raw = changed(FULL, "consent", "yes")
    raw = changed(raw, "destinations.meta.pixel_ids", [])
    raw = changed(raw, "destinations.tracify.token", GONE)
    raw = changed(raw, "site", "env:NOT_SET_ANYWHERE")
    assert {key for key, _ in problems(raw)} == {
        "consent",
        "destinations.meta.pixel_ids",
        "destinations.tracify.token",
        "site",
    }


TOKENS = [
    "destinations.meta.access_token",
    "destinations.meta.app_secret",
    "destinations.tiktok.access_token",
    "destinations.kwai.access_token",
    "destinations.scalev.api_key",
    "destinations.tracify.token",
    "destinations.commanders_act.source_key",
    "midtrans.server_key",
]


@pytest.mark.parametrize("where", TOKENS)
@pytest.mark.parametrize(
    "token", ["hushhush\n", " hushhush", "hush hush", "hush\thush", "hüshhush"]
)
def test_a_token_that_no_header_can_carry_is_refused_and_not_repeated(
    where: str, token: str
) -> None:
    """Copied with the end of its line, most of the time; in Python's words it would be quoted."""
    words = "must hold no spaces, no line ends, only ASCII"
    assert problems(changed(FULL, where, token)) == [(where, words)]


@pytest.mark.parametrize("where", ["publishable_key", "secret_key"])
@pytest.mark.parametrize("key", ["hushhush\n", " hushhush", "hush\nhush", "hüshhush"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_repeated(where: str, key: str) -> None:
    """It is the shop's own, so that it may hold spaces."""
    words = "must hold only ASCII, and no space or line end at its ends"
    assert problems(changed(FULL, where, key)) == [(where, words)]
    assert parse(changed(FULL, where, "hush hush"), "toko.toml")


def test_a_token_of_the_environment_is_held_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is where most line ends come from."""
    monkeypatch.setenv("TRACIFY_TOKEN", "hush\n")
    raw = changed(FULL, "destinations.tracify.token", "env:TRACIFY_TOKEN")
    ((key, reason),) = problems(raw)
    assert (key, "hush" in reason) == ("destinations.tracify.token", False)


def test_no_value_is_repeated_for_it_may_be_a_secret() -> None:
    """Neither in the words nor in a traceback."""
    raw = changed(FULL, "secret_key", ["hush"])
    raw = changed(raw, "destinations.tracify.token", {"hush": "hush"})
    raw = changed(raw, "destinations.scalev.api_key", "")
    raw = changed(raw, "publishable_key", 7777777)
    with pytest.raises(SiteError, match="secret_key: must be a text in quotes") as caught:
        parse(raw, "toko.toml")
    text = "".join(traceback.format_exception(caught.value))
    assert "hush" not in text
    assert "7777777" not in text


# --- two routes to one pixel (scalev D13) ---

META, SCALEV = {"pixel_ids": ["1"]}, TABLES["scalev"]
TWICE: list[tuple[dict[str, dict[str, Any]], str | None]] = [
    ({"meta": META, "scalev": SCALEV}, "destinations.scalev"),
    ({"scalev": SCALEV, "meta": {**META, "mode": "server"}}, "destinations.meta"),
    ({"meta": {**META, "mode": "browser"}, "scalev": SCALEV}, None),
    ({"kwai": {**META, "mode": "both"}, "scalev": SCALEV}, "destinations.scalev"),
    ({"kwai": META, "scalev": SCALEV}, None),
    ({"tiktok": META, "scalev": {**SCALEV, "providers": ["meta", "snackvideo"]}}, None),
    (
        {"meta": {**META, "events": ["purchase"]}, "scalev": {**SCALEV, "events": ["view_item"]}},
        None,
    ),
    (
        {"meta": {**META, "events": ["purchase"]}, "scalev": {**SCALEV, "events": ["purchase"]}},
        "destinations.scalev",
    ),
    ({"meta": {**META, "events": ["page_view"]}, "scalev": SCALEV}, None),
    (
        {
            "meta": {**META, "events": ["page_view"]},
            "scalev": {**SCALEV, "event_names": {"meta": {"page_view": "PageView"}}},
        },
        "destinations.scalev",
    ),
    ({"meta": META, "second": {"kind": "meta", "pixel_ids": ["2"]}}, None),
    (
        {
            "meta": META,
            "second": {"kind": "meta", "mode": "server", "pixel_ids": ["2", "1"]},
        },
        "destinations.second",
    ),
    ({"scalev": SCALEV, "second": {**SCALEV, "kind": "scalev"}}, "destinations.second"),
    ({"scalev": SCALEV, "second": {**SCALEV, "kind": "scalev", "store_id": "2"}}, None),
]


@pytest.mark.parametrize(("tables", "key"), TWICE)
def test_a_pixel_gets_an_events_server_copy_by_one_route(
    tables: dict[str, dict[str, Any]], key: str | None
) -> None:
    """scalev D13, alusio L8: by two it would count twice, as the IDs differ."""
    raw = {**LEAST, "destinations": tables}
    if key is None:
        assert set(parse(raw, "f").destinations) == set(tables)
    else:
        found = problems(raw)
        assert {told for told, _ in found} == {key}
        assert "twice" in found[0][1]


def test_a_pixel_is_fired_by_one_table() -> None:
    """By two each event would count twice in the page."""
    browser = {"mode": "browser", "pixel_ids": ["2", "1"]}
    tables = {"meta": {**META, "mode": "browser"}, "second": {**browser, "kind": "meta"}}
    assert problems({**LEAST, "destinations": tables}) == [
        ("destinations.second.pixel_ids", "1 is in destinations.meta too")
    ]
    assert parse({**LEAST, "destinations": {"meta": browser, "tiktok": browser}}, "f")


@pytest.mark.parametrize(
    ("settings", "is_sound"),
    [
        ({"mode": "both"}, False),
        ({"mode": "both", "events": ["purchase", "login"]}, False),
        ({"mode": "both", "events": ["purchase"]}, True),
        ({"mode": "server"}, True),
        ({"mode": "browser"}, True),
    ],
)
def test_commanders_act_records_an_event_once(settings: dict[str, Any], is_sound: bool) -> None:
    """specs/commanders-act.md 4: a second record, unless it is a purchase, updated by its ID."""
    tables = {"commanders_act": {"site_id": "1", **settings}}
    raw = {**LEAST, "destinations": tables}
    if is_sound:
        assert parse(raw, "f").destinations
    else:
        assert [key for key, _ in problems(raw)] == ["destinations.commanders_act.mode"]
