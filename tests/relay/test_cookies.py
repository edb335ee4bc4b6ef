"""Our attribution cookies over HTTP: where, and in which words (DESIGN 5.4, scalev R18-R21)."""

from __future__ import annotations

from typing import Any

import pytest

from relay.cookies import renewed

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


@pytest.mark.parametrize("status", ["denied", "awaited"])
def test_without_consent_nothing_is_renewed(status: str) -> None:
    """What was not agreed to is not stored, by us no more than by the page."""
    event = {**EVENT, "consent": {"status": status}}
    assert renewed("", "toko.example", "https://toko.example", event) == []
