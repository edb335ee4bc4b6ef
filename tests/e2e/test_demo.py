"""The demo shop, clicked through as a shopper does, and what its panel says of the ad systems."""

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.e2e.conftest import NewShopper
from tests.e2e.settings import CONFIG

pytestmark = pytest.mark.one_start

PANEL = "What your ad systems just heard"
MATCH = "pixel and server copy match"

VIEWPORTS: dict[str, ViewportSize] = {
    "phone": CONFIG["VIEWPORT"],
    "desktop": {"width": 1440, "height": 900},
}

# The panel's title of each action of the way -> how often it was done.
DONE = {
    "Looked at a product": 1,
    "Put into the cart": 2,
    "Took out of the cart": 1,
    "Looked at the cart": 1,
    "Started the checkout": 1,
    "Chose how to pay": 1,
    "Placed an order": 1,
}

BUYER = {
    "First name": "Siti",
    "Last name": "Rahma",
    "E-mail": "siti@example.com",
    "Phone": "0812 3456 7890",
    "City": "Bandung",
}


@pytest.fixture(params=VIEWPORTS)
def page(request: pytest.FixtureRequest, demo: str, new_shopper: NewShopper) -> Page:
    """A fresh browser in the shop, with an empty panel."""
    shopper = new_shopper(viewport=VIEWPORTS[request.param])
    page = shopper.context.new_page()
    page.request.delete(f"{demo}/sandbox/calls")
    page.goto(f"{demo}/")
    return page


def panel(page: Page) -> Locator:
    """The panel, opened where it is a drawer."""
    found = page.get_by_role("complementary", name=PANEL)
    title = found.get_by_role("button", name=PANEL)
    if title.get_attribute("aria-expanded") == "false" and page.viewport_size == CONFIG["VIEWPORT"]:
        title.click()
    return found


def cards(page: Page, title: str) -> Locator:
    """The panel's cards of one kind of action."""
    heading = page.get_by_role("heading", name=title)
    return panel(page).get_by_role("listitem").filter(has=heading)


def follow(page: Page, link: str, heading: str) -> None:
    """The page behind the link is there, with its scripts: without them its forms just post."""
    page.get_by_role("link", name=link).click()
    expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
    page.wait_for_load_state()


def put_into_the_cart(page: Page) -> None:
    follow(page, "Kopi Gayo", "Kopi Gayo")
    page.get_by_label("Filter").check(force=True)  # the design draws the box over its input
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_role("status").filter(has_text="In your cart.")).to_be_visible()


def test_a_shopper_buys_and_the_panel_shows_that_all_match(page: Page, demo: str) -> None:
    """From the product list to the thank-you page; Meta's and TikTok's copies match each time."""
    put_into_the_cart(page)
    follow(page, "Go to cart", "Your cart")
    page.get_by_role("button", name="One more: Kopi Gayo, Filter").click()
    expect(page.get_by_label("Quantity: Kopi Gayo, Filter")).to_have_text("2")
    page.get_by_role("button", name="One less: Kopi Gayo, Filter").click()
    expect(page.get_by_label("Quantity: Kopi Gayo, Filter")).to_have_text("1")
    follow(page, "Go to checkout", "Checkout")
    for label, text in BUYER.items():
        page.get_by_label(label).fill(text)
    page.get_by_label("E-wallet or QRIS").check()
    page.get_by_role("button", name="Place order").click()
    expect(page.get_by_role("heading", name="Terima kasih, Siti!")).to_be_visible()
    page.reload()
    for title, times in DONE.items():
        found = cards(page, title)
        expect(found).to_have_count(times)
        for card in found.all():
            for system in ("Meta", "TikTok"):
                expect(card.get_by_text(f"{system} — {MATCH}")).to_be_visible()
    order = cards(page, "Placed an order")
    expect(order.get_by_text("Tracify — server copy arrived")).to_be_visible()
    expect(order.get_by_text("Commanders Act — pixel heard it")).to_be_visible()
    expect(order.get_by_text("Alhena — pixel heard it")).to_be_visible()
    calls = page.request.get(f"{demo}/sandbox/calls").json()["calls"]
    assert [call for call in calls if not call["accepted"]] == []


def test_the_panel_says_when_the_relay_is_down_and_that_nothing_was_lost(page: Page) -> None:
    """Switched off, the copies wait in the page; switched on, they arrive and match."""
    expect(cards(page, "Opened a page")).to_have_count(1)
    switch = panel(page).get_by_role("switch", name="Relay is up")
    switch.uncheck()
    expect(panel(page).get_by_text("Relay is down")).to_be_visible()
    close(page)
    put_into_the_cart(page)
    card = cards(page, "Put into the cart")
    expect(card.get_by_text("Meta — pixel heard it, server copy kept in the page")).to_be_visible()
    panel(page).get_by_role("switch").check()
    expect(card.get_by_text(f"Meta — {MATCH}")).to_be_visible(timeout=30_000)
    expect(card.get_by_text(f"TikTok — {MATCH}")).to_be_visible()


def close(page: Page) -> None:
    """The drawer is out of the shop's way; on a wide screen there is none."""
    title = page.get_by_role("button", name=PANEL)
    if title.get_attribute("aria-expanded") == "true":
        title.click()
