"""Our attribution cookies over HTTP: where, and in which words (DESIGN 5.4, scalev R18-R21)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pixelmirror.attribution import domain_index
from relay.cookies import renewed, widest_domain
from tests.relay.relay_stage import HOST, NOW, ORIGIN, site, stage

EVENT: dict[str, Any] = {"consent": {"status": "granted"}, "attribution": {"ttclid": "E.C.P.x"}}

# Where the tracker keeps its cookies, our host, the page's origin, the end of the cookie's text.
SHARED = [
    ("toko.example", "t.toko.example", "https://toko.example", "; Secure; Domain=toko.example"),
    ("toko.example", "toko.example", "https://www.toko.example", "; Secure; Domain=toko.example"),
    ("toko.example", "T.Toko.Example:8443", "http://m.toko.example:81", "; Domain=toko.example"),
    ("toko.co.id", "t.toko.co.id", "https://toko.co.id", "; Secure; Domain=toko.co.id"),
    ("", "toko.example", "https://toko.example", "; Secure"),
    ("", "127.0.0.1:8700", "http://127.0.0.1:8080", ""),
    ("", "[::1]:8700", "http://[::1]", ""),
]


@pytest.mark.parametrize(("domain", "host", "origin", "end"), SHARED)
def test_a_cookie_is_renewed_on_the_domain_that_page_and_relay_share(
    domain: str, host: str, origin: str, end: str
) -> None:
    """Ports do not count for cookies; `Secure` where the page is https."""
    text = "_ttclid=E.C.P.x; Max-Age=604800; Path=/; SameSite=Lax"
    assert renewed(domain, host, origin, EVENT) == [text + end]


STRANGERS = [
    ("toko.example", "t.pixels.example", "https://toko.example"),
    ("toko.example", "t.toko.example", "https://batik.example"),
    ("toko.example", "eviltoko.example", "https://toko.example"),
    ("toko.example", "toko.example.evil.example", "https://toko.example"),
    ("toko.example", "", "https://toko.example"),
    ("", "t.toko.example", "https://toko.example"),
    ("", "[::1]:8700", "http://[::2]:8700"),
    (None, "toko.example", "https://toko.example"),
    (7, "toko.example", "https://toko.example"),
]


@pytest.mark.parametrize(("domain", "host", "origin"), STRANGERS)
def test_nothing_is_renewed_where_nothing_is_shared(domain: Any, host: str, origin: str) -> None:
    """The page's word alone is not enough."""
    assert renewed(domain, host, origin, EVENT) == []


def test_tiktoks_own_cookie_is_never_written() -> None:
    """`_ttp` is only read (R21); of the others, those that the event has."""
    attribution = {"ttp": "2abc", "caid": "2026", "fbp": "fb.1.1.2"}
    found = renewed(
        "", "toko.example", "https://toko.example", {**EVENT, "attribution": attribution}
    )
    assert [text.partition("=")[0] for text in found] == ["_fbp"]


def test_a_domain_that_is_none_is_not_kept_in_mind() -> None:
    """However long it is: a body may be half a megabyte of it."""
    for domain, count in (("toko.example", 1), ("x" * 300 + ".toko.example", 0)):
        host = f"t.{domain}"
        assert len(renewed(domain, host, f"https://{host}", EVENT)) == count


@pytest.mark.parametrize("status", ["denied", "awaited"])
def test_without_consent_nothing_is_renewed(status: str) -> None:
    """What was not agreed to is not stored, by us no more than by the page."""
    event = {**EVENT, "consent": {"status": status}}
    assert renewed("", "toko.example", "https://toko.example", event) == []


def test_global_privacy_control_renews_nothing() -> None:
    """All of these cookies are for advertising, which it refuses."""
    event = {**EVENT, "consent": {"status": "granted", "gpc": True}}
    assert renewed("", "toko.example", "https://toko.example", event) == []


# --- pages that left before Python was up ---

# The page's origin, the site's `cookie_domain`; the domain, and the index in Meta's cookies.
DOMAINS = [
    ("https://toko.example", "auto", "toko.example", 1),
    ("https://www.toko.co.id", "auto", "toko.co.id", 2),
    ("https://toko.co.id", "auto", "toko.co.id", 2),
    ("https://toko.my.id", "auto", "toko.my.id", 2),
    ("https://a.b.toko.com", "auto", "toko.com", 1),
    ("http://A.B.Toko.Com:8080", "auto", "toko.com", 1),
    ("https://toko.myshopify.com", "auto", "toko.myshopify.com", 2),
    ("https://www.toko.myshopify.com", "auto", "toko.myshopify.com", 2),
    ("https://toko.github.io", "auto", "toko.github.io", 2),
    ("https://myshopify.com", "auto", "", 1),
    ("https://co.id", "auto", "", 1),
    ("http://127.0.0.1:8700", "auto", "", 1),
    ("http://[2001:db8::7]:8700", "auto", "", 1),
    ("http://[::1]", "auto", "", 1),
    ("http://localhost:8700", "auto", "", 1),
    ("http://toko.localhost:8700", "auto", "toko.localhost", 1),
    ("https://www.xn--bcher-kva.example", "auto", "xn--bcher-kva.example", 1),
    (
        "https://www.xn--55qx5d.xn--55qx5d.xn--j6w193g",
        "auto",
        "xn--55qx5d.xn--55qx5d.xn--j6w193g",
        2,
    ),
    ("https://www.toko.example.", "auto", "toko.example.", 1),
    ("https://www.toko.co.id", "", "", 1),
    ("https://www.toko.co.id", "www.toko.co.id", "www.toko.co.id", 3),
    ("https://www.toko.co.id", "toko.co.id", "toko.co.id", 2),
    ("https://eviltoko.co.id", "toko.co.id", "", 1),
    ("http://localhost:8700", "toko.example", "", 1),
]


@pytest.mark.parametrize(("origin", "setting", "domain", "index"), DOMAINS)
def test_the_relay_knows_the_widest_domain_that_a_browser_takes(
    origin: str, setting: str, domain: str, index: int
) -> None:
    """What a page finds by trying (DESIGN 5.3): no public suffix, no platform's either."""
    assert (widest_domain(origin, setting), domain_index(domain)) == (domain, index)


# The page's origin, the relay's host, the end of each cookie that is renewed; None for none.
LEFT = [
    ("https://www.toko.co.id", "t.toko.co.id", "; Secure; Domain=toko.co.id"),
    ("https://toko.my.id", "t.toko.my.id", "; Secure; Domain=toko.my.id"),
    ("https://toko.my.id", "t.batik.my.id", None),
    ("http://127.0.0.1:8080", "127.0.0.1:8700", ""),
    ("https://www.toko.co.id", "t.pixels.example", None),
]


@pytest.mark.parametrize(("origin", "host", "end"), LEFT)
def test_a_page_that_left_early_has_its_cookies_too(
    tmp_path: Path, origin: str, host: str, end: str | None
) -> None:
    """Its beacon says no domain: `_fbc` has the index of the right one, and is written there."""
    index = 1 if origin.startswith("http:") else 2
    call = {
        "uuid": "0199cb23-8a00-7000-8000-000000000001",
        "time": NOW,
        "args": ["page"],
        "page": {"url": f"{origin}/?fbclid=AbC", "referrer": "", "title": ""},
    }
    with stage(tmp_path, site(origins=[ORIGIN, origin])) as toko:
        body = {"sent_at": NOW, "calls": [call], "cookies": "_ttp=2abc; _kwai_click_id=kw"}
        answer = toko.page(body, headers={"Origin": origin, "Host": host})
        assert answer.status_code == 204
        (event,) = toko.stored()
    fbc = f"fb.{index}.{NOW}.AbC"
    assert event["attribution"] == {"fbc": fbc, "ttp": "2abc", "kwai_click_id": "kw"}
    lives = {f"_fbc={fbc}": 7776000, "_kwai_click_id=kw": 604800}
    expected = [f"{pair}; Max-Age={s}; Path=/; SameSite=Lax{end}" for pair, s in lives.items()]
    assert answer.headers.get_list("set-cookie") == ([] if end is None else expected)


def test_a_word_of_the_page_is_not_asked_where_the_relay_knows(tmp_path: Path) -> None:
    """A body of calls has no `cookie_domain`; one that is there counts for nothing."""
    page = {"url": f"{ORIGIN}/?ttclid=T", "referrer": "", "title": ""}
    call = {"uuid": "u-1", "time": NOW, "args": ["page"], "page": page}
    with stage(tmp_path) as toko:
        answer = toko.page({"sent_at": NOW, "calls": [call], "cookie_domain": HOST})
    (text,) = answer.headers.get_list("set-cookie")
    assert text.endswith("; Domain=toko.example")
