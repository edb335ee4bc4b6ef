"""Kwai: the requests to AdsNebula's event API, and what its answers mean (specs/kwai.md)."""

from typing import Any

import pytest

from pixelmirror.attribution import parse_query, read
from pixelmirror.pixels import kwai as pixel
from relay.destinations import Answer
from relay.destinations.kwai import SERVER_NAMES
from tests.relay import shop
from tests.relay.kwai_shop import TOKEN, body_of, every, kwai, properties_of, request_of
from tests.relay.round_trip import BASE_URL, NOW, round_trip

ITEMS = {"items": [shop.KAOS]}
VIEW = shop.event("view_item", ITEMS)
CHECKOUT = shop.event("begin_checkout", {"items": [shop.KAOS, shop.PAKET]})
PAYMENT = shop.event("add_payment_info", {"payment_method": "card"})
SEARCH = shop.event("search", {"search_term": "kaos"})
SUBSCRIPTION = shop.event("subscribe", {"value": 5, "subscription_id": "S-1"})


# --- the request (section 4) ---


def test_the_body_is_section_4s() -> None:
    """Section 4: each field of the sample, in its type; nothing that is unverified."""
    assert body_of(shop.purchase(params=ITEMS)) == {
        "access_token": TOKEN,
        "clickid": "kw-9f",
        "event_name": "EVENT_PURCHASE",
        "pixelId": "300000000000001",
        "is_attributed": 1,
        "mmpcode": "PL",
        "pixelSdkVersion": "9.9.9",
        "testFlag": False,
        "trackFlag": False,
        "third_party": "pixelmirror",
        "properties": '{"content_id":"variant_a1","content_type":"product","content_name":"Kaos",'
        '"content_category":"Apparel","currency":"IDR","value":210000,"quantity":2,"price":60000,'
        '"event_timestamp":1760000000}',
    }


def test_is_attributed_is_a_number() -> None:
    """Section 4: a boolean fails with 10002, and in Python `True == 1`."""
    assert type(body_of(VIEW)["is_attributed"]) is int


def test_the_address_and_the_headers() -> None:
    """Section 4: POST, JSON both ways, the token in the body alone."""
    request = request_of(VIEW)
    assert (request.method, request.url) == ("POST", "https://www.adsnebula.com/log/common/api")
    assert request.headers == {
        "Content-Type": "application/json",
        "Accept": "application/json;charset=utf-8",
    }


def test_base_url_is_the_site_files() -> None:
    """DESIGN 5.2: scheme and host are replaced, the path stays."""
    url = request_of(VIEW, base_url="http://127.0.0.1:9/api").url
    assert url == "http://127.0.0.1:9/api/log/common/api"


@pytest.mark.parametrize("is_test", [True, False])
def test_track_flag_is_the_test_mode(is_test: bool) -> None:
    """Section 4: `trackFlag` shows the event in the test tool; `testFlag` stays false."""
    body = body_of(VIEW, test=is_test)
    assert (body["trackFlag"], body["testFlag"]) == (is_test, False)


def test_one_event_a_request_and_never_twice() -> None:
    """Section 4: flat, no batch form, and no event ID by which a repeat could be known."""
    destination = kwai()
    requests = destination.requests([VIEW, CHECKOUT])
    assert destination.batch == 1
    assert [list(request.events) for request in requests] == [[VIEW], [CHECKOUT]]
    assert not any(request.repeatable for request in requests)
    assert destination.sent_as(shop.purchase()) is None


def test_events_are_dropped_after_a_day() -> None:
    """Section 4, event age."""
    assert kwai().max_age_s == 86_400


def test_each_pixel_has_a_destination() -> None:
    """Section 4: one token and pixel a request; a pixel that is named twice is one."""
    two = every("iklan", pixel_ids=["1", "2", "1"])
    assert [each.name for each in two] == ["iklan.1", "iklan.2"]
    assert [each.name for each in every("iklan", pixel_ids=["1", "1"])] == ["iklan"]
    assert [each.kind for each in two] == ["kwai", "kwai"]
    assert [b'"pixelId":"2"' in each.requests([VIEW])[0].body for each in two] == [False, True]


def test_consent_categories_are_the_tables() -> None:
    """DESIGN 5.2."""
    assert [each.categories for each in every(pixel_ids=["1", "2"], categories=["3"])] == [
        ["3"]
    ] * 2


# --- names (section 2) ---

NAMES = [
    (SEARCH, "EVENT_SEARCH"),
    (VIEW, "EVENT_CONTENT_VIEW"),
    (shop.event("add_to_wishlist", ITEMS), "EVENT_ADD_TO_WISHLIST"),
    (shop.add_to_cart(), "EVENT_ADD_TO_CART"),
    (CHECKOUT, "EVENT_INITIATED_CHECKOUT"),
    (PAYMENT, "EVENT_ADD_PAYMENT_INFO"),
    (shop.purchase(), "EVENT_PURCHASE"),
    (shop.event("generate_lead"), "EVENT_FORM_SUBMIT"),
    (shop.event("sign_up"), "EVENT_COMPLETE_REGISTRATION"),
    (SUBSCRIPTION, "EVENT_SUBSCRIBE"),
]


@pytest.mark.parametrize(("event", "expected"), NAMES)
def test_the_catalogues_events_have_server_names(event: Any, expected: str) -> None:
    """Section 2: the API's name, not the pixel's."""
    assert kwai().skips(event) is None
    assert body_of(event)["event_name"] == expected


BROWSER_NAMES = (
    "contentView addToCart addToWishlist initiatedCheckout addPaymentInfo placeOrder purchase "
    "search formSubmit completeRegistration subscribe contact buttonClick download"
).split()


def test_each_browser_name_has_a_server_name() -> None:
    """Section 2: the whole table but the app's first purchase; the words of both are the same."""
    assert list(SERVER_NAMES) == BROWSER_NAMES
    for browser, server in SERVER_NAMES.items():
        assert server.startswith("EVENT_")
        assert server.removeprefix("EVENT_").replace("_", "") == browser.upper()


def test_an_own_name_is_the_pixels_and_maps_too() -> None:
    """DESIGN 5.2: `event_names` names the pixel's event, and the server copy follows it."""
    table = {"event_names": {"purchase": "placeOrder", "remove_from_cart": "buttonClick"}}
    assert body_of(shop.purchase(), **table)["event_name"] == "EVENT_PLACE_ORDER"
    removed = shop.event("remove_from_cart", ITEMS)
    assert body_of(removed, **table)["event_name"] == "EVENT_BUTTON_CLICK"


def custom(params: Any = None) -> Any:
    return shop.event("quiz_done", params, custom_events=("quiz_done",))


SPAM = shop.purchase(params={"is_probably_spam": True})
NO_CLICK_ID = shop.purchase(attribution={"fbp": "fb.1.1760000000000.4821"})
NO_NAME = "no server name for {}, event_names can give one"

SKIPPED = [
    ({}, shop.event("page_view"), NO_NAME.format("page_view")),
    ({}, shop.event("remove_from_cart", ITEMS), NO_NAME.format("remove_from_cart")),
    ({}, shop.event("view_cart", ITEMS), NO_NAME.format("view_cart")),
    ({}, custom(), NO_NAME.format("quiz_done")),
    ({"event_names": {"purchase": "Bayar"}}, shop.purchase(), NO_NAME.format("purchase")),
    ({"event_names": {"purchase": "EVENT_PURCHASE"}}, shop.purchase(), NO_NAME.format("purchase")),
    ({}, NO_CLICK_ID, "no click ID"),
    ({}, shop.purchase(attribution={"kwai_click_id": ""}), "no click ID"),
    ({}, SPAM, "probably spam"),
    ({"events": ["purchase"]}, VIEW, "not among the events set for this destination"),
    ({"access_token": ""}, VIEW, "not configured: no access_token"),
]


@pytest.mark.parametrize(("table", "event", "reason"), SKIPPED)
def test_what_is_skipped(table: dict[str, Any], event: Any, reason: str) -> None:
    """Section 4, `clickid`: without one do not call. Section 2: custom names are not supported."""
    assert kwai(**table).skips(event) == reason


# --- properties (sections 2 and 7) ---

CONTACT = {"event_names": {"quiz_done": "contact"}}


def test_section_7_the_encoding() -> None:
    """Section 7: compact JSON in a string, the time added, an empty event no exception."""
    stamp = '"event_timestamp":1760000000}'
    amount = body_of(custom({"value": 10.5, "currency": "BRL"}), **CONTACT)["properties"]
    assert amount == '{"currency":"BRL","value":10.5,' + stamp
    assert body_of(custom(), **CONTACT)["properties"] == "{" + stamp


def test_section_7_characters_stay_as_they_are() -> None:
    """Section 7: UTF-8 is kept, in the text and on the wire."""
    acai = {"id": "a", "quantity": 1, "product": {"id": "a", "name": "Açaí", "price": 10.5}}
    request = request_of(shop.event("view_item", {"items": [acai]}, currency="BRL"))
    assert '\\"content_name\\":\\"Açaí\\",\\"currency\\":'.encode() in request.body


def test_section_2_quantities_and_prices() -> None:
    """Section 2: `quantity` is all pieces; `price` and `content_id` belong to a single item."""
    several = properties_of(CHECKOUT)
    assert several == {
        "content_type": "product",
        "currency": "IDR",
        "value": 210000,
        "quantity": 3,
        "event_timestamp": 1760000000,
    }
    assert properties_of(VIEW)["price"] == 60000


def test_nothing_that_the_pixel_tells_is_lost() -> None:
    """R44: the pixel's properties are the server copy's, which adds an item's ID and the time."""
    for event, _ in NAMES:
        told = pixel.properties(dict(event))
        added = {key: value for key, value in properties_of(event).items() if key not in told}
        assert {**told, **added} == properties_of(event)
        assert set(added) <= {"content_id", "event_timestamp"}
    assert properties_of(SEARCH)["query"] == "kaos"


def test_the_time_is_the_events_in_whole_seconds() -> None:
    """Section 2, `event_timestamp`: not the time of sending."""
    event = shop.event("view_item", ITEMS, time_ms=1750000000999)
    assert properties_of(event)["event_timestamp"] == 1750000000


# --- click ID and user data (sections 3 and 5) ---

CLICK_IDS = [
    ("?click_id=Ab3_x-9", "old", "Ab3_x-9"),
    ("?click_id=", "old", "old"),
    ("?click_id=__CALLBACK__", None, None),
    ("?clickid=Q1", None, "Q1"),
]


@pytest.mark.parametrize(("query", "cookie", "expected"), CLICK_IDS)
def test_section_7_the_click_id(query: str, cookie: str | None, expected: str | None) -> None:
    """Section 7: from the page's URL or cookie to `clickid`, unchanged; without one no call."""
    cookies = {"_kwai_click_id": cookie} if cookie else {}
    event = shop.purchase(attribution=read(parse_query("https://toko.example/" + query), cookies))
    assert (kwai().skips(event) is None) == (expected is not None)
    if expected is not None:
        assert body_of(event)["clickid"] == expected


HASHES = [
    "3f723b5761b124bd4b34ca78a55649748ba028bcb8434a59d95a724425ad4917",
    "dd752605096029a73495a91862983963e1947a834a4300808074185af10bb725",
    "24d4b96f58da6d4a8512313bbd02a28ebf0ca95dec6e4c86ef78ce7f01e788ac",
]


def test_section_5_no_user_data() -> None:
    """Section 5: neither plain nor hashed (its vectors), no IP and no user agent."""
    user = {**shop.USER, "email": "ana.souza@exemplo.com", "firstname": "Ana"}
    request = request_of(shop.purchase(user=user))
    told = f"{request.url} {dict(request.headers)} {request.body.decode()}".lower()
    for private in (*user.values(), *shop.CLIENT.values(), *HASHES):
        assert private.lower() not in told
    assert "user_data" not in body_of(shop.purchase(user=user))


# --- answers (section 6) ---

TWICE = "; it may have arrived, and a repeat would count twice"
WRONG_TYPE = b'{"result": 10002, "error_msg": "is_attributed must be an integer"}'

ANSWERS: list[tuple[Answer, str, str]] = [
    (Answer(200, b'{"result": 1}'), "done", ""),
    (Answer(200, b'{"result": 1, "data": {}}'), "done", ""),
    (Answer(200, WRONG_TYPE), "dead", "refused (result 10002): is_attributed must be an integer"),
    (Answer(200, b'{"result": 0}'), "dead", "refused (result 0)"),
    (Answer(200, b'{"result": 2, "error_msg": 7}'), "dead", "refused (result 2)"),
    (Answer(200, b'{"result": true}'), "dead", "not Kwai's answer (200)" + TWICE),
    (Answer(200, b"<!doctype html>"), "dead", "not Kwai's answer (200)" + TWICE),
    (Answer(200, b"[1]"), "dead", "not Kwai's answer (200)" + TWICE),
    (Answer(200, b"[" * 100_000), "dead", "not Kwai's answer (200)" + TWICE),
    (Answer(204), "dead", "not Kwai's answer (204)" + TWICE),
    (Answer(400, b'{"result": 1}'), "dead", "refused (400)"),
    (Answer(404, b'{"error": "no such path"}'), "dead", "refused (404): no such path"),
    (Answer(401), "pause", "credentials refused (401)"),
    (Answer(403), "pause", "credentials refused (403)"),
    (Answer(302), "pause", "redirected (302), check base_url"),
    (Answer(429), "retry", "throttled (429)"),
    (Answer(500), "dead", "server error (500)" + TWICE),
    (Answer(503), "dead", "server error (503)" + TWICE),
    (Answer(failure="not_sent", detail="refused"), "retry", "no connection: refused"),
    (Answer(failure="no_answer", detail="late"), "dead", "no answer: late" + TWICE),
]


@pytest.mark.parametrize(("answer", "verdict", "reason"), ANSWERS)
def test_section_6_what_answers_mean(answer: Answer, verdict: str, reason: str) -> None:
    """Section 6, and DESIGN 5.5: only what surely did not arrive is tried again."""
    judgement = kwai().judge(request_of(VIEW), answer, NOW)
    assert (judgement.verdict, judgement.reason) == (verdict, reason)


def test_retry_after_is_obeyed() -> None:
    """DESIGN 5.5."""
    answer = Answer(429, headers={"Retry-After": "7"})
    assert kwai().judge(request_of(VIEW), answer, NOW).after_s == 7.0


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (
            200,
            b'{"result": 3, "error_msg": "token kwai-token with clickid kw-9f is bad"}',
            "refused (result 3): token ... with clickid ... is bad",
        ),
        (400, b'{"error": "bad kwai-token"}', "refused (400): bad ..."),
        (
            200,
            b'{"result": 3, "error_msg": "em siti@example.com, ph 6281234567890"}',
            "refused (result 3): em ... ph ...",
        ),
    ],
)
def test_what_kwai_quotes_is_redacted(status: int, body: bytes, reason: str) -> None:
    """Section 6: the token is in the body, so errors that echo the request are redacted."""
    judgement = kwai().judge(request_of(VIEW), Answer(status, body), NOW)
    assert judgement.reason == reason


@pytest.mark.parametrize("click_id", ["1", "10002", "result"])
def test_a_click_id_changes_no_answer(click_id: str) -> None:
    """Section 6: the result is read before anything is left out, whatever the click ID is."""
    request = request_of(shop.add_to_cart(attribution={"kwai_click_id": click_id}))
    assert kwai().judge(request, Answer(200, b'{"result": 1}'), NOW).verdict == "done"
    reason = kwai().judge(request, Answer(200, WRONG_TYPE), NOW).reason
    assert reason == "refused (result 10002): is_attributed must be an integer"


# --- round trips ---


def test_the_sandbox_takes_every_event() -> None:
    """Kwai's stand-in, which knows the contract, has nothing to object to."""
    events = [event for event, _ in NAMES]
    judgements, calls = round_trip(kwai(base_url=BASE_URL), events)
    assert [judgement.verdict for judgement in judgements] == ["done"] * len(events)
    assert [call["event_name"] for call in calls] == [name for _, name in NAMES]
    assert [call["error"] for call in calls] == [None] * len(events)


@pytest.mark.parametrize(
    ("behaviour", "verdict"),
    [
        ({"do": "throttle"}, "retry"),
        ({"do": "fail", "status": 503}, "dead"),
        ({"do": "garbage"}, "dead"),
    ],
)
def test_the_sandbox_in_trouble(behaviour: dict[str, Any], verdict: str) -> None:
    """DESIGN 5.5: over the wire, too, an ambiguous end is final."""
    [judgement], _ = round_trip(kwai(base_url=BASE_URL), [VIEW], {"system": "kwai", **behaviour})
    assert judgement.verdict == verdict


def test_the_sandbox_refuses_a_bad_token() -> None:
    """Section 6: no code for it is known, so it is a refusal like any other, in Kwai's words."""
    [judgement], _ = round_trip(kwai(base_url=BASE_URL, access_token="wrong-one"), [VIEW])
    assert judgement.verdict == "dead"
    assert judgement.reason == "refused (result 10003): access_token is not valid"
