"""A browser whose storage is full or forbidden: events go all the same."""

import pytest
from playwright.sync_api import Route

from tests.e2e.conftest import NewShopper
from tests.e2e.goods import kaos
from tests.e2e.heard import Heard
from tests.e2e.shop import Shop
from tests.e2e.test_leaving import all_stored, calling
from tests.e2e.waiting import until

HOSTILE = {
    "full": """
      Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };
    """,
    "forbidden": """
      Object.defineProperty(window, "localStorage", {
        get() { throw new DOMException("forbidden", "SecurityError"); },
      });
    """,
}


@pytest.mark.parametrize(
    ("storage", "runtime"),
    [("full", "micropython"), ("forbidden", "micropython"), ("forbidden", "pyodide")],
)
def test_events_go_without_storage(
    shop: Shop, new_shopper: NewShopper, heard: Heard, storage: str, runtime: str
) -> None:
    """Pixels and server copies as ever, a purchase once; nothing is said, nothing thrown."""
    shopper = new_shopper(HOSTILE[storage])
    shop.page("/", tag=shop.tag(attributes=f'async data-runtime="{runtime}"'))
    page = shopper.visit("/?fbclid=Ab")
    order = {"id": f"FULL-{storage}-{runtime}", "value": 120000, **kaos()}
    added = shopper.track(page, "add_to_cart", kaos())
    bought = shopper.track(page, "purchase", order)
    assert shopper.call(page, "track", "purchase", order) is None
    heard.wait_for("alhena", "sendCheckoutEvent")
    heard.wait_for("meta", "Purchase")
    heard.wait_until_delivered([added, bought])
    assert heard.names("meta") == ["PageView", "AddToCart", "Purchase"]
    assert sorted(heard.names("scalev.meta")) == ["AddToCart", "Purchase"]
    assert shopper.cookies()["_fbc"]["value"].endswith(".Ab")


@pytest.mark.parametrize("storage", HOSTILE)
def test_leaving_at_once_loses_nothing_without_storage(
    shop: Shop, new_shopper: NewShopper, heard: Heard, storage: str
) -> None:
    """The beacon needs none."""
    shopper = new_shopper(HOSTILE[storage])
    prefix = f"no-storage-{storage}"
    calls = calling(prefix, "location.href = `/next`")
    shop.page("/", f"<script>{calls}</script>", tag=shop.tag(attributes=""))
    shop.page("/next", tag="")
    page = shopper.visit("/", ready=False)
    page.wait_for_url("**/next")
    all_stored(heard, prefix)


def test_a_relay_that_is_away_is_waited_for_in_memory(
    shop: Shop, new_shopper: NewShopper, heard: Heard
) -> None:
    """As long as the page lives: it is asked again after the back-off."""
    shopper = new_shopper(HOSTILE["forbidden"])
    asked: list[Route] = []

    def refuse(route: Route) -> None:
        asked.append(route)
        route.abort()

    shop.page("/", tag=shop.tag(attributes='async data-auto-page-view="off"'))
    page = shopper.visit("/")
    shopper.context.route(f"{shop.relay}/s/toko", refuse, times=1)
    event_id = shopper.track(page, "add_to_cart", kaos())
    until(
        lambda: shopper.cookies() and heard.stored([event_id]),
        "the relay has it after the back-off",
    )
    heard.wait_until_delivered([event_id])
    assert len(asked) == 1


def test_what_else_is_in_the_storage_is_left_alone(
    shop: Shop, new_shopper: NewShopper, heard: Heard
) -> None:
    """Keys that are not ours, and rubbish under keys that look like ours."""
    shopper = new_shopper(
        """
        if (location.protocol === "http:" && !localStorage.cart) {
          localStorage.cart = "[1, 2]";
          localStorage["pm.other.call.1"] = "{}";
          localStorage["pm.toko.call.rubbish"] = "{not JSON";
          localStorage["pm.toko.orders"] = "{not JSON";
          localStorage["pm.toko.landing"] = "null";
        }
        """
    )
    shop.page("/")
    page = shopper.visit("/")
    order = {"id": "RUBBISH-1", "value": 120000, **kaos()}
    bought = shopper.track(page, "purchase", order)
    heard.wait_for("meta", "Purchase")
    heard.wait_until_delivered([bought])
    assert page.evaluate("[localStorage.cart, localStorage['pm.other.call.1']]") == ["[1, 2]", "{}"]
