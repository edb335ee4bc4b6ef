"""Scalev's bodies as our events: names, IDs, users, and what is wrong with a body."""

from __future__ import annotations

from typing import Any

import pytest

from pixelmirror.catalogue import EVENTS, own_name
from pixelmirror.event_id import sent_as
from relay.refusals import Refusal
from relay.site import PROVIDER_KINDS, Provider
from relay.storefront_body import SHAPES, names_of
from tests.relay.relay_stage import NOW
from tests.relay.sandbox_client import GONE, changed
from tests.relay.storefront_bodies import (
    META,
    SAMPLES,
    SNACKVIDEO,
    TIKTOK,
    order_created,
)
from tests.relay.storefront_events import CONSENT, TOKO, event, found, told
from tests.relay.storefront_shop import PIXELS, SCALEV, shop

# --- 002's samples ---


def test_the_sample_for_meta_is_an_event_of_ours() -> None:
    """Every field where ours has its place; the price is the value of its one piece."""
    assert event("meta", META) == {
        "event_id": "add_to_cart_123",
        "event_name": "add_to_cart",
        "event_time": NOW,
        "page": {"url": META["event_source_url"], "referrer": "https://facebook.com/"},
        "params": {
            "value": 150000,
            "currency": "IDR",
            "items": [
                {
                    "id": "variant_xxx",
                    "kind": "variant",
                    "quantity": 1,
                    "product": {"id": "variant_xxx", "name": "variant_xxx", "price": 150000},
                }
            ],
        },
        "user": {
            "country": "id",
            "email": "buyer@example.com",
            "phone": "628123456789",
            "id": "customer_123",
        },
        "attribution": {
            "fbc": "fb.1.1710000000000.fbclid",
            "fbp": "fb.1.1710000000000.1234567890",
        },
        "consent": CONSENT,
    }


def test_the_sample_for_tiktok_is_the_same_event_with_tiktoks_ids() -> None:
    """What is for TikTok alone comes on its route alone."""
    of_tiktok, of_meta = event("tiktok", TIKTOK), event("meta", META)
    assert of_tiktok.pop("attribution") == {"ttclid": "ttclid_value", "ttp": "ttp_cookie_value"}
    assert of_tiktok.pop("page")["referrer"] == "https://tiktok.com/"
    assert of_tiktok.pop("user") == {
        "email": "buyer@example.com",
        "phone": "628123456789",
        "id": "customer_123",
    }
    assert of_tiktok.items() <= of_meta.items()


def test_the_sample_for_snackvideo_has_a_click_id_and_no_user() -> None:
    """The name of its product is told."""
    of_snackvideo = event("snackvideo", SNACKVIDEO)
    assert of_snackvideo["attribution"] == {"kwai_click_id": "snackvideo_click_id"}
    assert of_snackvideo["user"] == {}
    (item,) = of_snackvideo["params"]["items"]
    assert item["product"] == {"id": "variant_xxx", "name": "Black T-Shirt", "price": 150000}


# --- event names ---


@pytest.mark.parametrize("system", SHAPES)
def test_every_name_of_the_catalogue_is_taken_back_to_its_event(system: Provider) -> None:
    """R47: what goes out again bears the name that came in."""
    names = names_of(TOKO, system)
    kind = PROVIDER_KINDS[system]
    known = {own_name(name, kind): name for name in EVENTS if own_name(name, kind)}
    assert names == known


@pytest.mark.parametrize(
    ("tables", "names"),
    [
        (
            {"tiktok": {**PIXELS["tiktok"], "event_names": {"purchase": "PlaceAnOrder"}}},
            {"PlaceAnOrder": "purchase", "CompletePayment": None},
        ),
        (
            {"tiktok": {**PIXELS["tiktok"], "mode": "browser", "event_names": {"login": "In"}}},
            {"In": "login", "Login": None, "CompletePayment": "purchase"},
        ),
        (
            {"scalev": {**SCALEV["scalev"], "event_names": {"tiktok": {"purchase": "Paid"}}}},
            {"Paid": "purchase", "CompletePayment": None},
        ),
        (
            {"scalev": {**SCALEV["scalev"], "event_names": {"meta": {"purchase": "Paid"}}}},
            {"Paid": None, "CompletePayment": "purchase"},
        ),
        (
            {"tiktok": {**PIXELS["tiktok"], "event_names": {"view_cart": "ViewContent"}}},
            {"ViewContent": "view_item", "ViewCart": None},
        ),
    ],
    ids=["own", "of the pixel alone", "scalev's", "another provider's", "another event's too"],
)
def test_the_sites_own_names_go_first(tables: dict[str, Any], names: dict[str, str | None]) -> None:
    """A renamed event is known by its own name only, as it would go out under that."""
    known = names_of(shop(tables), "tiktok")
    assert {name: known.get(name) for name in names} == names


@pytest.mark.parametrize("system", SHAPES)
def test_a_custom_event_of_the_site_keeps_its_name(system: Provider) -> None:
    """SnackVideo's are all the store's own (R33)."""
    assert names_of(shop(custom_events=["quiz_done"]), system)["quiz_done"] == "quiz_done"


@pytest.mark.parametrize(
    ("system", "field", "name", "near"),
    [
        ("meta", "event_name", "AddToCard", "AddToCart"),
        ("tiktok", "event", "CompletePayments", "CompletePayment"),
        ("snackvideo", "event_name", "AddToCart", "addToCart"),
        ("meta", "event_name", "add_to_cart", "AddToCart"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(
    system: Provider, field: str, name: str, near: str
) -> None:
    """The field is that of their body."""
    with pytest.raises(Refusal) as caught:
        found(system, changed(SAMPLES[system], f"events.0.{field}", name))
    assert caught.value.field == f"events[0].{field}"
    assert caught.value.message.startswith(f"unknown event '{name}', did you mean '{near}'?")
    assert "custom_events" in caught.value.message


# --- event IDs and order IDs ---

SCALEVS = "{order_id}-{event_name}-FORM"


@pytest.mark.parametrize(
    ("rule", "event_id", "data", "order_id"),
    [
        (SCALEVS, "ORD-77-Purchase-FORM", {}, "ORD-77"),
        ("{order_id}", "ORD-77-Purchase-FORM", {}, "ORD-77"),
        ("{order_id}", "ORD-77", {}, "ORD-77"),
        ("S:{order_id}:{event_name}", "S:ORD-77:Purchase", {}, "ORD-77"),
        ("S:{order_id}:{event_name}", "ORD-77-Purchase-FORM", {}, "ORD-77"),
        (SCALEVS, "-Purchase-FORM", {}, "-Purchase-FORM"),
        (SCALEVS, "ORD-77-CompletePayment-FORM", {}, "ORD-77-CompletePayment-FORM"),
        (SCALEVS, "evt_1", {"order_id": "ORD-77"}, "ORD-77"),
        (SCALEVS, "evt_1", {"order_id": 77}, "77"),
        (SCALEVS, "ORD-77-purchase", {"order_id": "ORD-77"}, "ORD-77-purchase"),
    ],
)
def test_an_orders_id_is_found_and_its_event_id_left_alone(
    rule: str, event_id: str, data: dict[str, Any], order_id: str
) -> None:
    """DESIGN 5.4: an ID given by the caller is sent as it is, whatever the site's rule."""
    site = shop(order_event_id=rule)
    one = told("Purchase", {"value": 1000, **data}, event_id=event_id, site=site)
    assert (one["event_id"], one["params"]["id"]) == (event_id, order_id)
    assert sent_as(one, "Purchase", rule) == event_id


@pytest.mark.parametrize("name", ["ViewContent", "AddToCart", "Search"])
def test_only_what_has_an_order_gets_its_id(name: str) -> None:
    """The catalogue says which events take an ID."""
    assert "id" not in told(name, {"order_id": "ORD-77"})["params"]


def test_a_checkout_may_tell_its_order() -> None:
    assert told("InitiateCheckout", {"order_id": "ORD-77"})["params"]["id"] == "ORD-77"


def test_r50_a_snackvideo_order_has_our_id_where_its_own_is_told() -> None:
    """The same on a repeat of the request, so it is stored once."""
    body = changed(order_created()["snackvideo"], "events.0.properties.order_id", "ORD-77")
    assert [event("snackvideo", body)["event_id"] for _ in range(2)] == ["ORD-77-purchase"] * 2


def test_r50_other_snackvideo_events_have_a_new_id_each() -> None:
    """Nothing in a body tells a repeat from a second action."""
    ids = {event("snackvideo", SNACKVIDEO)["event_id"] for _ in range(9)}
    assert len(ids) == 9
    assert all(one.startswith("add_to_cart_") for one in ids)


def test_an_order_that_nobody_names_goes_by_its_event_id() -> None:
    """002 tells SnackVideo no order ID."""
    one = event("snackvideo", order_created()["snackvideo"])
    assert one["params"]["id"] == one["event_id"]
    assert one["event_id"].startswith("purchase_")


# --- the shopper ---


def test_everything_meta_is_told_of_the_shopper_has_its_place() -> None:
    """R53; `location_id` is Scalev's own and stays behind."""
    user = order_created()["meta"]["user_data"] | {"location_id": 17}
    assert event("meta", {**META, "user_data": user})["user"] == {
        "country": "id",
        "email": "siti@example.com",
        "phone": "081234567890",
        "firstname": "Siti",
        "lastname": "Rahma",
        "city": "Bandung",
        "state": "Jawa Barat",
        "id": "C-77",
    }


@pytest.mark.parametrize("value", ["siti", "", None, "a@b@c"])
def test_what_a_shopper_mistyped_is_left_out(value: object) -> None:
    """Scalev would take it, and the order counts more (D6)."""
    user = event("meta", changed(META, "user_data.em", value))["user"]
    assert "email" not in user
    assert user["phone"] == "628123456789"


@pytest.mark.parametrize("value", ["", None])
def test_an_empty_referrer_is_an_absent_one(value: object) -> None:
    """As `document.referrer` has it (R51)."""
    assert "referrer" not in event("meta", {**META, "referrer_url": value})["page"]


def test_a_referrer_may_be_any_uri() -> None:
    """Android's apps are such."""
    referrer = "android-app://com.google.android.gm"
    assert event("meta", {**META, "referrer_url": referrer})["page"]["referrer"] == referrer


# --- what is wrong ---

WRONG: list[tuple[Provider, str, Any, str]] = [
    ("meta", "user_data", GONE, "user_data"),
    ("meta", "user_data", "siti", "user_data"),
    ("meta", "user_data.em", 5, "user_data.em"),
    ("meta", "user_data.fbc", ["x"], "user_data.fbc"),
    ("meta", "user_data.fbp", "x" * 8193, "user_data.fbp"),
    ("meta", "user_data.location_id", "Bandung", "user_data.location_id"),
    ("meta", "events", GONE, "events"),
    ("meta", "events", [], "events"),
    ("meta", "events", {}, "events"),
    ("meta", "events.0", "AddToCart", "events[0]"),
    ("meta", "events.0.event_id", GONE, "events[0].event_id"),
    ("meta", "events.0.event_id", 7, "events[0].event_id"),
    ("meta", "events.0.event_id", "x" * 201, "events[0].event_id"),
    ("meta", "events.0.event_id", "a\nb", "events[0].event_id"),
    ("meta", "events.0.event_name", GONE, "events[0].event_name"),
    ("meta", "events.0.event_name", 7, "events[0].event_name"),
    ("meta", "events.0.event", "AddToCart", "events[0].event"),
    ("meta", "events.0.event_time", NOW, "events[0].event_time"),
    ("meta", "events.0.parameters", [], "events[0].parameters"),
    ("meta", "events.0.parameters.value", "Rp 150.000", "events[0].parameters.value"),
    ("meta", "events.0.parameters.value", -1, "events[0].parameters.value"),
    ("meta", "events.0.parameters.currency", "rupiah", "events[0].parameters.currency"),
    ("meta", "events.0.parameters.content_ids", "variant_xxx", "events[0].parameters.content_ids"),
    ("meta", "events.0.parameters.content_ids", [{}], "events[0].parameters.content_ids[0]"),
    ("meta", "events.0.parameters.content_ids", ["x"] * 501, "events[0].parameters.content_ids"),
    ("meta", "events.0.parameters.contents", {}, "events[0].parameters.contents"),
    ("meta", "events.0.parameters.contents", ["x"], "events[0].parameters.contents[0]"),
    (
        "meta",
        "events.0.parameters.contents",
        [{"id": "variant_xxx", "quantity": 0}],
        "events[0].parameters.contents[0].quantity",
    ),
    ("meta", "event_source_url", "toko", "event_source_url"),
    ("meta", "referrer_url", 5, "referrer_url"),
    ("meta", "variants", {}, "variants"),
    ("meta", "variants.0", "variant_xxx", "variants[0]"),
    ("meta", "variants.0.quantity", 0, "variants[0].quantity"),
    ("meta", "variants.0.quantity", "1", "variants[0].quantity"),
    ("meta", "variants.0.quantity", True, "variants[0].quantity"),
    ("meta", "variants.0.quantity", GONE, "variants[0].quantity"),
    ("meta", "variants.0.variant_unique_id", GONE, "variants[0].variant_unique_id"),
    ("meta", "variants.0.price", 5, "variants[0].price"),
    ("meta", "bundle_price_options", [{"id": 1}], "bundle_price_options[0].id"),
    ("tiktok", "user", GONE, "user"),
    ("tiktok", "user.ttclid", 5, "user.ttclid"),
    ("tiktok", "user.user_agent", 5, "user.user_agent"),
    ("tiktok", "event_source_url", GONE, "event_source_url"),
    ("tiktok", "event_source_url", "", "event_source_url"),
    ("tiktok", "events.0.event", GONE, "events[0].event"),
    ("tiktok", "events.0.event_name", "AddToCart", "events[0].event_name"),
    ("tiktok", "events.0.event_id", "", "events[0].event_id"),
    ("snackvideo", "click_id", GONE, "click_id"),
    ("snackvideo", "click_id", "", "click_id"),
    ("snackvideo", "click_id", 5, "click_id"),
    ("snackvideo", "events.0.event_id", "x", "events[0].event_id"),
    ("snackvideo", "events.0.event_name", GONE, "events[0].event_name"),
    ("snackvideo", "events.0.properties.value", 1500.5, "events[0].properties.value"),
    ("snackvideo", "events.0.properties.price", "9.5", "events[0].properties.price"),
    ("snackvideo", "events.0.properties.quantity", 1.5, "events[0].properties.quantity"),
]


@pytest.mark.parametrize(("system", "where", "value", "field"), WRONG)
def test_a_wrong_field_is_named_by_its_path_in_their_body(
    system: Provider, where: str, value: Any, field: str
) -> None:
    """Section 2: what each body requires, and no unknown keys within an event or an item row."""
    with pytest.raises(Refusal) as caught:
        found(system, changed(SAMPLES[system], where, value))
    assert (caught.value.code, caught.value.field) == ("invalid_event", field)
    assert caught.value.message


@pytest.mark.parametrize("system", SHAPES)
def test_unknown_keys_elsewhere_are_tolerated(system: Provider) -> None:
    """Section 2: at the top level, of the user, among the parameters."""
    shape = SHAPES[system]
    body = {**SAMPLES[system], "page_id": 7}
    body = changed(body, f"events.0.{shape.data_key}.own", {"x": [1]})
    if shape.user_key:
        body = changed(body, f"{shape.user_key}.own", 1)
    plain, with_more = event(system, SAMPLES[system]), event(system, body)
    assert {**with_more, "event_id": plain["event_id"]} == plain


def test_the_second_event_is_named_as_the_second() -> None:
    body = {**META, "events": [META["events"][0], {"event_id": "x", "event_name": "Buy"}]}
    with pytest.raises(Refusal) as caught:
        found("meta", body)
    assert caught.value.field == "events[1].event_name"


def test_no_error_repeats_what_a_shopper_told() -> None:
    """Refusals are answered and may be logged by whoever asks."""
    with pytest.raises(Refusal) as caught:
        found("meta", changed(META, "user_data.em", ["siti@example.com"]))
    assert "siti" not in caught.value.message
