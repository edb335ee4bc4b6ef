"""What each official SDK finds when it arrives: its global, its queue, what was called before."""

from typing import Any

import pytest

from tests.e2e.goods import kaos
from tests.e2e.shop import Shop
from tests.e2e.shopper import Shopper
from tests.e2e.site_files import META

TTQ = (
    "page track identify instances debug on off once ready alias group enableCookie disableCookie "
    "holdConsent revokeConsent grantConsent"
).split()
KWAIQ = TTQ[:-3]

# Section 1 of each specification, row by row: an expression and its value on the shop's page.
STUBS: dict[str, list[tuple[str, Any]]] = {
    "meta 1": [
        ("typeof fbq", "function"),
        ("[fbq.push === fbq, fbq.loaded, fbq.version, _fbq === fbq]", [True, True, "2.0", True]),
        ("Array.isArray(fbq.queue)", True),
        ("fbq.queue.map((call) => [...call].slice(0, 2))[0]", ["init", META]),
        ("fbq.queue.map((call) => [...call].slice(0, 2))[2]", ["track", "AddToCart"]),
        ("Object.keys(fbq.queue[2][3])", ["eventID"]),
        # Once the SDK is there, it is asked at once.
        ("(fbq.callMethod = (...call) => (fbq.asked = call), fbq('x', 1), fbq.asked)", ["x", 1]),
    ],
    "tiktok 1": [
        ("TiktokAnalyticsObject", "ttq"),
        ("Array.isArray(ttq)", True),
        ("ttq.methods", TTQ),
        ("ttq.methods.filter((name) => typeof ttq[name] !== 'function')", []),
        (
            "(ttq.setAndDefer(ttq.own = [], 'hear'), ttq.own.hear('a', 1), [...ttq.own])",
            [["hear", "a", 1]],
        ),
        ("Object.keys(ttq._i)", ["CTOKO"]),
        ("new URL(ttq._i.CTOKO._u).search", ""),
        ("typeof ttq._t.CTOKO", "number"),
        ("ttq._o.CTOKO", {}),
        ("[...ttq].map((call) => call.slice(0, 2))[1]", ["track", "AddToCart"]),
        ("ttq.instance('CTOKO') === ttq._i.CTOKO", True),
        ("(ttq.instance('CTOKO').track('a'), [...ttq._i.CTOKO])", [["track", "a"]]),
        (
            "new URL(document.querySelector('script[src*=tiktok]').src).search",
            "?sdkid=CTOKO&lib=ttq",
        ),
    ],
    "kwai 1": [
        ("KwaiAnalyticsObject", "kwaiq"),
        ("Array.isArray(kwaiq)", True),
        ("kwaiq.methods", KWAIQ),
        ("kwaiq.methods.filter((name) => typeof kwaiq[name] !== 'function')", []),
        ("typeof kwaiq.setAndDefer", "undefined"),
        ("Object.keys(kwaiq._i)", ["300001"]),
        ("new URL(kwaiq._i['300001']._u).search", ""),
        ("typeof kwaiq._t['300001']", "number"),
        ("kwaiq._o['300001']", {}),
        ("[...kwaiq]", [["page"]]),
        ("kwaiq._i['300001'].map((call) => call.slice(0, 2))", [["track", "addToCart"]]),
        (
            "new URL(document.querySelector('script[src*=kwai]').src).search",
            "?sdkid=300001&lib=kwaiq",
        ),
    ],
    "commanders-act 1": [
        ("typeof cact", "function"),
        ("Array.isArray(caReady)", True),
        (
            "caReady.map((call) => [...call].slice(0, 2))",
            [["trigger", "page_view"], ["trigger", "add_to_cart"]],
        ),
        # The library writes a marker on each entry, and copies data with Object.assign.
        ("caReady.every(Object.isExtensible)", True),
        ("Object.getPrototypeOf(caReady[1][2]) === Object.prototype", True),
    ],
    "alhena A1, A2": [
        ("typeof trackAlhenaEvent", "function"),
        ("Array.isArray(_alhenaEventQueue)", True),
        (
            "_alhenaEventQueue.map((call) => [Object.keys(call), call.method])",
            [[["method", "args"], "sendCartEvent"]],
        ),
        ("Object.getPrototypeOf(_alhenaEventQueue[0].args) === Object.prototype", True),
    ],
}


def test_each_sdk_finds_the_stub_of_its_specification(shop: Shop, shopper: Shopper) -> None:
    """meta 1, tiktok 1, kwai 1, commanders-act 1, alhena A1, A2: with the SDKs kept away."""
    shopper.context.route("**/sandbox/sdk/*", lambda route: route.abort())
    shop.page("/")
    page = shopper.visit("/")
    shopper.track(page, "add_to_cart", kaos())
    found = {
        rule: [(expression, page.evaluate(expression)) for expression, _ in rows]
        for rule, rows in STUBS.items()
    }
    assert found == STUBS


ALREADY = """<script>
  window.fbq = function () { fbq.queue.push(arguments) };
  fbq.queue = [];
  window.ttq = ["mine"];
  window.kwaiq = ["mine"];
  window.caReady = ["mine"];
  window._alhenaEventQueue = ["mine"];
  window.trackAlhenaEvent = (method, args) => _alhenaEventQueue.push(["mine", method, args]);
  window.was = [fbq, ttq, kwaiq, caReady, _alhenaEventQueue, trackAlhenaEvent];
</script>"""


@pytest.mark.parametrize("times", [1, 2])
def test_what_the_page_has_of_a_stub_is_kept(shop: Shop, shopper: Shopper, times: int) -> None:
    """alhena A1 and section 1 of each: earlier entries and functions stay, also with two tags."""
    shopper.context.route("**/sandbox/sdk/*", lambda route: route.abort())
    shop.page("/", head=ALREADY, tag=shop.tag() * times)
    page = shopper.visit("/")
    shopper.track(page, "add_to_cart", kaos())
    now = "[fbq, ttq, kwaiq, caReady, _alhenaEventQueue, trackAlhenaEvent]"
    assert page.evaluate(f"{now}.every((each, i) => each === was[i])")
    first = page.evaluate("[ttq, kwaiq, caReady, _alhenaEventQueue].map((queue) => queue[0])")
    assert first == ["mine"] * 4
    assert page.evaluate("_alhenaEventQueue[1].slice(0, 2)") == ["mine", "sendCartEvent"]
    assert page.evaluate("[...fbq.queue].map((call) => call[1])") == [META, "PageView", "AddToCart"]
