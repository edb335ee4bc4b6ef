"""Pixels that are missing, that the page brought itself, or that throw."""

from typing import Any

from playwright.sync_api import Page

from tests.e2e.goods import KAOS, kaos
from tests.e2e.heard import Heard
from tests.e2e.shop import Shop
from tests.e2e.shopper import Shopper
from tests.e2e.site_files import META, PIXELS

# What a listener given to on("sent") was told, in the order in which it was told.
LISTEN = """() => {
  window.fates = [];
  pixelmirror("on", "sent", (event, result) => fates.push([event.event_name, result]));
}"""

# Meta's own snippet, as its Events Manager hands it out; only the SDK's address is the sandbox's.
SNIPPET = """<script>
!function(f,b,e,v,n,t,s){{if(f.fbq)return;n=f.fbq=function(){{n.callMethod?
n.callMethod.apply(n,arguments):n.queue.push(arguments)}};if(!f._fbq)f._fbq=n;
n.push=n;n.loaded=!0;n.version='2.0';n.queue=[];t=b.createElement(e);t.async=!0;
t.src=v;s=b.getElementsByTagName(e)[0];s.parentNode.insertBefore(t,s)}}(window,
document,'script','{sandbox}/sandbox/sdk/meta.js');
fbq('init', '{pixel}');
fbq('track', 'PageView');
</script>"""


def fates(page: Page, shopper: Shopper) -> list[Any]:
    """What the listener of `LISTEN` was told, once nothing more is to come."""
    shopper.wait_until_acknowledged(page)
    told: list[Any] = page.evaluate("fates")
    return told


def test_a_page_without_pixels_has_server_copies_all_the_same(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """`sdk_url = ""` and no snippet: each pixel is skipped in words, the shop goes on."""
    shop.page("/", tag=shop.tag("bare"))
    page = shopper.visit("/?click_id=K1")
    shopper.wait_until_acknowledged(page)
    page.evaluate(LISTEN)
    event_id = shopper.track(page, "add_to_cart", kaos())
    ((name, result),) = fates(page, shopper)
    assert (name, result["relay"]) == ("add_to_cart", "stored")
    globals_ = {
        "meta": "fbq",
        "tiktok": "ttq.track",
        "kwai": "kwaiq.instance",
        "commanders_act": "cact",
        "alhena": "trackAlhenaEvent",
    }
    assert result["pixels"] == {
        pixel: f"skipped: {path} is not on the page" for pixel, path in globals_.items()
    }
    heard.wait_until_delivered([event_id], "bare")
    for system in ("scalev.meta", "scalev.tiktok"):
        assert heard.events(system) == [("AddToCart", event_id)]
    assert heard.names("scalev.snackvideo") == ["addToCart"]
    assert [heard.names(system) for system in PIXELS] == [[]] * len(PIXELS)


def test_r10_a_pixel_of_the_pages_own_is_not_initialised_again(
    shop: Shop, shopper: Shopper, heard: Heard, sandbox: str
) -> None:
    """The page's snippet has our ID: one `init`, one PageView in all, our events through it."""
    shop.page("/", head=SNIPPET.format(sandbox=sandbox, pixel=META))
    page = shopper.visit("/")
    event_id = shopper.track(page, "add_to_cart", kaos())
    heard.wait_for("meta", "AddToCart")
    shopper.wait_until_acknowledged(page)
    calls = [row["call"][:2] for row in heard.calls("meta")]
    assert calls == [["init", META], ["track", "PageView"], ["track", "AddToCart"]]
    assert heard.events("meta")[-1] == ("AddToCart", event_id)
    assert heard.refused() == []
    sdks = [request for request in shopper.requests if request.url.endswith("/sdk/meta.js")]
    assert len(sdks) == 1


def test_beside_a_strangers_pixel_ours_is_addressed_alone(
    shop: Shop, shopper: Shopper, heard: Heard, sandbox: str
) -> None:
    """The page's snippet has another ID: that pixel hears nothing of ours, ours hears all."""
    shop.page("/", head=SNIPPET.format(sandbox=sandbox, pixel="555"))
    page = shopper.visit("/")
    shopper.track(page, "add_to_cart", kaos())
    shopper.track(page, "remove_from_cart", kaos())
    heard.wait_for("meta", "RemoveFromCart")
    shopper.wait_until_acknowledged(page)
    told = [(row["pixel"], row["event_name"]) for row in heard.calls("meta") if row["event_name"]]
    assert told == [
        ("555", "PageView"),
        (META, "PageView"),
        (META, "AddToCart"),
        (META, "RemoveFromCart"),
    ]
    verbs = [row["call"][0] for row in heard.calls("meta") if row["pixel"] == META]
    assert verbs == ["init", "trackSingle", "trackSingle", "trackSingleCustom"]


def test_r9_each_of_several_pixels_of_ours_hears_each_event(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """Two Meta pixel IDs in the site file: both are set up, and one call reaches both."""
    shop.page("/", tag=shop.tag("twin"))
    page = shopper.visit("/")
    event_id = shopper.track(page, "add_to_cart", kaos())
    rows = heard.wait_for("meta", "AddToCart", 2)
    assert [(row["pixel"], row["event_id"]) for row in rows] == [
        (META, event_id),
        ("9876543210", event_id),
    ]
    assert heard.names("meta") == ["PageView"] * 2 + ["AddToCart"] * 2


def test_a_pixel_that_throws_300_times_stops_nothing_else(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """Each pixel is on its own: the others, the mirror and Python live on; it is said once."""
    broken = "<script>window.fbq = () => { throw new Error('blocked by an extension') }</script>"
    shop.page("/", head=broken)
    page = shopper.visit("/")
    shopper.said("meta pixel failed", "blocked by an extension")
    shopper.wait_until_acknowledged(page)
    page.evaluate(LISTEN)
    page.evaluate(
        """(params) => {
          for (let i = 0; i < 300; i++) pixelmirror("track", "view_item", params);
        }""",
        {"items": [KAOS]},
    )
    purchase = shopper.track(page, "purchase", {"id": "ORD-300", "value": 120000, **kaos()})
    heard.wait_for("tiktok", "CompletePayment")
    heard.wait_for("alhena", "sendCheckoutEvent")
    told = fates(page, shopper)
    assert len(told) == 301
    for _, result in told:
        assert result["pixels"]["meta"].startswith("failed: fbq: blocked by an extension")
        assert result["pixels"]["tiktok"] == "fired"
        assert result["relay"] == "stored"
    assert len(heard.all_of("tiktok", "ViewContent")) == 300
    assert heard.stored([purchase]) == [purchase]


def test_an_sdk_that_does_not_arrive_holds_nothing_up(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """A blocker keeps Meta's SDK away: its calls wait in the stub, all else goes on."""
    shopper.context.route("**/sandbox/sdk/meta.js*", lambda route: route.abort())
    shop.page("/")
    page = shopper.visit("/")
    event_id = shopper.track(page, "add_to_cart", kaos())
    heard.wait_for("tiktok", "AddToCart")
    heard.wait_for("kwai", "addToCart")
    heard.wait_until_delivered([event_id])
    assert heard.events("scalev.meta") == [("AddToCart", event_id)]
    assert page.evaluate("fbq.queue.length") == 3
