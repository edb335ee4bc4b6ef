"""Amounts that must be exact, calls that are wrong, and what listeners are told."""

from typing import Any

import pytest

from tests.e2e.goods import KAOS, kaos
from tests.e2e.heard import Heard
from tests.e2e.shop import Shop
from tests.e2e.shopper import Shopper
from tests.e2e.site_files import PIXELS
from tests.e2e.test_pixels import LISTEN, fates

RICH = 3_000_000_000  # rupiah, beyond the 32 bits in which numbers cross from Python to JavaScript


@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
def test_three_thousand_million_rupiah_arrive_exactly_everywhere(
    shop: Shop, shopper: Shopper, heard: Heard, runtime: str
) -> None:
    """In every pixel and in every server copy, as a whole number."""
    shop.page("/", tag=shop.tag(attributes=f'async data-runtime="{runtime}"'))
    page = shopper.visit("/?click_id=K1")
    item = {"id": "variant_villa", "name": "Villa", "price": RICH, "quantity": 1}
    order = {"id": f"RICH-{runtime}", "value": RICH, "items": [item]}
    event_id = shopper.track(page, "purchase", order)
    heard.wait_until_delivered([event_id])

    def told(system: str, name: str) -> Any:
        (row,) = heard.wait_for(system, name)
        return row["call"]

    amounts = {
        "meta": told("meta", "Purchase")[2],
        "tiktok": told("tiktok", "CompletePayment")[2],
        "kwai": told("kwai", "purchase")[2],
        "commanders_act": told("commanders_act", "purchase")[2],
        "alhena": told("alhena", "sendCheckoutEvent")[1],
        "scalev.meta": told("scalev.meta", "Purchase")["events"][0]["parameters"],
        "scalev.tiktok": told("scalev.tiktok", "CompletePayment")["events"][0]["parameters"],
        "scalev.snackvideo": told("scalev.snackvideo", "purchase")["events"][0]["properties"],
    }
    assert {system: found["value"] for system, found in amounts.items()} == dict.fromkeys(
        amounts, RICH
    )
    assert amounts["meta"]["contents"][0]["item_price"] == RICH
    assert amounts["tiktok"]["contents"][0]["price"] == RICH
    assert amounts["kwai"]["price"] == RICH
    assert amounts["commanders_act"]["items"][0]["product"]["price"] == RICH
    assert amounts["commanders_act"]["revenue"] == RICH
    assert amounts["alhena"]["lineItems"][0]["value"] == RICH
    tracify = told("tracify", "purchase")["events"][0]["data"]
    assert (tracify["amount"], tracify["AMT1"]) == (f"{RICH}.00", f"{RICH}.00")


NAN, INFINITY = float("nan"), float("inf")

WRONG: dict[str, tuple[list[Any], str, str]] = {
    "nan": (["track", "view_item", kaos(product={**KAOS["product"], "price": NAN})],
            "params.items[0].product.price", "NaN"),
    "infinity": (["track", "purchase", {"id": "W-1", "value": INFINITY, **kaos()}],
                 "params.value", "Infinity"),
    "comma": (["track", "purchase", {"id": "W-2", "value": "100,000", **kaos()}],
              "params.value", "100,000"),
    "rupiah-text": (["track", "purchase", {"id": "W-3", "value": "Rp 150.000", **kaos()}],
                    "params.value", "Rp 150.000"),
    "dots": (["track", "purchase", {"id": "W-4", "value": "150.000", **kaos()}],
             "params.value", "150.000"),
    "unknown-event": (["track", "add_to_card", kaos()], "event_name", "add_to_cart"),
    "missing-items": (["track", "add_to_cart", {}], "params.items", "required"),
    "missing-order-id": (["track", "purchase", {"value": 1, **kaos()}], "params.id", "required"),
    "currency": (["track", "view_item", {**kaos(), "currency": "rupiah"}],
                 "params.currency", "ISO 4217"),
    "unknown-call": (["trakc", "view_item"], "call", "trakc"),
    "params-as-text": (["track", "view_item", "kaos"], "params", "object"),
    "consent": (["consent", "maybe"], "consent", "granted"),
    "user": (["identify", {"emial": "siti@example.com"}], "user.emial", "email"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_call_is_named_in_the_console_and_sends_nothing(
    shop: Shop, shopper: Shopper, heard: Heard, case: str
) -> None:
    """The field and the reason stand in the console; the next right call goes through."""
    words, field, reason = WRONG[case]
    shop.page("/", tag=shop.tag(attributes='async data-auto-page-view="off"'))
    page = shopper.visit("/")
    assert shopper.call(page, *words) is None
    line = shopper.said(field, reason)
    assert "siti@example.com" not in line
    shopper.track(page, "view_cart", kaos())
    shopper.wait_until_acknowledged(page)
    assert [event["event_name"] for event in shopper.posted()] == ["view_cart"]
    heard.wait_for("meta", "ViewCart")
    assert heard.names("meta") == ["ViewCart"]


def test_what_json_cannot_hold_is_named_too(shop: Shop, shopper: Shopper) -> None:
    """A BigInt or a circle in the params: said, not thrown."""
    shop.page("/")
    page = shopper.visit("/")
    page.evaluate("pixelmirror('track', 'view_item', {value: 10n})")
    shopper.said("view_item", "BigInt")
    page.evaluate("(() => { const a = {}; a.a = a; pixelmirror('track', 'view_cart', a); })()")
    shopper.said("view_cart", "circular")
    page.evaluate("pixelmirror('on', 'sent', 'no function')")
    shopper.said("on")


def test_a_listener_is_told_each_events_fate(shop: Shop, shopper: Shopper, heard: Heard) -> None:
    """`result.pixels` in words for each pixel, `result.relay` "stored" after the relay's 204."""
    shop.page("/")
    page = shopper.visit("/")
    shopper.wait_until_acknowledged(page)
    page.evaluate(LISTEN)
    shopper.track(page, "add_to_cart", kaos())
    shopper.track(page, "view_cart", kaos())
    assert fates(page, shopper) == [
        ["add_to_cart", {"pixels": dict.fromkeys(PIXELS, "fired"), "relay": "stored"}],
        [
            "view_cart",
            {
                "pixels": {
                    "meta": "fired",
                    "tiktok": "fired",
                    "kwai": "skipped: it has no name for view_cart",
                    "commanders_act": "fired",
                    "alhena": "skipped: it has no name for view_cart",
                },
                "relay": "stored",
            },
        ],
    ]


def test_a_listener_is_given_the_event_itself(shop: Shop, shopper: Shopper) -> None:
    """As it goes to the relay, its numbers exact."""
    shop.page("/")
    page = shopper.visit("/")
    shopper.wait_until_acknowledged(page)
    page.evaluate("pixelmirror.on('sent', (event) => (window.sent = event))")
    shopper.track(page, "add_to_cart", kaos(quantity=50_000))
    shopper.wait_until_acknowledged(page)
    assert page.evaluate("sent") == shopper.posted()[-1]
    assert page.evaluate("sent.params.value") == RICH


def test_a_listener_that_throws_harms_nothing(shop: Shop, shopper: Shopper, heard: Heard) -> None:
    """It is said; other listeners and events go on."""
    shop.page("/")
    page = shopper.visit("/")
    shopper.wait_until_acknowledged(page)
    page.evaluate("pixelmirror('on', 'sent', () => { throw new Error('shop bug') })")
    page.evaluate(LISTEN)
    for _ in range(3):
        shopper.track(page, "view_item", kaos())
    assert len(fates(page, shopper)) == 3
    for _ in range(3):
        shopper.said("shop bug")
