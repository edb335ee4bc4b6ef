"""GA4's pushes to `window.dataLayer`: what each becomes, and what is none of ours."""

from pixelmirror import data_layer, event
from pixelmirror.anything import Any
from pixelmirror.catalogue import EVENTS, PAYMENT_METHODS
from tests.unit.fake_page import FakePage
from tests.unit.samples import site
from tests.unit.shop import Shop

# The item of GA4's own example of `purchase` ("Measure ecommerce", read 2026-11).
ITEM: Any = {
    "item_id": "SKU_12345",
    "item_name": "Stan and Friends Tee",
    "affiliation": "Google Merchandise Store",
    "coupon": "SUMMER_FUN",
    "discount": 2.22,
    "index": 0,
    "item_brand": "Google",
    "item_category": "Apparel",
    "item_category2": "Adult",
    "item_category3": "Shirts",
    "item_category4": "Crew",
    "item_category5": "Short sleeve",
    "item_list_id": "related_products",
    "item_list_name": "Related Products",
    "item_variant": "green",
    "location_id": "ChIJIQBpAG2ahYAR_6128GcTUEo",
    "price": 10.01,
    "quantity": 3,
}
PURCHASE: Any = {
    "transaction_id": "T_12345",
    "value": 30.03,
    "tax": 4.9,
    "shipping": 5.99,
    "currency": "USD",
    "coupon": "SUMMER_SALE",
    "items": [ITEM],
}
KAOS: Any = {"item_id": "v1", "item_name": "Kaos", "price": 60000, "quantity": 2}


def checked(name: str, pushed: Any) -> Any:
    """The params as the event gets them."""
    return event.check_params(name, data_layer.read(name, pushed), "IDR")


def test_ga4s_own_example_of_a_purchase_is_a_purchase() -> None:
    """Every field has its place; GA4's price is the one after the discount, ours before it."""
    params = checked("purchase", PURCHASE)
    item = params.pop("items")[0]
    assert params == {
        "id": "T_12345",
        "value": 30.03,
        "revenue": 30.03,
        "tax_amount": 4.9,
        "shipping_amount": 5.99,
        "currency": "USD",
        "coupon": "SUMMER_SALE",
        "type": "online",
        "payment_method": "other",
        "status": "in_progress",
    }, params
    assert item == {
        "id": "SKU_12345",
        "quantity": 3,
        "discount": 2.22,
        "variant": "green",
        "coupon": "SUMMER_FUN",
        "affiliation": "Google Merchandise Store",
        "list_position": 0,
        "product": {
            "id": "SKU_12345",
            "name": "Stan and Friends Tee",
            "price": 12.23,
            "brand": "Google",
            "category_1": "Apparel",
            "category_2": "Adult",
            "category_3": "Shirts",
            "category_4": "Crew",
            "category_5": "Short sleeve",
        },
    }, item


def test_each_ga4_event_is_our_event_of_the_same_name() -> None:
    """What GA4's events hold at least is enough for ours."""
    for name in data_layer.EVENTS:
        pushed = {"items": [KAOS], "currency": "IDR", "transaction_id": "T-1", "value": 120000}
        pushed["search_term"] = "kaos"
        params = checked(name, pushed)
        for field in EVENTS[name]["required"]:
            assert field in params, (name, field)
        assert not [field for field in params if field in ("transaction_id", "tax")], name


def test_params_are_translated() -> None:
    """One row for each of GA4's fields that has another name or meaning here."""
    items = {"items": [KAOS]}
    cases: Any = (
        ("search", {"search_term": "kaos"}, {"search_term": "kaos"}),
        ("login", {"method": "Google"}, {"method": "Google"}),
        ("sign_up", {}, {}),
        ("sign_up", None, {}),
        ("generate_lead", {"value": 5, "currency": "USD"}, {"value": 5, "currency": "USD"}),
        ("add_payment_info", dict(items, payment_type="cod"), {"payment_method": "cod"}),
        ("add_payment_info", dict(items, payment_type="GoPay"), {"payment_method": "other"}),
        ("add_payment_info", items, {"payment_method": "other"}),
        (
            "purchase",
            dict(items, transaction_id=7, payment_type="card"),
            {"payment_method": "card"},
        ),
        ("add_shipping_info", dict(items, shipping_tier="JNE"), {"shipping_tier": "JNE"}),
        ("view_item_list", dict(items, item_list_name="Baru"), {"item_list_name": "Baru"}),
        ("view_item_list", {"items": [ITEM]}, {"item_list_name": "Related Products"}),
        ("refund", {"transaction_id": "T-1", "value": 5}, {"id": "T-1", "value": 5}),
        ("purchase", dict(items, value="9", tax="1"), {"value": "9", "revenue": "9"}),
    )
    for name, pushed, expected in cases:
        params: Any = data_layer.read(name, pushed)
        found = {field: params[field] for field in expected}
        assert found == expected, (name, pushed)
    assert "cod" in PAYMENT_METHODS


def test_an_item_needs_no_more_than_ga4_asks_for() -> None:
    """An ID or a name is enough, one piece is meant, and a discount that is none is left out."""
    cases: Any = (
        ({"item_name": "Kaos", "price": 5}, {"id": "Kaos", "quantity": 1}, "Kaos", 5),
        ({"item_id": 77, "price": "5.50"}, {"id": "77", "quantity": 1}, "77", 5.5),
        (dict(KAOS, discount="10%", index="x"), {"id": "v1", "quantity": 2}, "Kaos", 60000),
        (dict(KAOS, discount="500"), {"id": "v1", "quantity": 2, "discount": 500}, "Kaos", 60500),
    )
    for theirs, expected, name, price in cases:
        [item] = checked("view_item", {"items": [theirs], "currency": "USD"})["items"]
        product = item.pop("product")
        assert item == expected, theirs
        assert (product["name"], product["price"]) == (name, price), theirs


def test_a_shops_own_push_is_ignored() -> None:
    """Names we do not know, and ours without what makes them ecommerce."""
    cases: Any = (
        ("gtm.js", {"gtm.start": 1}),
        ("page_view", {"items": [KAOS]}),
        ("add_to_cart", {"event": "add_to_cart", "product": 5}),
        ("add_to_cart", {"items": []}),
        ("add_to_cart", None),
        ("purchase", {"value": 5}),
        ("search", {"query": "kaos"}),
        (None, {"items": [KAOS]}),
        (["purchase"], PURCHASE),
        (5, PURCHASE),
    )
    for name, pushed in cases:
        assert data_layer.read(name, pushed) is None, (name, pushed)


def test_a_push_is_an_event_as_a_call_is() -> None:
    """It fires the pixels and goes to the relay under one event ID."""
    shop = Shop(None, FakePage()).start(("data_layer", "add_to_cart", {"items": [KAOS]}))
    [sent] = shop.posted()
    assert sent["event_name"] == "add_to_cart"
    assert sent["params"]["value"] == 120000
    for kind in ("meta", "tiktok", "kwai", "commanders_act", "alhena"):
        assert len(shop.fired(kind)) == 1, kind


def test_a_push_that_is_none_leaves_no_trace() -> None:
    """It is neither sent nor kept nor complained about; a wrong one is said by its name."""
    shop = Shop(site()).start(("data_layer", "login2", {}), ("data_layer", "purchase", {}))
    assert shop.page.did == [step for step in shop.page.did if step[0] not in ("post", "say")]
    assert shop.page.browser.stored == {}
    shop.call("data_layer", "purchase", {"transaction_id": "T-1"})
    [[words]] = shop.page.done("say")
    assert words.startswith("data_layer purchase is not sent: params."), words
