"""Scalev's `transport = "direct"`: the page itself posts the server copies (specs/scalev.md)."""

import json

import pytest
from playwright.sync_api import Page, Route

from tests.e2e.goods import KAOS, PAKET, kaos
from tests.e2e.heard import Heard
from tests.e2e.shop import Shop
from tests.e2e.shopper import Shopper
from tests.e2e.test_csp import policy
from tests.e2e.test_two_tabs import open_at_once
from tests.e2e.waiting import until

LANDING = "/?fbclid=Fb.C_d&ttclid=E.C.P.x&click_id=kw-9f"
ADDED = {"meta": "AddToCart", "tiktok": "AddToCart", "snackvideo": "addToCart"}
REASON = "the page posts it to Scalev itself"
TWICE = "as a repeat would count twice"
BACK_OFF_S = 30  # the page waits 1, 2, 5 and then 15 s between tries

# The copies that this browser keeps because Scalev has not taken them.
COPIES = "() => Object.keys(localStorage).filter((key) => /^pm\\.[^.]+\\.direct\\./.test(key))"


def open_page(shop: Shop, shopper: Shopper, site: str = "direct", **attributes: str) -> Page:
    """A page of that site, landed on from an ad, with its page view behind it."""
    for path in ("/", "/p/kaos"):
        tag = shop.tag(site, attributes=" ".join(f'{k}="{v}"' for k, v in attributes.items()))
        shop.page(path, tag=tag)
    page = shopper.visit(LANDING)
    shopper.wait_until_acknowledged(page)
    return page


def wait_until_posted(page: Page) -> None:
    """Scalev has taken, or for good refused, all that this browser kept for it."""
    until(lambda: page.evaluate(COPIES), "Scalev has answered", lambda left: not left, BACK_OFF_S)


def counts(heard: Heard) -> dict[str, int]:
    """How often each provider was posted an add_to_cart, taken or not."""
    return {
        provider: len(heard.all_of(f"scalev.{provider}", name)) for provider, name in ADDED.items()
    }


@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
def test_r1_to_r8_r60_each_provider_is_posted_its_copy_once(
    shop: Shop, shopper: Shopper, heard: Heard, runtime: str
) -> None:
    """R1-R8, R46, R47, R60: three requests of the page's own, under the pixel's name and ID."""
    page = open_page(shop, shopper, **{"data-runtime": runtime})
    shopper.call(page, "identify", {"email": "siti@example.com", "phone": "0812-3456-7890"})
    event_id = shopper.track(page, "add_to_cart", {"items": [KAOS, PAKET]})
    for provider, name in ADDED.items():
        heard.wait_for(f"scalev.{provider}", name)
    (pixel,) = heard.wait_for("meta", "AddToCart")
    wait_until_posted(page)
    shopper.wait_until_acknowledged(page)
    heard.wait_until_delivered([event_id], "direct")
    assert counts(heard) == {"meta": 1, "tiktok": 1, "snackvideo": 1}
    assert heard.refused() == [], "not even for a cookie (R5)"
    bodies = {one: heard.calls(f"scalev.{one}")[0]["call"] for one in ADDED}
    assert bodies["meta"]["events"][0]["event_id"] == event_id == pixel["event_id"]
    assert bodies["tiktok"]["events"][0]["event_id"] == event_id
    assert bodies["snackvideo"]["click_id"] == "kw-9f"
    for body in bodies.values():
        assert body["event_source_url"] == shop.url(LANDING)
        assert body["bundle_price_options"][0]["quantity"] == 1
    assert bodies["meta"]["user_data"]["ph"] == "081234567890"
    assert bodies["meta"]["user_data"]["fbc"].endswith(".Fb.C_d")
    posts = [request for request in shopper.requests if "/public/analytics/" in request.url]
    assert len(posts) == 3
    for request in posts:
        assert request.headers["x-scalev-storefront-api-key"] == "sfpk_1"
        assert request.headers["accept"] == request.headers["content-type"] == "application/json"


def test_the_relay_leaves_to_the_page_what_the_page_posts(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """`/v1/deliveries` says so; a server's own event still goes by the relay."""
    page = open_page(shop, shopper)
    event_id = shopper.track(page, "add_to_cart", kaos())
    heard.wait_until_delivered([event_id], "direct")
    rows = {row["destination"]: row for row in heard.deliveries("direct", event_id=event_id)}
    for provider in ADDED:
        row = rows[f"scalev.{provider}"]
        assert (row["state"], row["reason"], row["attempts"]) == ("skipped", REASON, 0)
    assert rows["tracify"]["state"] == "done"
    wait_until_posted(page)


def test_what_scalev_did_not_take_goes_again_from_the_next_page(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """Section 2 (Retry), R65: kept, said, and taken once, under the same ID."""
    page = open_page(shop, shopper)
    for provider in ("meta", "tiktok"):
        heard.behave(system=f"scalev.{provider}", do="fail", status=503)
    event_id = shopper.track(page, "add_to_cart", kaos())
    said = sorted(shopper.said("AddToCart is kept and goes again") for _ in range(2))
    assert "scalev.meta: Scalev answers 503" in said[0]
    assert "scalev.tiktok: Scalev answers 503" in said[1]
    heard.wait_for("scalev.snackvideo", "addToCart")
    page = shopper.visit("/p/kaos", page=page)
    until(lambda: _harmless(shopper), "the next page was told the same")
    heard.normal()
    wait_until_posted(page)
    for provider in ("meta", "tiktok"):
        taken = [row for row in heard.calls(f"scalev.{provider}") if row["accepted"]]
        assert [row["event_id"] for row in taken] == [event_id]
    assert counts(heard)["snackvideo"] == 1


def _harmless(shopper: Shopper) -> bool:
    """The two lines of the page that found Scalev down are read."""
    shopper.cookies()
    if len(shopper.lines) < 2:
        return False
    for line in shopper.lines:
        assert "Scalev answers 503" in line
    shopper.lines.clear()
    return True


def test_of_several_tabs_one_posts_what_was_left(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """Each copy once, to SnackVideo too, though several find it in the same moment."""
    page = open_page(shop, shopper)
    for provider in ADDED:
        heard.behave(system=f"scalev.{provider}", do="throttle", retry_after_s=60)
    shopper.track(page, "add_to_cart", kaos())
    for _ in ADDED:
        shopper.said("Scalev answers 429", "goes again")
    shop.page("/next", tag="")
    shopper.visit("/next", page=page, ready=False)
    assert counts(heard) == dict.fromkeys(ADDED, 1)
    heard.normal()
    for tab in open_at_once(shop, shopper, "/p/kaos"):
        wait_until_posted(tab)
    assert counts(heard) == dict.fromkeys(ADDED, 2)


@pytest.mark.parametrize("how", ["no answer", "503"])
def test_r50_an_ambiguous_end_is_never_repeated_to_snackvideo(
    shop: Shop, shopper: Shopper, heard: Heard, how: str
) -> None:
    """R50: no answer or 5xx may have counted: said, and not sent again, from here or elsewhere."""
    page = open_page(shop, shopper)
    asked: list[str] = []

    def end(route: Route) -> None:
        asked.append(route.request.post_data or "")
        if "addToCart" not in asked[-1]:
            route.continue_()
        elif how == "503":
            route.fulfill(status=503, headers={"Access-Control-Allow-Origin": shop.origin()})
        else:
            route.abort()

    shopper.context.route("**/analytics/snackvideo/events", end)
    shopper.track(page, "add_to_cart", kaos())
    shopper.said("scalev.snackvideo", "addToCart is lost", TWICE)
    wait_until_posted(page)
    page = shopper.visit("/p/kaos", page=page)
    shopper.track(page, "view_item", kaos())
    wait_until_posted(page)
    assert len(heard.wait_for("scalev.snackvideo", "contentView")) == 1
    assert ["addToCart" in body for body in asked] == [True, False]


def test_r7_a_wrong_key_is_said_and_nothing_is_tried_again(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """R7, section 2: 404 is what a bad key gets; pixels and the relay's other copies go on."""
    page = open_page(shop, shopper, "mistaken")
    event_id = shopper.track(page, "add_to_cart", kaos())
    for _ in ADDED:
        shopper.said("no such store (404): wrong store_id or api_key", "is not sent again")
    wait_until_posted(page)
    shopper.track(page, "add_to_cart", kaos())
    heard.wait_for("meta", "AddToCart", 2)
    wait_until_posted(page)
    assert counts(heard) == dict.fromkeys(ADDED, 2)
    heard.wait_until_delivered([event_id], "mistaken")


def test_r65_a_checkout_waits_for_no_answer(shop: Shop, shopper: Shopper, heard: Heard) -> None:
    """R65: Scalev answers after a minute; the buyer is on the next page long before."""
    order = {"id": "DIRECT-1", "value": 120000, "items": [KAOS]}
    handler = f"pixelmirror('track', 'purchase', {json.dumps(order)})"
    form = f'<form action="/thanks" onsubmit="{handler.replace(chr(34), "&quot;")}"><button>Buy'
    shop.page("/checkout", form, tag=shop.tag("direct"))
    shop.page("/thanks", tag="")
    page = shopper.visit("/checkout?click_id=kw-9f")
    for provider in ADDED:
        heard.behave(system=f"scalev.{provider}", do="stall", seconds=60)
    page.get_by_role("button").click()
    page.wait_for_url("**/thanks*")
    for provider, name in (("meta", "Purchase"), ("tiktok", "CompletePayment")):
        (row,) = heard.wait_for(f"scalev.{provider}", name)
        assert row["event_id"] == f"DIRECT-1-{name}-FORM"
    assert len(heard.wait_for("scalev.snackvideo", "purchase")) == 1


def test_a_page_left_right_after_the_call_has_posted_it(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """R65: by requests that outlive the page, to each provider; SnackVideo hears each once."""
    page = open_page(shop, shopper)
    shop.page("/next", tag="")
    calls = "".join(f"pixelmirror('track', 'add_to_cart', {json.dumps(kaos())});" for _ in "12345")
    page.evaluate(f"() => {{ {calls} location.href = '/next' }}")
    page.wait_for_url("**/next")
    for provider, name in ADDED.items():
        heard.wait_for(f"scalev.{provider}", name, 5)
    page = shopper.visit("/p/kaos", page=page)
    wait_until_posted(page)
    assert counts(heard)["snackvideo"] == 5
    for provider in ("meta", "tiktok"):  # Scalev passes on, and they drop, a repeat
        told = heard.all_of(f"scalev.{provider}", ADDED[provider])
        assert len({row["event_id"] for row in told if not row["duplicate"]}) == 5


def test_calls_before_python_was_up_are_posted_by_the_next_page(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """R50: the relay has built the event from the beacon and left SnackVideo to that page."""
    call = f"pixelmirror('track', 'add_to_cart', {json.dumps(kaos())})"
    tag = shop.tag("direct", attributes="")
    shop.page("/", f"<script>{call}; location.href = '/p/kaos'</script>", tag=tag)
    shop.page("/p/kaos", tag=tag)
    page = shopper.visit(LANDING, ready=False)
    page.wait_for_url("**/p/kaos")
    shopper.wait_until_ready(page)
    for provider, name in ADDED.items():
        heard.wait_for(f"scalev.{provider}", name)
    shopper.wait_until_acknowledged(page)
    wait_until_posted(page)
    (pixel,) = heard.wait_for("meta", "AddToCart")
    heard.wait_until_delivered([pixel["event_id"]], "direct")
    assert counts(heard)["snackvideo"] == 1
    for provider in ("meta", "tiktok"):
        told = {row["event_id"] for row in heard.all_of(f"scalev.{provider}", "AddToCart")}
        assert told == {pixel["event_id"]}


def test_without_consent_nothing_is_posted(shop: Shop, shopper: Shopper, heard: Heard) -> None:
    """DESIGN 5.3: after a refusal no request goes to Scalev, and nothing is kept for it."""
    page = open_page(shop, shopper)
    shopper.call(page, "consent", "denied")
    shopper.call(page, "track", "add_to_cart", kaos())
    page = shopper.visit("/p/kaos", page=page)
    shopper.call(page, "track", "add_to_cart", kaos())
    shopper.call(page, "consent", "granted")
    shopper.track(page, "view_item", kaos())
    heard.wait_for("scalev.meta", "ViewContent")
    wait_until_posted(page)
    assert counts(heard) == dict.fromkeys(ADDED, 0)
    posts = [request for request in shopper.requests if "/public/analytics/" in request.url]
    assert len(posts) == 2, "Meta and TikTok; the click ID was forgotten with the consent"


def test_the_policy_of_the_readme_lets_the_page_post(
    shop: Shop, shopper: Shopper, heard: Heard, sandbox: str
) -> None:
    """A strict Content-Security-Policy, with Scalev's host in `connect-src`."""
    shop.page("/", tag=shop.tag("direct"), headers=policy(shop, sandbox, "'wasm-unsafe-eval'"))
    page = shopper.visit(LANDING)
    shopper.track(page, "add_to_cart", kaos())
    for provider, name in ADDED.items():
        heard.wait_for(f"scalev.{provider}", name)
    wait_until_posted(page)


def test_r65_a_policy_that_forbids_scalev_costs_its_copies_alone(
    shop: Shop, shopper: Shopper, heard: Heard, sandbox: str
) -> None:
    """R65: said for each provider; pixels and the relay's other copies go on."""
    headers = policy(shop, sandbox, "'wasm-unsafe-eval'")
    name = "Content-Security-Policy"
    headers[name] = headers[name].replace(
        f"connect-src {shop.relay} {sandbox}", f"connect-src {shop.relay} {sandbox}/sandbox/pixels/"
    )
    shop.page("/", tag=shop.tag("direct"), headers=headers)
    page = shopper.visit(LANDING)
    event_id = shopper.track(page, "add_to_cart", kaos())
    for _ in ADDED:
        shopper.said("no answer from Scalev")
    heard.wait_for("meta", "AddToCart")
    heard.wait_until_delivered([event_id], "direct")
    assert counts(heard) == dict.fromkeys(ADDED, 0)
