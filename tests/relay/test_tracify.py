"""Tracify: the events it is sent (specs/tracify.md)."""

import json
from typing import Any

import pytest

from relay.destinations import Event
from relay.identity import anonymise
from tests.relay import shop
from tests.relay.tracify_shop import CLIENT, CONVERSION, CSID, ITEMS, TYPES, purchase, tracify

# Section 3's vectors.
EMAIL_HASH = "c0a1fad9b778e61a5b65528e34d2ec4fad44958743087b53b0e67e1c0da6cf89"
SESSION_HASH = "c6bb2c9dc2eb96b0a6d9bb0eca7cd30e7526501be5e4514ea369a8f9725bdfa3"
IP_HASH = "c6286e821f5fe4eb13c80fe600b8d372ddbdecc06bb04d00f369eced71012b44"
USER_AGENT_HASH = "fe3fa8b7cb726fc1507885122d8bc5dcb7bfbf0f17f08d8f4dd588bc810c929b"


def envelope_of(event: Event, **table: Any) -> dict[str, Any]:
    [request] = tracify(**table).requests([event])
    [envelope] = json.loads(request.body)["events"]
    assert isinstance(envelope, dict)
    return envelope


def data_of(event: Event, **table: Any) -> dict[str, Any]:
    data = envelope_of(event, **table)["data"]
    assert isinstance(data, dict)
    return data


# --- section 2's two example events, whole ---


def test_the_product_view_of_the_spec() -> None:
    """Section 2: envelope, identity and landing parameters, as the spec shows them."""
    event = shop.event(
        "view_item",
        {"items": ITEMS, "value": 25, "currency": "EUR"},
        page={
            "url": "https://shop.example.test/p/7?utm_source=fb&utm_medium=paid&trc_mcmp_id=11",
            "referrer": "https://m.facebook.com/",
        },
        client=CLIENT,
        time_ms=1772600767000,
    )
    assert envelope_of(event) == {
        "url": "https://shop.example.test/p/7?utm_source=fb&utm_medium=paid&trc_mcmp_id=11",
        "customer_site_id": CSID,
        "identity_data": {SESSION_HASH: 2, IP_HASH: 3, USER_AGENT_HASH: 4},
        "datetime": "2026-03-04 05:06:07",
        "type": "productview",
        "data": {
            "origin": "https://shop.example.test",
            "Referer": "https://m.facebook.com/",
            "utm_source": "fb",
            "utm_medium": "paid",
            "trc_mcmp_id": "11",
        },
    }


def test_the_purchase_of_the_spec() -> None:
    """Section 2, T12: the order and its items as text, `amount`, UTC; a known e-mail is class 1."""
    event = purchase(
        page={"url": "https://shop.example.test/thanks"},
        user={"email": "jane.doe@example.com"},
        time_ms=1772600940999,
    )
    assert envelope_of(event) == {
        "url": "https://shop.example.test/thanks",
        "customer_site_id": CSID,
        "identity_data": {EMAIL_HASH: 1, SESSION_HASH: 2, IP_HASH: 3, USER_AGENT_HASH: 4},
        "datetime": "2026-03-04 05:09:00",
        "type": "purchase",
        "data": {
            "origin": "https://shop.example.test",
            "order_id": "A-1",
            "currency": "EUR",
            "amount": "100.00",
            "ITEM1": "Mug",
            "AMT1": "25.00",
            "QTY1": "2",
            "ITEM2": "Lamp",
            "AMT2": "50.00",
            "QTY2": "1",
        },
    }


def test_the_request() -> None:
    """Section 2, T11: one URL, not the older host; the token in its own header, JSON both ways."""
    [request] = tracify().requests([purchase()])
    assert (request.method, request.url) == ("POST", "https://api.tracify.ai/api/v1/events")
    assert request.headers == {
        "tracify-token": "tok-1",
        "Accept": "application/json",
        "Content-Type": "application/json",
    }


def test_base_url_leads_to_the_staging_host() -> None:
    """Section 2: the path stays the same there."""
    [request] = tracify(base_url="https://devapi.tracify.ai").requests([purchase()])
    assert request.url == "https://devapi.tracify.ai/api/v1/events"


# --- types ---


@pytest.mark.parametrize(("name", "params", "expected"), TYPES)
def test_each_event_has_its_type(name: str, params: Any, expected: str) -> None:
    """Section 1, the table of actions."""
    event = shop.event(name, params)
    assert tracify().skips(event) is None
    assert envelope_of(event)["type"] == expected


KNOWN = "pageview, productview, addtocart, purchase, conversion"


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({}, f"Tracify has no type for begin_checkout, known: {KNOWN}"),
        (
            {"event_names": {"begin_checkout": "checkout"}},
            f"Tracify has no type for begin_checkout (checkout), known: {KNOWN}",
        ),
        ({"event_names": {"begin_checkout": "conversion"}}, None),
        ({"events": ["purchase"]}, "not among the events set for this destination"),
    ],
)
def test_no_other_type_exists(table: dict[str, Any], reason: str | None) -> None:
    """Section 1: an event is one of five types, which the site file may choose."""
    assert tracify(**table).skips(shop.event("begin_checkout", {"items": ITEMS})) == reason


@pytest.mark.parametrize(
    ("params", "conversion_id"),
    [({"id": "A-1"}, "A-1"), ({}, f"begin_checkout_{shop.UUID}")],
)
def test_t2_conversion(params: dict[str, Any], conversion_id: str) -> None:
    """T2: a conversion's amount goes as `amount` and as `value`, and it has no items."""
    event = shop.event("begin_checkout", {"items": ITEMS, **params}, currency="EUR")
    assert data_of(event, **CONVERSION) == {
        "origin": "https://toko.example",
        "Referer": "https://m.facebook.com/",
        "conversion_id": conversion_id,
        "currency": "EUR",
        "amount": "100.00",
        "value": "100.00",
    }


def test_a_conversion_needs_an_amount() -> None:
    """Section 2: currency and amount are required, zero is an amount."""
    destination = tracify(event_names={"add_payment_info": "conversion"})
    bare = shop.event("add_payment_info", {"payment_method": "card"})
    free = shop.event("add_payment_info", {"payment_method": "card", "value": 0})
    assert destination.skips(bare) == "no value, which a conversion needs"
    assert destination.skips(free) is None


def test_scalev_r63_spam_is_no_purchase() -> None:
    """The rule for every destination: an order that looks like spam goes nowhere."""
    assert tracify().skips(purchase(params={"is_probably_spam": True})) == "probably spam"


def test_tracify_is_given_no_event_id() -> None:
    """Section 2: order and conversion IDs are its only keys."""
    assert tracify().sent_as(purchase()) is None


# --- resolutions of section 4 ---

AMOUNTS = [
    (100, "EUR", "100.00"),
    ("147000.00", "IDR", "147000.00"),
    (3000000000, "IDR", "3000000000.00"),
    (19.995, "EUR", "20.00"),
    (0.1, "EUR", "0.10"),
    (0, "EUR", "0.00"),
]


@pytest.mark.parametrize(("value", "currency", "expected"), AMOUNTS)
def test_t1_amount(value: Any, currency: str, expected: str) -> None:
    """T1: text with a dot and two decimals; T2's `value` is a conversion's alone."""
    data = data_of(purchase(params={"value": value}, currency=currency))
    assert data["amount"] == expected
    assert "value" not in data


def test_t13_the_amount_includes_shipping() -> None:
    """T13: what the shopper paid."""
    event = purchase(params={"value": 100, "shipping_amount": 10})
    assert data_of(event)["amount"] == "100.00"


def test_t3_t4_t5_items() -> None:
    """T3, T4, T5: name, unit price with two decimals, pieces as whole text."""
    item = {"id": "sku-1", "quantity": 3, "product": {"id": "p", "name": "Teh", "price": 2.5}}
    data = data_of(purchase(params={"items": [item]}))
    assert (data["ITEM1"], data["AMT1"], data["QTY1"]) == ("Teh", "2.50", "3")


@pytest.mark.parametrize("referrer", ["", "about:blank", "android-app://com.google.android.gm/"])
def test_t6_no_referer_is_no_key(referrer: str) -> None:
    """T6: `Referer` is the referring page's URL, left out where there is none."""
    page = {"url": shop.URL, "referrer": referrer}
    assert "Referer" not in data_of(shop.event("page_view", page=page))


ORIGINS = [
    ("https://toko.example/p?q=1#top", "https://toko.example"),
    ("https://toko.example:443/", "https://toko.example"),
    ("http://toko.example:80", "http://toko.example"),
    ("http://toko.example:8700/p", "http://toko.example:8700"),
    ("https://Toko.Example/", "https://toko.example"),
    ("https://siti:rahasia@toko.example/", "https://toko.example"),
    ("http://[2001:db8::1]:8700/", "http://[2001:db8::1]:8700"),
]


@pytest.mark.parametrize(("url", "expected"), ORIGINS)
def test_t7_origin(url: str, expected: str) -> None:
    """T7: scheme, host and a port that is not the scheme's own."""
    assert data_of(shop.event("page_view", page={"url": url}))["origin"] == expected


LANDINGS = [
    ("?utm_source=fb&utm_medium=paid", {"utm_source": "fb", "utm_medium": "paid"}),
    ("?trc_mcmp_id=1&trc_mag_id=2&trc_mad_id=3#utm_x=1", {f"trc_{k}_id": v for k, v in
        [("mcmp", "1"), ("mag", "2"), ("mad", "3")]}),
    ("?utm_campaign=Kaos%20%26%20Topi+baru", {"utm_campaign": "Kaos & Topi baru"}),
    ("?utm_source=&email=siti@example.com&q=1", {}),
    ("?utm_content=siti%40example.com&utm_term=a", {"utm_term": "a"}),
    ("?origin=x&Referer=x&amount=1&ITEM1=x&value=1", {}),
    ("", {}),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), LANDINGS)
@pytest.mark.parametrize("name", ["page_view", "view_item"])
def test_t8_landing_parameters(name: str, query: str, expected: dict[str, str]) -> None:
    """T8: `utm_` and `trc_` parameters go flat into `data`, over no other key, without e-mails."""
    params = {"items": ITEMS} if name == "view_item" else None
    event = shop.event(name, params, page={"url": "https://toko.example/" + query})
    assert data_of(event) == {"origin": "https://toko.example", **expected}


def test_t8_other_types_carry_no_landing_parameters() -> None:
    """T8: only what may start a session does."""
    assert "utm_source" not in data_of(shop.add_to_cart())
    assert "utm_source" not in data_of(purchase())


@pytest.mark.parametrize("email", ["jane.doe@example.com", "Jane.Doe@Example.com"])
def test_t9_the_email_is_normalised_before_it_is_anonymised(email: str) -> None:
    """T9: however it was typed, it is one person."""
    assert envelope_of(purchase(user={"email": email}))["identity_data"][EMAIL_HASH] == 1


def test_t10_the_session_is_raw_ip_bar_raw_user_agent() -> None:
    """T10: joined before anonymising, in 003's example pair."""
    client = {"ip": "192.168.1.1", "user_agent": "Mozilla/5.0"}
    session = "6fa4c6102d82c29727f536f606dfa1780df4b188846ff70042cdafbcee84a404"
    assert envelope_of(purchase(client=client))["identity_data"][session] == 2


def test_no_raw_identifier_is_sent() -> None:
    """Section 2: only anonymised values leave, and no personal data that was not asked for."""
    [request] = tracify().requests([shop.purchase()])
    private = [*shop.USER.values(), *shop.CLIENT.values(), *shop.ATTRIBUTION.values()]
    assert [value for value in private if value.encode() in request.body] == []


CLIENTS: list[tuple[dict[str, str] | None, str | None]] = [
    (None, "no IP address"),
    ({"user_agent": "Mozilla/5.0"}, "no IP address"),
    ({"ip": "203.0.113.7"}, "no user agent"),
    (CLIENT, None),
]


@pytest.mark.parametrize(("client", "reason"), CLIENTS)
def test_t14_ip_and_user_agent_are_required(
    client: dict[str, str] | None, reason: str | None
) -> None:
    """T14: an event without them is invalid: it is not sent, and seen to be skipped."""
    assert tracify().skips(purchase(client=client)) == reason


@pytest.mark.parametrize("page", [{}, {"url": "app://toko"}, {"url": "https://"}])
def test_the_page_url_is_required(page: dict[str, str]) -> None:
    """Section 2: `url` and `origin` are."""
    assert tracify().skips(purchase(page=page)) == "no http or https page URL"


def test_t15_identity_is_each_events_own() -> None:
    """T15: a batch holds many buyers, whose identities are not mixed."""
    clients = [{"ip": f"203.0.113.{n}", "user_agent": f"Browser/{n}"} for n in range(3)]
    [request] = tracify().requests(
        [
            shop.event("page_view", client=client, event_id=f"e{n}")
            for n, client in enumerate(clients)
        ]
    )
    assert [each["identity_data"] for each in json.loads(request.body)["events"]] == [
        {
            anonymise(f"203.0.113.{n}|Browser/{n}"): 2,
            anonymise(f"203.0.113.{n}"): 3,
            anonymise(f"Browser/{n}"): 4,
        }
        for n in range(3)
    ]
