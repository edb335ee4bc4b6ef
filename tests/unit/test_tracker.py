"""The tracker: from a call to every pixel and to the mirror, in the documented order."""

import json

from pixelmirror.anything import Any
from tests.unit.fake_page import FakePage
from tests.unit.samples import NOW_MS, URL, params, pixel, site
from tests.unit.shop import Shop

PURCHASE = ("track", "purchase", params("purchase"))
ADD = ("track", "add_to_cart", params("add_to_cart"))
KINDS = ("meta", "tiktok", "kwai", "commanders_act", "alhena")


def landed(url: str = URL + "?fbclid=AbC-1&ttclid=E.C.P.x&click_id=kw-9f") -> FakePage:
    return FakePage(None, "page-1", url)


def names(shop: Any) -> list[str]:
    return [event["event_name"] for event in shop.posted()]


# --- the order of things ---


def test_attribution_then_pixels_then_page_view_then_calls() -> None:
    """DESIGN 5.3: attribution first, each pixel once, the page view, then the calls in order."""
    shop = Shop(site(destinations={"meta": pixel("meta")}), landed())
    shop.start(("page",), ADD)
    log = []
    for step in shop.page.did:
        if step[0] == "call":
            words = step[1][0][1]
            log.append("fbq " + words[0] + " " + words[1])
        elif step[0] != "write":
            log.append(step[0] + " " + step[1] if step[0] in ("cookie", "install") else step[0])
    assert log == [
        "cookie _fbc",
        "cookie _fbp",
        "cookie _ttclid",
        "cookie _kwai_click_id",
        "cookie _pm_visitor",
        "install meta",
        "fbq init meta-1",
        "fbq track PageView",
        "post",
        "fbq track AddToCart",
    ], log


def test_r8_an_event_is_written_ahead_then_fired_then_sent() -> None:
    """scalev R8, DESIGN 2: the pixels fire before the server copy goes; the storage comes first."""
    shop = Shop().start()
    before = len(shop.page.did)
    shop.call(*ADD)
    verbs = [step[0] for step in shop.page.did[before:]]
    assert verbs == ["write", "call", "call", "call", "call", "call", "post"], verbs


def test_r23_the_five_cookies_are_preserved() -> None:
    """scalev R23: whatever is called, no page without click IDs changes or deletes one of them."""
    page = FakePage()
    page.browser.jar = {
        "_fbc": "fb.1.1750000000000.OLD",
        "_fbp": "fb.1.1750000000000.4821",
        "_ttclid": "E.C.P.x",
        "_ttp": "2abc",
        "_kwai_click_id": "kw-9f",
    }
    before = dict(page.browser.jar)
    shop = Shop(None, page).start(("page",), ADD, PURCHASE, ("identify", {"id": "C-77"}))
    shop.next_page().start(("page",))
    after = {name: page.browser.jar.get(name) for name in before}
    assert after == before, after


def test_r14_the_first_event_carries_what_was_captured() -> None:
    """scalev R14: capture runs before any event, so the first one has the IDs of its landing."""
    shop = Shop(None, landed()).start(("page",))
    [event] = shop.posted()
    assert event["attribution"] == {
        "fbc": "fb.1.1760000000000.AbC-1",
        "fbp": "fb.1.1760000000000.9999999999",
        "ttclid": "E.C.P.x",
        "kwai_click_id": "kw-9f",
    }, event
    cookies = [[name, max_age_s, domain] for name, _, max_age_s, domain in shop.page.done("cookie")]
    assert cookies == [
        ["_fbc", 7776000, "toko.example"],
        ["_fbp", 7776000, "toko.example"],
        ["_ttclid", 604800, "toko.example"],
        ["_kwai_click_id", 604800, "toko.example"],
        ["_pm_visitor", 31536000, "toko.example"],
    ], cookies


def test_the_visitor_keeps_his_id() -> None:
    """A browser has one visitor ID over all its pages; its cookie is renewed."""
    shop = Shop().start(("page",))
    assert shop.posted()[0]["visitor_id"] == "visitor-page-1"
    then = shop.next_page().start(("page",))
    assert [event["visitor_id"] for event in then.posted()][-1] == "visitor-page-1"
    assert ["_pm_visitor", "visitor-page-1", 31536000, "toko.example"] in then.page.done("cookie")


def test_reset_makes_a_new_visitor_for_all_later_pages() -> None:
    """The shopper logged out: the cookie holds the new ID at once, and click IDs stay."""
    shop = Shop(None, landed()).start(("identify", {"id": 77}), ("page",))
    before = dict(shop.page.browser.jar)
    assert shop.call("reset") is None
    shop.call("page")
    shop.page.answer(204)
    found = [(event.get("user"), event["visitor_id"]) for event in shop.posted()]
    assert found == [({"id": "77"}, "visitor-page-1"), (None, "page-1-3")], found
    assert shop.page.browser.jar == dict(before, _pm_visitor="page-1-3")
    then = shop.next_page().start(("page",))
    assert then.posted()[-1]["visitor_id"] == "page-1-3"


def test_a_reset_that_python_never_saw_is_the_next_pages_to_write() -> None:
    """The page was left before; the relay has built its calls under the same visitor ID."""
    shop = Shop().start(("page",))
    shop.page.browser.reset_id = "reset-of-page-1"
    then = shop.next_page().start(("page",))
    assert then.posted()[-1]["visitor_id"] == "reset-of-page-1"
    assert then.page.browser.jar["_pm_visitor"] == "reset-of-page-1"
    assert then.page.browser.reset_id == "", "once"


def test_nobody_is_given_what_is_personal_in_the_pages_url() -> None:
    """Pixels, mirror and `on("sent")` get the URL that is cut; click IDs come from the whole."""
    url = URL + "?email=siti%40example.com&ttclid=E.C.P.x&big=" + "x" * 9000
    shop = Shop(None, landed(url)).start(("page", {"url": url[:1000]}), ADD)
    shop.page.answer(204)
    for event in shop.posted():
        assert event["page"]["url"] == URL + "?ttclid=E.C.P.x", event["page"]
        assert event["attribution"]["ttclid"] == "E.C.P.x"
    assert "siti" not in json.dumps(shop.page.did)


def test_early_calls_keep_their_order_and_their_times() -> None:
    """DESIGN 5.3: the queue is taken in its order with its original times."""
    shop = Shop().start(("page",), ("identify", {"id": 77}), ADD, PURCHASE)
    shop.page.answer(204)
    found = [(event["event_name"], event["event_time"]) for event in shop.posted()]
    assert found == [
        ("page_view", NOW_MS + 1),
        ("add_to_cart", NOW_MS + 3),
        ("purchase", NOW_MS + 4),
    ], found
    assert [event.get("user") for event in shop.posted()] == [None, {"id": "77"}, {"id": "77"}]


def test_track_returns_the_event_id() -> None:
    """DESIGN 5.3: `track` returns the event ID, the same that pixels and relay get."""
    shop = Shop().start()
    assert shop.call(*ADD) == "add_to_cart_page-1-1"
    assert shop.call(*PURCHASE) == "ORD-77-purchase"
    assert shop.call("track", "page_view", None, {"event_id": "mine"}) == "mine"
    assert shop.call("identify", {"id": 77}) is None
    shop.page.answer(204)
    found = [event["event_id"] for event in shop.posted()]
    assert found == ["add_to_cart_page-1-1", "ORD-77-purchase", "mine"]


def test_r46_all_pixels_and_the_relay_share_one_id() -> None:
    """scalev R46: one ID per action, identical in each pixel and in the server copy."""
    shop = Shop().start()
    shared = shop.call(*ADD)
    assert shop.fired("meta")[0][0][1][3] == {"eventID": shared}
    assert shop.fired("tiktok")[0][1][1][2] == {"event_id": shared}
    _, _, data, config = shop.fired("commanders_act")[0][0][1]
    assert config["eventId"] == shared
    assert data["integrations"] == {"facebook": {"event_id": shared}}
    assert [event["event_id"] for event in shop.posted()] == [shared]


# --- calls that are wrong ---


def test_a_wrong_call_is_said_and_the_next_one_works() -> None:
    """DESIGN 1: a clear console message for a wrong field, and the shop goes on."""
    shop = Shop().start()
    for words, said in (
        (
            ("track", "add_to_cart", {"items": []}),
            "track add_to_cart is not sent: params.items - "
            "items must be a list of 1 to 500 items, got a list of 0",
        ),
        (
            ("track", "add_to_card"),
            "track add_to_card is not sent: event_name - unknown event 'add_to_card', "
            "did you mean 'add_to_cart'? (other names go into custom_events of the site file)",
        ),
        (
            ("track", "add_to_cart", "siti@example.com"),
            "track add_to_cart is not sent: params - params must be an object, got a text",
        ),
        (("page", 5), "page is not sent: params - params must be an object, got 5"),
        (
            ("identify", "siti@example.com"),
            "identify is not sent: user - user must be an object",
        ),
        (
            ("trak", "siti@example.com"),
            "trak is not sent: call - unknown call 'trak', known: ",
        ),
        ((), "a call is not sent: call - unknown call null, known: "),
    ):
        assert shop.call(*words) is None, words
        [found] = shop.page.done("say")[-1]
        assert found.startswith(said), (words, found)
        assert "siti" not in found, found
    assert shop.posted() == []
    assert shop.page.browser.stored == {}, "nothing of a wrong call is kept"
    assert shop.call("page") is not None


def test_an_early_call_that_breaks_us_stops_no_other() -> None:
    """A call of an older version, which this one can't read, costs only itself, and only once."""
    shop = Shop()
    shop.page.write("old", {"call": {"time": NOW_MS}, "by": None, "at": NOW_MS})
    broken = dict(shop.recorded("page"), page=None)
    shop.start_with([shop.recorded("page"), broken, shop.recorded(*ADD)])
    shop.page.answer(204)
    assert names(shop) == ["page_view", "add_to_cart"]
    said = [words[0] for words in shop.page.done("say")]
    assert len([words for words in said if words.startswith("internal error in take - ")]) == 2, (
        said
    )
    assert "old" not in shop.page.browser.stored


# --- orders ---


def test_r30_a_purchase_fires_once_per_order_whatever_is_reloaded() -> None:
    """scalev R30, R49: neither a reload nor a second call fires an order's purchase again."""
    shop = Shop().start(PURCHASE)
    assert shop.call(*PURCHASE) is None
    for page_id in ("page-2", "page-3"):
        then = shop.next_page(None, page_id)
        then.page.browser.stored.clear()
        then.start(PURCHASE)
        for kind in KINDS:
            assert then.fired(kind) == [], (page_id, kind)
        assert then.posted() == [], page_id
        assert then.page.done("note") == [["purchase ORD-77-purchase was sent before"]]
        assert then.page.browser.stored == {}, "nothing of a repeat is kept"
    assert [len(shop.fired(kind)) for kind in KINDS] == [1, 1, 1, 1, 1]
    assert names(shop) == ["purchase"]


def test_r30_an_own_event_id_does_not_make_it_another_order() -> None:
    """scalev R30: the order decides, not the event ID that the caller gives it."""
    shop = Shop().start(PURCHASE)
    assert shop.call("track", "purchase", params("purchase"), {"event_id": "mine"}) is None
    assert shop.call("track", "purchase", params("purchase", id="ORD-78")) == "ORD-78-purchase"


def test_other_events_of_an_order_may_repeat() -> None:
    """Only what happens once per order is held back: a checkout may begin twice."""
    words = ("track", "begin_checkout", params("begin_checkout", id="ORD-77"))
    shop = Shop().start(words, words, PURCHASE)
    shop.page.answer(204)
    assert names(shop) == ["begin_checkout", "begin_checkout", "purchase"]


def test_the_last_200_orders_are_remembered() -> None:
    """The list of fired orders does not grow for ever."""
    page = FakePage()
    page.browser.fired_orders = [str(i) + "-purchase" for i in range(200)]
    shop = Shop(site(destinations={}), page).start(PURCHASE)
    found = page.browser.fired_orders
    assert (len(found), found[0], found[-1]) == (200, "1-purchase", "ORD-77-purchase")
    assert shop.call("track", "purchase", params("purchase", id="7")) is None


def test_r63_a_spam_order_fires_nothing() -> None:
    """scalev R63: no purchase event for an order marked as spam, browser or server."""
    shop = Shop().start(("track", "purchase", params("purchase", is_probably_spam=True)))
    for kind in KINDS:
        assert shop.fired(kind) == [], kind
    assert shop.posted() == []
    assert shop.page.browser.fired_orders == []
    assert shop.page.browser.stored == {}


# --- what an earlier page left ---


def test_what_an_earlier_page_left_goes_again_under_its_id() -> None:
    """DESIGN 5.3: a left event is sent again; a call that Python never saw is fired too."""
    first = Shop().start(ADD)
    first.tracker.mirror.leave()
    raw = first.recorded("page")
    first.page.write(raw["uuid"], {"call": raw, "by": None, "at": NOW_MS})
    then = first.next_page().start(("page",))
    while then.page.request:
        then.page.answer(204)
    found = sorted([event["event_id"] for event in then.posted()])
    assert found == ["add_to_cart_page-1-1", "page_view_page-1-2", "page_view_page-2-1"], found
    assert [steps[0][1][1] for steps in then.fired("meta")] == ["PageView", "PageView"]
    assert then.page.browser.stored == {}


def test_of_several_tabs_one_takes_over_what_was_left() -> None:
    """What another tab has reserved is its: no pixel hears it twice, nobody sends it twice."""
    first = Shop()
    for raw in (first.recorded("page"), first.recorded("page")):
        first.page.write(raw["uuid"], {"call": raw, "by": None, "at": NOW_MS})
    first.page.browser.reserved = ["page-1-1"]
    then = first.next_page().start()
    assert [event["event_id"] for event in then.posted()] == ["page_view_page-1-2"]
    assert len(then.fired("meta")) == 1
    assert then.page.entry("page-1-1")["by"] is None


def test_what_was_left_goes_again_though_nothing_is_called() -> None:
    """A page without calls of its own sends what the one before it left."""
    first = Shop().start(ADD)
    first.tracker.mirror.leave()
    then = first.next_page().start()
    assert [event["event_id"] for event in then.posted()] == ["add_to_cart_page-1-1"]


def test_an_early_call_that_another_page_has_taken_is_left_to_it() -> None:
    """A call written ahead by the loader is taken by one page only."""
    shop = Shop()
    mine, theirs, gone = shop.recorded("page"), shop.recorded("page"), shop.recorded("page")
    shop.page.write(theirs["uuid"], {"call": theirs, "by": "page-2", "at": NOW_MS})
    shop.page.forget([gone["uuid"]])
    shop.start_with([theirs, gone, mine])
    shop.page.answer(204)
    assert [event["event_id"] for event in shop.posted()] == ["page_view_page-1-1"]
    assert list(shop.page.browser.stored) == [theirs["uuid"]]
