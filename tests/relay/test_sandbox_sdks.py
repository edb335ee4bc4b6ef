"""Each stand-in SDK treats the official stub of its vendor, and the page, as the real one does."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser

from tests.relay.sandbox_browser import Served, Shop, browser, served

FBQ = """
!function (w) {
  if (w.fbq) return;
  const n = w.fbq = function () {
    n.callMethod ? n.callMethod.apply(n, arguments) : n.queue.push(arguments);
  };
  if (!w._fbq) w._fbq = n;
  n.push = n; n.loaded = true; n.version = "2.0"; n.queue = [];
}(window);
"""
INSTANCES = """
!function (w, key, name, methods) {
  w[key] = name;
  const q = w[name] = w[name] || [];
  q.methods = methods.split(" ");
  q.setAndDefer = (obj, method) => {
    obj[method] = function () { obj.push([method].concat([].slice.call(arguments))); };
  };
  q.methods.forEach((method) => q.setAndDefer(q, method));
  q.instance = (id) => {
    const instance = q._i[id] || [];
    q.methods.forEach((method) => q.setAndDefer(instance, method));
    return instance;
  };
  q.load = (id, options) => {
    q._i = q._i || {}; q._i[id] = []; q._i[id]._u = "https://sdk.test/events.js";
    q._t = q._t || {}; q._t[id] = +new Date();
    q._o = q._o || {}; q._o[id] = options || {};
  };
}(window, "KEY", "NAME", "page track identify instances debug on off once ready alias group "
  + "enableCookie disableCookie" + "CONSENT");
"""
TTQ = (
    INSTANCES.replace("KEY", "TiktokAnalyticsObject")
    .replace("NAME", "ttq")
    .replace("CONSENT", " holdConsent revokeConsent grantConsent")
)
KWAIQ = (
    INSTANCES.replace("KEY", "KwaiAnalyticsObject").replace("NAME", "kwaiq").replace("CONSENT", "")
)
CACT = """
window.caReady = window.caReady || [];
window.cact = window.cact || function () { window.caReady.push(arguments); };
"""
ALHENA = """
!function (w) {
  w._alhenaEventQueue = w._alhenaEventQueue || [];
  w.trackAlhenaEvent = w.trackAlhenaEvent || function (method, data) {
    w._alhenaEventQueue.push({ method: method, args: data });
  };
}(window);
"""
CART = """{type: "ITEM_ADDED", productId: "P-1", productName: "Mug", value: 7.5, currency: "EUR",
  quantity: 1}"""


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served() as told:
        yield told


@pytest.fixture(scope="module")
def opened() -> Iterator[Browser]:
    with browser() as launched:
        yield launched


@pytest.fixture
def shop(opened: Browser, server: Served) -> Iterator[Shop]:
    """A shop's page in which nothing of ours may raise an error."""
    made = Shop(opened, server)
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
    calls = httpx.get(shop.server.url + "/calls").json()["calls"]
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
    [("tiktok", TTQ, "Pageview", "e1"), ("kwai", KWAIQ, "pageView", None)],
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


# Commanders Act

SET_UP = """cact("config", {siteId: 1234, sourceKey: "source-1"});"""


def test_commanders_act_takes_the_buffer_and_what_comes_after(shop: Shop) -> None:
    """`arguments` objects and arrays alike; the event ID is the config's."""
    shop.open(CACT + SET_UP + """cact("trigger", "view_cart", {value: 1}, {eventId: "e1"});""")
    shop.load("commanders_act")
    shop.run("""caReady.push(["trigger", "login"]); caReady.length""")
    assert shop.events("login") == [
        ("view_cart", "e1", "1234", None),
        ("login", None, "1234", None),
    ]
    assert shop.calls("view_cart")[1]["call"] == [
        "trigger",
        "view_cart",
        {"value": 1},
        {"eventId": "e1"},
    ]


def test_commanders_act_tells_arguments_by_their_type(shop: Shop) -> None:
    """Config may be left out before the callback, which runs at once and without result."""
    shop.open(CACT + SET_UP)
    shop.load("commanders_act")
    told = shop.run("new Promise((done) => cact('trigger', 'login', {}, (...told) => done(told)))")
    assert told == []
    assert shop.events("login") == [("login", None, "1234", None)]


def test_commanders_act_gets_an_empty_object_for_a_map(shop: Shop) -> None:
    """The data is copied by its own keys, so a Python proxy is lost too."""
    shop.open(CACT + SET_UP + """cact("trigger", "login", new Map([["method", "mail"]]));""")
    shop.load("commanders_act")
    assert shop.calls("login")[1]["call"][2] == {}


def test_commanders_act_marks_its_entries(shop: Shop) -> None:
    """An entry that cannot be marked is lost; one with an unknown command stays in the buffer."""
    shop.open(
        CACT
        + SET_UP
        + """const later = ["someday"]; caReady.push(later);
             caReady.push(Object.freeze(["trigger", "login"])); cact("trigger", "search");"""
    )
    shop.load("commanders_act")
    assert shop.run("[caReady.length, caReady[0] === later, '_tc_meta' in later]") == [
        1,
        True,
        True,
    ]
    assert [(name, error is None) for name, _, _, error in shop.events("search")] == [
        ("login", False),
        ("search", True),
    ]


def test_commanders_act_ignores_an_event_without_a_name(shop: Shop) -> None:
    """Silently, as the real one does."""
    shop.open(
        CACT + SET_UP + """cact("trigger", ""); cact("trigger", 7); cact("trigger", "login");"""
    )
    shop.load("commanders_act")
    assert [found[0] for found in shop.events("login")] == ["login"]


def test_commanders_act_needs_a_container_or_a_source_key(shop: Shop) -> None:
    """Without either the platform cannot know whose event it is."""
    shop.open(CACT + """cact("trigger", "login");""")
    shop.load("commanders_act")
    assert shop.events("login")[0][3] == "no web container, and no siteId and sourceKey"


def test_commanders_act_merges_properties_into_later_events(shop: Shop) -> None:
    """The event's own value wins."""
    shop.open(
        CACT
        + SET_UP
        + """cact("setProperty", "user.email", "a@example.com"); cact("setProperty", "lang", "id");
             cact("trigger", "login", {user: {id: "C-1"}, lang: "en"});"""
    )
    shop.load("commanders_act")
    assert shop.calls("login")[-1]["call"][2] == {
        "user": {"email": "a@example.com", "id": "C-1"},
        "lang": "en",
    }


def test_commanders_act_answers_for_consent_and_its_own_events(shop: Shop) -> None:
    """No banner here, so consent is unset; `emit` stays in the browser."""
    shop.open(CACT)
    shop.load("commanders_act")
    assert shop.run("new Promise((done) => cact('consent.get', done))") == {
        "meta": {},
        "consent": {"status": "unset", "categories": {}},
    }
    heard = """(() => { const heard = []; const hear = (value) => heard.push(value);
      cact("on", "x", hear); cact("once", "x", hear); cact("emit", "x", 1); cact("emit", "x", 2);
      cact("off", "x", hear); cact("emit", "x", 3); return heard; })()"""
    assert shop.run(heard) == [1, 1, 2]


# Alhena


def test_alhena_drains_the_queue_and_takes_the_function_over(shop: Shop) -> None:
    """Three ways in, one record each."""
    shop.open(ALHENA + f"const stub = trackAlhenaEvent; trackAlhenaEvent('sendCartEvent', {CART});")
    shop.load("alhena")
    assert shop.run("trackAlhenaEvent !== stub && _alhenaEventQueue.length === 0")
    shop.run(f"gleenWidget.sendCartEvent({CART}); stub('sendCartEvent', {CART})")
    shop.run(
        """trackAlhenaEvent("sendCheckoutEvent", {orderId: "A-1", value: 7.5, currency: "EUR"})"""
    )
    assert shop.events("sendCheckoutEvent") == [
        *[("sendCartEvent", None, None, None)] * 3,
        ("sendCheckoutEvent", None, None, None),
    ]
    assert shop.calls("sendCheckoutEvent")[-1]["call"] == [
        "sendCheckoutEvent",
        {"orderId": "A-1", "value": 7.5, "currency": "EUR"},
    ]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (f"'sendCartEvent', {{...{CART}, type: 'added'}}", "type"),
        (f"'sendCartEvent', {{...{CART}, value: '7.5'}}", "value"),
        (f"'sendCartEvent', {{...{CART}, quantity: true}}", "quantity"),
        (f"'sendCartEvent', {{...{CART}, productName: ''}}", "productName"),
        (f"'sendCartEvent', new Map(Object.entries({CART}))", "type"),
        ("'sendCartEvent'", "the data"),
        ("'sendCheckoutEvent', {value: NaN, currency: 'EUR'}", "value"),
        ("'sendCheckoutEvent', {value: 1, currency: 'eur'}", "currency"),
        ("'sendCheckoutEvent', {value: 1, currency: 'EUR', orderId: ''}", "orderId"),
        ("'sendCheckoutEvent', {value: 1, currency: 'EUR', lineItems: [{}]}", "lineItems"),
        ("'sendcartevent', {}", "unknown method"),
    ],
)
def test_alhena_refuses_missing_and_wrongly_typed_fields(shop: Shop, call: str, error: str) -> None:
    """The page goes on; the reason is on record (alhena.md 1, A4 to A8)."""
    shop.open(ALHENA + f"trackAlhenaEvent({call});")
    shop.load("alhena")
    (found,) = shop.events(call.split("'")[1])
    assert str(found[3]).startswith(error + " ")


def test_alhena_knows_a_browser_by_two_fingerprints(shop: Shop) -> None:
    """UUIDs, the same after a reload."""
    both = "[gleenWidget.getFingerprint(), gleenWidget.getFAQFingerprint()]"
    shop.open(ALHENA)
    shop.load("alhena")
    first = shop.run(both)
    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", each) for each in first)
    assert first[0] != first[1]
    shop.page.reload()
    shop.load("alhena")
    assert shop.run(both) == first


# All of them


@pytest.mark.parametrize(
    ("name", "stub", "call"),
    [
        ("meta", FBQ, """fbq("init", "11"); fbq("track", "Lead");"""),
        ("tiktok", TTQ, """ttq.load("A"); ttq.track("Lead");"""),
        ("kwai", KWAIQ, """kwaiq.load("A"); kwaiq.track("Lead");"""),
        ("commanders_act", CACT, """cact("trigger", "Lead");"""),
        ("alhena", ALHENA, """trackAlhenaEvent("Lead", {});"""),
    ],
)
def test_a_second_script_does_nothing(shop: Shop, name: str, stub: str, call: str) -> None:
    """Each call is on record once, before and after."""
    shop.open(stub + call)
    shop.load(name)
    shop.load(name)
    shop.run(call.replace("Lead", "Last").replace("init", "noinit").replace(".load", ".debug"))
    assert [found[0] for found in shop.events("Last")] == ["Lead", "Last"]


@pytest.mark.parametrize("name", ["meta", "tiktok", "kwai", "commanders_act", "alhena"])
def test_an_sdk_throws_nothing_into_a_page_without_its_stub(shop: Shop, name: str) -> None:
    """The page has no error, whatever is or is not there."""
    shop.open("")
    shop.load(name)


@pytest.mark.parametrize(
    "call",
    [
        """fbq(); fbq(null); fbq("track"); fbq("toString"); fbq("set")""",
        """const loop = {}; loop.self = loop; fbq("track", "Lead", loop)""",
        """fbq("track", "Lead", {get value() { throw new Error("trap"); }})""",
        """fbq("track", "Lead", {value: 10n})""",
    ],
)
def test_an_sdk_throws_nothing_for_what_it_cannot_read(shop: Shop, call: str) -> None:
    """And goes on with the next call."""
    shop.open(FBQ + """fbq("init", "11");""" + call)
    shop.load("meta")
    shop.run("""fbq("track", "Contact", {}, {eventID: "e9"})""")
    assert shop.events("Contact")[-1] == ("Contact", "e9", "11", None)


def test_a_page_that_leaves_at_once_has_reported(shop: Shop) -> None:
    """Reports are beacons, which outlive the page."""
    shop.open(FBQ + """fbq("init", "11");""")
    shop.load("meta")
    shop.run("""fbq("track", "Lead"); location.href = "/next" """)
    shop.page.wait_for_url("**/next")
    assert shop.events("Lead") == [("Lead", None, "11", None)]


def test_a_long_queue_is_reported_beyond_a_beacons_limit(shop: Shop) -> None:
    """More than 64 KiB at once."""
    shop.open(
        FBQ
        + """fbq("init", "11");
             for (let i = 0; i < 300; i++) fbq("track", "Lead", {text: "x".repeat(1000)});"""
    )
    shop.load("meta")
    assert len(shop.events("Lead")) == 300


def test_a_connection_is_closed_without_an_answer(server: Served) -> None:
    """On a real port the client hears nothing, and the next call is answered."""
    httpx.post(server.url + "/behaviour", json={"system": "kwai", "do": "close", "times": 1})
    with httpx.Client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.post(server.url + "/api/log/common/api", json={})
        assert client.post(server.url + "/api/log/common/api", json={}).status_code == 200
