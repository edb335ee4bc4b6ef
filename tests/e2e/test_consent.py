"""Consent: nothing leaves, is stored or loaded before it; what waited goes, or is dropped."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import NewShopper
from tests.e2e.goods import kaos
from tests.e2e.heard import Heard
from tests.e2e.shop import STUB, Shop
from tests.e2e.shopper import Shopper
from tests.e2e.test_pixels import LISTEN, fates
from tests.e2e.waiting import until

LANDING = "/?fbclid=Ab&ttclid=T1&click_id=K1"
GPC = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})"


def traces(shopper: Shopper, page: Page) -> dict[str, Any]:
    """What the shopper's browser stored, loaded and sent for the tag."""
    stored = page.evaluate("Object.keys(localStorage)")
    cookies = sorted(shopper.cookies())
    urls = [(request.method, request.url) for request in shopper.requests]
    return {
        "cookies": cookies,
        "localStorage": stored,
        "sdks": [url for _, url in urls if "/sandbox/" in url],
        "posts": [url for method, url in urls if method == "POST"],
    }


NOTHING: dict[str, Any] = {"cookies": [], "localStorage": [], "sdks": [], "posts": []}


def names(events: Sequence[Any]) -> list[str]:
    return [event["event_name"] for event in events]


@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
def test_before_consent_nothing_is_stored_loaded_or_sent(
    shop: Shop, shopper: Shopper, heard: Heard, runtime: str
) -> None:
    """Consent given: cookies, pixels, then all that waited, in order, as of when it was called."""
    shop.page("/", tag=shop.tag("asks", attributes=f'data-runtime="{runtime}"'))
    page = shopper.visit(LANDING)
    at: list[int] = []
    for name in ("view_item", "add_to_cart", "view_cart"):
        at.append(page.evaluate("Date.now()"))
        assert shopper.call(page, "track", name, kaos()) is None
    at.append(page.evaluate("Date.now()"))
    assert traces(shopper, page) == NOTHING
    until(lambda: page.evaluate("Date.now()"), "time passes", lambda now: now > at[-1] + 200)
    shopper.call(page, "consent", "granted")
    heard.wait_for("commanders_act", "view_cart")
    heard.wait_for("meta", "ViewCart")
    assert heard.names("meta") == ["PageView", "ViewContent", "AddToCart", "ViewCart"]
    shopper.wait_until_acknowledged(page)
    sent = shopper.posted("asks")
    assert names(sent) == ["page_view", "view_item", "add_to_cart", "view_cart"]
    for event, earliest, latest in zip(sent[1:], at, at[1:], strict=False):
        assert earliest <= event["event_time"] <= latest
        assert event["attribution"]["ttclid"] == "T1"
        assert event["attribution"]["fbc"].endswith(".Ab")
    cookies = shopper.cookies()
    assert cookies["_kwai_click_id"]["value"] == "K1"
    assert cookies["_pm_consent"]["value"] == "granted"
    heard.wait_until_delivered([event["event_id"] for event in sent], "asks")
    assert sorted(heard.names("scalev.meta")) == ["AddToCart", "ViewCart", "ViewContent"]


def test_a_refusal_drops_what_waited_and_is_remembered(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """Nothing but the refusal is kept; later calls and pages send nothing either."""
    shop.page("/", tag=shop.tag("asks"))
    page = shopper.visit(LANDING)
    shopper.call(page, "track", "add_to_cart", kaos())
    shopper.call(page, "consent", "denied")
    shopper.call(page, "track", "view_cart", kaos())
    page = shopper.visit(LANDING, page=page)
    shopper.call(page, "track", "view_item", kaos())
    assert traces(shopper, page) == {**NOTHING, "cookies": ["_pm_consent"]}
    shopper.call(page, "consent", "granted")
    shopper.track(page, "begin_checkout", kaos())
    shopper.wait_until_acknowledged(page)
    assert names(shopper.posted("asks")) == ["begin_checkout"]
    heard.wait_for("meta", "InitiateCheckout")
    assert heard.names("meta") == ["InitiateCheckout"]


def test_a_remembered_consent_holds_on_the_next_page(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """Nobody has to give it again: the next page's events go at once."""
    shop.page("/", tag=shop.tag("asks"))
    page = shopper.visit("/")
    shopper.call(page, "consent", "granted")
    shopper.wait_until_acknowledged(page)
    page = shopper.visit("/", page=page)
    shopper.track(page, "add_to_cart", kaos())
    heard.wait_for("meta", "AddToCart")
    heard.wait_for("meta", "PageView", 2)


def test_consent_by_category_reaches_those_that_need_no_other(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """Meta and Scalev need category 3: refused in page and relay until it is given too."""
    shop.page("/", tag=shop.tag("asks"))
    page = shopper.visit("/")
    shopper.call(page, "consent", ["1", "2"])
    shopper.wait_until_acknowledged(page)
    page.evaluate(LISTEN)
    refused = shopper.track(page, "add_to_cart", kaos())
    heard.wait_for("tiktok", "AddToCart")
    ((_, result),) = fates(page, shopper)
    assert result["pixels"]["meta"] == "skipped: no consent for category 3"
    assert result["pixels"]["tiktok"] == "fired"
    heard.wait_until_delivered([refused], "asks")
    reasons = {
        row["destination"]: row["reason"]
        for row in heard.deliveries("asks", event_id=refused)
        if row["state"] == "skipped"
    }
    assert reasons["scalev.meta"] == "no consent for category 3"
    assert [url for url in traces(shopper, page)["sdks"] if "meta" in url] == []
    assert shopper.cookies()["_pm_consent"]["value"] == "1%2C2"
    shopper.call(page, "consent", ["1", "2", "3"])
    shopper.track(page, "view_item", kaos())
    heard.wait_for("meta", "ViewContent")
    heard.wait_for("scalev.meta", "ViewContent")
    assert heard.names("meta") == ["ViewContent"]


def test_the_tag_can_ask_for_consent_where_the_site_does_not(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """`data-consent="required"` on one page's tag."""
    shop.page("/", tag=shop.tag(attributes='async data-consent="required"'))
    page = shopper.visit(LANDING)
    assert shopper.call(page, "track", "add_to_cart", kaos()) is None
    assert traces(shopper, page) == NOTHING
    shopper.call(page, "consent", "granted")
    heard.wait_for("meta", "AddToCart")


EARLY = [
    ("granted", ["view_item", "add_to_cart", "view_cart"]),
    (["denied"], ["view_item", "add_to_cart", "view_cart"]),
    ([""], ["view_item", "add_to_cart", "view_cart"]),
    ("denied", []),
    ([], []),
    ("maybe", []),
]


@pytest.mark.parametrize(("given", "sent"), EARLY, ids=[str(given) for given, _ in EARLY])
def test_consent_given_before_python_is_up_holds_for_what_was_called_before_it(
    shop: Shop, shopper: Shopper, heard: Heard, given: Any, sent: list[str]
) -> None:
    """Called in one breath with the events; what is no consent is said and gives none."""
    calls = "".join(
        f"pixelmirror('track', '{name}', {json.dumps(kaos())});"
        for name in ("view_item", "add_to_cart")
    )
    last = f"pixelmirror('track', 'view_cart', {json.dumps(kaos())});"
    consent = f"pixelmirror('consent', {json.dumps(given)});"
    tag = shop.tag("asks", attributes='async data-auto-page-view="off"')
    shop.page("/", f"<script>{calls}{consent}{last}</script>", tag=tag, head=STUB)
    page = shopper.visit("/")
    if given == "maybe":
        shopper.said("consent", "maybe")
    shopper.wait_until_acknowledged(page)
    assert names(shopper.posted("asks")) == sent
    if not sent:
        assert traces(shopper, page)["localStorage"] == []
        assert traces(shopper, page)["sdks"] == []


@pytest.mark.parametrize("given", [None, "denied", [], "maybe"], ids=str)
def test_leaving_before_python_is_up_sends_nothing_without_consent(
    shop: Shop, shopper: Shopper, given: Any
) -> None:
    """The loader asks the tracker's question: no beacon, no key for the next page."""
    tag = f'<script src="{shop.relay_here("asks")}"></script>'
    leave_with(shop, shopper, tag, [["track", "add_to_cart", kaos()], ["consent", given]])


def test_a_refusal_before_python_is_up_takes_back_what_was_kept(
    shop: Shop, shopper: Shopper
) -> None:
    """Where consent is not asked for: the calls before the refusal do not wait for a next page."""
    tag = f'<script src="{shop.relay_here("toko")}"></script>'
    calls: list[list[Any]] = [["track", "add_to_cart", kaos()], ["consent", "denied"]]
    leave_with(shop, shopper, tag, calls, "/")


def leave_with(
    shop: Shop, shopper: Shopper, tag: str, calls: list[list[Any]], landing: str = LANDING
) -> None:
    """A page is left before Python was up, and nothing of the calls is stored or sent."""
    shopper.context.route("**/micropython.mjs", lambda _: None)
    shop.page("/", tag=tag)
    shop.page("/next", tag="")
    page = shopper.visit(landing, ready=False)
    for words in calls:
        if words != ["consent", None]:
            shopper.call(page, *words)
    shopper.visit("/next", page=page, ready=False)
    assert traces(shopper, page) == NOTHING
    page.evaluate("navigator.sendBeacon('/fence', 'fence')")
    until(lambda: "fence" in shop.posted, "a later beacon has arrived")
    assert shop.posted == ["fence"]


def test_leaving_before_python_is_up_sends_what_was_consented_to(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """Consent in the same page, before or after the call, counts for the beacon as well."""
    shopper.context.route("**/micropython.mjs", lambda _: None)
    shop.page("/", tag=shop.tag("asks", attributes=""))
    shop.page("/next", tag="")
    page = shopper.visit(LANDING, ready=False)
    shopper.call(page, "track", "add_to_cart", kaos())
    shopper.call(page, "consent", "granted")
    shopper.call(page, "track", "view_cart", kaos())
    shopper.visit("/next", page=page, ready=False)
    heard.wait_for("scalev.meta", "AddToCart")
    heard.wait_for("scalev.meta", "ViewCart")


@pytest.mark.parametrize("cookie", ["%5B%22denied%22%5D", "a%2Cb", "%"])
def test_leaving_early_heeds_the_cookie_as_the_tracker_reads_it(
    shop: Shop, shopper: Shopper, cookie: str
) -> None:
    """A category of that name is no refusal, and odd text costs no call."""
    shopper.context.route("**/micropython.mjs", lambda _: None)
    shopper.context.add_cookies([{"name": "_pm_consent", "value": cookie, "url": shop.url("/")}])
    shop.page("/", tag=f'<script src="{shop.relay_here("asks")}"></script>')
    shop.page("/next", tag="")
    page = shopper.visit("/", ready=False)
    shopper.call(page, "track", "add_to_cart", kaos())
    shopper.visit("/next", page=page, ready=False)
    until(lambda: shop.posted, "the calls were beaconed")
    (body,) = shop.posted
    assert [call["args"][0] for call in json.loads(body)["calls"]] == ["page", "track"]


def test_consent_withdrawn_stops_what_waits_for_the_relay(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """What the relay has not taken yet is forgotten, in the page and in the storage."""
    shop.page("/")
    page = shopper.visit("/")
    shopper.wait_until_acknowledged(page)
    shopper.context.route(f"{shop.relay}/s/toko", lambda route: route.abort())
    shopper.track(page, "add_to_cart", kaos())
    assert any("call." in key for key in traces(shopper, page)["localStorage"])
    shopper.call(page, "consent", "denied")
    assert not any("call." in key for key in traces(shopper, page)["localStorage"])
    shopper.context.unroute(f"{shop.relay}/s/toko")
    page = shopper.visit("/", page=page)
    assert not any("call." in key for key in traces(shopper, page)["localStorage"])
    assert "AddToCart" not in heard.names("scalev.meta")


def test_global_privacy_control_keeps_advertising_out(
    shop: Shop, new_shopper: NewShopper, heard: Heard
) -> None:
    """No advertising pixel is loaded, no advertising copy is made; the others go on."""
    shopper = new_shopper(GPC)
    shop.page("/")
    page = shopper.visit(LANDING)
    shopper.wait_until_acknowledged(page)
    page.evaluate(LISTEN)
    event_id = shopper.track(page, "add_to_cart", kaos())
    heard.wait_for("commanders_act", "add_to_cart")
    heard.wait_for("alhena", "sendCartEvent")
    ((_, result),) = fates(page, shopper)
    refused = "skipped: consent refused by Global Privacy Control"
    assert result["pixels"] == {
        "meta": refused,
        "tiktok": refused,
        "kwai": refused,
        "commanders_act": "fired",
        "alhena": "fired",
    }
    heard.wait_until_delivered([event_id])
    rows = heard.deliveries(event_id=event_id)
    assert {(row["state"], row["reason"]) for row in rows} == {
        ("skipped", "consent refused by Global Privacy Control")
    }
    sdks = [url.rpartition("/")[2] for url in traces(shopper, page)["sdks"] if "/sdk/" in url]
    assert sorted(sdks) == ["alhena.js", "commanders_act.js"]
    assert set(shopper.cookies()) == {"_pm_visitor"}
    told = [name for event in shopper.posted() for name in event["attribution"]]
    # A widget's own, once it is on the page; none of an ad's.
    assert {name.partition("_")[0] for name in told} <= {"alhena"}
