"""The page's URL as pixels and relay get it: nothing personal, and never too long."""

from tests.e2e.goods import kaos
from tests.e2e.heard import Heard
from tests.e2e.shop import Shop
from tests.e2e.shopper import Shopper


def test_personal_data_in_the_url_leaves_the_page_nowhere(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """Cut before it is sent, and the shop's own URL stays as it is."""
    shop.page("/")
    path = "/?email=siti%40example.com&utm_source=fb&ttclid=0812345678901#phone=%2B6281234567890"
    page = shopper.visit(path)
    event_id = shopper.track(page, "add_to_cart", kaos())
    shopper.wait_until_acknowledged(page)
    heard.wait_until_delivered([event_id])
    cut = shop.url("/?utm_source=fb&ttclid=0812345678901")
    assert {event["page"]["url"] for event in shopper.posted()} == {cut}
    assert {event["attribution"]["ttclid"] for event in shopper.posted()} == {"0812345678901"}
    assert page.url == shop.url(path)


def test_no_event_is_lost_by_a_long_url(shop: Shop, shopper: Shopper) -> None:
    """The relay takes it, less the parameter that is too long."""
    shop.page("/")
    page = shopper.visit("/?big=" + "x" * 20_000 + "&utm_source=fb&fbclid=Ab")
    shopper.wait_until_acknowledged(page)
    (event,) = shopper.posted()
    assert event["page"]["url"] == shop.url("/?utm_source=fb&fbclid=Ab")
    assert event["attribution"]["fbc"].endswith(".Ab")


def test_a_page_that_left_at_once_with_a_long_url_is_not_lost(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """Its raw calls hold the whole URL; the relay cuts it by the same code."""
    shopper.context.route("**/micropython.mjs", lambda _: None)
    shop.page("/", tag=shop.tag(attributes=""))
    shop.page("/next", tag="")
    page = shopper.visit("/?email=siti%40example.com&big=" + "x" * 10_000, ready=False)
    shopper.call(page, "track", "add_to_cart", kaos())
    shopper.visit("/next", page=page, ready=False)
    heard.wait_for("scalev.meta", "AddToCart")
