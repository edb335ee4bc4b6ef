"""URLs as they are sent on: whatever they hold, cutting them once is enough."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pixelmirror import urls
from tests.properties.strategies import TEXTS

PIECES = st.sampled_from(
    [
        "?",
        "#",
        "&",
        "=",
        "@",
        "%40",
        "%2540",
        "%",
        "+",
        "/",
        "//",
        ":",
        ".",
        "a",
        "email",
        "name",
        "siti@example.com",
        "+6281234567890",
        "081234567890",
        "fbclid",
        "utm_source",
        "x" * 5000,
    ]
)
URLS = st.one_of(TEXTS, st.lists(PIECES, max_size=20).map("".join))


@given(URLS)
def test_a_cut_url_is_cut(url: str) -> None:
    """Never longer than it was or may be, and the same when it is cut again."""
    cut = urls.sent_url(url)
    assert len(cut) <= min(len(url), urls.MAX_URL)
    assert urls.sent_url(cut) == cut


@given(
    st.lists(PIECES, max_size=10).map("".join),
    st.sampled_from(["siti%40example.com", "%2B62812345678"]),
)
def test_a_private_value_is_never_left_in_the_query(before: str, value: str) -> None:
    """Whatever stands before it, and whatever it is called."""
    query = before.replace("?", "").replace("#", "")
    assert value not in urls.sent_url(f"https://toko.example/?{query}&u={value}")
