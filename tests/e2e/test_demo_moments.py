"""When the demo shop calls: after the action that an event stands for (scalev R24 to R29, R36)."""

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import NewShopper
from tests.e2e.test_demo import BUYER, follow
from tests.e2e.waiting import until

pytestmark = pytest.mark.one_start

# `log`: what the page asked of the shop, what it was answered, and what it told the tag, in order.
LOG = """
  window.log = [];
  let tag;
  Object.defineProperty(window, "pixelmirror", {
    configurable: true,
    get: () => tag,
    set: (value) => value === tag || (tag = new Proxy(value, {
      apply(target, self, words) {
        if (words[0] === "track") log.push(words[1]);
        return Reflect.apply(target, self, words);
      },
    })),
  });
  const ask = window.fetch;
  window.fetch = async (...words) => {
    const path = new URL(words[0], location.href).pathname;
    const isShops = path.startsWith("/cart/") || path === "/checkout";
    if (isShops) log.push(`asked ${path}`);
    const answer = await ask(...words);
    if (isShops) log.push(`answered ${answer.status}`);
    return answer;
  };
"""


@pytest.fixture
def page(demo: str, new_shopper: NewShopper) -> Page:
    """A fresh browser in the demo shop."""
    shopper = new_shopper(init_script=LOG)
    page = shopper.context.new_page()
    page.request.delete(f"{demo}/sandbox/calls")
    page.goto(f"{demo}/?click_id=kw-9f")
    return page


def log(page: Page) -> list[str]:
    found: list[str] = page.evaluate("log")
    return found


def logged(page: Page, last: str) -> list[str]:
    """The log once this is in it."""
    return until(lambda: log(page), f"{last} is logged", lambda found: last in found)


def add(page: Page, product: str = "Kopi Gayo") -> None:
    follow(page, product, product)
    page.evaluate("log.length = 0")
    page.get_by_role("button", name="Add to cart").click()


def bodies(page: Page, demo: str, system: str, name: str) -> list[Any]:
    """What a system's server was given for this event, once it was given something."""

    def look() -> list[Any]:
        calls = page.request.get(f"{demo}/sandbox/calls").json()["calls"]
        rows = [row for row in calls if (row["system"], row["event_name"]) == (system, name)]
        return [row["call"] for row in rows]

    return until(look, f"{system} is given {name}")


def test_r24_r26_add_to_cart_follows_the_shops_answer(page: Page) -> None:
    """R26: after the cart request has succeeded."""
    add(page)
    assert logged(page, "add_to_cart") == ["asked /cart/items", "answered 200", "add_to_cart"]


def test_r24_r26_what_the_shop_refuses_is_no_add_to_cart(page: Page) -> None:
    """R24: the event stands for something that has happened."""

    def refuse(route: Route) -> None:
        route.fulfill(status=422, json={"error": "Sold out, alas."})

    page.route("**/cart/items", refuse)
    add(page)
    expect(page.get_by_text("Sold out, alas.")).to_be_visible()
    assert log(page) == ["asked /cart/items", "answered 422"]


@pytest.mark.parametrize("system", ["scalev.meta", "scalev.tiktok", "scalev.snackvideo"])
def test_r36_a_bundle_is_a_bundle_price_option(page: Page, demo: str, system: str) -> None:
    """R36: its unique ID and quantity, in the list of its kind."""
    name = {"scalev.snackvideo": "addToCart"}.get(system, "AddToCart")
    add(page, "Paket Senja")
    body = bodies(page, demo, system, name)[0]
    option = {"bundle_price_option_unique_id": "bundle_price_option_senja_one", "quantity": 1}
    assert body["bundle_price_options"] == [option]
    assert "variants" not in body


def test_r27_initiate_checkout_when_the_form_opens_with_its_items(page: Page, demo: str) -> None:
    """R27, R40: not before, once for each time that it opens, and with every item."""
    add(page)
    logged(page, "add_to_cart")
    page.goto(f"{demo}/product/paket-senja")
    page.get_by_role("button", name="Add to cart").click()
    follow(page, "Go to cart", "Your cart")
    assert "begin_checkout" not in log(page)
    follow(page, "Go to checkout", "Checkout")
    assert logged(page, "begin_checkout") == ["begin_checkout"]
    (body,) = bodies(page, demo, "scalev.meta", "InitiateCheckout")
    assert body["variants"] == [{"variant_unique_id": "variant_gayo_beans", "quantity": 1}]
    assert len(body["bundle_price_options"]) == 1


def test_r27_without_items_no_checkout_begins(page: Page, demo: str) -> None:
    """R27: an empty cart has no checkout form to open."""
    page.goto(f"{demo}/checkout")
    expect(page.get_by_role("heading", name="Your cart")).to_be_visible()
    assert log(page) == []


def test_r28_a_chosen_payment_method_is_add_payment_info(page: Page, demo: str) -> None:
    """R28: on choosing one, and again on choosing another."""
    add(page)
    logged(page, "add_to_cart")
    page.goto(f"{demo}/checkout")
    assert logged(page, "begin_checkout") == ["begin_checkout"]
    page.get_by_label("E-wallet or QRIS").check()
    assert log(page) == ["begin_checkout", "add_payment_info"]
    page.get_by_label("Cash on delivery").check()
    assert log(page) == ["begin_checkout", "add_payment_info", "add_payment_info"]
    bodies(page, demo, "scalev.meta", "AddPaymentInfo")
    bodies(page, demo, "scalev.snackvideo", "addPaymentInfo")


def test_r24_r29_a_purchase_follows_the_order(page: Page, demo: str) -> None:
    """R29: after the shop has created the order; a form that it refuses is none."""
    add(page)
    logged(page, "add_to_cart")
    page.goto(f"{demo}/checkout")
    for label, text in {**BUYER, "Phone": "12"}.items():
        page.get_by_label(label).fill(text)
    page.get_by_label("E-wallet or QRIS").check()
    page.evaluate("log.length = 0")
    page.get_by_role("button", name="Place order").click()
    expect(page.get_by_text("A mobile number, please")).to_be_visible()
    assert log(page) == ["asked /checkout", "answered 422"]
    page.evaluate("log.length = 0")
    page.get_by_label("Phone").fill(BUYER["Phone"])
    page.evaluate("addEventListener('pagehide', () => sessionStorage.setItem('log', log))")
    page.get_by_role("button", name="Place order").click()
    page.wait_for_url("**/thanks")
    assert page.evaluate("sessionStorage.log") == "asked /checkout,answered 201,purchase"
    (body,) = bodies(page, demo, "scalev.tiktok", "CompletePayment")
    assert body["events"][0]["event_id"].endswith("-CompletePayment-FORM")
