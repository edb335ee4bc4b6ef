"""The tracker and the pixels: each set up once, each on its own, each with its result."""

from pixelmirror.anything import Any
from tests.unit.fake_page import FakePage
from tests.unit.samples import params, pixel, site
from tests.unit.shop import Shop

ADD = ("track", "add_to_cart", params("add_to_cart"))
KINDS = ("meta", "tiktok", "kwai", "commanders_act", "alhena")


# --- set-up ---


def test_r10_each_pixel_is_set_up_once() -> None:
    """scalev R10: whatever is called, a pixel is installed and initialised once per page."""
    shop = Shop().start(("page",), ("consent", "granted"), ADD)
    shop.call("consent", ["1"])
    shop.call("consent", "granted")
    assert shop.page.done("install") == [[kind] for kind in KINDS]
    for kind in KINDS:
        set_up = [steps for steps in shop.calls(kind) if steps not in shop.fired(kind)]
        assert len(set_up) == (1 if kind in ("meta", "tiktok", "kwai") else 0), (kind, set_up)


def test_r11_all_ids_are_initialised_before_the_one_page_view() -> None:
    """scalev R9, R11: each provider takes a list of IDs; its page call comes once, after all."""
    settings = site()
    for kind in ("meta", "tiktok", "kwai"):
        settings["destinations"][kind]["pixel_ids"] = ["1", "2"]
    shop = Shop(settings).start(("page",))
    assert shop.calls("meta")[:2] == [[["fbq", ["init", "1"]]], [["fbq", ["init", "2"]]]]
    assert [steps[0][1][:2] for steps in shop.calls("meta")[2:]] == [["track", "PageView"]]
    for kind, name in (("tiktok", "ttq"), ("kwai", "kwaiq")):
        assert shop.calls(kind) == [
            [[name], ["load", ["1"]]],
            [[name], ["load", ["2"]]],
            [[name], ["page", []]],
        ], shop.calls(kind)


def test_an_sdk_that_the_shop_loads_itself_gets_no_stub() -> None:
    """DESIGN 5.2: `sdk_url = ""` loads none; the pixel is called all the same."""
    settings = site(destinations={"alhena": pixel("alhena", stub=False)})
    shop = Shop(settings).start(ADD)
    assert shop.page.done("install") == []
    assert len(shop.fired("alhena")) == 1


def test_a_pixel_that_the_page_has_is_not_initialised_again() -> None:
    """DESIGN 5.3: the page's own set-up of an ID is used; IDs it does not have are added."""
    settings = site()
    page = FakePage()
    for kind in ("meta", "tiktok", "kwai"):
        settings["destinations"][kind]["pixel_ids"] = ["1", "2"]
        page.own[kind] = {"ids": ["1"], "page_view": False}
    shop = Shop(settings, page).start()
    assert shop.calls("meta") == [[["fbq", ["init", "2"]]]]
    assert shop.calls("tiktok") == [[["ttq"], ["load", ["2"]]]]
    assert shop.calls("kwai") == [[["kwaiq"], ["load", ["2"]]]]


def test_the_page_view_of_the_pages_own_code_is_not_repeated() -> None:
    """DESIGN 5.3: the page's snippet has sent this page's view; the next one is ours to send."""
    page = FakePage()
    page.own["meta"] = {"ids": ["meta-1"], "page_view": True}
    shop = Shop(site(destinations={"meta": pixel("meta")}), page).start(("page",))
    assert shop.fired("meta") == []
    shop.call("page")
    shop.call(*ADD)
    assert [steps[0][1][1] for steps in shop.fired("meta")] == ["PageView", "AddToCart"]
    skipped = {"meta": "skipped: the page's own code has sent it"}
    assert shop.results() == [skipped, {"meta": "fired"}, {"meta": "fired"}]
    assert [event["event_name"] for event in shop.posted()] == [
        "page_view",
        "page_view",
        "add_to_cart",
    ]


def test_a_page_view_for_other_pixels_is_not_ours() -> None:
    """What the page's code sent before our ID was there did not reach our ID."""
    for own in (
        {"ids": ["other"], "page_view": True},
        {"ids": ["meta-1"], "page_view": False},
        {"ids": [], "page_view": True},
    ):
        page = FakePage()
        page.own["meta"] = own
        shop = Shop(site(destinations={"meta": pixel("meta")}), page).start(("page",))
        assert len(shop.fired("meta")) == 1, own


def test_with_others_pixels_on_the_page_ours_is_addressed_singly() -> None:
    """DESIGN 5.3: with several pixels on a page ours is addressed singly, by `trackSingle`."""
    page = FakePage()
    for kind in ("meta", "tiktok", "kwai"):
        page.own[kind] = {"ids": ["other"], "page_view": False}
    shop = Shop(None, page).start(("page",), ADD, ("track", "quiz_done"))
    found = [steps[0][1][:3] for steps in shop.fired("meta")]
    assert found == [
        ["trackSingle", "meta-1", "PageView"],
        ["trackSingle", "meta-1", "AddToCart"],
        ["trackSingleCustom", "meta-1", "quiz_done"],
    ], found
    found = [[steps[1], steps[2][0]] for steps in shop.fired("tiktok")]
    one = ["instance", ["tiktok-1"]]
    assert found == [[one, "page"], [one, "track"], [one, "track"]], found
    assert shop.fired("kwai")[1][:2] == [["kwaiq"], ["instance", ["kwai-1"]]]


# --- pixels that fail ---


def test_r65_a_throwing_pixel_stops_no_other() -> None:
    """scalev R65, D8, alhena A13: each is on its own; a failure is said once, not by event."""
    for broken, kind in (
        ("fbq", "meta"),
        ("ttq", "tiktok"),
        ("cact", "commanders_act"),
        ("trackAlhenaEvent", "alhena"),
    ):
        page = FakePage()
        page.throwing = [broken]
        shop = Shop(None, page).start(ADD, ADD, ADD)
        for result in shop.results():
            for other in KINDS:
                expected = "failed: " + broken + ": it is broken" if other == kind else "fired"
                assert result[other] == expected, (broken, result)
        said = kind + " pixel failed: " + broken + ": it is broken"
        assert page.done("say") == [[said]], page.done("say")
        assert len(shop.posted()) == 3


def test_a_pixel_that_cannot_be_set_up_is_said() -> None:
    """A failure in `init` is said at once, not with the first event."""
    page = FakePage()
    page.throwing = ["fbq"]
    shop = Shop(None, page).start()
    assert page.done("say") == [["meta pixel failed: fbq: it is broken"]]
    shop.call(*ADD)
    assert len(page.done("say")) == 1


def test_settings_that_lack_something_stop_no_other_pixel() -> None:
    """A loader of an older version may know less: that pixel fails, the others fire."""
    settings = site()
    del settings["destinations"]["meta"]["order_event_id"]
    shop = Shop(settings).start(ADD)
    [result] = shop.results()
    failed = result.pop("meta")
    assert failed.startswith("failed: KeyError('order_event_id'"), failed
    assert result == {kind: "fired" for kind in KINDS if kind != "meta"}
    [[said]] = shop.page.done("say")
    assert said == "meta pixel " + failed


def test_r12_a_missing_global_raises_nothing() -> None:
    """scalev R12: a global that is not there is skipped, without a word to anyone."""
    page = FakePage()
    page.missing = ["fbq", "ttq", "kwaiq", "cact", "trackAlhenaEvent"]
    shop = Shop(None, page).start(("page",), ADD)
    reasons = {
        "meta": "skipped: fbq is not on the page",
        "tiktok": "skipped: ttq is not on the page",
        "kwai": "skipped: kwaiq is not on the page",
        "commanders_act": "skipped: cact is not on the page",
        "alhena": "skipped: trackAlhenaEvent is not on the page",
    }
    assert shop.results()[1] == reasons
    assert page.done("say") == []
    assert [event["event_name"] for event in shop.posted()] == ["page_view", "add_to_cart"]


# --- what became of an event ---


def test_a_pixel_is_skipped_for_a_reason_in_words() -> None:
    """DESIGN 5.3: `on("sent")` is told of each pixel `fired`, or why it was not."""
    settings = site()
    settings["destinations"]["tiktok"]["categories"] = ["3"]
    page = FakePage()
    page.browser.jar["_pm_consent"] = "1"
    shop = Shop(settings, page).start(
        ("track", "view_cart", params("view_cart")),
        ("track", "add_to_cart", params("add_to_cart"), {"destinations": ["meta", "kwai"]}),
        ("track", "quiz_done"),
    )
    assert shop.results() == [
        {
            "meta": "fired",
            "tiktok": "skipped: no consent for category 3",
            "kwai": "skipped: it has no name for view_cart",
            "commanders_act": "fired",
            "alhena": "skipped: it has no name for view_cart",
        },
        {
            "meta": "fired",
            "tiktok": "skipped: no consent for category 3",
            "kwai": "fired",
            "commanders_act": "skipped: not among this call's destinations",
            "alhena": "skipped: not among this call's destinations",
        },
        {
            "meta": "fired",
            "tiktok": "skipped: no consent for category 3",
            "kwai": "skipped: it has no name for quiz_done",
            "commanders_act": "fired",
            "alhena": "skipped: it has no name for quiz_done",
        },
    ], shop.results()
    assert shop.posted()[1]["destinations"] == ["meta", "kwai"]


def test_the_fate_of_an_event_is_told_once() -> None:
    """DESIGN 5.3: `on("sent")` is told once: `stored` after 204, `kept` when it has to go again."""
    for statuses, fate in (((204,), "stored"), ((503, 204), "kept"), ((422,), "refused")):
        shop = Shop(site(destinations={"meta": pixel("meta")})).start(("page",))
        for status in statuses:
            shop.page.answer(status)
            while shop.page.timers:
                shop.page.ring()
        told = shop.page.done("sent")
        expected = {"pixels": {"meta": "fired"}, "relay": fate}
        assert told == [["page_view_page-1-1", expected]], (statuses, told)


# --- Alhena's fingerprints ---

WIDGET = {"getFingerprint": "fp-1", "getFAQFingerprint": "faq-1"}


def test_alhenas_fingerprints_travel_in_the_attribution() -> None:
    """specs/alhena.md 2: both are read at each event, as the widget may come late."""
    shop = Shop().start(("page",))
    shop.page.widget = WIDGET
    shop.results()
    shop.call("track", "add_to_cart", params("add_to_cart"))
    first, second = [event["attribution"] for event in shop.posted()]
    assert "alhena_fingerprint" not in first
    assert second["alhena_fingerprint"] == "fp-1"
    assert second["alhena_faq_fingerprint"] == "faq-1"


def test_without_an_alhena_destination_nobody_asks_its_widget() -> None:
    """It may be there for its chat alone."""
    shop = Shop()
    shop.page.has_alhena = False
    shop.page.widget = WIDGET
    shop.start(("page",))
    assert "alhena_fingerprint" not in shop.posted()[0]["attribution"]


def test_a_fingerprint_that_is_none_is_left_out() -> None:
    """A widget that is not ready, or broken, costs no event; broken is said once."""
    broken: Any = RuntimeError("gleenWidget.getFAQFingerprint: broken")
    values: Any = (None, "", 5, {}, "x" * 201, broken)
    for value in values:
        shop = Shop()
        shop.page.widget = dict(WIDGET, getFAQFingerprint=value)
        shop.start(("page",), ("page",))
        shop.results()
        for event in shop.posted():
            assert event["attribution"]["alhena_fingerprint"] == "fp-1", value
            assert "alhena_faq_fingerprint" not in event["attribution"], value
        assert len(shop.page.done("say")) == (1 if value is broken else 0), value
