"""Back and forward: a page that was put away alive comes back alive."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.conftest import shoppers
from tests.e2e.goods import kaos
from tests.e2e.heard import Heard
from tests.e2e.processes import Process
from tests.e2e.shop import Shop
from tests.e2e.shopper import KEPT, Shopper
from tests.e2e.waiting import until

KEEPABLE = {"Cache-Control": "no-cache"}  # a page that must not be stored is not put away alive
BACK = "<script>addEventListener('pageshow', (e) => (window.isBack = e.persisted))</script>"


@pytest.fixture
def shopper(caching_browser: Browser, shop: Shop, heard: Heard) -> Iterator[Shopper]:
    with shoppers(caching_browser, shop) as make:
        shop.page("/", head=BACK, headers=KEEPABLE)
        shop.page("/next", headers=KEEPABLE)
        yield make()


def back(page: Page) -> None:
    """The page before is here again, out of the cache."""
    page.evaluate("history.back()")
    page.wait_for_url("**/", wait_until="commit")
    until(lambda: page.evaluate("window.isBack"), "the page came out of the cache")


def test_a_page_back_from_the_cache_is_one_more_page_view(shopper: Shopper, heard: Heard) -> None:
    """With an ID of its own; its tracker goes on as if nothing had happened."""
    page = shopper.visit("/")
    shopper.wait_until_acknowledged(page)
    page = shopper.visit("/next", page=page)
    shopper.wait_until_acknowledged(page)
    heard.wait_for("kwai", "page", 2)
    back(page)
    event_id = shopper.track(page, "add_to_cart", kaos())
    heard.wait_for("meta", "AddToCart")
    heard.wait_for("kwai", "page", 3)
    shopper.wait_until_acknowledged(page)
    heard.wait_until_delivered([event_id])
    sent = shopper.posted()
    assert [event["event_name"] for event in sent] == ["page_view"] * 3 + ["add_to_cart"]
    assert len({event["event_id"] for event in sent}) == 4
    assert sent[2]["page"]["url"] == shopper.shop.url("/")
    assert heard.names("kwai") == ["page"] * 3 + ["addToCart"]


def test_what_another_page_took_over_meanwhile_is_not_sent_again(
    shopper: Shopper, heard: Heard, relay: Process
) -> None:
    """The relay was down as the page was left; the next page has sent what waited."""
    page = shopper.visit("/")
    shopper.wait_until_acknowledged(page)
    relay.stop()
    event_id = shopper.track(page, "add_to_cart", kaos())
    heard.wait_for("kwai", "addToCart")
    relay.start()
    page = shopper.visit("/next", page=page)
    shopper.wait_until_acknowledged(page)
    tries = [event["event_id"] for event in shopper.posted()].count(event_id)
    back(page)
    shopper.track(page, "view_cart", kaos())
    until(lambda: page.evaluate(KEPT), "all is acknowledged", lambda kept: not kept)
    assert [event["event_id"] for event in shopper.posted()].count(event_id) == tries
    heard.wait_until_delivered([event_id])
    assert heard.events("scalev.meta").count(("AddToCart", event_id)) == 1
    assert heard.names("kwai").count("addToCart") == 1
