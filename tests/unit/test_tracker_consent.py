"""The tracker and consent: what happens before it, on it, and after it is withdrawn."""

from pixelmirror.anything import Any
from tests.unit.fake_page import Browser, FakePage
from tests.unit.samples import NOW_MS, URL, params, pixel, site
from tests.unit.shop import Shop

ADD = ("track", "add_to_cart", params("add_to_cart"))
KINDS = ("meta", "tiktok", "kwai", "commanders_act", "alhena")


def strict(**settings: Any) -> dict[str, Any]:
    return site(consent="required", **settings)


def test_before_consent_nothing_is_stored_loaded_or_sent() -> None:
    """DESIGN 5.3: with consent `required` the page stays untouched until it is given."""
    page = FakePage(None, "page-1", URL + "?fbclid=AbC-1")
    shop = Shop(strict(), page).start(("page",), ("identify", {"id": 77}), ADD)
    shop.call(*ADD)
    assert page.did == [], page.did
    assert page.browser.jar == {}
    assert page.browser.stored == {}
    assert page.request is None


def test_what_waited_is_sent_in_order_with_what_was_captured() -> None:
    """DESIGN 5.3, R14: on consent, cookies and pixels come first; then what waited, in order."""
    page = FakePage(None, "page-1", URL + "?fbclid=AbC-1")
    shop = Shop(strict(), page).start(("page",), ADD)
    shop.call("consent", "granted")
    verbs = [step[0] for step in page.did if step[0] != "write"]
    first_install, first_call = verbs.index("install"), verbs.index("call")
    assert "cookie" not in verbs[first_install:], verbs
    assert first_install < first_call < verbs.index("post"), verbs
    shop.page.answer(204)
    found = [(event["event_name"], event["event_time"]) for event in shop.posted()]
    assert found == [("page_view", NOW_MS + 1), ("add_to_cart", NOW_MS + 2)], found
    for event in shop.posted():
        assert event["visitor_id"] == "visitor-page-1", event
        assert event["attribution"] == {
            "fbc": "fb.1.1760000000000.AbC-1",
            "fbp": "fb.1.1760000000000.9999999999",
        }, event
        assert event["consent"] == {"status": "granted"}, event
    assert [steps[0][1][1] for steps in shop.fired("meta")] == ["PageView", "AddToCart"]


def test_a_refusal_drops_what_waited_and_is_remembered() -> None:
    """DESIGN 5.3: dropped on refusal; the refusal itself is all that is remembered."""
    refusals: Any = ("denied", [])
    for refusal in refusals:
        shop = Shop(strict()).start(("page",), ADD)
        shop.call("consent", refusal)
        shop.call(*ADD)
        assert shop.page.did == [["cookie", "_pm_consent", "denied", 31536000, "toko.example"]]
        for settings in (strict(), site()):
            then = shop.next_page(settings).start(("page",), ADD)
            assert then.page.did == [], refusal


def test_consent_is_remembered_for_the_next_page() -> None:
    """DESIGN 5.3: consent is given once; the next page starts with it, by category too."""
    for given, consent in (
        ("granted", {"status": "granted"}),
        (["1", "3"], {"status": "granted", "categories": ["1", "3"]}),
    ):
        shop = Shop(strict()).start()
        shop.call("consent", given)
        then = shop.next_page(strict()).start(("page",))
        assert [event["consent"] for event in then.posted()] == [consent], given


def test_withdrawn_consent_ends_everything() -> None:
    """After `denied` nothing fires and nothing that waits is sent, from this page or the next."""
    shop = Shop().start(("page",), ADD)
    shop.call("consent", "denied")
    shop.page.answer(503)
    while shop.page.timers:
        shop.page.ring()
    fired = [len(shop.fired(kind)) for kind in KINDS]
    shop.call(*ADD)
    assert [len(shop.fired(kind)) for kind in KINDS] == fired
    assert [event["event_name"] for event in shop.posted()] == ["page_view"]
    assert shop.page.browser.stored == {}
    assert shop.next_page().start(("page",)).page.did == []


def test_consent_after_a_refusal_begins_anew() -> None:
    """What is agreed to later counts from then on: pixels are set up, later events are sent."""
    shop = Shop(strict()).start(("page",))
    shop.call("consent", "denied")
    shop.call("consent", "granted")
    assert shop.page.done("install") == [[kind] for kind in KINDS]
    assert shop.posted() == []
    shop.call(*ADD)
    assert [event["event_name"] for event in shop.posted()] == ["add_to_cart"]


def test_a_pixel_is_loaded_only_with_consent_for_its_categories() -> None:
    """DESIGN 5.3: a pixel whose categories were not agreed to is neither loaded nor called."""
    pixels = {
        "meta": pixel("meta", categories=["3"]),
        "tiktok": pixel("tiktok", categories=["1", "3"]),
        "alhena": pixel("alhena"),
    }
    shop = Shop(strict(destinations=pixels)).start(ADD)
    for given, installed, fired in (
        (["1"], ["alhena"], [0, 0, 1]),
        (["3"], ["alhena", "meta"], [1, 0, 2]),
        (["1", "3"], ["alhena", "meta", "tiktok"], [2, 1, 3]),
        (["1"], ["alhena", "meta", "tiktok"], [2, 1, 4]),
    ):
        shop.call("consent", given)
        if given != ["1"] or installed != ["alhena"]:
            shop.call(*ADD)
        assert [name for [name] in shop.page.done("install")] == installed, given
        found = [len(shop.fired(kind)) for kind in ("meta", "tiktok", "alhena")]
        assert found == fired, (given, found)


def test_global_privacy_control_stops_advertising_only() -> None:
    """DESIGN 5.3: Global Privacy Control is a refusal of advertising, even after `granted`."""
    page = FakePage()
    page.is_private = True
    shop = Shop(None, page).start(ADD)
    shop.call("consent", "granted")
    shop.call(*ADD)
    assert page.done("install") == [["commanders_act"], ["alhena"]]
    refused = "skipped: consent refused by Global Privacy Control"
    for result in shop.results():
        for kind in KINDS:
            expected = "fired" if kind in ("commanders_act", "alhena") else refused
            assert result[kind] == expected, result
    for event in shop.posted():
        assert event["consent"] == {"status": "granted", "gpc": True}, event


def test_global_privacy_control_keeps_the_ads_ids_out() -> None:
    """Neither written nor sent, though cookies of before stay (R23); the visitor ID is no ad's."""
    page = FakePage(None, "page-1", CLICKED)
    page.is_private = True
    page.browser.jar.update({"_fbp": "fb.1.1.1", "_ttp": "2abc"})
    shop = Shop(None, page).start(("page",))
    assert [event["attribution"] for event in shop.posted()] == [{}]
    expected = {"_fbp": "fb.1.1.1", "_ttp": "2abc", "_pm_visitor": "visitor-page-1"}
    assert page.browser.jar == expected, page.browser.jar
    assert [name for name, *_ in page.done("cookie")] == ["_pm_visitor"]


def test_what_an_earlier_page_left_waits_for_consent_too() -> None:
    """Without consent nothing of an earlier page is sent or changed."""
    browser = Browser()
    left = FakePage(browser)
    event = {"event_id": "x", "event_name": "page_view", "event_time": NOW_MS}
    left.write("a", {"event": event, "by": None, "at": NOW_MS})
    shop = Shop(strict(), FakePage(browser, "page-2")).start(("page",))
    assert shop.page.did == []
    assert list(browser.stored) == ["a"]
    shop.call("consent", "denied")
    assert browser.stored == {}


def test_no_visitor_cookie_is_written_by_a_reset_without_consent() -> None:
    """While it is awaited or denied the new ID is in memory only; on consent it is written."""
    shop = Shop(strict()).start(("page",), ("reset",), ("page",))
    assert (shop.page.did, shop.page.browser.jar) == ([], {})
    shop.call("consent", "granted")
    shop.page.answer(204)
    assert shop.page.browser.jar["_pm_visitor"] == "page-1-2"
    found = [event["visitor_id"] for event in shop.posted()]
    assert found == ["visitor-page-1", "page-1-2"], found
    shop.call("consent", "denied")
    shop.call("reset")
    assert "_pm_visitor" not in shop.page.browser.jar


# --- consent tools on the page ---


def test_what_a_consent_tool_says_counts_until_the_shop_says_it() -> None:
    """DESIGN 5.3: an explicit call wins; a tool's word is not remembered, for it says it again."""
    shop = Shop(strict()).start(("page",), ("consent_heard", "granted", "google"))
    assert [event["event_name"] for event in shop.posted()] == ["page_view"]
    assert "_pm_consent" not in shop.page.browser.jar
    shop.results()
    shop.call("consent", ["1"])
    shop.call("consent_heard", "denied", "google")
    shop.call(*ADD)
    assert shop.posted()[-1]["consent"] == {"status": "granted", "categories": ["1"]}
    shop.results()
    then = shop.next_page(strict()).start(("consent_heard", "granted", "google"), ("page",))
    assert then.posted()[-1]["consent"] == {"status": "granted", "categories": ["1"]}


def test_a_tools_refusal_holds_on_its_page_only() -> None:
    """What waited is dropped; nothing is stored, not even the refusal."""
    shop = Shop(strict()).start(("page",), ("consent_heard", "denied", "google"))
    shop.call(*ADD)
    assert (shop.page.did, shop.page.browser.jar) == ([], {})
    then = shop.next_page(strict()).start(("page",), ("consent_heard", "granted", "google"))
    assert [event["event_name"] for event in then.posted()] == ["page_view"]


def test_commanders_acts_categories_go_before_googles_word() -> None:
    """Google says all or nothing, and the same tool tells both: the finer one is meant."""
    shop = Shop(strict()).start(
        ("page",),
        ("consent_heard", ["1", "3"], "commanders_act"),
        ("consent_heard", "granted", "google"),
        ADD,
    )
    shop.results()
    for event in shop.posted():
        assert event["consent"] == {"status": "granted", "categories": ["1", "3"]}, event
    shop.call("consent_heard", ["1"], "commanders_act")
    shop.call(*ADD)
    assert shop.posted()[-1]["consent"]["categories"] == ["1"]


def test_what_an_earlier_page_left_is_sent_on_a_tools_word() -> None:
    """It is given anew on each page, so what was left behind must not wait for a remembered one."""
    shop = Shop(strict()).start(("page",), ("consent_heard", "granted", "google"))
    shop.tracker.mirror.leave()
    then = shop.next_page(strict()).start()
    assert then.posted() == []
    then.call("consent_heard", "granted", "google")
    assert [event["event_name"] for event in then.posted()] == ["page_view"]


# --- consent withdrawn ---

CLICKED = URL + "?fbclid=AbC-1&ttclid=E.C.P.x&click_id=kw-9f"


def test_withdrawn_consent_deletes_our_cookies() -> None:
    """All that we wrote but the refusal itself; `_ttp` is TikTok's, other cookies the shop's."""
    ways: Any = (("consent", "denied"), ("consent", []), ("consent_heard", "denied", "google"))
    for how in ways:
        is_heard = how[0] == "consent_heard"
        shop = Shop(strict() if is_heard else site(), FakePage(None, "page-1", CLICKED))
        shop.page.browser.jar.update({"_ttp": "2abc", "cart": "7"})
        shop.start(("page",), ("consent_heard", "granted", "google"))
        assert len(shop.page.browser.jar) == 7, how
        shop.call(*how)
        remembered = {} if is_heard else {"_pm_consent": "denied"}
        assert shop.page.browser.jar == dict(remembered, _ttp="2abc", cart="7"), how


def test_a_cookie_that_the_relay_renews_afterwards_goes_too() -> None:
    """The answer to a request of before brings the cookies back."""
    shop = Shop(None, FakePage(None, "page-1", CLICKED)).start(("page",))
    shop.call("consent", "denied")
    shop.page.browser.jar["_fbp"] = "fb.1.1.1"
    shop.page.answer(204)
    assert shop.page.browser.jar == {"_pm_consent": "denied"}


def test_a_refusal_that_withdraws_nothing_leaves_cookies_alone() -> None:
    """Nothing was granted before, so they are not ours: Meta's own pixel writes `_fbp` as well."""
    shop = Shop(strict())
    shop.page.browser.jar["_fbp"] = "fb.1.1.1"
    shop.start(("page",)).call("consent", "denied")
    assert shop.page.browser.jar == {"_fbp": "fb.1.1.1", "_pm_consent": "denied"}


def test_consent_after_a_withdrawal_is_a_new_visitors() -> None:
    """Cookies are written anew, and pixels are not set up a second time."""
    shop = Shop(None, FakePage(None, "page-1", CLICKED)).start(("page",))
    shop.call("consent", "denied")
    shop.call("consent", "granted")
    jar = shop.page.browser.jar
    assert (jar["_ttclid"], jar["_pm_visitor"]) == ("E.C.P.x", "visitor-page-1")
    assert shop.page.done("install") == [[kind] for kind in KINDS]
    shop.page.answer(204)
    assert "_pm_visitor" in jar
