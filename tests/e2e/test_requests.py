"""What goes to the relay together, and what becomes of calls should Python die."""

import json

import pytest

from tests.e2e.goods import kaos
from tests.e2e.heard import Heard
from tests.e2e.shop import Shop
from tests.e2e.shopper import KEPT, Shopper

CALLED = ("view_item", "add_to_cart", "begin_checkout")

CALLS = "".join(
    f"pixelmirror('track', '{name}', {json.dumps(kaos())}, {{event_id: '{name}-1'}});\n"
    for name in CALLED
)


def requests(shopper: Shopper) -> list[list[str]]:
    """The names of the events of each request that had some."""
    return [[event["event_name"] for event in body["events"]] for body in shopper.bodies()]


def test_what_a_page_calls_in_one_go_is_one_request(shop: Shop, shopper: Shopper) -> None:
    shop.page("/", tag=shop.tag(attributes='async data-auto-page-view="off"'))
    page = shopper.visit("/")
    page.evaluate(f"() => {{ {CALLS} }}")
    shopper.wait_until_acknowledged(page)
    assert requests(shopper) == [list(CALLED)]


def test_what_was_called_before_python_goes_with_the_page_view(
    shop: Shop, shopper: Shopper
) -> None:
    shop.page("/", f"<script>{CALLS}</script>", tag=shop.tag(attributes=""))
    page = shopper.visit("/")
    shopper.wait_until_acknowledged(page)
    assert requests(shopper) == [["page_view", *CALLED]]


@pytest.mark.one_start
def test_should_python_die_calls_are_kept_and_beaconed(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """They are what they would be before Python was up."""
    shop.page("/", tag=shop.tag(attributes='async data-auto-page-view="off"'))
    shop.page("/next", tag="")
    page = shopper.visit("/")
    page.evaluate("() => void (Module.ccall = () => { throw new Error('memory'); })")
    page.evaluate(f"() => {{ {CALLS} }}")
    shopper.said("memory")
    assert len(page.evaluate(KEPT)) == len(CALLED)
    shopper.visit("/next", ready=False, page=page)
    heard.wait_until_delivered([f"{name}-1" for name in CALLED])
    while shopper.lines:  # nor can Python be told that the page is left
        shopper.said("memory")
