"""Two tabs of one shop at once: nothing happens twice in any pixel."""

from playwright.sync_api import Page, Route

from tests.e2e.goods import kaos
from tests.e2e.heard import Heard
from tests.e2e.shop import Shop
from tests.e2e.shopper import Shopper
from tests.e2e.test_leaving import CALLS, all_stored, calling
from tests.e2e.waiting import until

TABS = 4


def open_at_once(shop: Shop, shopper: Shopper, path: str) -> list[Page]:
    """Several tabs whose trackers start in the same moment, all of them up."""
    held: list[Route] = []
    shopper.context.route("**/micropython.wasm", lambda route: held.append(route))
    tabs = [shopper.visit(path, ready=False) for _ in range(TABS)]

    def waiting() -> int:
        shopper.cookies()  # lets the browser tell of the requests
        return len(held)

    until(waiting, "all tabs are about to start", lambda n: n == TABS)
    for route in held:
        route.continue_()
    for tab in tabs:
        shopper.wait_until_ready(tab)
    return tabs


def test_what_an_earlier_page_left_is_caught_up_by_one_tab_only(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """Several tabs find the same left-over calls: one takes care of each, its pixels fire once."""
    shop.page(
        "/",
        f"<script>{calling('tabs', 'location.href = `/leave`')}</script>",
        tag=shop.tag(attributes=""),
    )
    shop.page("/leave", tag="")
    shop.page("/p/kaos")
    page = shopper.visit("/", ready=False)
    page.wait_for_url("**/leave")
    for tab in open_at_once(shop, shopper, "/p/kaos"):
        shopper.wait_until_acknowledged(tab)
    all_stored(heard, "tabs")
    heard.wait_for("meta", "PageView", TABS + 1)
    heard.wait_for("kwai", "page", TABS + 1)
    for system, name in (
        ("meta", "AddToCart"),
        ("tiktok", "AddToCart"),
        ("kwai", "addToCart"),
        ("commanders_act", "add_to_cart"),
        ("alhena", "sendCartEvent"),
    ):
        heard.wait_for(system, name, CALLS)
        assert len(heard.all_of(system, name)) == CALLS, system


def test_each_tabs_own_events_are_its_own(shop: Shop, shopper: Shopper, heard: Heard) -> None:
    """A tab opened beside one that waits for the relay does not send that one's events again."""
    shop.page("/")
    held: list[Route] = []
    first = shopper.visit("/")
    shopper.wait_until_acknowledged(first)
    shopper.context.route(f"{shop.relay}/s/toko", lambda route: held.append(route))
    event_id = shopper.track(first, "add_to_cart", kaos())
    heard.wait_for("kwai", "addToCart")
    second = shopper.visit("/")
    heard.wait_for("kwai", "page", 2)
    for route in held:
        route.continue_()
    shopper.context.unroute(f"{shop.relay}/s/toko")
    shopper.wait_until_acknowledged(first)
    shopper.wait_until_acknowledged(second)
    heard.wait_until_delivered([event_id])
    assert [event["event_id"] for event in shopper.posted()].count(event_id) == 1
    assert heard.names("kwai") == ["page", "addToCart", "page"]
