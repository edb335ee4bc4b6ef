"""Commanders Act's `cact`: the exact `trigger` of each event (specs/commanders-act.md 1 and 2)."""

from pixelmirror.anything import Any
from pixelmirror.catalogue import EVENTS, own_name
from pixelmirror.pixels import commanders_act
from tests.unit.samples import UUID, built, cup, item, params, pixel

NOTHING: dict[str, Any] = {"ids": [], "page_view": False}


def trigger(event: dict[str, Any], **settings: Any) -> Any:
    """The arguments of the one call: `["trigger", name, data, config]`."""
    name = own_name(event["event_name"], "commanders_act")
    assert name is not None
    [[[called, words]]] = commanders_act.calls(
        event, name, pixel("commanders_act", **settings), NOTHING
    )
    assert called == "cact"
    return words


def test_each_event_is_one_trigger_under_our_own_name() -> None:
    """commanders-act 1, 2, C18: `cact("trigger", name, data, config)`, data from the params."""
    for event_name in sorted(EVENTS):
        event = built(event_name)
        verb, name, data, config = trigger(event)
        assert (verb, name) == ("trigger", event_name)
        assert data.pop("integrations")["facebook"]["event_id"], event_name
        assert data == event["params"], (event_name, data)
        is_order = event_name in ("purchase", "refund")
        shared = "ORD-77-" + event_name + "-FORM" if is_order else event["event_id"]
        assert config == {"siteId": "3311", "eventId": shared}, (event_name, config)


def test_metas_id_goes_along() -> None:
    """specs/commanders-act.md 1: `integrations.facebook.event_id` is the ID of the page's `fbq`."""
    for event_name, expected in (
        ("add_to_cart", "add_to_cart_" + UUID),
        ("purchase", "ORD-77-Purchase-FORM"),
        ("quiz_done", "quiz_done_" + UUID),
    ):
        _, _, data, _ = trigger(built(event_name))
        assert data["integrations"] == {"facebook": {"event_id": expected}}, (event_name, data)
    _, _, data, _ = trigger(built("purchase"), meta_event_names={"purchase": "Buy"})
    assert data["integrations"] == {"facebook": {"event_id": "ORD-77-Buy-FORM"}}, data
    purchase = dict(built("purchase"), event_id="mine")
    _, _, data, config = trigger(purchase)
    assert data["integrations"] == {"facebook": {"event_id": "mine"}}, data
    assert config["eventId"] == "mine"


def test_the_source_key_goes_along_where_there_is_one() -> None:
    """specs/commanders-act.md 1: `sourceKey` is for pages without a web container."""
    assert trigger(built("page_view"), source_key="sk_1")[3]["sourceKey"] == "sk_1"
    assert "sourceKey" not in trigger(built("page_view"))[3]


def test_a_purchase_has_the_documented_shape() -> None:
    """specs/commanders-act.md 2: ID, amounts, type, payment method, status, and Items."""
    _, _, data, _ = trigger(built("purchase", shipping_amount=12000, items=[item(), cup()]))
    data.pop("integrations")
    assert data == {
        "id": "ORD-77",
        "value": 147000,
        "revenue": 135000,
        "shipping_amount": 12000,
        "currency": "IDR",
        "type": "online",
        "payment_method": "other",
        "status": "in_progress",
        "items": params("purchase")["items"],
    }, data


def test_keys_that_only_we_know_stay_with_us() -> None:
    """specs/commanders-act.md 2: an Item has no `kind` and no `cart_quantity`."""
    event = built("add_to_cart", items=[item(kind="variant", cart_quantity=5, coupon="LEBARAN")])
    _, _, data, _ = trigger(event)
    assert data["items"] == [item(coupon="LEBARAN")], data
    assert "kind" in event["params"]["items"][0], "the event itself is left as it is"
    _, _, data, _ = trigger(built("purchase", is_probably_spam=False))
    assert "is_probably_spam" not in data, data


def test_user_and_consent_go_along() -> None:
    """specs/commanders-act.md 2: User, with the categories that were consented to and no others."""
    told = {"id": "C-77", "email": "siti@example.com"}
    for user, consent, expected in (
        ({}, {"status": "granted"}, None),
        (told, {"status": "granted"}, told),
        ({}, {"status": "granted", "categories": ["1"]}, {"consent_categories": ["1"]}),
        (
            told,
            {"status": "granted", "categories": ["1", "3"]},
            dict(told, consent_categories=["1", "3"]),
        ),
    ):
        event = dict(built("page_view"), user=user, consent=consent)
        _, _, data, _ = trigger(event)
        assert data.get("user") == expected, (user, consent, data)
    assert told == {"id": "C-77", "email": "siti@example.com"}, "the user was changed"


def test_there_is_nothing_to_set_up() -> None:
    """specs/commanders-act.md 1: site, source key and ID travel with each `trigger`."""
    assert commanders_act.setup(pixel("commanders_act"), NOTHING) == []
