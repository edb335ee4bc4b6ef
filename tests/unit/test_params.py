"""What the shop says of an event: required, derived, refused, and sent on as it is to be."""

from pixelmirror import event
from pixelmirror.anything import Any
from tests.unit.refused import refused
from tests.unit.samples import cup, item, params

NAN = float("nan")


def checked(event_name: str, currency: Any = "IDR", **fields: Any) -> dict[str, Any]:
    return event.check_params(event_name, params(event_name, **fields), currency)


def wrong(event_name: str, given: Any, currency: Any = "IDR") -> tuple[str, str]:
    return refused(event.check_params, event_name, given, currency)


# --- what is required ---


def test_what_no_rule_can_derive_is_required_by_name() -> None:
    """DESIGN 5.3: items, a purchase's ID and value, the payment method are asked for by name."""
    for name, given, field in (
        ("view_item", {}, "items"),
        ("add_to_cart", {}, "items"),
        ("add_to_cart", {"value": 120000}, "items"),
        ("remove_from_cart", None, "items"),
        ("view_cart", {}, "items"),
        ("begin_checkout", {}, "items"),
        ("view_item_list", {}, "items"),
        ("select_item", {}, "items"),
        ("add_to_wishlist", {}, "items"),
        ("add_shipping_info", {"value": 1}, "items"),
        ("search", {}, "search_term"),
        ("add_payment_info", {}, "payment_method"),
        ("purchase", {}, "id"),
        ("purchase", {"id": "ORD-77"}, "items"),
        ("purchase", {"id": "ORD-77", "items": [item()]}, "value"),
        ("purchase", {"id": "ORD-77", "items": [item()], "revenue": 120000}, "value"),
        ("refund", {}, "id"),
        ("refund", {"id": "ORD-77"}, "value"),
        ("refund", {"id": "ORD-77", "items": [item()]}, "value"),
        ("subscribe", {}, "value"),
        ("subscribe", {"value": 99000}, "subscription_id"),
    ):
        found = wrong(name, given)
        expected = ("params." + field, field + " is required in " + name)
        assert found == expected, (name, given, found)


def test_the_least_a_shop_must_say_is_enough() -> None:
    """DESIGN 5.3: "What can be derived is not required of the caller"."""
    for name, expected in (
        ("page_view", {"page_type": "other"}),
        ("view_item_list", {}),
        ("select_item", {}),
        ("select_content", {}),
        ("search", {"search_term": "kaos"}),
        ("generate_lead", {}),
        ("sign_up", {}),
        ("login", {}),
        ("add_to_wishlist", {"value": 120000, "currency": "IDR"}),
        ("add_shipping_info", {"value": 120000, "currency": "IDR"}),
        ("subscribe", {"value": 99000, "currency": "IDR", "subscription_id": "sub-9"}),
        (
            "refund",
            {
                "id": "ORD-77",
                "value": 147000,
                "revenue": 147000,
                "currency": "IDR",
                "type": "online",
            },
        ),
        ("view_item", {"value": 120000, "revenue": 120000, "currency": "IDR"}),
        ("add_to_cart", {"value": 120000, "currency": "IDR"}),
        ("remove_from_cart", {"value": 120000, "currency": "IDR"}),
        ("view_cart", {"value": 120000, "currency": "IDR"}),
        ("begin_checkout", {"value": 120000, "revenue": 120000, "currency": "IDR"}),
        ("add_payment_info", {"payment_method": "cod"}),
        (
            "purchase",
            {
                "id": "ORD-77",
                "value": 147000,
                "revenue": 147000,
                "currency": "IDR",
                "type": "online",
                "payment_method": "other",
                "status": "in_progress",
            },
        ),
    ):
        found = checked(name)
        found.pop("items", None)
        assert found == expected, (name, found)


def test_what_the_shop_says_beats_what_would_be_derived() -> None:
    """A value, revenue, currency or choice that is given is never replaced by a derived one."""
    fields = {
        "value": 100000,
        "revenue": 90000,
        "currency": "USD",
        "type": "call",
        "payment_method": "card",
        "status": "pending",
    }
    found = checked("purchase", **fields)
    for field in fields:
        assert found[field] == fields[field], (field, found)
    assert checked("add_to_cart", value=1)["value"] == 1
    assert checked("page_view", page_type="cart") == {"page_type": "cart"}


# --- amounts and currencies ---


def test_r60_the_value_of_a_cart_is_the_sum_of_its_items() -> None:
    """scalev R60 and section 4: 60000 a piece times 2 is 120000; discounts are taken off."""
    for items, value in (
        ([item()], 120000),
        ([item(), cup()], 147000),
        ([item(discount=5000)], 110000),
        ([item(discount=60000)], 0),
        ([item(quantity=1), item(quantity=3, id="variant_a2")], 240000),
    ):
        found = checked("add_to_cart", items=items)["value"]
        assert found == value, (items, found)


def test_revenue_is_value_less_shipping_and_tax() -> None:
    """specs/commanders-act.md 2: `value` = `revenue` + `shipping_amount` + `tax_amount`."""
    for event_name, fields, value, revenue in (
        (
            "purchase",
            {"value": 22.53, "shipping_amount": 3.33, "tax_amount": 3.2, "currency": "USD"},
            22.53,
            16,
        ),
        ("purchase", {"value": 147000, "shipping_amount": "12000.00"}, 147000, 135000),
        ("purchase", {"value": 12000, "shipping_amount": 12000}, 12000, 0),
        ("begin_checkout", {"revenue": 120000}, 120000, 120000),
        ("begin_checkout", {"revenue": 100000, "shipping_amount": 9000}, 109000, 100000),
        ("view_item", {"revenue": 50000}, 50000, 50000),
    ):
        found = checked(event_name, **fields)
        assert (found["value"], found["revenue"]) == (value, revenue), (fields, found)


def test_a_value_below_shipping_and_tax_is_refused() -> None:
    """A revenue below zero is never derived: the value must include shipping and tax."""
    found = wrong("purchase", params("purchase", value=10000, shipping_amount=12000))
    message = "value must include shipping_amount and tax_amount, got less than both"
    assert found == ("params.value", message)


def test_r45_rupiah_are_whole() -> None:
    """scalev R45: IDR amounts are integers; other currencies keep their decimals."""
    for currency, given, expected in (
        ("IDR", "147000.00", "147000"),
        ("IDR", 147000.5, "147001"),
        ("IDR", 147000.4, "147000"),
        ("IDR", 0.07, "0"),
        ("IDR", 3000000000, "3000000000"),
        ("IDR", "3000000000.00", "3000000000"),
        ("USD", "147.50", "147.5"),
        ("USD", 147.0, "147"),
        ("USD", 0.1 + 0.2, "0.3"),
        ("USD", 1.23456, "1.2346"),
        ("USD", 22.53 - 3.33 - 3.2, "16"),
    ):
        found = checked("view_cart", value=given, currency=currency)["value"]
        assert repr(found) == expected, (currency, given, found)


def test_rupiah_beyond_two_to_the_31st_stay_exact() -> None:
    """Rp 3 000 000 000 and their sums are exact: no 32-bit number is anywhere on the way."""
    costly = item(quantity=3)
    costly["product"] = {"id": "p1", "name": "Rumah", "price": "3000000000.00"}
    found = checked("add_to_cart", items=[costly])
    assert repr(found["value"]) == "9000000000", found
    assert repr(found["items"][0]["product"]["price"]) == "3000000000", found


def test_item_prices_and_discounts_are_sent_like_the_value() -> None:
    """scalev R45: prices and discounts of the items are whole in IDR too."""
    one = item(discount="1000.00")
    one["product"] = {"id": "p1", "name": "Kaos", "price": "60000.40"}
    found = checked("view_cart", items=[one])["items"][0]
    assert repr(found["product"]["price"]) == "60000", found
    assert repr(found["discount"]) == "1000", found
    found = checked("view_cart", items=[one], currency="USD")["items"][0]
    assert repr(found["product"]["price"]) == "60000.4", found


def test_an_amount_without_currency_takes_the_sites() -> None:
    """DESIGN 5.3: an amount without a currency takes the site's; nothing defaults to USD."""
    assert checked("add_to_cart", currency="IDR")["currency"] == "IDR"
    assert checked("add_to_cart", currency="BRL")["currency"] == "BRL"
    assert "currency" not in checked("add_payment_info")
    for name in ("add_to_cart", "view_cart"):
        for currency in (None, ""):
            found = wrong(name, params(name), currency)
            assert found == ("params.currency", "currency is required with value"), (name, found)


def test_the_items_currency_is_the_events() -> None:
    """specs/commanders-act.md 2: a product's currency, when set, is the event's."""
    euro = {"id": "p", "name": "Mug", "price": 7.5, "currency": "eur"}
    found = checked("add_to_cart", items=[item(product=euro)])
    assert found["currency"] == "EUR"
    assert found["value"] == 15


def test_two_currencies_in_one_event_are_refused() -> None:
    """specs/commanders-act.md 2: all items agree, with each other and with the event."""
    euro = item(product={"id": "p", "name": "Mug", "price": 7.5, "currency": "EUR"})
    dollar = item(product={"id": "p", "name": "Mug", "price": 7.5, "currency": "USD"})
    for given, place, text in (
        ({"items": [euro], "currency": "IDR"}, 0, "got 'EUR' beside 'IDR'"),
        ({"items": [euro, dollar]}, 1, "got 'USD' beside 'EUR'"),
        ({"items": [item(), euro], "currency": "USD"}, 1, "got 'EUR' beside 'USD'"),
    ):
        found = wrong("add_to_cart", given)
        field = "params.items[" + str(place) + "].product.currency"
        assert found == (field, "all of one event must have one currency, " + text), found


def test_r39_looking_at_an_item_means_one_piece() -> None:
    """scalev R39: a viewed item counts once; everywhere else the quantity is required."""
    one = item()
    del one["quantity"]
    found = checked("view_item", items=[one])
    assert found["items"][0]["quantity"] == 1
    assert found["value"] == 60000
    for name in ("view_item_list", "select_item"):
        assert checked(name, items=[one])["items"][0]["quantity"] == 1, name
    for name in ("add_to_cart", "remove_from_cart", "view_cart", "begin_checkout", "purchase"):
        field, message = wrong(name, params(name, items=[item(), one]))
        assert field == "params.items[1].quantity", (name, field)
        assert message == "quantity is required in each item", message


def test_c17_one_item_is_selected_at_a_time() -> None:
    """specs/commanders-act.md C17: `select_item` takes exactly one item."""
    found = wrong("select_item", params("select_item", items=[item(), cup()]))
    assert found == ("params.items", "select_item takes no more items than 1"), found


# --- values that are wrong ---


def test_wrong_params_are_named_by_their_path() -> None:
    """DESIGN 5.4: an error holds the path of the field and says what it got."""
    for given, field, message in (
        ("Kaos", "params", "params must be an object, got 'Kaos'"),
        ([], "params", "params must be an object, got a list of 0"),
        (5, "params", "params must be an object, got 5"),
        (
            params("view_cart", currency="idr1"),
            "params.currency",
            "currency must be a three-letter ISO 4217 code, got 'idr1'",
        ),
        (
            params("view_cart", value="Rp 150.000"),
            "params.value",
            "value must be a number of 0 or more, or a text such as '147000.00', got 'Rp 150.000'",
        ),
        (
            params("view_cart", value=NAN),
            "params.value",
            "value must be a number of 0 or more, or a text such as '147000.00', got nan",
        ),
        (params("view_cart", extra=NAN), "params.extra", "extra must be a finite number"),
        (
            params("view_cart", extra={"rate": [NAN]}),
            "params.extra.rate[0]",
            "rate[0] must be a finite number",
        ),
        (
            params("view_cart", items=[item(quantity=NAN)]),
            "params.items[0].quantity",
            "quantity must be a whole number of 0 or more, got nan",
        ),
        (
            params("view_cart", items=[item(extra=float("inf"))]),
            "params.items[0].extra",
            "extra must be a finite number",
        ),
    ):
        found = wrong("view_cart", given)
        assert found == (field, message), (given, found)


def test_fields_beyond_the_catalogue_are_kept() -> None:
    """A field the catalogue does not know travels as it is; null is the same as absent."""
    extra = {"campaign": "lebaran", "tags": ["a", {"b": None}], "score": 0.5, "seen": True}
    found = checked("page_view", **extra)
    assert found == dict(extra, page_type="other"), found
    assert checked("page_view", title=None, extra=None) == {"page_type": "other"}


def test_the_shops_own_objects_are_never_changed() -> None:
    """What the shop handed over is as it was afterwards."""
    given = params("purchase", items=[item(name="Kaos", price=5)])
    before = repr(given)
    event.check_params("purchase", given, "IDR")
    assert repr(given) == before


def test_a_custom_event_may_have_any_field_of_the_catalogue() -> None:
    """A custom event requires nothing, and its amounts follow the same rules."""
    assert event.check_params("quiz_done", None, "IDR") == {}
    found = event.check_params("quiz_done", {"value": "5000.00", "points": 3}, "IDR")
    assert found == {"value": 5000, "revenue": 5000, "currency": "IDR", "points": 3}, found
    found = event.check_params("quiz_done", {"items": [item()]}, "IDR")
    assert found["value"] == 120000, found
    field, _ = wrong("quiz_done", {"value": "5.000"})
    assert field == "params.value"
