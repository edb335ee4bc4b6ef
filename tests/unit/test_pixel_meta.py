"""Meta's pixel: the exact calls of `fbq` for each event (specs/meta.md 1-2, scalev R9-R13, R42)."""

from pixelmirror.anything import Any
from pixelmirror.catalogue import own_name
from pixelmirror.pixels import meta
from tests.unit.samples import UUID, built, cup, item, pixel

NOTHING: dict[str, Any] = {"ids": [], "page_view": False}

SHIRTS = {
    "content_ids": ["variant_a1"],
    "content_type": "product",
    "contents": [{"id": "variant_a1", "quantity": 2, "item_price": 60000}],
    "num_items": 2,
    "content_name": "Kaos",
    "value": 120000,
    "currency": "IDR",
}
# A list has no value (specs/commanders-act.md 2).
LISTED = {key: SHIRTS[key] for key in SHIRTS if key not in ("value", "currency")}
ORDER = {
    "content_ids": ["variant_a1", "variant_b2"],
    "content_type": "product",
    "contents": [
        {"id": "variant_a1", "quantity": 2, "item_price": 60000},
        {"id": "variant_b2", "quantity": 1, "item_price": 27000},
    ],
    "num_items": 3,
    "value": 147000,
    "currency": "IDR",
}
# alusio S9: a checkout has neither `content_type` nor `contents`.
CHECKOUT = {
    "content_ids": ["variant_a1"],
    "num_items": 2,
    "content_name": "Kaos",
    "value": 120000,
    "currency": "IDR",
}
AMOUNT = {"value": 147000, "currency": "IDR"}
TIER = {"value": 99000, "currency": "IDR", "subscription_id": "sub-9"}

# Event -> Meta's call and name (standard ones by `track`, scalev D10) and its parameters.
CALLS: Any = (
    ("page_view", "track", "PageView", {}),
    ("view_item_list", "trackCustom", "ViewItemList", LISTED),
    ("select_item", "trackCustom", "SelectItem", LISTED),
    ("select_content", "trackCustom", "SelectContent", {}),
    ("search", "track", "Search", {"search_string": "kaos"}),
    ("view_item", "track", "ViewContent", SHIRTS),
    ("add_to_wishlist", "track", "AddToWishlist", SHIRTS),
    ("add_to_cart", "track", "AddToCart", SHIRTS),
    ("remove_from_cart", "trackCustom", "RemoveFromCart", SHIRTS),
    ("view_cart", "trackCustom", "ViewCart", SHIRTS),
    ("begin_checkout", "track", "InitiateCheckout", CHECKOUT),
    ("add_shipping_info", "trackCustom", "AddShippingInfo", SHIRTS),
    ("add_payment_info", "track", "AddPaymentInfo", {}),
    ("purchase", "track", "Purchase", ORDER),
    ("refund", "trackCustom", "Refund", AMOUNT),
    ("generate_lead", "track", "Lead", {}),
    ("sign_up", "track", "CompleteRegistration", {}),
    ("login", "trackCustom", "Login", {}),
    ("subscribe", "track", "Subscribe", TIER),
    ("quiz_done", "trackCustom", "quiz_done", {}),
)


def calls(event: dict[str, Any], ours: Any = ("1",), heard: Any = None) -> list[Any]:
    name = own_name(event["event_name"], "meta")
    assert name is not None
    return meta.calls(event, name, pixel("meta", pixel_ids=list(ours)), heard or NOTHING)


def test_r42_each_event_is_one_call_with_metas_parameters() -> None:
    """scalev R42, R46, D10: `fbq("track", name, parameters, {eventID})`, the ID 4th, or custom."""
    for event_name, verb, name, parameters in CALLS:
        orders = ("purchase", "refund")
        shared = "ORD-77-" + name + "-FORM" if event_name in orders else event_name + "_" + UUID
        found = calls(built(event_name))
        expected = [[["fbq", [verb, name, parameters, {"eventID": shared}]]]]
        assert found == expected, (event_name, found, expected)


def test_r60_an_added_item_is_worth_its_price_times_its_quantity() -> None:
    """scalev R60, section 4: 60000 a piece times 2 is `value` 120000, not alusio L6's 60000."""
    found = meta.parameters(built("add_to_cart"), "AddToCart")
    assert (found["value"], found["num_items"]) == (120000, 2), found


def test_r61_a_purchase_names_all_its_items() -> None:
    """scalev R40, R61: every item of the order; the variant's ID, else the bundle's."""
    bundle = item(id="bundle_price_option_b7", kind="bundle_price_option", quantity=3)
    found = meta.parameters(built("purchase", items=[cup(), bundle]), "Purchase")
    assert found["content_ids"] == ["variant_b2", "bundle_price_option_b7"], found
    assert [row["id"] for row in found["contents"]] == found["content_ids"], found
    assert found["num_items"] == 4, found


def test_name_and_category_are_those_of_the_only_item() -> None:
    """scalev R42: `content_name`, `content_category` where one item is what the event is about."""
    found = meta.parameters(built("view_item", items=[cup()]), "ViewContent")
    assert (found["content_name"], found["content_category"]) == ("Cangkir", "Rumah"), found
    found = meta.parameters(built("view_cart", items=[cup(), item()]), "ViewCart")
    for key in ("content_name", "content_category"):
        assert key not in found, found


def test_large_rupiah_amounts_are_exact() -> None:
    """Rp 3 000 000 000 leaves as it came: a whole number, never a 32-bit one."""
    found = meta.parameters(built("purchase", value="3000000000.00"), "Purchase")
    assert repr(found["value"]) == "3000000000", found


def test_a_subscription_tells_what_it_is_worth() -> None:
    """specs/meta.md 2, alusio: `predicted_ltv` and `subscription_id` beside value and currency."""
    found = meta.parameters(built("subscribe", predicted_ltv="1188000"), "Subscribe")
    assert found == dict(TIER, predicted_ltv=1188000), found


def test_l3_a_subscription_by_an_order_has_the_orders_id() -> None:
    """alusio L3: the membership order's ID is on both channels, as for a purchase."""
    [[[_, words]]] = calls(built("subscribe", id="MBR-9"))
    assert words[3] == {"eventID": "MBR-9-Subscribe-FORM"}, words


def test_personal_data_is_not_among_the_parameters() -> None:
    """specs/meta.md 1: user data is for `init` only; an event's parameters hold none of it."""
    event = built("purchase")
    event["user"] = {"id": "77", "email": "siti@example.com", "phone": "+6281234567890"}
    assert "siti" not in repr(calls(event))
    assert "6281234567890" not in repr(calls(event))


def test_r11_each_id_is_initialised_once_and_only_by_one() -> None:
    """scalev R9-R11: `fbq("init", id)` for each ID, less those that the page has initialised."""
    for ours, theirs, expected in (
        (["1"], [], ["1"]),
        (["1", "2"], [], ["1", "2"]),
        (["1", "2"], ["2", "9"], ["1"]),
        (["1"], ["1"], []),
    ):
        found = meta.setup(pixel("meta", pixel_ids=ours), {"ids": theirs, "page_view": False})
        assert found == [[["fbq", ["init", one]]] for one in expected], (ours, theirs, found)


def test_others_pixels_do_not_get_our_events() -> None:
    """specs/meta.md 1: `trackSingle` for each of ours where the page has another's pixel too."""
    for event_name, verb in (("add_to_cart", "trackSingle"), ("view_cart", "trackSingleCustom")):
        found = calls(built(event_name), ("1", "2"), {"ids": ["1", "9"], "page_view": False})
        assert [steps[0][1][:2] for steps in found] == [[verb, "1"], [verb, "2"]], found
        for steps in found:
            assert steps[0][1][4] == {"eventID": event_name + "_" + UUID}, steps
    found = calls(built("add_to_cart"), ("1", "2"), {"ids": ["1", "2"], "page_view": False})
    assert len(found) == 1, found
