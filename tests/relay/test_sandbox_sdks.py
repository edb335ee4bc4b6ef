"""The stand-in SDKs of Commanders Act and Alhena, and what all of them promise the page."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.relay.sandbox_browser import Shop, Stage, staged
from tests.relay.sandbox_stubs import ALHENA, CACT, FBQ, KWAIQ, TTQ

CART = """{type: "ITEM_ADDED", productId: "P-1", productName: "Mug", value: 7.5, currency: "EUR",
  quantity: 1}"""


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


def test_an_sdk_throws_nothing_for_what_it_cannot_read(shop: Shop) -> None:
    """Each such call is survived, and the next one taken."""
    shop.open(
        FBQ
        + """fbq("init", "11");
             fbq(); fbq(null); fbq("track"); fbq("toString"); fbq("set");
             const loop = {}; loop.self = loop; fbq("track", "Lead", loop);
             fbq("track", "Lead", {get value() { throw new Error("trap"); }});
             fbq("track", "Lead", {value: 10n});"""
    )
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


def test_a_connection_is_closed_without_an_answer(stage: Stage) -> None:
    """On a real port the client hears nothing, and the next call is answered."""
    stage.client.post("/behaviour", json={"system": "kwai", "do": "close", "times": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        stage.client.post("/api/log/common/api", json={})
    assert stage.client.post("/api/log/common/api", json={}).status_code == 200


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


WRONG_FOR_ALHENA = [
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
]


def test_alhena_refuses_missing_and_wrongly_typed_fields(shop: Shop) -> None:
    """The page goes on; the reasons are on record (alhena.md 1, A4 to A8)."""
    shop.open(ALHENA + "".join(f"trackAlhenaEvent({call});" for call, _ in WRONG_FOR_ALHENA))
    shop.load("alhena")
    errors = [str(found[3]) for found in shop.events("sendcartevent")]
    for error, (call, expected) in zip(errors, WRONG_FOR_ALHENA, strict=True):
        assert error.startswith(expected + " "), call


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
