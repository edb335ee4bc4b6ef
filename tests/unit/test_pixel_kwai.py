"""Kwai's and SnackVideo's pixel: the exact calls of `kwaiq` (specs/kwai.md 1-2, scalev R44, D5)."""

from pixelmirror.anything import Any
from pixelmirror.catalogue import own_name
from pixelmirror.pixels import kwai
from tests.unit.samples import built, cup, item, pixel

NOTHING: dict[str, Any] = {"ids": [], "page_view": False}

SHIRTS = {
    "content_type": "product",
    "content_name": "Kaos",
    "quantity": 2,
    "price": 60000,
    "value": 120000,
    "currency": "IDR",
}
ORDER = {"content_type": "product", "quantity": 3, "value": 147000, "currency": "IDR"}

# Event -> Kwai's name and properties; the page view is a call of its own.
CALLS: Any = (
    ("search", "search", {"query": "kaos"}),
    ("view_item", "contentView", SHIRTS),
    ("add_to_wishlist", "addToWishlist", SHIRTS),
    ("add_to_cart", "addToCart", SHIRTS),
    ("begin_checkout", "initiatedCheckout", SHIRTS),
    ("add_payment_info", "addPaymentInfo", {}),
    ("purchase", "purchase", ORDER),
    ("generate_lead", "formSubmit", {}),
    ("sign_up", "completeRegistration", {}),
    ("subscribe", "subscribe", {"value": 99000, "currency": "IDR"}),
)


def calls(event: dict[str, Any], ours: Any = ("K1",), heard: Any = None) -> list[Any]:
    name = own_name(event["event_name"], "kwai")
    assert name is not None
    return kwai.calls(event, name, pixel("kwai", pixel_ids=list(ours)), heard or NOTHING)


def test_r44_each_event_is_one_call_for_each_pixel() -> None:
    """scalev R44, R50, section 1: `kwaiq.instance(id).track(name, properties)`, no event ID."""
    for event_name, name, properties in CALLS:
        found = calls(built(event_name), ("K1", "K2"))
        expected = [
            [["kwaiq"], ["instance", ["K1"]], ["track", [name, properties]]],
            [["kwaiq"], ["instance", ["K2"]], ["track", [name, properties]]],
        ]
        assert found == expected, (event_name, found, expected)


def test_r11_a_page_view_is_the_page_call() -> None:
    """scalev section 1: `kwaiq.page()` once, after all IDs are loaded."""
    assert calls(built("page_view"), ("K1", "K2")) == [[["kwaiq"], ["page", []]]]


def test_d5_quantity_is_pieces_and_price_one_pieces() -> None:
    """scalev D5: `quantity` is pieces in total, `price` one piece's, left out for several items."""
    for items, quantity, price in (
        ([item()], 2, 60000),
        ([item(quantity=5)], 5, 60000),
        ([item(), cup()], 3, None),
    ):
        found = kwai.properties(built("add_to_cart", items=items))
        assert (found["quantity"], found.get("price")) == (quantity, price), (items, found)


def test_category_is_that_of_the_only_item() -> None:
    """scalev R44: `content_name` and `content_category` where the event is about one item."""
    found = kwai.properties(built("view_item", items=[cup()]))
    assert (found["content_name"], found["content_category"]) == ("Cangkir", "Rumah"), found


def test_r11_each_id_is_loaded_once_and_only_by_one() -> None:
    """scalev R9-R11: `kwaiq.load(id)` for each ID, less those that the page has loaded."""
    for ours, theirs, expected in (
        (["K1", "K2"], [], ["K1", "K2"]),
        (["K1", "K2"], ["K2", "K9"], ["K1"]),
    ):
        found = kwai.setup(pixel("kwai", pixel_ids=ours), {"ids": theirs, "page_view": False})
        assert found == [[["kwaiq"], ["load", [one]]] for one in expected], (ours, theirs, found)


def test_r33_an_own_name_is_forwarded_unchanged() -> None:
    """scalev R33: names set by the store are used as they are."""
    found = kwai.calls(built("purchase"), "placeOrder", pixel("kwai"), NOTHING)
    assert found[0][2] == ["track", ["placeOrder", ORDER]], found
