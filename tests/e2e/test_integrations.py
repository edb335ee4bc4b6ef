"""What others have put on the page: the shop's dataLayer, consent tools, Alhena's widget."""

from tests.e2e.heard import Heard
from tests.e2e.shop import Shop
from tests.e2e.shopper import Shopper

GTAG = "window.dataLayer = window.dataLayer || []; function gtag() { dataLayer.push(arguments) }"
ITEMS = '[{item_id: "v1", item_name: "Kaos", price: 60000, quantity: 2}]'

# What Tag Manager does to the array: its own push goes first to the one that was there.
TAG_MANAGER = """() => {
  const before = dataLayer.push;
  window.managed = [];
  dataLayer.push = function (...entries) {
    const result = before.apply(dataLayer, entries);
    managed.push(...entries);
    return result;
  };
}"""


def names(shopper: Shopper, site: str) -> list[str]:
    return [event["event_name"] for event in shopper.posted(site)]


# --- GA4's dataLayer ---


def test_pushes_of_both_forms_are_events_earlier_ones_too(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """gtag's form and Tag Manager's, before the tag and after, through Tag Manager's own push."""
    early = (
        f'<script>{GTAG}; gtag("js", new Date()); gtag("config", "G-1");'
        f'gtag("event", "view_item", {{items: {ITEMS}, value: 120000, currency: "IDR"}});'
        "dataLayer.push({event: 'gtm.js'}, {ecommerce: null}, null, 5, {event: 'quiz', items: []})"
        "</script>"
    )
    shop.page("/", tag=early + shop.tag("layer"))
    page = shopper.visit("/")
    page.evaluate(TAG_MANAGER)
    page.evaluate(f"() => dataLayer.push({{event: 'add_to_cart', ecommerce: {{items: {ITEMS}}}}})")
    page.evaluate(
        f"""() => gtag("event", "purchase", {{transaction_id: "T-1", value: 3000000000,
        shipping: 10000, items: {ITEMS}}})"""
    )
    page.evaluate("() => gtag('event', 'search', {search_term: 'kaos'})")
    heard.wait_for("meta", "Search")
    assert heard.names("meta") == ["PageView", "ViewContent", "AddToCart", "Purchase", "Search"]
    shopper.wait_until_acknowledged(page)
    sent = shopper.posted("layer")
    assert [event["event_name"] for event in sent] == [
        "page_view",
        "view_item",
        "add_to_cart",
        "purchase",
        "search",
    ]
    assert sent[3]["event_id"] == "T-1-purchase"
    assert sent[3]["params"]["value"] == 3000000000
    assert page.evaluate("managed.length") == 3
    heard.wait_until_delivered([event["event_id"] for event in sent], "layer")
    assert ("AddToCart", sent[2]["event_id"]) in heard.events("meta")
    assert ("AddToCart", sent[2]["event_id"]) in heard.events("scalev.meta")


def test_an_array_that_the_page_makes_anew_is_watched_too(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """Some templates write `dataLayer = [...]` after the tag."""
    later = f"<script>dataLayer = [{{event: 'view_cart', ecommerce: {{items: {ITEMS}}}}}]</script>"
    shop.page("/", later, tag=shop.tag("layer", attributes=""))
    page = shopper.visit("/")
    heard.wait_for("meta", "ViewCart")
    page.evaluate("() => dataLayer.push({event: 'login', method: 'Google'})")
    heard.wait_for("meta", "Login")
    assert heard.names("meta") == ["PageView", "ViewCart", "Login"]


def test_without_the_setting_nobody_looks(shop: Shop, shopper: Shopper, heard: Heard) -> None:
    """The array is not even made."""
    shop.page("/")
    page = shopper.visit("/")
    assert page.evaluate("typeof window.dataLayer") == "undefined"
    page.evaluate(f"() => {{ {GTAG}; gtag('event', 'view_item', {{items: {ITEMS}}}) }}")
    shopper.track(page, "login")
    shopper.wait_until_acknowledged(page)
    assert names(shopper, "toko") == ["page_view", "login"]
