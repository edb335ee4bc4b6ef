"""Alhena's `trackAlhenaEvent`: cart and checkout (specs/alhena.md 1 and 4)."""

from pixelmirror.anything import Any
from pixelmirror.catalogue import EVENTS, own_name
from pixelmirror.pixels import alhena
from tests.unit.samples import built, cup, item, pixel

NOTHING: dict[str, Any] = {"ids": [], "page_view": False}


def calls(event: dict[str, Any]) -> list[Any]:
    name = own_name(event["event_name"], "alhena")
    assert name is not None
    return alhena.calls(event, name, pixel("alhena"), NOTHING)


def row(**fields: Any) -> dict[str, Any]:
    """What Alhena is told of one changed line of the cart."""
    shirts = {
        "type": "ITEM_ADDED",
        "productId": "p1",
        "productName": "Kaos",
        "value": 60000,
        "currency": "IDR",
        "quantity": 2,
    }
    return dict(shirts, **fields)


def test_a3_a_cart_event_is_one_call_for_each_item() -> None:
    """A2, A3, H7: `trackAlhenaEvent("sendCartEvent", data)`, one for each item, in order."""
    found = calls(built("add_to_cart", items=[item(), cup()]))
    second = row(productId="p2", productName="Cangkir", value=27000, quantity=1)
    assert found == [
        [["trackAlhenaEvent", ["sendCartEvent", row()]]],
        [["trackAlhenaEvent", ["sendCartEvent", second]]],
    ], found


def test_a5_type_and_quantity_are_those_after_the_action() -> None:
    """specs/alhena.md 1, A4, A5: the mapping rule; 0 for a full removal (H5)."""
    for event_name, quantity, in_cart, kind, after in (
        ("add_to_cart", 2, None, "ITEM_ADDED", 2),
        ("add_to_cart", 2, 2, "ITEM_ADDED", 2),
        ("add_to_cart", 2, 5, "QUANTITY_INCREASED", 5),
        ("remove_from_cart", 1, 3, "QUANTITY_DECREASED", 3),
        ("remove_from_cart", 1, 0, "ITEM_REMOVED", 0),
        ("remove_from_cart", 1, None, "ITEM_REMOVED", 0),
    ):
        fields = {"quantity": quantity}
        if in_cart is not None:
            fields["cart_quantity"] = in_cart
        [[[_, [method, found]]]] = calls(built(event_name, items=[item(**fields)]))
        assert method == "sendCartEvent"
        expected = row(type=kind, quantity=after)
        assert found == expected, (event_name, quantity, in_cart, found)


def test_h2_the_value_of_a_cart_event_is_one_piece_after_discount() -> None:
    """specs/alhena.md H2: the unit price after discounts, in the event's currency."""
    mug = {"id": 12, "name": "Green mug", "price": 9.99, "currency": "EUR"}
    [[[_, [_, found]]]] = calls(built("add_to_cart", items=[item(product=mug, discount=2.49)]))
    assert found == row(productId="12", productName="Green mug", value=7.5, currency="EUR"), found


def test_a3_a_purchase_is_one_checkout_event() -> None:
    """A8, H1, H3: the order's ID and what the buyer pays; a line's value is its total."""
    found = calls(built("purchase", items=[item(discount=5000), cup()], value=149000))
    assert found == [
        [
            [
                "trackAlhenaEvent",
                [
                    "sendCheckoutEvent",
                    {
                        "orderId": "ORD-77",
                        "value": 149000,
                        "currency": "IDR",
                        "lineItems": [
                            {
                                "productId": "p1",
                                "productName": "Kaos",
                                "quantity": 2,
                                "value": 110000,
                                "currency": "IDR",
                            },
                            {
                                "productId": "p2",
                                "productName": "Cangkir",
                                "quantity": 1,
                                "value": 27000,
                                "currency": "IDR",
                            },
                        ],
                    },
                ],
            ]
        ]
    ], found


def test_h1_sums_of_decimals_carry_no_noise() -> None:
    """A6: 0.3 less 0.1 is 0.2, not 0.19999999999999998."""
    sticker = {"id": "s", "name": "Sticker", "price": 0.3, "currency": "USD"}
    one = item(product=sticker, discount=0.1, quantity=3)
    [[[_, [_, found]]]] = calls(built("add_to_cart", items=[one]))
    assert repr(found["value"]) == "0.2", found
    [[[_, [_, found]]]] = calls(built("purchase", items=[one], value=0.6))
    assert repr(found["lineItems"][0]["value"]) == "0.6", found


def test_a6_ids_and_names_are_texts_and_amounts_numbers() -> None:
    """A6: no numeric texts, no text numbers, whatever the shop gave."""
    kaos = {"id": 5, "name": "Kaos", "price": "60000.00"}
    [[[_, [_, found]]]] = calls(
        built("add_to_cart", items=[item(id=9, product=kaos, quantity="2")])
    )
    assert found == row(productId="5"), found


def test_a9_the_companys_key_and_fingerprints_are_never_passed() -> None:
    """A9: the SDK adds them; they never appear in our call."""
    event = built("purchase")
    event["attribution"] = {"alhena_fingerprint": "0d2f", "alhena_faq_fingerprint": "7b1d"}
    event["user"] = {"email": "siti@example.com"}
    settings = pixel("alhena", company_key="acme")
    found = repr(alhena.calls(event, "sendCheckoutEvent", settings, NOTHING))
    for secret in ("acme", "0d2f", "7b1d", "siti", "ingerprint", "company"):
        assert secret not in found, secret


def test_alhena_hears_of_carts_and_purchases_only() -> None:
    """specs/alhena.md 1: there are two events, and nothing to set up: the shop installs the SDK."""
    known = sorted([name for name in EVENTS if own_name(name, "alhena")])
    assert known == ["add_to_cart", "purchase", "remove_from_cart"]
    assert alhena.setup(pixel("alhena"), NOTHING) == []
