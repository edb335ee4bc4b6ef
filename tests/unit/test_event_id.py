"""Event IDs: one for each action, the same in every pixel call and server copy."""

from pixelmirror.anything import Any
from pixelmirror.event import build
from pixelmirror.event_id import LIMIT, event_id, is_order_event, sent_as, uuid7
from tests.unit.refused import refused
from tests.unit.samples import NOW_MS, UUID, built, item

SCALEV = "{order_id}-{event_name}-FORM"  # the default of `order_event_id` (DESIGN 5.2)
ALUSIO = "{order_id}"


def test_r48_an_interaction_gets_its_name_and_a_uuid() -> None:
    """scalev R48, R60: the ID of an interaction is `{event name}_{UUID}`."""
    assert event_id("add_to_cart", {}, UUID) == "add_to_cart_" + UUID
    assert event_id("quiz_done", {"id": "7"}, UUID) == "quiz_done_" + UUID
    assert event_id("begin_checkout", {"id": "ORD-77"}, UUID) == "begin_checkout_" + UUID


def test_r49_an_orders_id_is_the_same_on_retry_and_reload() -> None:
    """scalev R49: an order's event ID is made of the order's ID, never of chance or time."""
    for uuid in (UUID, "", "another"):
        assert event_id("purchase", {"id": "ORD-77"}, uuid) == "ORD-77-purchase"
        assert event_id("refund", {"id": "ORD-77"}, uuid) == "ORD-77-refund"


def test_a_partial_refund_is_an_event_of_its_own() -> None:
    """DESIGN 5.3: a refund with items may happen again; a purchase and a full refund may not.

    Nor may a subscription that came by an order (alusio L3).
    """
    for name, params, expected in (
        ("purchase", {"id": "A", "items": [item()]}, True),
        ("refund", {"id": "A"}, True),
        ("refund", {"id": "A", "items": []}, True),
        ("refund", {"id": "A", "items": [item()]}, False),
        ("begin_checkout", {"id": "A"}, False),
        ("page_view", {}, False),
        ("subscribe", {"id": "MBR-9"}, True),
        ("subscribe", {"subscription_id": "sub-9"}, False),
    ):
        found = is_order_event(name, params)
        assert found is expected, (name, params, found)


def test_r49_each_system_gets_the_orders_id_with_its_own_name() -> None:
    """scalev section 4: order ORD-77 is `ORD-77-Purchase-FORM` at Meta, Alusio's rule `ORD-77`."""
    purchase = built("purchase")
    for name, template, expected in (
        ("Purchase", SCALEV, "ORD-77-Purchase-FORM"),
        ("CompletePayment", SCALEV, "ORD-77-CompletePayment-FORM"),
        ("Purchase", ALUSIO, "ORD-77"),
        ("CompletePayment", ALUSIO, "ORD-77"),
        ("Purchase", "shop-{order_id}", "shop-ORD-77"),
    ):
        found = sent_as(purchase, name, template)
        assert found == expected, (name, template, found)


def test_r46_every_other_id_is_sent_as_it_is() -> None:
    """scalev R46: one ID for all systems, unless the event is an order's."""
    for event in (built("add_to_cart"), built("page_view"), built("begin_checkout", id="ORD-77")):
        for template in (SCALEV, ALUSIO):
            assert sent_as(event, "AnyName", template) == event["event_id"], event


def test_an_id_of_the_callers_own_is_sent_as_it_is() -> None:
    """DESIGN 5.4: an ID given by the caller is sent as it is, an order's too."""
    for own in ("ORD-77-Purchase-FORM", "mine", "ORD-78-purchase"):
        purchase = dict(built("purchase"), event_id=own)
        for template in (SCALEV, ALUSIO):
            assert sent_as(purchase, "Purchase", template) == own, (own, template)


def test_a_uuid_of_version_7_has_its_time_version_and_variant() -> None:
    """RFC 9562 section 5.7: 48 bits of milliseconds, version 7, variant 10, the rest chance."""
    for now_ms, chance, expected in (
        (
            0x017F22E279B0,
            bytes.fromhex("0cc3d8c4dc0c0c07398f"),
            "017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        ),
        (NOW_MS, bytes(10), "0199c82c-c000-7000-8000-000000000000"),
        (NOW_MS, bytes([255] * 10), "0199c82c-c000-7fff-bfff-ffffffffffff"),
        (2**48 - 1, bytes(10), "ffffffff-ffff-7000-8000-000000000000"),
    ):
        found = uuid7(now_ms, chance)
        assert found == expected, (now_ms, found)


def test_uuids_sort_by_their_time() -> None:
    """A UUID of a later millisecond sorts after an earlier one, whatever chance gave."""
    times: Any = (1, 999, NOW_MS, NOW_MS + 1, NOW_MS + 86400000)
    found = [uuid7(now_ms, bytes([255 - i] * 10)) for i, now_ms in enumerate(times)]
    assert sorted(found) == found, found


def test_an_event_id_is_no_longer_than_the_relay_takes() -> None:
    """What the relay would refuse reaches no pixel either."""
    context = {"site": {"currency": "IDR"}, "page": {}, "attribution": {}, "consent": {}}

    def bought(order_id: str, own: str | None = None) -> object:
        params = {"id": order_id, "value": 1, "items": [item()]}
        return build("purchase", params, UUID, NOW_MS, {"event_id": own}, context)

    assert bought("o" * (LIMIT - len("-purchase")))
    assert bought("1", "e" * LIMIT)
    assert refused(bought, "o" * LIMIT)[0] == "params.id"
    assert refused(bought, "1", "e" * (LIMIT + 1))[0] == "options.event_id"
