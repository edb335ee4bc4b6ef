"""The stand-in SDKs of Meta, TikTok and Kwai treat the stub and the page as the real ones do."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.relay.sandbox_browser import Shop, Stage, staged
from tests.relay.sandbox_stubs import FBQ, KWAIQ, TTQ


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with staged() as made:
        yield made


@pytest.fixture
def shop(stage: Stage) -> Iterator[Shop]:
    """A shop's page in which nothing of ours may raise an error."""
    made = Shop(stage)
    yield made
    assert made.page_errors == []
    made.context.close()


# Meta


def test_meta_replays_the_queue_in_order_for_each_pixel(shop: Shop) -> None:
    """One record for each initialised pixel; the ID is the fourth argument's (meta.md 1)."""
    shop.open(
        FBQ
        + """fbq("init", "11"); fbq("init", "22"); fbq("track", "PageView");
             fbq("track", "AddToCart", {value: 120000}, {eventID: "e1"});"""
    )
    shop.load("meta")
    shop.run("""fbq("trackSingle", "22", "Purchase", {value: 1}, {eventID: "e2"})""")
    assert shop.events("Purchase") == [
        ("PageView", None, "11", None),
        ("PageView", None, "22", None),
        ("AddToCart", "e1", "11", None),
        ("AddToCart", "e1", "22", None),
        ("Purchase", "e2", "22", None),
    ]
    added = shop.calls("AddToCart")[4]
    assert added["call"] == ["track", "AddToCart", {"value": 120000}, {"eventID": "e1"}]
    assert not added["duplicate"]


def test_meta_tells_which_pixels_it_has(shop: Shop) -> None:
    """`fbq.getState().pixels`; a second init of one changes nothing."""
    shop.open(FBQ + """fbq("init", "11"); fbq("init", "11"); fbq("trackCustom", "Wink", {});""")
    shop.load("meta")
    assert shop.run("fbq.getState().pixels") == [{"id": "11"}]
    assert shop.events("Wink") == [("Wink", None, "11", None)]


def test_meta_takes_user_data_once_for_each_pixel(shop: Shop) -> None:
    """A second init is taken with user data where there was none; any other is a duplicate."""
    shop.open(
        FBQ
        + """fbq("init", "11"); fbq("init", "11", {}); fbq("init", "11", {em: "a"});
             fbq("init", "11", {em: "b"}); fbq("trackCustom", "Wink", {});"""
    )
    shop.load("meta")
    shop.events("Wink")
    inits = [row for row in shop.calls("Wink") if row["call"][0] == "init"]
    assert [row["error"] for row in inits] == [
        None,
        "Duplicate Pixel ID: 11",
        None,
        "Duplicate Pixel ID: 11",
    ]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("""fbq("track", "Lead")""", "no pixel initialised"),
        ("""fbq("trackSingle", "33", "Lead")""", "33 is not initialised"),
        (
            """fbq("init", "11"); fbq("trackCustom", "Lead" + "x".repeat(47));
               fbq("track", "Lead")""",
            "the name of a custom event is over 50 characters",
        ),
    ],
)
def test_meta_says_what_it_would_not_send(shop: Shop, call: str, error: str) -> None:
    """On record as not accepted."""
    shop.open(FBQ + call)
    shop.load("meta")
    assert error in [found[3] for found in shop.events("Lead")]


def test_meta_writes_fbp_only_when_it_is_absent(shop: Shop) -> None:
    """An existing one is never overwritten."""
    shop.open(FBQ + """fbq("init", "11")""")
    shop.load("meta")
    written = shop.cookies()["_fbp"]
    assert re.fullmatch(r"fb\.1\.\d{13}\.\d+", written)
    shop.page.reload()
    shop.load("meta")
    assert shop.cookies() == {"_fbp": written}


def test_meta_holds_events_until_consent(shop: Shop) -> None:
    """`revoke` before `init` stops events and the cookie; `grant` releases them in order."""
    shop.open(FBQ + """fbq("consent", "revoke"); fbq("init", "11"); fbq("track", "PageView");""")
    shop.load("meta")
    assert shop.cookies() == {}
    shop.run("""fbq("track", "Lead")""")
    calls = shop.stage.client.get("/calls").json()["calls"]
    assert [call["event_name"] for call in calls if call["event_name"]] == []
    shop.run("""fbq("consent", "grant")""")
    assert [found[0] for found in shop.events("Lead")] == ["PageView", "Lead"]
    assert "_fbp" in shop.cookies()


@pytest.mark.parametrize(("flag", "views"), [("", 2), ("fbq.disablePushState = true;", 1)])
def test_meta_sends_a_page_view_for_each_new_path(shop: Shop, flag: str, views: int) -> None:
    """By itself, unless `fbq.disablePushState` is set."""
    shop.open(FBQ + flag + """fbq("init", "11"); fbq("track", "PageView");""")
    shop.load("meta")
    shop.run("""history.pushState({}, "", "/p/kaos"); history.replaceState({}, "", "/p/kaos")""")
    shop.run("""fbq("track", "Lead")""")
    assert [found[0] for found in shop.events("Lead")].count("PageView") == views


def test_meta_takes_no_repeated_page_view(shop: Shop) -> None:
    """Only with `fbq.allowDuplicatePageViews`."""
    shop.open(FBQ + """fbq("init", "11"); fbq("track", "PageView"); fbq("track", "PageView");""")
    shop.load("meta")
    shop.run(
        """fbq.allowDuplicatePageViews = true; fbq("track", "PageView"); fbq("track", "Lead")"""
    )
    taken = [error is None for name, _, _, error in shop.events("Lead") if name == "PageView"]
    assert taken == [True, False, True]


# TikTok and Kwai


@pytest.mark.parametrize(
    ("name", "stub", "view", "event_id"),
    [("tiktok", TTQ, "Pageview", "e1"), ("kwai", KWAIQ, "page", None)],
)
def test_calls_for_all_reach_all_and_calls_for_one_reach_one(
    shop: Shop, name: str, stub: str, view: str, event_id: str | None
) -> None:
    """From both queues and later, also for a pixel loaded later; Kwai has no event ID."""
    q = "ttq" if name == "tiktok" else "kwaiq"
    one = """{const o = Q.instance("B"); o.track("Search", {}, {event_id: "e1"});}"""
    shop.open(
        (
            stub
            + """Q.load("A"); Q.load("B"); Q.page();
                 Q.track("Lead", {value: 1}, {event_id: "e1"});"""
            + one
        ).replace("Q.", q + ".")
    )
    shop.load(name)
    shop.run(
        """Q.load("C"); Q.track("Contact", {}, {event_id: "e1"});
           Q.instance("C").track("Download", {}, {event_id: "e1"})""".replace("Q.", q + ".")
    )
    assert shop.events("Download") == [
        (view, None, "A", None),
        (view, None, "B", None),
        ("Lead", event_id, "A", None),
        ("Lead", event_id, "B", None),
        ("Search", event_id, "B", None),
        ("Contact", event_id, "A", None),
        ("Contact", event_id, "B", None),
        ("Contact", event_id, "C", None),
        ("Download", event_id, "C", None),
    ]
    lead = next(call for call in shop.calls("Lead") if call["event_name"] == "Lead")
    assert lead["call"] == ["track", "Lead", {"value": 1}, {"event_id": "e1"}]


def test_tiktok_loaded_again_takes_the_pixels_that_came_since(shop: Shop) -> None:
    """`load` inserts the script once for each pixel; none is drained twice."""
    shop.open(TTQ + """ttq.load("A"); ttq.track("Lead");""")
    shop.load("tiktok")
    shop.run("""ttq._i.B = []; ttq._i.B.push(["track", "Search"])""")
    shop.load("tiktok")
    assert [found[:3] for found in shop.events("Search")] == [
        ("Lead", None, "A"),
        ("Search", None, "B"),
    ]


def test_tiktok_events_for_no_pixel_are_not_taken(shop: Shop) -> None:
    """A stranger's instance, and a page without any."""
    shop.open(TTQ + """ttq.track("Lead");""")
    shop.load("tiktok")
    shop.run("""ttq.instance("X").track("Search")""")
    assert {error for *_, error in shop.events("Search")} == {"no pixel loaded"}


def test_tiktok_needs_an_array(shop: Shop) -> None:
    """A stub in Meta's manner, a function, is left alone."""
    shop.open("window.ttq = function () {};")
    shop.load("tiktok")
    assert shop.run("typeof ttq") == "function"


@pytest.mark.parametrize(
    ("before", "is_written"),
    [("", True), ("ttq.disableCookie();", False), ("ttq.holdConsent();", False)],
)
def test_tiktok_writes_ttp_when_it_may(shop: Shop, before: str, is_written: bool) -> None:
    """27 letters and digits, and only when it is absent."""
    shop.open(TTQ + before + """ttq.load("A");""")
    shop.load("tiktok")
    cookies = shop.cookies()
    assert cookies.keys() == ({"_ttp"} if is_written else set())
    assert all(re.fullmatch(r"[0-9A-Za-z]{27}", value) for value in cookies.values())
    shop.page.reload()
    shop.load("tiktok")
    assert shop.cookies() == cookies


def test_tiktok_holds_releases_and_drops_by_consent(shop: Shop) -> None:
    """Held events go on `grantConsent`, those after `revokeConsent` never."""
    shop.open(TTQ + """ttq.holdConsent(); ttq.load("A"); ttq.track("Lead");""")
    shop.load("tiktok")
    shop.run("""ttq.grantConsent(); ttq.revokeConsent(); ttq.track("Search");
                ttq.grantConsent(); ttq.track("Contact")""")
    assert [found[0] for found in shop.events("Contact")] == ["Lead", "Contact"]
