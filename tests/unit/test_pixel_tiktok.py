"""TikTok's pixel: the exact calls of `ttq` for each event (specs/tiktok.md 1-2, scalev R43, D4)."""

from pixelmirror.anything import Any
from pixelmirror.catalogue import own_name
from pixelmirror.pixels import tiktok
from tests.unit.samples import UUID, built, cup, item, pixel

NOTHING: dict[str, Any] = {"ids": [], "page_view": False}

SHIRTS = {
    "content_id": "variant_a1",
    "content_type": "product",
    "contents": [{"content_id": "variant_a1", "quantity": 2, "price": 60000}],
    "value": 120000,
    "currency": "IDR",
}
# A list has no value (specs/commanders-act.md 2).
LISTED = {key: SHIRTS[key] for key in ("content_id", "content_type", "contents")}
ORDER = {
    "content_id": "variant_a1",
    "content_type": "product",
    "contents": [
        {"content_id": "variant_a1", "quantity": 2, "price": 60000},
        {"content_id": "variant_b2", "quantity": 1, "price": 27000},
    ],
    "value": 147000,
    "currency": "IDR",
}

# Event -> TikTok's name and parameters; the page view is a call of its own.
CALLS: Any = (
    ("view_item_list", "ViewItemList", LISTED),
    ("select_item", "SelectItem", LISTED),
    ("select_content", "SelectContent", {}),
    ("search", "Search", {"search_string": "kaos"}),
    ("view_item", "ViewContent", SHIRTS),
    ("add_to_wishlist", "AddToWishlist", SHIRTS),
    ("add_to_cart", "AddToCart", SHIRTS),
    ("remove_from_cart", "RemoveFromCart", SHIRTS),
    ("view_cart", "ViewCart", SHIRTS),
    ("begin_checkout", "InitiateCheckout", SHIRTS),
    ("add_shipping_info", "AddShippingInfo", SHIRTS),
    ("add_payment_info", "AddPaymentInfo", {}),
    ("purchase", "CompletePayment", ORDER),
    ("refund", "Refund", {"value": 147000, "currency": "IDR"}),
    ("generate_lead", "Lead", {}),
    ("sign_up", "CompleteRegistration", {}),
    ("login", "Login", {}),
    ("subscribe", "Subscribe", {"value": 99000, "currency": "IDR"}),
    ("quiz_done", "quiz_done", {}),
)


def calls(event: dict[str, Any], ours: Any = ("C1",), heard: Any = None) -> list[Any]:
    name = own_name(event["event_name"], "tiktok")
    assert name is not None
    return tiktok.calls(event, name, pixel("tiktok", pixel_ids=list(ours)), heard or NOTHING)


def test_r43_each_event_is_one_call_with_tiktoks_parameters() -> None:
    """scalev R43, R46: `ttq.track(name, parameters, {event_id})`; the ID is the 3rd argument."""
    for event_name, name, parameters in CALLS:
        orders = ("purchase", "refund")
        shared = "ORD-77-" + name + "-FORM" if event_name in orders else event_name + "_" + UUID
        found = calls(built(event_name))
        expected = [[["ttq"], ["track", [name, parameters, {"event_id": shared}]]]]
        assert found == expected, (event_name, found, expected)


def test_r11_a_page_view_is_the_page_call() -> None:
    """specs/tiktok.md 1: `ttq.page()` once for all pixels, without arguments."""
    assert calls(built("page_view"), ("C1", "C2")) == [[["ttq"], ["page", []]]]


def test_an_own_name_for_page_views_is_an_event() -> None:
    """DESIGN 5.2: a name of the site file's own is tracked under that name."""
    found = tiktok.calls(built("page_view"), "Browse", pixel("tiktok"), NOTHING)
    shared = {"event_id": "page_view_" + UUID}
    assert found == [[["ttq"], ["track", ["Browse", {}, shared]]]], found


def test_r61_the_content_id_is_the_first_items_and_a_text() -> None:
    """scalev R61, specs/tiktok.md 2: a text; a JSON number fails with code 40002."""
    event = built("view_cart", items=[cup(id=7), item()])
    found = tiktok.parameters(event)
    assert found["content_id"] == "7", found
    assert [row["content_id"] for row in found["contents"]] == ["7", "variant_a1"], found


def test_r11_each_id_is_loaded_once_and_only_by_one() -> None:
    """scalev R9-R11: `ttq.load(id)` for each ID, less those that the page has loaded."""
    for ours, theirs, expected in (
        (["C1", "C2"], [], ["C1", "C2"]),
        (["C1", "C2"], ["C2", "C9"], ["C1"]),
        (["C1"], ["C1"], []),
    ):
        found = tiktok.setup(pixel("tiktok", pixel_ids=ours), {"ids": theirs, "page_view": False})
        assert found == [[["ttq"], ["load", [one]]] for one in expected], (ours, theirs, found)


def test_others_pixels_do_not_get_our_events() -> None:
    """specs/tiktok.md 1: `ttq.instance(id)` for each of ours where the page has another's too."""
    heard = {"ids": ["C1", "C9"], "page_view": False}
    found = calls(built("page_view"), ("C1", "C2"), heard)
    assert found == [
        [["ttq"], ["instance", ["C1"]], ["page", []]],
        [["ttq"], ["instance", ["C2"]], ["page", []]],
    ], found
    found = calls(built("add_to_cart"), ("C1", "C2"), heard)
    track = ["track", ["AddToCart", SHIRTS, {"event_id": "add_to_cart_" + UUID}]]
    assert found == [
        [["ttq"], ["instance", ["C1"]], track],
        [["ttq"], ["instance", ["C2"]], track],
    ], found
