"""TikTok: the requests to its Events API (specs/tiktok.md sections 2 to 5)."""

from typing import Any

import pytest

from relay.destinations import Event
from tests.relay import pixel_api_shop, shop
from tests.relay.pixel_api_shop import (
    EVERY_EVENT,
    ID,
    PAGE_VIEW,
    PAYMENT,
    PIXEL,
    TOKEN,
    body_of,
    every,
    one,
    request_of,
)

WEEK_S = 7 * 86_400


def sent(event: Event, **more: Any) -> dict[str, Any]:
    return pixel_api_shop.sent("tiktok", event, **more)


# --- the request ---


def test_tiktok_4_address_and_headers() -> None:
    """tiktok 4: the token is in a header, and nowhere else."""
    request = request_of("tiktok", shop.add_to_cart())
    assert (request.method, request.url) == (
        "POST",
        "https://business-api.tiktok.com/open_api/v1.3/event/track/",
    )
    assert request.headers == {
        "Access-Token": TOKEN,
        "Accept": "application/json",
        "Content-Type": "application/json",
    }
    assert TOKEN.encode() not in request.body


def test_tiktok_4_base_url_is_the_site_files() -> None:
    """DESIGN 5.2: scheme and host are replaced, the path stays."""
    url = request_of("tiktok", shop.add_to_cart(), base_url="http://127.0.0.1:9/api").url
    assert url == "http://127.0.0.1:9/api/open_api/v1.3/event/track/"


def test_tiktok_4_the_body_around_the_events() -> None:
    """tiktok 4: where the events are from; a test event code only where one is set."""
    plain = body_of("tiktok", shop.add_to_cart())
    assert set(plain) == {"event_source", "event_source_id", "data"}
    assert (plain["event_source"], plain["event_source_id"]) == ("web", PIXEL["tiktok"])
    tested = body_of("tiktok", shop.add_to_cart(), test_event_code="TEST01234")
    assert tested["test_event_code"] == "TEST01234"


def test_tiktok_4_a_batch() -> None:
    """tiktok 4: at most 1000 events a request, all of this pixel; a repeat is dropped by its ID."""
    assert 1 < one("tiktok").batch <= 1000
    request = request_of("tiktok", *EVERY_EVENT)
    assert (list(request.events), request.repeatable) == (EVERY_EVENT, True)
    assert len(body_of("tiktok", *EVERY_EVENT)["data"]) == len(EVERY_EVENT)


def test_tiktok_4_an_event_older_than_a_week_is_not_sent() -> None:
    """tiktok 4, event age: no number is published, a week is the choice."""
    assert one("tiktok").max_age_s == WEEK_S


PIXELS = [
    (["C1"], ["tiktok"]),
    (["C1", "C1"], ["tiktok"]),
    (["C1", "C2"], ["tiktok.C1", "tiktok.C2"]),
]


@pytest.mark.parametrize(("pixel_ids", "names"), PIXELS)
def test_each_pixel_id_is_a_destination(pixel_ids: list[str], names: list[str]) -> None:
    """DESIGN 5.2: named as the table, and after the pixel where there are several."""
    found = every("tiktok", categories=["3"], pixel_ids=pixel_ids)
    assert [each.name for each in found] == names
    described = [(each.kind, list(each.categories)) for each in found]
    assert described == [("tiktok", ["3"])] * len(names)


# --- an event ---


def test_tiktok_4_the_event() -> None:
    """tiktok 4: every field of a web event, times in seconds."""
    event = sent(shop.purchase(user={"email": "budi.santoso@example.org", "id": "CUST-0042"}))
    assert event == {
        "event": "CompletePayment",
        "event_time": 1760000000,
        "event_id": "ORD-77-CompletePayment-FORM",
        "user": {
            "email": "ca1535fdeb51abea390d7bd6885fb9c0315402369e1ad7cfa9ecea85bb297007",
            "external_id": "66d619f6d5afd99b369b11f3a8000689b064ad248eadb78fb16b05fdb348690b",
            "ttclid": "E.C.P.x",
            "ttp": "2abc",
            "ip": "203.0.113.7",
            "user_agent": shop.USER_AGENT,
        },
        "page": {"url": shop.URL, "referrer": shop.REFERRER},
        "properties": {
            "content_id": "variant_a1",
            "content_type": "product",
            "contents": [
                {"content_id": "variant_a1", "quantity": 2, "price": 60000},
                {"content_id": "bundle_price_option_b7", "quantity": 1, "price": 90000},
            ],
            "value": 210000,
            "currency": "IDR",
            "order_id": "ORD-77",
        },
    }
    assert type(event["event_time"]) is int


IDS: list[tuple[Event, dict[str, Any], str]] = [
    (shop.add_to_cart(), {}, ID),
    (shop.purchase(), {"settings": {"order_event_id": "{order_id}"}}, "ORD-77"),
    (shop.purchase(), {"event_names": {"purchase": "Purchase"}}, "ORD-77-Purchase-FORM"),
    (shop.purchase(event_id="mine-1"), {}, "mine-1"),
    (PAGE_VIEW, {}, f"page_view_{shop.UUID}"),
]


@pytest.mark.parametrize(("event", "more", "expected"), IDS)
def test_tiktok_4_the_event_id_is_the_pixels(
    event: Event, more: dict[str, Any], expected: str
) -> None:
    """tiktok 4, DESIGN 5.4: the pixel's `event_id`, an order's by `order_event_id`."""
    assert sent(event, **more)["event_id"] == expected
    assert one("tiktok", **more).sent_as(event) == expected


NAMES = [
    ("page_view", "Pageview"),
    ("view_item", "ViewContent"),
    ("begin_checkout", "InitiateCheckout"),
    ("purchase", "CompletePayment"),
    ("generate_lead", "Lead"),
]


@pytest.mark.parametrize(("name", "expected"), NAMES)
def test_tiktok_2_each_event_has_its_own_name(name: str, expected: str) -> None:
    """tiktok 2: the pixel's, from the catalogue."""
    [event] = [event for event in EVERY_EVENT if event["event_name"] == name]
    assert sent(event)["event"] == expected


def test_tiktok_2_own_names_are_the_tables() -> None:
    """tiktok 2, DESIGN 5.2: `event_names` goes first; a custom event keeps its name."""
    assert sent(shop.purchase(), event_names={"purchase": "Purchase"})["event"] == "Purchase"
    quiz = shop.event("quiz_done", custom_events=("quiz_done",))
    assert sent(quiz)["event"] == "quiz_done"


# --- the shopper ---


def test_tiktok_5_only_accepted_user_keys() -> None:
    """tiktok 5: neither name nor address, nor Meta's IDs; a phone is hashed with its `+`."""
    user = {**shop.USER, "birthdate": "1990-01-31", "gender": "f", "zipcode": "40111"}
    found = sent(shop.purchase(user=user))["user"]
    assert set(found) == set("email phone external_id ttclid ttp ip user_agent".split())
    assert found["phone"] == "62397bbd6a8c9ae53bc914a6017300eb6b13af5be20e4cc9ad2dc3d61ecb24cd"


CLICK_ID = "E.C.P.CrUBY2xpY2tJZA-_" + "x" * 470
BROWSERS: list[tuple[dict[str, str] | None, dict[str, str], dict[str, str]]] = [
    # client, attribution; what is sent of them
    (None, {}, {}),
    ({"ip": "2001:db8::7"}, {}, {"ip": "2001:db8::7"}),
    ({"ip": "unknown"}, {}, {}),
    ({"user_agent": " "}, {}, {}),
    ({"user_agent": "Mozilla/5.0"}, {}, {"user_agent": "Mozilla/5.0"}),
    (None, {"ttclid": CLICK_ID}, {"ttclid": CLICK_ID}),
    (None, {"ttp": "2aBcDeFgHiJkLmNoPqRsTuVwXyZ"}, {"ttp": "2aBcDeFgHiJkLmNoPqRsTuVwXyZ"}),
    (None, {"fbc": "fb.1.1760000000000.AbC", "kwai_click_id": "kw"}, {}),
]


@pytest.mark.parametrize(("client", "attribution", "expected"), BROWSERS)
def test_tiktok_5_the_browser_as_received(
    client: dict[str, str] | None, attribution: dict[str, str], expected: dict[str, str]
) -> None:
    """tiktok 3, tiktok 5: click ID and browser ID are never hashed, cut or changed."""
    event = shop.add_to_cart(client=client, attribution=attribution)
    assert sent(event).get("user", {}) == expected


# --- page and properties ---

PAGES: list[tuple[dict[str, str], set[str]]] = [
    ({"url": shop.URL, "referrer": shop.REFERRER}, {"url", "referrer"}),
    ({"url": shop.URL}, {"url"}),
    ({"url": shop.URL, "referrer": "android-app://com.toko"}, {"url"}),
]


@pytest.mark.parametrize(("page", "expected"), PAGES)
def test_tiktok_4_the_page(page: dict[str, str], expected: set[str]) -> None:
    """tiktok 4: a referrer that is no http or https URL is left out."""
    assert set(sent(shop.add_to_cart(page=page))["page"]) == expected


def test_tiktok_2_a_content_id_is_a_text() -> None:
    """tiktok 2: a JSON number fails with 40002."""
    item = {"id": 7, "quantity": 1, "product": {"id": 7, "name": "Mug", "price": 9.99}}
    properties = sent(shop.event("add_to_cart", {"items": [item]}))["properties"]
    assert (properties["content_id"], properties["contents"][0]["content_id"]) == ("7", "7")


def test_tiktok_2_an_event_without_parameters_has_no_properties() -> None:
    """tiktok 2: none are required."""
    assert "properties" not in sent(PAGE_VIEW)
    assert "properties" not in sent(PAYMENT)


def test_tiktok_4_only_an_order_has_an_order_id() -> None:
    """tiktok 4: a checkout's `id` is no order yet."""
    checkout = shop.event("begin_checkout", {"items": [shop.KAOS], "id": "ORD-77"})
    assert "order_id" not in sent(checkout)["properties"]


# --- what is not sent ---

SKIPPED: list[tuple[dict[str, Any], str | None]] = [
    ({"page": {}}, "no http or https page URL"),
    ({"page": {"url": "file:///a"}}, "no http or https page URL"),
    ({"client": None, "attribution": {}}, None),
    ({}, None),
]


@pytest.mark.parametrize(("more", "expected"), SKIPPED)
def test_tiktok_4_a_web_event_needs_its_page(more: dict[str, Any], expected: str | None) -> None:
    """tiktok 4: `page.url` is required; of the shopper nothing is."""
    assert one("tiktok").skips(shop.add_to_cart(**more)) == expected


@pytest.mark.parametrize("event", EVERY_EVENT, ids=lambda event: event["event_name"])
def test_every_event_of_the_catalogue_is_wanted(event: Event) -> None:
    """DESIGN 5.2: page views too, where no pixel sends them."""
    assert one("tiktok", mode="server").skips(event) is None


@pytest.mark.parametrize("asked", [{"events": ["page_view"]}, {"event_names": {"page_view": "V"}}])
def test_tiktok_1_a_page_view_of_the_pixel_is_not_sent_again(asked: dict[str, Any]) -> None:
    """tiktok 1: `ttq.page()` takes no event ID, so the two copies could not be known for one."""
    reason = "the pixel sends its page views without an event ID"
    assert one("tiktok", mode="both").skips(PAGE_VIEW) == reason
    assert one("tiktok", mode="both", **asked).skips(PAGE_VIEW) is None


REFUSED: list[tuple[dict[str, Any], Event, str]] = [
    ({"events": ["purchase"]}, PAYMENT, "not among the events set for this destination"),
    ({"access_token": ""}, PAYMENT, "not configured: no access_token"),
    ({}, shop.purchase(params={"is_probably_spam": True}), "probably spam"),
]


@pytest.mark.parametrize(("table", "event", "reason"), REFUSED)
def test_what_the_site_file_or_the_shop_keeps_back(
    table: dict[str, Any], event: Event, reason: str
) -> None:
    """DESIGN 5.2, 5.4, scalev R63: skipped, with the reason in words."""
    assert one("tiktok", **table).skips(event) == reason
