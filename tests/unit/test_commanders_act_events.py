"""The events of specs/commanders-act.md section 2, row by row, and Alusio's `Subscribe`."""

from pixelmirror import catalogue, event
from pixelmirror.anything import Any
from tests.unit.refused import refused
from tests.unit.samples import cup, item, params

# Section 2's table: event, required, optional; less `user`, which the tracker adds, and plus what
# its samples show beyond the table (C1: `id` of begin_checkout; `value` of add_payment_info).
ROWS = (
    ("add_payment_info", "payment_method", "coupon revenue currency items value"),
    ("add_shipping_info", "currency value items", "coupon shipping_tier"),
    ("add_to_cart", "value currency items", ""),
    ("add_to_wishlist", "items", "value currency"),
    ("begin_checkout", "revenue value currency items", "coupon id"),
    ("generate_lead", "", "value currency id"),
    ("login", "", "method"),
    ("page_view", "page_type", "page_name title url path referrer"),
    (
        "purchase",
        "id revenue value currency type items payment_method status",
        "shipping_amount tax_amount coupon url",
    ),
    (
        "refund",
        "id revenue value currency type",
        "shipping_amount tax_amount coupon url items",
    ),
    ("remove_from_cart", "items", "value currency"),
    ("search", "search_term", ""),
    ("select_content", "", "content_type item_id"),
    ("select_item", "items", "item_list_name"),
    ("sign_up", "", "method"),
    ("view_cart", "items", "value currency"),
    ("view_item", "revenue currency items", "value"),
    ("view_item_list", "items", "item_list_name"),
)

# What is ours: the order ID that a payment's event may tell the relay, and scalev R63's flag.
OURS = (("add_payment_info", "id"), ("purchase", "is_probably_spam"))


def checked(event_name: str, **fields: Any) -> dict[str, Any]:
    return event.check_params(event_name, params(event_name, **fields), "IDR")


def wrong(event_name: str, **fields: Any) -> tuple[str, str]:
    return refused(event.check_params, event_name, params(event_name, **fields), "IDR")


# --- the table ---


def test_the_events_are_those_of_commanders_act_and_subscribe() -> None:
    """specs/commanders-act.md 2: 18 events; DESIGN 3: plus `subscribe`."""
    assert sorted(catalogue.EVENTS) == sorted([row[0] for row in ROWS] + ["subscribe"])


def test_each_event_has_the_fields_of_its_row() -> None:
    """specs/commanders-act.md 2, each row: every field of it, and no other but ours."""
    for name, required, optional in ROWS:
        expected = (required + " " + optional).split()
        expected += [field for event_name, field in OURS if event_name == name]
        row = catalogue.EVENTS[name]
        found = row["required"] + row["optional"]
        assert sorted(found) == sorted(expected), (name, found)


def test_each_event_leaves_with_what_its_row_requires() -> None:
    """specs/commanders-act.md 2, each row: what it requires is there, said or derived."""
    for name, required, _ in ROWS:
        found = checked(name)
        for field in required.split():
            assert field in found, (name, field, found)


# --- the rows that are more than a list of fields ---


def test_view_item_list_is_of_items_in_a_named_list() -> None:
    """specs/commanders-act.md 2, `view_item_list`: items, `item_list_name`; it has no value."""
    found = checked("view_item_list", items=[item(list_position=0), cup()], item_list_name="Baru")
    assert found["item_list_name"] == "Baru"
    assert [one.get("list_position") for one in found["items"]] == [0, None]
    assert "value" not in found, found
    assert "currency" not in found, found
    refusal = wrong("view_item_list", item_list_name=7)
    message = "item_list_name must be a text of 1 to 2048 characters, got 7"
    assert refusal == ("params.item_list_name", message)


def test_c17_select_item_is_of_exactly_one_item() -> None:
    """specs/commanders-act.md 2, `select_item`, and C17: neither none nor two; no user needed."""
    found = checked("select_item", item_list_name="Baru")
    assert len(found["items"]) == 1, found
    for items, message in (
        ([], "items must be a list of 1 to 500 items, got a list of 0"),
        ([item(), cup()], "select_item takes no more items than 1"),
        (None, "items is required in select_item"),
    ):
        refusal = wrong("select_item", items=items)
        assert refusal == ("params.items", message), (items, refusal)


def test_select_content_needs_nothing() -> None:
    """specs/commanders-act.md 2, `select_content`: `content_type` and `item_id` may be absent."""
    assert checked("select_content") == {}
    found = checked("select_content", content_type="banner", item_id=12)
    assert found == {"content_type": "banner", "item_id": "12"}, found
    for fields, field in (
        ({"content_type": ["banner"]}, "content_type"),
        ({"item_id": ""}, "item_id"),
    ):
        assert wrong("select_content", **fields)[0] == "params." + field, fields


def test_a_search_is_for_something() -> None:
    """specs/commanders-act.md 2, `search`: `search_term` is required and is a text."""
    assert checked("search", search_term="kaos hitam") == {"search_term": "kaos hitam"}
    for term in ("", "   ", 7, ["kaos"]):
        field, message = wrong("search", search_term=term)
        assert field == "params.search_term", term
        assert message.startswith("search_term must be a text of 1 to 2048 characters"), message
    assert wrong("search", search_term=None)[1] == "search_term is required in search"


def test_a_wish_lists_amount_has_a_currency() -> None:
    """specs/commanders-act.md 2, `add_to_wishlist`, and C5: any amount needs a currency."""
    found = checked("add_to_wishlist", value=99000)
    assert (found["value"], found["currency"]) == (99000, "IDR"), found
    assert "revenue" not in found, found
    refusal = refused(event.check_params, "add_to_wishlist", params("add_to_wishlist"), None)
    assert refusal == ("params.currency", "currency is required with value"), refusal


def test_add_shipping_info_says_how_it_is_sent() -> None:
    """specs/commanders-act.md 2, `add_shipping_info`: value and currency, a tier, no revenue."""
    found = checked("add_shipping_info", shipping_tier="JNE REG", coupon="HEMAT")
    found.pop("items")
    assert found == {
        "value": 120000,
        "currency": "IDR",
        "shipping_tier": "JNE REG",
        "coupon": "HEMAT",
    }, found
    assert wrong("add_shipping_info", shipping_tier=1)[0] == "params.shipping_tier"


def test_c16_a_full_refund_has_amounts_and_no_items() -> None:
    """specs/commanders-act.md 2, `refund`, C6 and C16: `type` is there, `tax_amount` is the tax."""
    found = checked("refund", shipping_amount=12000, tax_amount=5000)
    assert found == {
        "id": "ORD-77",
        "value": 147000,
        "revenue": 130000,
        "currency": "IDR",
        "type": "online",
        "shipping_amount": 12000,
        "tax_amount": 5000,
    }, found
    assert checked("refund", type="call")["type"] == "call"


def test_a_partial_refund_names_its_items() -> None:
    """specs/commanders-act.md 2, `refund`: items for a part; its value is never their sum."""
    found = checked("refund", items=[cup()], value=20000)
    assert found["value"] == 20000, found
    assert found["items"][0]["quantity"] == 1, found
    one = cup()
    del one["quantity"]
    assert wrong("refund", items=[one])[0] == "params.items[0].quantity"
    assert wrong("refund", items=[])[0] == "params.items"
    assert wrong("refund", items=[cup()], value=None) == (
        "params.value",
        "value is required in refund",
    )


def test_c5_a_leads_amount_has_a_currency() -> None:
    """specs/commanders-act.md 2, `generate_lead`, and C5: the amount is `value`, and optional."""
    assert checked("generate_lead") == {}
    found = checked("generate_lead", id=7, value="50000.00")
    assert found == {"id": "7", "value": 50000, "currency": "IDR"}, found
    refusal = refused(event.check_params, "generate_lead", {"value": 1}, None)
    assert refusal == ("params.currency", "currency is required with value"), refusal


def test_signing_up_and_logging_in_may_say_how() -> None:
    """specs/commanders-act.md 2, `sign_up` and `login`: `method` is a text, and optional."""
    for name in ("sign_up", "login"):
        assert checked(name) == {}, name
        assert checked(name, method="google") == {"method": "google"}, name
        assert wrong(name, method=True)[0] == "params.method", name


def test_c1_c4_and_the_samples_beyond_the_table_are_taken() -> None:
    """specs/commanders-act.md C1, C4: a checkout's `id`; a view's `value` or `revenue`."""
    assert checked("begin_checkout", id="ORD-77")["id"] == "ORD-77"
    for fields in ({"value": 60000}, {"revenue": 60000}):
        found = checked("view_item", **fields)
        assert (found["value"], found["revenue"]) == (60000, 60000), (fields, found)


def test_alusio_subscribe_has_a_tier_price_and_an_id() -> None:
    """specs/alusio.md 2, `Subscribe`: `value`, `subscription_id`; `predicted_ltv` may be absent."""
    found = checked("subscribe", id="MBR-1", predicted_ltv="1188000")
    assert found == {
        "id": "MBR-1",
        "value": 99000,
        "currency": "IDR",
        "subscription_id": "sub-9",
        "predicted_ltv": 1188000,
    }, found
    for field in ("value", "subscription_id"):
        refusal = wrong("subscribe", **{field: None})
        assert refusal == ("params." + field, field + " is required in subscribe"), refusal
    assert wrong("subscribe", predicted_ltv=-1)[0] == "params.predicted_ltv"


# --- items, products, the user ---


def test_an_items_and_a_products_fields_are_the_documented_ones() -> None:
    """specs/commanders-act.md 2, Item and Product; C7: five categories; the rest is DESIGN 3's."""
    documented = "id product quantity variant coupon list_position discount affiliation"
    ours = "name price kind cart_quantity"
    assert sorted(catalogue.ITEM) == sorted((documented + " " + ours).split())
    documented = "id name price currency brand size colors"
    categories = ["category_" + str(n) for n in range(1, 6)]
    assert sorted(catalogue.PRODUCT) == sorted(documented.split() + categories)
    whole = item(
        variant="L",
        coupon="HEMAT",
        list_position=3,
        discount="1000",
        affiliation="toko.example",
        product={
            "id": "p1",
            "name": "Kaos",
            "price": 60000,
            "currency": "IDR",
            "category_1": "Pakaian",
            "category_5": "Polos",
            "brand": "Toko",
            "size": "L",
            "colors": ["hitam", "putih"],
        },
    )
    found = checked("view_cart", items=[whole])["items"]
    assert found == [dict(whole, discount=1000)], found


def test_c8_a_price_on_an_item_gives_way_to_its_products() -> None:
    """specs/commanders-act.md C8: a price beside the product's is accepted and not sent."""
    found = checked("view_cart", items=[item(price=1)])["items"][0]
    assert "price" not in found, found
    assert found["product"]["price"] == 60000, found


def test_the_enumerations_are_the_documented_ones() -> None:
    """specs/commanders-act.md 2, Enumerations: nothing else is taken, in no other spelling."""
    methods = (
        "by_invoice by_bank_transfer_in_advance card check_in_advance cod coupon direct_debit "
        "online_payment_system other"
    ).split()
    statuses = (
        "canceled delivered in_progress partially_delivered partially_returned partially_shipped "
        "pending_shipment returned shipped pending"
    ).split()
    for field, known in (("payment_method", methods), ("status", statuses)):
        for value in known:
            assert checked("purchase", **{field: value})[field] == value
        for other in (known[0].upper(), known[0] + " ", "paid", 1):
            name, message = wrong("purchase", **{field: other})
            assert name == "params." + field, (field, other)
            assert message.startswith(field + " must be one of " + ", ".join(known)), message


def test_a_users_fields_are_the_documented_ones() -> None:
    """specs/commanders-act.md 2, User: each plain, or as `_md5` and `_sha256`."""
    documented = (
        "consent_categories id email phone firstname lastname city state zipcode gender birthdate "
        "country"
    )
    assert sorted(catalogue.USER) == sorted(documented.split())
    for field in catalogue.USER:
        for ending, length in (("_md5", 32), ("_sha256", 64)):
            given = {field + ending: "0" * length}
            assert event.check_user(given) == given, given


def test_a_users_country_is_a_code() -> None:
    """specs/commanders-act.md 2, User: `country` is ISO 3166-1, 2 or 3 letters."""
    for given, expected in (("id", "id"), ("ID", "ID"), (" IDN ", "IDN")):
        assert event.check_user({"country": given}) == {"country": expected}, given
    for other in ("Indonesia", "i", "i1", "62", 62, "\u0131d", ["id"]):
        found = refused(event.check_user, {"country": other})
        message = "country must be an ISO 3166-1 code of 2 or 3 letters"
        assert found == ("user.country", message), (other, found)
