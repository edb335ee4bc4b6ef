"""`pixelmirror.client` in real Pyodide: the demo's back office, and a page of another origin."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from tests.e2e.conftest import shoppers
from tests.e2e.heard import Heard
from tests.e2e.settings import CONFIG
from tests.e2e.shop import Shop
from tests.e2e.shopper import Shopper
from tests.e2e.waiting import until

pytestmark = pytest.mark.one_start

PATIENCE_MS = (
    4 * CONFIG["TIMEOUT_MS"]
)  # Pyodide starts slowly, and a wait for the relay holds it up


@pytest.fixture(scope="module")
def staff(browser: Browser, the_shop: Shop) -> Iterator[Shopper]:
    """Somebody of the staff, whose browser tells what it asked for and what came to harm."""
    with shoppers(browser, the_shop) as make:
        yield make()


@pytest.fixture(scope="module")
def office(demo: str, staff: Shopper) -> Page:
    """The back office, found from the shop, once its Python is up."""
    page = staff.context.new_page()
    page.goto(f"{demo}/")
    page.get_by_role("link", name="For staff").click()
    expect(page.get_by_text("Python is up.")).to_be_visible(timeout=PATIENCE_MS)
    return page


def asked(staff: Shopper, demo: str) -> list[Request]:
    """The requests by which events were told, so far."""
    staff.context.cookies([])  # what the browser has told of comes along with this answer
    return [one for one in staff.requests if one.url == f"{demo}/v1/events"]


def told(page: Page) -> Locator:
    """What was said of the last call."""
    return page.get_by_role("region", name="What the relay said").get_by_role("listitem").first


def test_a_refund_is_recorded_and_followed_to_its_destinations(
    demo: str, staff: Shopper, office: Page
) -> None:
    """From Python in the page to the relay, and from there to Meta, under one event ID."""
    form = office.locator("#refund")
    form.get_by_label("Order").fill("ORD-0000000077")
    form.get_by_label("Amount").fill("147000")
    form.get_by_role("button").click()
    expect(told(office).get_by_text("Stored by the relay")).to_be_visible(timeout=PATIENCE_MS)
    expect(told(office).get_by_text("ORD-0000000077-refund", exact=True)).to_be_visible()
    meta = told(office).get_by_role("row").filter(has_text="scalev.meta")
    expect(meta.get_by_text("done")).to_be_visible(timeout=PATIENCE_MS)
    rows = office.request.get(f"{demo}/demo/deliveries").json()["deliveries"]
    assert {row["destination"]: row["state"] for row in rows if "0077" in row["event_id"]} == {
        "scalev.meta": "done",
        "scalev.tiktok": "skipped",
        "scalev.snackvideo": "skipped",
        "tracify": "skipped",
    }
    calls = office.request.get(f"{demo}/sandbox/calls").json()["calls"]
    heard = [
        call for call in calls if call["system"] == "scalev.meta" and call["event_name"] == "Refund"
    ]
    assert [call["accepted"] for call in heard] == [True]
    request = asked(staff, demo)[-1]
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("Mozilla/")  # the browser's, as it must be


def test_an_order_by_telephone_becomes_a_purchase(office: Page) -> None:
    """With the items of the shop, the site's currency and an order ID of its own."""
    form = office.locator("#purchase")
    form.get_by_label("Product").select_option("variant_gayo_moka")
    form.get_by_label("Pieces").fill("2")
    form.get_by_label("E-mail").fill("siti@example.com")
    form.get_by_role("button").click()
    expect(told(office).get_by_text("Stored by the relay")).to_be_visible(timeout=PATIENCE_MS)
    expect(told(office).get_by_text(re.compile("^ORD-[0-9A-F]{10}-purchase$"))).to_be_visible()
    expect(told(office).get_by_text('"value": 190000')).to_be_visible()


def test_the_shops_panel_shows_it_as_an_action_of_its_own(demo: str, office: Page) -> None:
    """Beside the order that is taken back, with the server copy that no pixel has part in."""
    for name in ("purchase", "refund"):
        form = office.locator(f"#{name}")
        if name == "refund":
            event_id = told(office).get_by_text(re.compile("^ORD-.*-purchase$")).inner_text()
            form.get_by_label("Order").fill(event_id.removesuffix("-purchase"))
        form.get_by_role("button").click()
        expect(told(office).get_by_text(f"-{name}")).to_be_visible(timeout=PATIENCE_MS)
    shop = office.context.new_page()
    shop.goto(f"{demo}/")
    order = event_id.removesuffix("-purchase")
    for title in ("Placed an order", "Took an order back"):
        # By tags: on a phone the panel is a drawer, which is closed.
        card = shop.locator("#panel li", has=shop.locator("h3", has_text=title))
        of_order = card.filter(has_text=order)
        expect(of_order).to_have_count(1)
        expect(of_order.get_by_text("Meta — server copy arrived")).to_have_count(1)
    shop.close()


SLIPS = [
    ("currency", "params.currency", "currency must be a three-letter ISO 4217 code, got 'rupiah'"),
    (
        "amount",
        "params.value",
        "value must be a number of 0 or more, or a text such as '147000.00'",
    ),
    ("name", "event_name", "unknown event 'refnud', did you mean 'refund'?"),
    ("id", "params.id", "id is required in refund"),
    ("email", "user.email", "email must look like name@domain"),
]


def test_what_is_no_event_is_refused_by_its_field_and_nothing_is_sent(
    demo: str, staff: Shopper, office: Page
) -> None:
    """In the words of page and relay."""
    before = len(asked(staff, demo))
    form = office.locator("#slip")
    for slip, field, words in SLIPS:
        form.get_by_label("Wrong is").select_option(slip)
        form.get_by_role("button").click()
        expect(told(office).get_by_text(field, exact=True)).to_be_visible()
        expect(told(office).get_by_text(words)).to_be_visible()
        expect(told(office).get_by_text("Refused before it was sent")).to_be_visible()
    assert len(asked(staff, demo)) == before


def test_a_relay_that_is_out_of_reach_is_tried_again_and_then_said_to_be(office: Page) -> None:
    """What JavaScript throws is an error of httpx's, as on a server."""
    office.context.set_offline(True)
    office.locator("#refund").get_by_role("button").click()
    said = told(office).get_by_text("not stored it after 5 tries: no answer (ConnectError")
    expect(said).to_be_visible(timeout=PATIENCE_MS)
    office.context.set_offline(False)
    office.locator("#refund").get_by_role("button").click()
    expect(told(office).get_by_text("Stored by the relay")).to_be_visible(timeout=PATIENCE_MS)


def test_the_page_says_that_it_is_for_staff_and_no_cache_keeps_it(demo: str, office: Page) -> None:
    """It holds the secret key; and no tracker, as no shopper comes here."""
    note = office.get_by_role("note")
    expect(note).to_contain_text(re.compile("This page holds the shop.s secret key"))
    assert office.request.get(f"{demo}/back-office").headers["cache-control"] == "no-store"
    assert office.evaluate("typeof pixelmirror") == "undefined"


# --- a page of another origin, with the tag on it ---

ELSEWHERE = """<script type="py" config="{relay}/s/toko/client.json">
from pyscript import document
from pixelmirror.client import Relay, Unreachable
try:
    Relay("{relay}", "toko", "any-key", tries=1).track("login")
except Unreachable as error:
    document.body.dataset.said = str(error)
</script>"""


def test_beside_the_tag_the_client_leaves_the_tracker_alone_and_no_other_origin_is_served(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """`/v1/events` is for servers and the relay's own origin: a browser may not ask from others."""
    shop.page("/", ELSEWHERE.format(relay=shop.relay))
    page = shopper.visit("/")
    assert shopper.wait_until_ready(page) == "micropython"
    said = until(
        lambda: page.evaluate("document.body.dataset.said ?? ''"),
        "the client has tried",
        timeout_s=PATIENCE_MS / 1000,
    )
    assert "no answer (ConnectError: the browser could not send it: NetworkError)" in said
    shopper.wait_until_acknowledged(page)
    assert [event["event_name"] for event in shopper.posted()] == ["page_view"]
