"""Meta: the requests to its Conversions API (specs/meta.md sections 2 to 5)."""

import json
from typing import Any

import pytest

from pixelmirror.pixels import meta as pixel
from relay.destinations import Event
from relay.identity.meta import hashed_user_data
from tests.relay import pixel_api_shop, shop
from tests.relay.pixel_api_shop import (
    CHECKOUT,
    EVERY_EVENT,
    ID,
    PAGE_VIEW,
    PAYMENT,
    TOKEN,
    body_of,
    every,
    one,
    request_of,
)

WEEK_S = 7 * 86_400


def sent(event: Event, **more: Any) -> dict[str, Any]:
    return pixel_api_shop.sent("meta", event, **more)


# --- the request ---


def test_meta_4_the_address() -> None:
    """meta 4: version and pixel ID are in the path; the token never is in the URL."""
    request = request_of("meta", shop.add_to_cart())
    assert (request.method, request.url) == (
        "POST",
        "https://graph.facebook.com/v25.0/1234567890/events",
    )
    assert request.headers == {"Accept": "application/json", "Content-Type": "application/json"}


def test_meta_4_the_address_is_the_site_files() -> None:
    """meta 4, DESIGN 5.2: the version is a setting; a pixel ID can't leave its part of the path."""
    table = {"base_url": "http://127.0.0.1:9/api", "api_version": "v26.0", "pixel_ids": ["1/../2"]}
    url = request_of("meta", shop.add_to_cart(), **table).url
    assert url == "http://127.0.0.1:9/api/v26.0/1%2F..%2F2/events"


def test_meta_4_the_body_around_the_events() -> None:
    """meta 4: the token is in the body; a test event code only where one is set."""
    plain = body_of("meta", shop.add_to_cart())
    assert (set(plain), plain["access_token"]) == ({"data", "access_token"}, TOKEN)
    tested = body_of("meta", shop.add_to_cart(), test_event_code="TEST12345")
    assert tested["test_event_code"] == "TEST12345"


def test_meta_7_the_app_secret_is_proved_and_never_sent() -> None:
    """meta 4, meta 7's vector: HMAC-SHA256 of the token; without an `app_secret` no proof."""
    table = {"access_token": "EAAB-demo-token", "app_secret": "app-secret-demo"}
    text = request_of("meta", shop.add_to_cart(), **table).body.decode()
    proof = "8043ffdc9e58a98ca2b220204d0f40024c3e4cf9ee9c171fdd0ee73cb933e7c2"
    assert json.loads(text)["appsecret_proof"] == proof
    assert "app-secret-demo" not in text
    assert "appsecret_proof" not in body_of("meta", shop.add_to_cart())


def test_meta_4_a_batch() -> None:
    """meta 4: at most 1000 events a request, all of this pixel; a repeat is dropped by its ID."""
    assert 1 < one("meta").batch <= 1000
    request = request_of("meta", *EVERY_EVENT)
    assert (list(request.events), request.repeatable) == (EVERY_EVENT, True)
    assert len(body_of("meta", *EVERY_EVENT)["data"]) == len(EVERY_EVENT)


def test_meta_4_an_event_older_than_a_week_is_not_sent() -> None:
    """meta 4: it would fail the whole request."""
    assert one("meta").max_age_s == WEEK_S


PIXELS = [
    ({"pixel_ids": ["1"]}, ["meta"], ["/1/"]),
    ({"pixel_ids": ["1", "1"]}, ["meta"], ["/1/"]),
    ({"pixel_ids": ["1", "2"]}, ["meta.1", "meta.2"], ["/1/", "/2/"]),
]


@pytest.mark.parametrize(("table", "names", "paths"), PIXELS)
def test_each_pixel_id_is_a_destination(
    table: dict[str, Any], names: list[str], paths: list[str]
) -> None:
    """DESIGN 5.2: named as the table, and after the pixel where there are several."""
    found = every("meta", categories=["3"], **table)
    assert [each.name for each in found] == names
    assert [(each.kind, list(each.categories)) for each in found] == [("meta", ["3"])] * len(names)
    urls = [each.requests([shop.add_to_cart()])[0].url for each in found]
    assert [path in url for path, url in zip(paths, urls, strict=True)] == [True] * len(names)


# --- an event ---


def test_meta_4_the_event() -> None:
    """meta 4: every field of a website's event, times in seconds."""
    event = sent(shop.add_to_cart(user={"email": "siti@toko.example"}))
    assert event == {
        "event_name": "AddToCart",
        "event_time": 1760000000,
        "event_id": ID,
        "action_source": "website",
        "event_source_url": shop.URL,
        "referrer_url": shop.REFERRER,
        "user_data": {
            "em": ["4320997dde26a372566fbae6938926b36996b927f236fa61d6ca48e94313c843"],
            "country": ["a56145270ce6b3bebd1dd012b73948677dd618d496488bc608a3cb43ce3547dd"],
            "client_ip_address": "203.0.113.7",
            "client_user_agent": shop.USER_AGENT,
            "fbc": "fb.1.1760000000000.AbC",
            "fbp": "fb.1.1760000000000.4821",
        },
        "custom_data": {
            "content_ids": ["variant_a1"],
            "content_type": "product",
            "contents": [{"id": "variant_a1", "quantity": 2, "item_price": 60000}],
            "num_items": 2,
            "content_name": "Kaos",
            "content_category": "Apparel",
            "value": 120000,
            "currency": "IDR",
        },
    }
    assert type(event["event_time"]) is int


IDS: list[tuple[Event, dict[str, Any], str]] = [
    (shop.purchase(), {}, "ORD-77-Purchase-FORM"),
    (shop.purchase(), {"settings": {"order_event_id": "{order_id}"}}, "ORD-77"),
    (shop.purchase(event_id="mine-1"), {}, "mine-1"),
    (PAGE_VIEW, {}, f"page_view_{shop.UUID}"),
]


@pytest.mark.parametrize(("event", "more", "expected"), IDS)
def test_meta_4_alusio_s2_the_event_id_is_the_pixels(
    event: Event, more: dict[str, Any], expected: str
) -> None:
    """meta 4, alusio S2, DESIGN 5.4: the pixel's `eventID`, an order's by `order_event_id`."""
    assert sent(event, **more)["event_id"] == expected
    assert one("meta", **more).sent_as(event) == expected


NAMES = [
    ("page_view", "PageView"),
    ("view_item", "ViewContent"),
    ("begin_checkout", "InitiateCheckout"),
    ("purchase", "Purchase"),
    ("subscribe", "Subscribe"),
]


@pytest.mark.parametrize(("name", "expected"), NAMES)
def test_meta_2_each_event_has_its_own_name(name: str, expected: str) -> None:
    """meta 2: the pixel's, from the catalogue."""
    [event] = [event for event in EVERY_EVENT if event["event_name"] == name]
    assert sent(event)["event_name"] == expected


def test_meta_2_own_names_are_the_tables() -> None:
    """DESIGN 5.2: `event_names` goes first; a custom event keeps its name."""
    names = {"view_cart": "LihatKeranjang"}
    event = shop.event("view_cart", {"items": [shop.KAOS]})
    assert sent(event, event_names=names)["event_name"] == "LihatKeranjang"
    quiz = shop.event("quiz_done", custom_events=("quiz_done",))
    assert sent(quiz)["event_name"] == "quiz_done"


PAGES: list[tuple[dict[str, str], set[str]]] = [
    ({"url": shop.URL, "referrer": shop.REFERRER}, {"event_source_url", "referrer_url"}),
    ({"url": shop.URL}, {"event_source_url"}),
    ({"url": shop.URL, "referrer": "android-app://com.toko"}, {"event_source_url"}),
]


@pytest.mark.parametrize(("page", "expected"), PAGES)
def test_meta_4_the_urls(page: dict[str, str], expected: set[str]) -> None:
    """meta 4: a referrer that is no http or https URL is left out."""
    assert {key for key in sent(shop.add_to_cart(page=page)) if key.endswith("_url")} == expected


# --- user_data ---


def test_meta_5_the_shopper_is_hashed_and_the_browser_is_not() -> None:
    """meta 5: every field that was told, each as a list of one hash."""
    user = {**shop.USER, "birthdate": "1990-01-31", "gender": "f", "zipcode": "40111"}
    data = sent(shop.purchase(user=user))["user_data"]
    plain = {"client_ip_address", "client_user_agent", "fbc", "fbp"}
    assert set(data) == plain | set("em ph fn ln ge db ct st zp country external_id".split())
    assert {key: data[key] for key in set(data) - plain} == hashed_user_data(user, "id")


BROWSERS: list[tuple[dict[str, str], dict[str, str], set[str]]] = [
    # client, attribution; what of them is sent
    ({"ip": "203.0.113.7"}, {}, {"client_ip_address"}),
    ({"ip": "2001:db8::7"}, {}, {"client_ip_address"}),
    ({"ip": "unknown"}, {}, set()),
    ({"ip": "fe80::1%eth0"}, {}, set()),
    ({"ip": ""}, {}, set()),
    ({}, {"fbc": "fb.1.1760000000000.AbC.AQICAQMC"}, {"fbc"}),
    ({}, {"fbc": "junk"}, set()),
    ({}, {"fbc": "fb.1.1760000000000.A b"}, set()),
    ({}, {"fbc": "xx.1.1.A"}, set()),
    ({}, {"fbp": "fb.1.1760000000000.4821"}, {"fbp"}),
    ({}, {"fbp": "fb.one.2.3"}, set()),
    ({}, {"ttclid": "E.C.P.x", "ttp": "2abc", "kwai_click_id": "kw"}, set()),
]


@pytest.mark.parametrize(("client", "attribution", "expected"), BROWSERS)
def test_meta_3_meta_5_of_the_browser_what_meta_can_read(
    client: dict[str, str], attribution: dict[str, str], expected: set[str]
) -> None:
    """meta 3, meta 5: an address or a click ID in no readable form would refuse the request."""
    client = {"user_agent": "Mozilla/5.0", **client}
    event = shop.add_to_cart(user={"id": "7"}, client=client, attribution=attribution)
    told = set(sent(event)["user_data"])
    assert told - {"country", "external_id", "client_user_agent"} == expected


def test_meta_5_an_ipv4_address_in_ipv6_is_an_ipv4_address() -> None:
    """meta 5: plain text, as the browser's own request would show it."""
    client = {"user_agent": "Mozilla/5.0", "ip": "::ffff:203.0.113.7"}
    data = sent(shop.add_to_cart(client=client))["user_data"]
    assert data["client_ip_address"] == "203.0.113.7"


# --- custom_data ---


def test_meta_2_a_purchase() -> None:
    """meta 2, meta 4, alusio S7: the pixel's parameters, and the order's ID."""
    assert sent(shop.purchase())["custom_data"] == {
        "content_ids": ["variant_a1", "bundle_price_option_b7"],
        "content_type": "product",
        "contents": [
            {"id": "variant_a1", "quantity": 2, "item_price": 60000},
            {"id": "bundle_price_option_b7", "quantity": 1, "item_price": 90000},
        ],
        "num_items": 3,
        "value": 210000,
        "currency": "IDR",
        "order_id": "ORD-77",
    }


def test_alusio_l4_the_pixels_purchase_has_the_server_copys_fields() -> None:
    """alusio L4: 000 does not show the pixel's; only the order's ID is the server's alone."""
    settings = {"pixel_ids": ["1"], "order_event_id": "{order_id}"}
    heard = {"ids": [], "page_view": False}
    [[[_, [verb, name, parameters, options]]]] = pixel.calls(
        dict(shop.purchase()), "Purchase", settings, heard
    )
    assert (verb, name, options) == ("track", "Purchase", {"eventID": "ORD-77"})
    assert {**parameters, "order_id": "ORD-77"} == sent(shop.purchase())["custom_data"]


def test_meta_4_only_an_order_has_an_order_id() -> None:
    """meta 4: a checkout's `id` is no order yet."""
    checkout = shop.event("begin_checkout", {"items": [shop.KAOS], "id": "ORD-77"})
    assert "order_id" not in sent(checkout)["custom_data"]


def test_alusio_s9_a_checkout_has_neither_contents_nor_their_type() -> None:
    """alusio S9, 000's payload: as in the pixel."""
    assert set(sent(CHECKOUT)["custom_data"]) == {"content_ids", "num_items", "value", "currency"}


def test_meta_2_an_event_without_parameters_has_no_custom_data() -> None:
    """meta 2: `PageView` has none."""
    assert "custom_data" not in sent(PAGE_VIEW)
    assert "custom_data" not in sent(PAYMENT)


SUBSCRIBE = {"value": 99000, "predicted_ltv": 1188000, "subscription_id": "sub-9"}


def test_alusio_3_l3_a_membership() -> None:
    """alusio 3, L3: `Subscribe`, under its order's ID, with what is known of the membership."""
    event = shop.event("subscribe", {"id": "MBR-9", **SUBSCRIBE})
    found = sent(event, settings={"order_event_id": "{order_id}"})
    assert (found["event_name"], found["event_id"]) == ("Subscribe", "MBR-9")
    assert found["custom_data"] == {**SUBSCRIBE, "currency": "IDR"}


# alusio 3, the sample of a Purchase.
ALUSIO_URL = "https://toko.example.test/order/0c5e7a54/success"
ALUSIO_PURCHASE = {
    "event_name": "Purchase",
    "event_id": "0c5e7a54-1d0b-4a3e-9a0e-7d2f5b1c6e10",
    "event_time": 1760000100,
    "action_source": "website",
    "event_source_url": ALUSIO_URL,
    "user_data": {
        "em": ["3684a581ce82ee39a1541130095759584e4c574d3db3e88b193256c20fae9747"],
        "ph": ["dd752605096029a73495a91862983963e1947a834a4300808074185af10bb725"],
        "fn": ["a7ad5342de24cf9ad849a41b9a265274ebc803807f9ff6734bd7e9c031e7b042"],
        "country": ["a56145270ce6b3bebd1dd012b73948677dd618d496488bc608a3cb43ce3547dd"],
        "fbc": "fb.1.1760000000000.AbC",
        "fbp": "fb.1.1760000000000.4821",
        "client_ip_address": "203.0.113.7",
        "client_user_agent": "Mozilla/5.0",
    },
    "custom_data": {
        "value": 260000,
        "currency": "IDR",
        "content_ids": ["p-1", "p-2"],
        "contents": [
            {"id": "p-1", "quantity": 2, "item_price": 85000},
            {"id": "p-2", "quantity": 1, "item_price": 90000},
        ],
        "num_items": 3,
        # Not in 000's payload; Meta takes both (meta 2).
        "content_type": "product",
        "order_id": "0c5e7a54-1d0b-4a3e-9a0e-7d2f5b1c6e10",
    },
}


def test_alusio_3_the_sample_purchase() -> None:
    """alusio 3, S2, S6, S7: 000's payload with what Meta requires beside it."""
    kopi = {"id": "p-1", "quantity": 2, "name": "Kopi Gayo", "price": 85000}
    teh = {"id": "p-2", "quantity": 1, "name": "Teh Hitam", "price": 90000}
    event = shop.event(
        "purchase",
        {"id": ALUSIO_PURCHASE["event_id"], "value": 260000, "items": [kopi, teh]},
        user={"email": " Siti@Example.com ", "phone": "0812-3456-7890", "firstname": "Siti"},
        page={"url": ALUSIO_URL},
        client={"ip": "203.0.113.7", "user_agent": "Mozilla/5.0"},
        time_ms=1760000100000,
    )
    assert sent(event, settings={"order_event_id": "{order_id}"}) == ALUSIO_PURCHASE
