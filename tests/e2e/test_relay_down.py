"""The relay is down while the shopper shops: nothing is lost, nothing arrives twice."""

import pytest
from playwright.sync_api import Route

from tests.e2e.goods import kaos
from tests.e2e.heard import Heard
from tests.e2e.processes import Process
from tests.e2e.shop import Shop
from tests.e2e.shopper import KEPT, Shopper
from tests.e2e.test_pixels import LISTEN
from tests.e2e.waiting import until

BACK_OFF_S = 30  # the page waits 1, 2, 5 and then 15 s between tries


def once_each(heard: Heard, event_ids: list[str]) -> None:
    """Each server copy arrived, and arrived once."""
    heard.wait_until_delivered(event_ids)
    for system in ("scalev.meta", "scalev.tiktok"):
        told = [event_id for _, event_id in heard.events(system)]
        assert sorted(str(each) for each in told) == sorted(event_ids)


def test_the_same_page_sends_again_when_the_relay_is_back(
    shop: Shop, shopper: Shopper, heard: Heard, relay: Process
) -> None:
    """Pixels hear at once, the listener is told "kept", then "stored" is true in the relay."""
    shop.page("/")
    page = shopper.visit("/")
    shopper.wait_until_acknowledged(page)
    page.evaluate(LISTEN)
    relay.stop()
    first = shopper.track(page, "add_to_cart", kaos())
    heard.wait_for("meta", "AddToCart")
    told = until(lambda: page.evaluate("fates"), "the fate is known")
    assert [result["relay"] for _, result in told] == ["kept"]
    second = shopper.track(page, "view_cart", kaos())
    heard.wait_for("meta", "ViewCart")
    assert len(page.evaluate(KEPT)) == 2
    relay.start()
    until(lambda: page.evaluate(KEPT), "all is sent again", lambda kept: not kept, BACK_OFF_S)
    once_each(heard, [first, second])
    assert heard.names("meta") == ["PageView", "AddToCart", "ViewCart"]


def test_the_next_page_sends_what_the_last_could_not(
    shop: Shop, shopper: Shopper, heard: Heard, relay: Process
) -> None:
    """Also in a new tab after the old one was closed; the pixels are not called again."""
    shop.page("/")
    shop.page("/p/kaos")
    page = shopper.visit("/")
    shopper.wait_until_acknowledged(page)
    relay.stop()
    event_ids = [shopper.track(page, "add_to_cart", kaos()) for _ in range(3)]
    heard.wait_for("kwai", "addToCart", 3)
    page = shopper.visit("/p/kaos", page=page)  # the tag and its assets come from the cache
    event_ids.append(shopper.track(page, "view_cart", kaos()))
    heard.wait_for("meta", "ViewCart")
    page.close()
    relay.start()
    page = shopper.visit("/p/kaos")
    shopper.wait_until_acknowledged(page)
    once_each(heard, event_ids)
    assert heard.names("kwai").count("addToCart") == 3
    assert heard.names("meta").count("AddToCart") == 3


@pytest.mark.parametrize("status", [503, 500, 429])
def test_a_relay_that_refuses_for_now_is_asked_again(
    shop: Shop, shopper: Shopper, heard: Heard, status: int
) -> None:
    """Not before `Retry-After`, and with the same events under the same IDs."""
    asked: list[str] = []

    def refuse_twice(route: Route) -> None:
        asked.append(route.request.post_data or "")
        if len(asked) > 2:
            route.continue_()
            return
        headers = {
            "Access-Control-Allow-Origin": shop.origin(),
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Expose-Headers": "Retry-After",
            "Retry-After": "1",
        }
        route.fulfill(status=status, headers=headers)

    shop.page("/", tag=shop.tag(attributes='async data-auto-page-view="off"'))
    page = shopper.visit("/")
    shopper.context.route(f"{shop.relay}/s/toko", refuse_twice)
    event_id = shopper.track(page, "add_to_cart", kaos())
    until(lambda: page.evaluate(KEPT), "it is taken", lambda kept: not kept, BACK_OFF_S)
    assert len(asked) == 3
    assert [event_id in body for body in asked] == [True] * 3
    once_each(heard, [event_id])


def test_one_event_that_the_relay_refuses_does_not_hold_up_the_others(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """A refusal (422) of several events is narrowed down; the bad one is said and dropped."""
    shop.page("/", tag=shop.tag(attributes='async data-auto-page-view="off"'))
    page = shopper.visit("/")

    def refuse_bad(route: Route) -> None:
        if '"bad"' not in (route.request.post_data or ""):
            route.continue_()
            return
        headers = {
            "Access-Control-Allow-Origin": shop.origin(),
            "Access-Control-Allow-Credentials": "true",
        }
        route.fulfill(status=422, headers=headers)

    shopper.context.route(f"{shop.relay}/s/toko", refuse_bad)
    good = page.evaluate(
        """(params) => ["good-1", "bad", "good-2"].map((event_id) =>
          pixelmirror("track", "add_to_cart", params, {event_id}))""",
        kaos(),
    )
    shopper.wait_until_acknowledged(page)
    good.remove("bad")
    shopper.said("refuses add_to_cart", "422")
    once_each(heard, good)


def test_an_event_of_last_week_is_not_sent_any_more(shop: Shop, shopper: Shopper) -> None:
    """What is kept in the browser is kept seven days from when it happened."""
    shop.page("/")
    page = shopper.visit("/")
    shopper.wait_until_acknowledged(page)
    week_ms = 7 * 24 * 60 * 60 * 1000
    for name, age_ms in (("old", week_ms + 60_000), ("young", week_ms - 60_000)):
        event = {**shopper.posted()[0], "event_id": name}
        event["event_time"] -= age_ms
        page.evaluate(
            """([name, event]) => localStorage.setItem(
              `pm.toko.call.${name}`, JSON.stringify({event, by: null, at: Date.now()}))""",
            [name, event],
        )
    page = shopper.visit("/", page=page)
    shopper.wait_until_acknowledged(page)
    sent = [event["event_id"] for event in shopper.posted()]
    assert "young" in sent
    assert "old" not in sent
