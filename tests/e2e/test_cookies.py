"""Attribution cookies as the browser keeps them (scalev R14 to R23, meta.md section 3)."""

import re
import time
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Route

from tests.e2e.conftest import SECURE_SHOP
from tests.e2e.goods import kaos
from tests.e2e.heard import Heard
from tests.e2e.shop import HOST, Shop
from tests.e2e.shopper import Shopper
from tests.e2e.waiting import until

DAY_S = 24 * 60 * 60
OURS = ("_fbc", "_fbp", "_ttclid", "_kwai_click_id", "_pm_visitor")
OLD_FBC = "fb.1.1750000000000.Old"
OLD_FBP = "fb.1.1750000000000.4821"


def give(shopper: Shopper, host: str = HOST, **cookies: str) -> None:
    """The shopper has these cookies from an earlier visit, for the host alone."""
    for name, value in cookies.items():
        shopper.context.add_cookies(
            [{"name": name, "value": value, "url": shopper.shop.url("/", host)}]
        )


def test_r15_r16_r18_r20_the_landing_writes_each_cookie_to_the_letter(
    shop: Shop, shopper: Shopper
) -> None:
    """Names, values, lives and attributes; a click ID is percent-encoded and never changed."""
    shop.page("/")
    started = time.time()
    shopper.visit("/?fbclid=Ab.C_d&ttclid=E.C.P.x&click_id=a%2Fb%3Dc%26d")
    cookies = shopper.cookies()
    shapes = {
        "_fbc": (r"fb\.1\.\d{13}\.Ab\.C_d", 90 * DAY_S),
        "_fbp": (r"fb\.1\.\d{13}\.\d{1,10}", 90 * DAY_S),
        "_ttclid": (r"E\.C\.P\.x", 7 * DAY_S),
        "_kwai_click_id": (r"a%2Fb%3Dc%26d", 7 * DAY_S),
    }
    for name, (shape, max_age_s) in shapes.items():
        cookie = cookies[name]
        assert re.fullmatch(shape, cookie["value"]), cookie
        assert cookie["expires"] - started == pytest.approx(max_age_s, abs=60), cookie
        assert (cookie["path"], cookie["sameSite"]) == ("/", "Lax")
        assert (cookie["secure"], cookie["httpOnly"]) == (False, False)
        assert cookie["domain"] == f".{HOST}"
    first_seen_ms = int(cookies["_fbc"]["value"].split(".")[2])
    assert first_seen_ms / 1000 == pytest.approx(started, abs=60)


@pytest.mark.parametrize(
    ("query", "before", "after"),
    [
        ("", {}, {"_fbc": None, "_ttclid": None, "_kwai_click_id": None}),
        ("", {"_fbp": OLD_FBP}, {"_fbp": OLD_FBP}),
        ("", {"_ttclid": "T1", "_kwai_click_id": "K1"}, {"_ttclid": "T1", "_kwai_click_id": "K1"}),
        ("?ttclid=&click_id=&fbclid=", {"_ttclid": "T1"}, {"_ttclid": "T1", "_fbc": None}),
        ("?ttclid=T2&click_id=K2", {"_ttclid": "T1"}, {"_ttclid": "T2", "_kwai_click_id": "K2"}),
        ("?fbclid=Old", {"_fbc": OLD_FBC}, {"_fbc": OLD_FBC}),
        ("?fbclid=New", {"_fbc": OLD_FBC}, {"_fbc": r"fb\.1\.\d{13}\.New"}),
        ("?ttp=x", {"_ttp": "ttp-1"}, {"_ttp": "ttp-1"}),
        ("?clickid=K3", {}, {"_kwai_click_id": "K3"}),
        ("?click_id=__CALLBACK__", {}, {"_kwai_click_id": None}),
    ],
    ids=[
        "r16-r19-nothing-without-a-click-id",
        "r17-an-existing-fbp-is-never-overwritten",
        "r23-what-is-there-stays",
        "r19-an-empty-value-leaves-the-cookie-alone",
        "a-new-click-id-takes-the-old-ones-place",
        "d2-the-same-fbclid-keeps-the-time-it-was-first-seen",
        "d2-a-new-fbclid-is-written-anew",
        "r21-ttp-is-only-read",
        "kwai-names-it-clickid-too",
        "a-macro-that-was-not-filled-is-no-click-id",
    ],
)  # fmt: skip
def test_what_a_landing_leaves_of_the_cookies(
    shop: Shop, shopper: Shopper, query: str, before: dict[str, str], after: dict[str, Any]
) -> None:
    """The URL's click IDs, the cookies before, the cookies afterwards (a pattern; None: absent)."""
    shop.page("/")
    give(shopper, **before)
    shopper.visit("/" + query)
    cookies = {name: cookie["value"] for name, cookie in shopper.cookies().items()}
    assert re.fullmatch(r"fb\.1\.\d{13}\.\d{1,10}", cookies["_fbp"])
    for name, shape in after.items():
        found = cookies.get(name)
        if shape is None or found is None:
            assert found is shape, (name, found)
        else:
            assert re.fullmatch(shape, found), (name, found)


@pytest.mark.parametrize(
    ("host", "domain", "index"),
    [
        ("www.toko.example", ".toko.example", 1),
        ("www.toko.co.id", ".toko.co.id", 2),
        ("127.0.0.1", "127.0.0.1", 1),
        ("localhost", "localhost", 1),
    ],
)
def test_cookies_are_kept_on_the_widest_domain_that_the_browser_takes(
    shop: Shop, shopper: Shopper, host: str, domain: str, index: int
) -> None:
    """The index in Meta's two cookies follows the domain; nothing is left of the trying."""
    shop.page("/")
    shopper.visit("/?fbclid=Ab&ttclid=T&click_id=K", host=host)
    cookies = shopper.cookies()
    assert {cookies[name]["domain"] for name in OURS} == {domain}
    for name in ("_fbc", "_fbp"):
        assert cookies[name]["value"].startswith(f"fb.{index}.")
    assert {name for name in cookies if name.startswith("_pm")} == {"_pm_visitor"}


def test_r14_the_landings_own_page_view_has_the_click_ids(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """Capture runs before any event, so that even the first carries the attribution."""
    shop.page("/")
    page = shopper.visit("/?fbclid=Ab&ttclid=T1&click_id=K1")
    shopper.wait_until_acknowledged(page)
    (event,) = shopper.posted()
    cookies = {name: cookie["value"] for name, cookie in shopper.cookies().items()}
    assert event["event_name"] == "page_view"
    assert event["attribution"] == {
        "fbc": cookies["_fbc"],
        "fbp": cookies["_fbp"],
        "ttclid": "T1",
        "kwai_click_id": "K1",
    }


def test_r22_the_current_url_is_preferred_to_the_cookie(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """Raw click IDs: URL first, then the decoded cookie; on the next page the cookie is all."""
    shop.page("/")
    shop.page("/p/kaos")
    give(shopper, _ttclid="Old", _kwai_click_id="a%2Fb")
    page = shopper.visit("/?ttclid=New")
    shopper.track(page, "add_to_cart", kaos())
    shopper.wait_until_acknowledged(page)
    page = shopper.visit("/p/kaos", page=page)
    shopper.track(page, "view_item", kaos())
    shopper.wait_until_acknowledged(page)
    found = [event["attribution"] for event in shopper.posted()]
    assert {each["ttclid"] for each in found} == {"New"}
    assert {each["kwai_click_id"] for each in found} == {"a/b"}


def test_a_landing_left_before_python_was_up_is_captured_by_the_next_page(
    shop: Shop, shopper: Shopper
) -> None:
    """Its click IDs and the time they were first seen are kept, as the URL is gone by then."""
    shop.page("/", "<script>location.href = '/p/kaos'</script>", tag=shop.tag(attributes=""))
    shop.page("/p/kaos")
    page = shopper.visit("/?fbclid=Ab&click_id=K1", ready=False)
    page.wait_for_url("**/p/kaos")
    shopper.wait_until_ready(page)
    cookies = shopper.cookies()
    assert cookies["_fbc"]["value"].endswith(".Ab")
    assert cookies["_kwai_click_id"]["value"] == "K1"


def test_the_relay_renews_the_cookies_where_it_shares_the_domain(
    shop: Shop, shopper: Shopper
) -> None:
    """Set over HTTP they live longer in Safari; same names, values, domain, still readable."""
    relay = shop.relay.replace("127.0.0.1", "t.toko.example")
    shop.page("/", tag=shop.tag(relay=relay))
    page = shopper.context.new_page()
    with page.expect_response(f"{relay}/s/toko") as answered:
        shopper.visit("/?fbclid=Ab&ttclid=T&click_id=a%2Fb", host="www.toko.example", page=page)
    assert answered.value.status == 204
    headers = answered.value.headers_array()
    renewed = [pair["value"] for pair in headers if pair["name"].lower() == "set-cookie"]
    cookies = shopper.cookies()
    lives = {"_fbc": 90, "_fbp": 90, "_ttclid": 7, "_kwai_click_id": 7}
    assert sorted(renewed) == sorted(
        f"{name}={cookies[name]['value']}; Max-Age={days * DAY_S}; Path=/; SameSite=Lax; "
        "Domain=toko.example"
        for name, days in lives.items()
    )
    assert {cookies[name]["domain"] for name in lives} == {".toko.example"}
    assert {cookies[name]["httpOnly"] for name in lives} == {False}


def test_a_page_left_before_python_was_up_has_its_cookies_from_the_relay(
    shop: Shop, shopper: Shopper
) -> None:
    """On the domain that the page had no time to find, with its index, though no page follows."""
    relay = shop.relay.replace("127.0.0.1", "t.toko.co.id")
    shopper.allow("t.toko.co.id")
    shopper.context.route("**/micropython.mjs", lambda _: None)
    shop.page("/", tag=shop.tag(attributes="", relay=relay))
    shop.page("/next", tag="")
    page = shopper.visit("/?fbclid=Ab&ttclid=T", host="www.toko.co.id", ready=False)
    shopper.visit("/next", host="www.toko.co.id", page=page, ready=False)
    cookies = until(shopper.cookies, "the relay has answered", lambda found: "_fbc" in found)
    assert re.fullmatch(r"fb\.2\.\d{13}\.Ab", cookies["_fbc"]["value"])
    assert {name: cookies[name]["domain"] for name in cookies} == {
        "_fbc": ".toko.co.id",
        "_ttclid": ".toko.co.id",
    }


def test_r20_on_https_every_cookie_is_secure(shop: Shop, shopper: Shopper) -> None:
    """In the page and from the relay; the tag's addresses follow the page's scheme."""
    renewed: list[str] = []

    def forward(route: Route) -> None:
        """What stands before a server in the real world: a name, https, and the server behind."""
        request, parts = route.request, urlsplit(route.request.url)
        server = shop.relay if parts.hostname == "t.toko.example" else shop.origin("127.0.0.1")
        headers = {**request.headers, "host": parts.netloc, "accept-encoding": "identity"}
        answer = httpx.request(
            request.method, server + parts.path, headers=headers, content=request.post_data_buffer
        )
        renewed.extend(answer.headers.get_list("set-cookie"))
        route.fulfill(status=answer.status_code, headers=dict(answer.headers), body=answer.content)

    shop.page("/", tag=shop.tag(relay="https://t.toko.example"))
    shopper.context.route("https://*.toko.example/**", forward)
    page = shopper.context.new_page()
    page.goto(f"{SECURE_SHOP}/?fbclid=Ab&ttclid=T&click_id=K")
    shopper.wait_until_ready(page)
    shopper.wait_until_acknowledged(page)
    cookies = shopper.cookies()
    assert {name: cookies[name]["secure"] for name in OURS} == dict.fromkeys(OURS, True)
    assert len(renewed) == 4
    assert all("; Secure" in line for line in renewed)


def test_the_relay_writes_no_cookie_on_a_domain_that_is_not_the_shops(
    shop: Shop, shopper: Shopper
) -> None:
    """A relay elsewhere would only leave third-party cookies."""
    shop.page("/")
    page = shopper.context.new_page()
    with page.expect_response(f"{shop.relay}/s/toko") as answered:
        shopper.visit("/?fbclid=Ab", page=page)
    assert answered.value.status == 204
    assert answered.value.header_value("set-cookie") is None
    until(shopper.cookies, "TikTok's SDK wrote its own", lambda cookies: "_ttp" in cookies)
    hosts = {cookie.get("domain") for cookie in shopper.context.cookies()}
    assert hosts == {HOST, f".{HOST}"}  # the first is the SDK's own


def test_one_visitor_id_for_all_pages_of_a_browser(shop: Shop, shopper: Shopper) -> None:
    """Made once, first-party, sent with each event."""
    shop.page("/")
    page = shopper.visit("/")
    shopper.wait_until_acknowledged(page)
    page = shopper.visit("/", page=page)
    shopper.wait_until_acknowledged(page)
    sent = until(shopper.posted, "two page views were posted", lambda events: len(events) == 2)
    assert {event["visitor_id"] for event in sent} == {shopper.cookies()["_pm_visitor"]["value"]}


def visitor_of(shopper: Shopper) -> str:
    value: str = shopper.cookies()["_pm_visitor"]["value"]
    return value


def test_reset_begins_a_new_visitor(shop: Shop, shopper: Shopper) -> None:
    """A logout: the cookie is rewritten, later events are the new one's, click IDs stay."""
    shop.page("/")
    page = shopper.visit("/?fbclid=Ab&ttclid=T&click_id=K")
    shopper.wait_until_acknowledged(page)
    before = {name: shopper.cookies()[name]["value"] for name in OURS}
    shopper.call(page, "identify", {"id": "C-77"})
    shopper.call(page, "reset")
    after = {name: shopper.cookies()[name]["value"] for name in OURS}
    assert after["_pm_visitor"] != before["_pm_visitor"]
    assert {**after, "_pm_visitor": ""} == {**before, "_pm_visitor": ""}
    shopper.track(page, "view_item", kaos())
    shopper.wait_until_acknowledged(page)
    first, last = shopper.posted()
    assert (first["visitor_id"], last["visitor_id"]) == (
        before["_pm_visitor"],
        after["_pm_visitor"],
    )
    assert "user" not in last


def test_a_reset_before_python_was_up_holds_on_the_next_page(shop: Shop, shopper: Shopper) -> None:
    """The page was left at once; the next one goes on under the visitor ID of the reset."""
    shop.page("/")
    page = shopper.visit("/")
    shopper.wait_until_acknowledged(page)
    before = visitor_of(shopper)
    out = "<script>pixelmirror('reset'); location.href = '/'</script>"
    shop.page("/logout", out, tag=shop.tag(attributes=""))
    page.goto(shop.url("/logout"))
    page.wait_for_url(shop.url("/"))
    shopper.wait_until_ready(page)
    shopper.wait_until_acknowledged(page)
    assert visitor_of(shopper) != before
    page = shopper.visit("/", page=page)
    shopper.wait_until_acknowledged(page)
    # What the page that was left may have sent unacknowledged goes again, and is of before.
    visitors = [
        event["visitor_id"] for event in shopper.posted() if event["page"]["url"] == shop.url("/")
    ]
    assert visitors == [before, visitor_of(shopper), visitor_of(shopper)]
