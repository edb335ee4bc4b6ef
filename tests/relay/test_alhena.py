"""Alhena: the requests to its cart and checkout APIs, and what its answers mean (alhena.md)."""

from typing import Any

import pytest

from pixelmirror.pixels import alhena as pixel
from relay.destinations import Answer, TakesItems
from relay.site import SiteError
from tests.relay import shop
from tests.relay.alhena_shop import (
    COMPANY_KEY,
    FAQ_FINGERPRINT,
    FINGERPRINT,
    PRINTS,
    TABLE,
    WHO,
    alhena,
    body_of,
    event,
    mug,
    request_of,
)
from tests.relay.round_trip import BASE_URL, NOW, round_trip

ADDED = event("add_to_cart", {"items": [mug()]})
REMOVED = event("remove_from_cart", {"items": [mug()]})
ORDER = {"id": "A-1", "value": 30, "items": [mug(quantity=3), mug(quantity=1, discount=1.5)]}
PURCHASE = event("purchase", ORDER)
CART = "https://app.alhena.ai/analytics/cart_events"
CHECKOUT = "https://app.alhena.ai/analytics/checkout_events"


# --- requests (section 2) ---


@pytest.mark.parametrize(("told", "url"), [(ADDED, CART), (REMOVED, CART), (PURCHASE, CHECKOUT)])
def test_a3_each_method_has_its_path(told: Any, url: str) -> None:
    """A3: what the page calls `sendCartEvent` and `sendCheckoutEvent` are two paths here."""
    request = request_of(told)
    assert (request.method, request.url) == ("POST", url)
    assert request.headers == {"Content-Type": "application/json", "Accept": "application/json"}


def test_the_region_is_the_site_files() -> None:
    """Section 2, base: the EU's organisations have a host of their own."""
    url = request_of(ADDED, base_url="https://eu.alhena.ai").url
    assert url == "https://eu.alhena.ai/analytics/cart_events"


def test_a10_the_cart_body() -> None:
    """A10: snake_case, the company key and both fingerprints, section 2's sample."""
    assert body_of(ADDED) == {
        **WHO,
        "type": "ITEM_ADDED",
        "product_id": "P-12",
        "product_name": "Green mug",
        "value": 7.5,
        "currency": "EUR",
        "quantity": 1,
    }


def test_a7_a10_the_checkout_body() -> None:
    """A7, A10, H1: snake_case to the depth of the lines, each complete, its value its total."""
    line = {"product_id": "P-12", "product_name": "Green mug", "currency": "EUR"}
    assert body_of(PURCHASE) == {
        **WHO,
        "order_id": "A-1",
        "value": 30,
        "currency": "EUR",
        "line_items": [
            {**line, "quantity": 3, "value": 22.5},
            {**line, "quantity": 1, "value": 6.0},
        ],
    }


CHANGES = [
    ("add_to_cart", {"quantity": 2}, "ITEM_ADDED", 2),
    ("add_to_cart", {"quantity": 2, "cart_quantity": 2}, "ITEM_ADDED", 2),
    ("add_to_cart", {"quantity": 1, "cart_quantity": 3}, "QUANTITY_INCREASED", 3),
    ("remove_from_cart", {"quantity": 1, "cart_quantity": 2}, "QUANTITY_DECREASED", 2),
    ("remove_from_cart", {"quantity": 2, "cart_quantity": 0}, "ITEM_REMOVED", 0),
    ("remove_from_cart", {"quantity": 2}, "ITEM_REMOVED", 0),
]


@pytest.mark.parametrize(("name", "change", "kind", "after"), CHANGES)
def test_a4_a5_the_type_and_the_quantity_after_the_action(
    name: str, change: dict[str, int], kind: str, after: int
) -> None:
    """A4, A5: one of four types by what became of the cart, 0 for a full removal."""
    body = body_of(event(name, {"items": [mug(**change)]}))
    assert (body["type"], body["quantity"]) == (kind, after)


def test_a6_numbers_are_numbers_and_ids_are_texts() -> None:
    """A6: also where the shop told them the other way round."""
    odd = {"id": 12, "quantity": "2", "product": {"id": 12, "name": "Mug", "price": "7.50"}}
    body = body_of(event("add_to_cart", {"items": [odd]}))
    assert [body[key] for key in ("product_id", "value", "quantity")] == ["12", 7.5, 2]
    assert [type(body[key]) for key in ("value", "quantity")] == [float, int]


def test_h2_the_value_of_a_cart_event_is_the_price_after_discount() -> None:
    """H2: of one piece."""
    body = body_of(event("add_to_cart", {"items": [mug(quantity=4, discount=1.5)]}))
    assert body["value"] == 6.0


LAMP = {"id": "sku-7", "quantity": 1, "product": {"id": "P-7", "name": "Lamp", "price": 20}}

PARTS: list[tuple[str, dict[str, Any], list[list[str]]]] = [
    ("add_to_cart", {"items": [mug(), LAMP]}, [["sku-12"], ["sku-7"]]),
    ("remove_from_cart", {"items": [LAMP, mug(), mug()]}, [["sku-7"], ["sku-12"], ["sku-12"]]),
    ("add_to_cart", {"items": [LAMP]}, [["sku-7"]]),
    ("purchase", {**ORDER, "items": [mug(), LAMP]}, [["sku-12", "sku-7"]]),
]


@pytest.mark.parametrize(("name", "params", "items"), PARTS)
def test_a_cart_event_of_several_items_is_a_request_for_each(
    name: str, params: dict[str, Any], items: list[list[str]]
) -> None:
    """Sections 1 and 2: a cart event is about one product, a checkout lists its lines."""
    destination = alhena()
    assert isinstance(destination, TakesItems)
    parts = destination.parts(event(name, params))
    assert [[item["id"] for item in part["params"]["items"]] for part in parts] == items
    assert len(destination.requests(parts)) == len(items)


def test_a_part_says_of_its_item_what_the_pages_call_says() -> None:
    """A5, H2: the whole event's value is none of its own."""
    added = event("add_to_cart", {"items": [mug(cart_quantity=3), LAMP]})
    destination = alhena()
    assert isinstance(destination, TakesItems)
    first, second = (body_of(part) for part in destination.parts(added))
    assert (first["type"], first["value"], first["quantity"]) == ("QUANTITY_INCREASED", 7.5, 3)
    assert (second["type"], second["value"], second["quantity"]) == ("ITEM_ADDED", 20, 1)


def test_a8_an_order_id_is_there_or_is_not() -> None:
    """A8, H4: a cart event has none; a purchase always has, being no event without one."""
    assert "order_id" not in body_of(ADDED)
    assert body_of(PURCHASE)["order_id"] == "A-1"


def test_a9_who_it_was_is_told_by_the_relay_alone() -> None:
    """A9: the page's call, of which the body is made, has neither company key nor fingerprints."""
    for told in (ADDED, PURCHASE):
        [[[_, arguments]]] = pixel.calls(dict(told), "sendCartEvent", {}, {})
        private = (COMPANY_KEY, FINGERPRINT, FAQ_FINGERPRINT)
        assert not [each for each in private if each in str(arguments)]


def test_h8_the_company_key_is_never_taken_from_the_browser() -> None:
    """H8: whatever a page tells of itself, the site file's key goes out."""
    foreign = {"company_key": "other", "user_fingerprint": "other"}
    told = event("purchase", {**ORDER, **foreign}, user={"id": "other"})
    assert body_of(told) == body_of(PURCHASE)


def test_no_personal_data_is_sent() -> None:
    """Section 2: there are no such fields; the page, the address and the user stay here."""
    request = request_of(event("purchase", ORDER, user=shop.USER))
    told = f"{request.url} {dict(request.headers)} {request.body.decode()}"
    for private in (*shop.USER.values(), *shop.CLIENT.values(), shop.URL):
        assert private not in told


# --- what is skipped ---

NO_PRINTS = "no Alhena fingerprints of the visitor"
OTHERS = [("page_view", None), ("view_item", {"items": [mug()]}), ("view_cart", {"items": [mug()]})]


@pytest.mark.parametrize(
    "prints",
    [
        {},
        {"alhena_fingerprint": FINGERPRINT},
        {"alhena_faq_fingerprint": FAQ_FINGERPRINT},
        {**PRINTS, "alhena_fingerprint": ""},
    ],
)
def test_a11_without_fingerprints_there_is_no_request(prints: dict[str, str]) -> None:
    """A11: both are needed, for cart and checkout alike."""
    for name, params in (("add_to_cart", {"items": [mug()]}), ("purchase", ORDER)):
        assert alhena().skips(event(name, params, attribution=prints)) == NO_PRINTS


def test_what_is_taken() -> None:
    """Section 2: cart and checkout."""
    assert [alhena().skips(each) for each in (ADDED, REMOVED, PURCHASE)] == [None] * 3


SKIPPED = [
    *[({}, event(name, params), f"Alhena takes no {name}") for name, params in OTHERS],
    (
        {"event_names": {"quiz_done": "sendCartEvent"}},
        event("quiz_done", {"items": [mug()]}, custom_events=("quiz_done",)),
        "Alhena takes no quiz_done",
    ),
    ({"company_key": ""}, ADDED, "not configured: no company_key"),
    ({"events": ["purchase"]}, ADDED, "not among the events set for this destination"),
    ({}, event("purchase", {**ORDER, "is_probably_spam": True}), "probably spam"),
]


@pytest.mark.parametrize(("table", "told", "reason"), SKIPPED)
def test_what_is_skipped(table: dict[str, Any], told: Any, reason: str) -> None:
    """DESIGN 5.4: what goes nowhere says why."""
    assert alhena(**table).skips(told) == reason


def test_a12_one_cart_action_is_one_record() -> None:
    """A12: the page or the relay sends it, never both; of a checkout, section 3 allows both."""
    for events in ({}, {"events": ["add_to_cart"]}, {"events": ["purchase", "add_to_cart"]}):
        with pytest.raises(SiteError, match="mode"):
            shop.site({"alhena": {**TABLE, **events, "mode": "both"}})
    both = shop.site({"alhena": {**TABLE, "mode": "both", "events": ["purchase"]}})
    assert both.destinations["alhena"].has_pixel
    destination = alhena(mode="both", events=["purchase"])
    assert [destination.skips(one) is None for one in (ADDED, PURCHASE)] == [False, True]
    assert not shop.site({"alhena": TABLE}).destinations["alhena"].has_pixel


# --- repeats and age ---


def test_only_an_order_id_makes_a_repeat_harmless() -> None:
    """Section 2: a cart event that arrives twice counts twice; no event ID is known."""
    requests = alhena().requests([ADDED, PURCHASE, REMOVED])
    assert [list(request.events) for request in requests] == [[ADDED], [PURCHASE], [REMOVED]]
    assert [request.repeatable for request in requests] == [False, True, False]
    assert alhena().batch == 1
    assert alhena().sent_as(PURCHASE) is None


def test_what_is_late_is_not_sent() -> None:
    """Section 2: Alhena takes no time, so what comes a day late would count for the wrong day."""
    assert alhena().max_age_s == 86_400


# --- answers ---

TWICE = "; it may have arrived, and a repeat would count twice"

# Answer; what it means for a checkout, for a cart event; the reason, which the latter may explain.
ANSWERS: list[tuple[Answer, str, str, str]] = [
    (Answer(200, b'{"status": "success"}'), "done", "done", ""),
    (Answer(201), "done", "done", ""),
    (Answer(204), "done", "done", ""),
    (
        Answer(400, b'{"error": "quantity missing"}'),
        "dead",
        "dead",
        "refused (400): quantity missing",
    ),
    (Answer(404), "dead", "dead", "refused (404)"),
    (Answer(422), "dead", "dead", "refused (422)"),
    (Answer(401), "pause", "pause", "credentials refused (401)"),
    (Answer(403), "pause", "pause", "credentials refused (403)"),
    (Answer(308), "pause", "pause", "redirected (308), check base_url"),
    (Answer(429), "retry", "retry", "throttled (429)"),
    (Answer(500), "retry", "dead", "server error (500)"),
    (Answer(503), "retry", "dead", "server error (503)"),
    (Answer(failure="not_sent", detail="refused"), "retry", "retry", "no connection: refused"),
    (Answer(failure="no_answer", detail="late"), "retry", "dead", "no answer: late"),
]


@pytest.mark.parametrize(("answer", "of_checkout", "of_cart", "reason"), ANSWERS)
def test_the_outcomes(answer: Answer, of_checkout: str, of_cart: str, reason: str) -> None:
    """Section 2, outcomes; for a cart event's 503 DESIGN 5.5 decides: it may have been counted."""
    checkout = alhena().judge(request_of(PURCHASE), answer, NOW)
    assert (checkout.verdict, checkout.reason) == (of_checkout, reason)
    cart = alhena().judge(request_of(ADDED), answer, NOW)
    explained = reason if of_cart == of_checkout else reason + TWICE
    assert (cart.verdict, cart.reason) == (of_cart, explained)


def test_what_alhena_quotes_is_redacted() -> None:
    """DESIGN 5.5: neither the company key nor who it was gets into a reason."""
    body = f'{{"error": "no {FINGERPRINT}, {FAQ_FINGERPRINT} of {COMPANY_KEY}"}}'.encode()
    judgement = alhena().judge(request_of(ADDED), Answer(400, body), NOW)
    assert judgement.reason == "refused (400): no ..., ... of ..."


# --- round trips ---


def test_the_sandbox_takes_every_event() -> None:
    """Alhena's stand-in, which knows the contract, has nothing to object to."""
    judgements, calls = round_trip(alhena(base_url=BASE_URL), [ADDED, REMOVED, PURCHASE])
    assert [judgement.verdict for judgement in judgements] == ["done"] * 3
    names = ["sendCartEvent", "sendCartEvent", "sendCheckoutEvent"]
    assert [call["event_name"] for call in calls] == names
    assert [call["error"] for call in calls] == [None] * 3


def test_the_sandbox_refuses_a_wrong_company_key() -> None:
    """DESIGN 5.5: that is no fault of the event."""
    destination = alhena(base_url=BASE_URL, company_key="wrong")
    [judgement], _ = round_trip(destination, [PURCHASE])
    assert judgement.verdict == "pause"


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        ({"do": "throttle"}, ["retry", "retry"]),
        ({"do": "fail", "status": 503}, ["dead", "retry"]),
    ],
)
def test_the_sandbox_in_trouble(behaviour: dict[str, Any], expected: list[str]) -> None:
    """DESIGN 5.5: a cart event at most once, a checkout at least once."""
    destination = alhena(base_url=BASE_URL)
    behaviour = {"system": "alhena", **behaviour}
    judgements, _ = round_trip(destination, [ADDED, PURCHASE], behaviour)
    assert [judgement.verdict for judgement in judgements] == expected
