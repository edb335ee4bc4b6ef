"""What others have put on the page: the shop's dataLayer, consent tools, Alhena's widget."""

from tests.e2e.goods import kaos
from tests.e2e.heard import Heard
from tests.e2e.shop import Shop
from tests.e2e.shopper import Shopper
from tests.e2e.waiting import until

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
    """gtag's form and Tag Manager's, before the tag and after, through Tag Manager's own push.

    scalev R13: pixel and server copy share name and ID beside it too.
    """
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


# --- consent tools ---

DENIED = f'<script>{GTAG}; gtag("consent", "default", {{ad_storage: "denied"}})</script>'
UPDATE = "(said) => gtag('consent', 'update', {ad_storage: said})"

# Commanders Act's `cact`, as a page with their banner has it; `banner(consent)` is the shopper's
# choice. It is asked for what it does not know too.
CACT = """<script>
  window.listeners = [];
  window.consent = {status: "unset", categories: {}};
  window.cact = (command, callback) => {
    if (!command.startsWith("consent.")) return;
    if (command === "consent.onReady") throw new Error("it is not ready");
    if (command === "consent.get") callback({meta: {}, consent});
    else listeners.push(callback);
  };
  window.banner = (status, on) => {
    const categories = {};
    for (const id of ["1", "2", "3"]) categories[id] = {status: on.includes(id) ? "on" : "off"};
    window.consent = {status, categories};
    listeners.forEach((each) => each({meta: {}, consent, updateEvent: "changed"}));
  };
</script>"""


def test_googles_consent_mode_gives_and_withdraws_consent(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """Denied by default is no refusal: it waits. A withdrawal deletes our cookies."""
    shop.page("/", tag=DENIED + shop.tag("asks"))
    page = shopper.visit("/?fbclid=Ab&ttclid=T1")
    shopper.call(page, "track", "add_to_cart", kaos())
    page.evaluate("() => gtag('consent', 'default', {ad_storage: 'granted', region: ['US']})")
    page.evaluate("() => gtag('consent', 'update', {analytics_storage: 'granted'})")
    assert shopper.cookies() == {}
    assert page.evaluate("Object.keys(localStorage)") == []
    page.evaluate(UPDATE, "granted")
    heard.wait_for("meta", "AddToCart")
    shopper.wait_until_acknowledged(page)
    assert names(shopper, "asks") == ["page_view", "add_to_cart"]
    assert {"_fbc", "_fbp", "_ttclid", "_pm_visitor"} <= set(shopper.cookies())
    page.evaluate(UPDATE, "denied")
    assert set(shopper.cookies()) == {"_ttp"}  # TikTok's own
    shopper.call(page, "track", "view_cart", kaos())
    assert names(shopper, "asks") == ["page_view", "add_to_cart"]


def test_an_explicit_call_wins_over_consent_mode(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """On its page and, as it is remembered, on the next."""
    granted = DENIED.replace("default", "update").replace("denied", "granted")
    shop.page("/", tag=granted + shop.tag("asks"))
    page = shopper.visit("/")
    heard.wait_for("meta", "PageView")
    shopper.wait_until_acknowledged(page)
    shopper.call(page, "consent", "denied")
    page.evaluate(UPDATE, "granted")
    shopper.call(page, "track", "view_cart", kaos())
    page = shopper.visit("/", page=page)
    shopper.call(page, "track", "view_cart", kaos())
    assert set(shopper.cookies()) == {"_pm_consent", "_ttp"}
    assert names(shopper, "asks") == ["page_view"]


def test_commanders_acts_banner_is_listened_to(shop: Shop, shopper: Shopper, heard: Heard) -> None:
    """Unset waits; the categories that are on count; all off is a refusal."""
    shop.page("/", tag=CACT + shop.tag("asks"))
    page = shopper.visit("/")
    assert shopper.cookies() == {}
    page.evaluate("banner('mixed', ['1'])")
    heard.wait_for("tiktok", "Pageview")
    page.evaluate("banner('all-on', ['1', '2', '3'])")
    shopper.track(page, "add_to_cart", kaos())
    heard.wait_for("meta", "AddToCart")
    assert heard.names("meta") == ["AddToCart"]
    shopper.wait_until_acknowledged(page)
    assert [event["consent"]["categories"] for event in shopper.posted("asks")] == [
        ["1"],
        ["1", "2", "3"],
    ]
    page.evaluate("banner('all-off', [])")
    shopper.call(page, "track", "view_cart", kaos())
    assert set(shopper.cookies()) == {"_ttp"}
    assert names(shopper, "asks") == ["page_view", "add_to_cart"]


def test_consent_tools_are_listened_to_only_where_consent_is_required(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """By the site file or by the tag; elsewhere a refusal comes from the shop alone."""
    shop.page("/", tag=DENIED.replace("default", "update") + CACT + shop.tag())
    page = shopper.visit("/")
    page.evaluate("banner('all-off', [])")
    shopper.wait_until_acknowledged(page)
    assert names(shopper, "toko") == ["page_view"]
    attributes = 'data-consent="required"'
    shop.page("/", tag=DENIED + shop.tag("layer", attributes=attributes))
    page = shopper.visit("/", page=page)
    page.evaluate(f"() => gtag('event', 'view_item', {{items: {ITEMS}}})")
    assert names(shopper, "layer") == []
    page.evaluate(UPDATE, "granted")
    heard.wait_for("meta", "ViewContent")
    until(lambda: names(shopper, "layer"), "both are sent", lambda sent: len(sent) == 2)


# --- Alhena's widget ---


def test_alhenas_server_copy_has_the_fingerprints_of_its_widget(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """Read at each event; while the widget is not on the page, that copy is skipped."""
    shop.page("/", tag=shop.tag("layer"))
    page = shopper.visit("/")
    early = shopper.track(page, "add_to_cart", kaos())
    page.evaluate(
        """() => { window.gleenWidget = {
          getFingerprint: () => "6f1e0f5e-2c1a-4b7e-9d51-0a4b7c1d2e3f",
          getFAQFingerprint: () => "b2a7c9d4-11ee-4f0a-8b1e-5d6c7b8a9f00",
        } }"""
    )
    late = shopper.track(page, "add_to_cart", kaos())
    shopper.wait_until_acknowledged(page)
    heard.wait_until_delivered([early, late], "layer")
    copies = [row["call"] for row in heard.calls() if row["system"] == "alhena"]
    assert [copy["user_fingerprint"] for copy in copies] == ["6f1e0f5e-2c1a-4b7e-9d51-0a4b7c1d2e3f"]
    assert copies[0]["user_faq_fingerprint"] == "b2a7c9d4-11ee-4f0a-8b1e-5d6c7b8a9f00"
    rows = heard.deliveries("layer", destination="alhena", event_id=early)
    assert [(row["state"], row["reason"]) for row in rows] == [
        ("skipped", "no Alhena fingerprints of the visitor")
    ]
