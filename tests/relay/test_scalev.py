"""Scalev: the requests to its three routes, and what its answers mean (specs/scalev.md)."""

from typing import Any

import pytest

from relay.destinations import Answer
from tests.relay import shop
from tests.relay.scalev_shop import KEY, PAGE, PROVIDERS, body_of, request_for, scalev

BASE = "https://api.scalev.com/v3/stores/store_1/public/analytics"
NOW = 1760000001.0


# --- requests ---


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r1_each_provider_has_its_own_route(provider: str) -> None:
    """R1: base, store ID and provider make the URL; the method is POST."""
    request = request_for(provider, shop.add_to_cart())
    assert (request.method, request.url) == ("POST", f"{BASE}/{provider}/events")


def test_r1_base_url_and_store_id_are_the_site_files() -> None:
    """R1: `base_url` replaces scheme and host; a store ID can't leave its part of the path."""
    table = {"base_url": "http://127.0.0.1:9/api/", "store_id": "store_1/../x"}
    url = request_for("meta", shop.add_to_cart(), table=table).url
    path = "/v3/stores/store_1%2F..%2Fx/public/analytics/meta/events"
    assert url == "http://127.0.0.1:9/api" + path


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r2_path_and_key_alone_choose_the_store(provider: str) -> None:
    """R2: no domain, page ID or site name of ours is in the body."""
    body = body_of(provider, shop.purchase())
    known = {"event_source_url", "referrer_url", "events", "variants", "bundle_price_options"}
    assert set(body) - known <= {"user_data", "user", "click_id"}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r3_r4_r5_the_headers(provider: str) -> None:
    """R3, R4, R5: the publishable key, JSON both ways, and no cookie or other credential."""
    headers = request_for(provider, shop.add_to_cart()).headers
    assert headers == {
        "X-Scalev-Storefront-Api-Key": KEY,
        "Accept": "application/json",
        "Content-Type": "application/json",
        "User-Agent": shop.USER_AGENT,
    }


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (None, None),
        ({"ip": "203.0.113.7"}, None),
        ({"user_agent": "\r\n\t"}, None),
        ({"user_agent": "Mozilla/5.0"}, "Mozilla/5.0"),
        ({"user_agent": "Mozilla/5.0\r\nCookie: a=b\x00"}, "Mozilla/5.0Cookie: a=b"),
        ({"user_agent": " Peramban é 中/1 "}, "Peramban  /1"),
    ],
)
def test_d3_the_shoppers_user_agent_goes_along(
    client: dict[str, str] | None, expected: str | None
) -> None:
    """D3: as a header that nothing in it can end; without one, none is made up."""
    headers = request_for("meta", shop.add_to_cart(client=client)).headers
    assert headers.get("User-Agent") == expected


def test_one_event_a_request() -> None:
    """Section 2, batch: user, URLs and items are shared by all events of a request."""
    meta = scalev("meta")
    events = [shop.add_to_cart(event_id="e1"), shop.purchase()]
    assert meta.batch == 1
    assert [request.events for request in meta.requests(events)] == [[event] for event in events]


# --- URLs and user ---

URLS = [
    ({"url": shop.URL, "referrer": shop.REFERRER}, PAGE),
    ({"url": shop.URL}, {"event_source_url": shop.URL}),
    ({"url": shop.URL, "referrer": "about:blank"}, {"event_source_url": shop.URL}),
    ({"url": "android-app://com.toko", "referrer": shop.REFERRER}, {"referrer_url": shop.REFERRER}),
    ({"url": "https://toko.example/a b"}, {}),
    ({"url": "https://[toko/"}, {}),
    ({"url": "http://toko.example:x/"}, {}),
    ({}, {}),
]


@pytest.mark.parametrize(("page", "expected"), URLS)
@pytest.mark.parametrize("provider", ["meta", "snackvideo"])
def test_r51_r59_r64_the_urls(provider: str, page: dict[str, str], expected: Any) -> None:
    """R51, R59, R64: the full page URL and the referrer; what is no http(s) URL is left out."""
    body = body_of(provider, shop.add_to_cart(page=page))
    assert {key: value for key, value in body.items() if key.endswith("_url")} == expected
    assert scalev(provider).skips(shop.add_to_cart(page=page)) is None


def test_d11_tiktok_needs_the_page_url() -> None:
    """D11: without an http(s) URL the call is skipped."""
    tiktok = scalev("tiktok")
    assert tiktok.skips(shop.add_to_cart(page={})) == "no http or https page URL"
    assert tiktok.skips(shop.add_to_cart(page={"url": "file:///a"})) == "no http or https page URL"
    assert tiktok.skips(shop.add_to_cart()) is None


@pytest.mark.parametrize(
    ("country", "told", "expected"),
    [("id", None, "id"), ("my", None, "my"), ("id", "SG", "sg"), ("id", "sg", "sg")],
)
def test_r52_the_country(country: str, told: str | None, expected: str) -> None:
    """R52: the shop's, unless the shopper's is known."""
    event = shop.add_to_cart(user={"country": told} if told else None)
    assert body_of("meta", event, country=country)["user_data"]["country"] == expected


def test_r52_r55_d6_what_is_unknown_is_left_out() -> None:
    """R52, R55, D6: no empty click ID, browser ID or `external_id`."""
    event = shop.add_to_cart(attribution={}, user={"id": ""}, client=None)
    assert body_of("meta", event)["user_data"] == {"country": "id"}
    assert body_of("tiktok", event)["user"] == {}


EVERYTHING = {
    **shop.USER,
    "birthdate": "1990-01-31",
    "gender": "f",
    "zipcode": "40111",
    "email_sha256": "a" * 64,
    "phone_md5": "b" * 32,
    "consent_categories": ["1"],
}


def test_r53_r54_r56_only_accepted_user_keys() -> None:
    """R53, R54, R56: no other personal data, nothing hashed, and neither IP nor `client_*`."""
    event = shop.purchase(user=EVERYTHING)
    meta = set("fn ln em ph ct st country external_id fbc fbp".split())
    tiktok = set("email phone external_id ttclid ttp user_agent".split())
    assert set(body_of("meta", event)["user_data"]) == meta
    assert set(body_of("tiktok", event)["user"]) == tiktok
    for provider in PROVIDERS:
        body = request_for(provider, event).body
        for private in (b"203.0.113.7", b"client_ip", b"client_user_agent", b"aaaa", b"40111"):
            assert private not in body


def test_r62_a_phone_of_unknown_country_is_left_out() -> None:
    """R62: digits with country code, as in 002's samples, or none at all."""
    event = shop.add_to_cart(user={"phone": "0812-3456-7890"})
    assert body_of("meta", event)["user_data"]["ph"] == "6281234567890"
    assert "ph" not in body_of("meta", event, country="sg")["user_data"]


# --- answers ---


def judged(provider: str, answer: Answer) -> tuple[str, str, float | None]:
    destination = scalev(provider)
    [request] = destination.requests([shop.add_to_cart()])
    judgement = destination.judge(request, answer, NOW)
    return judgement.verdict, judgement.reason, judgement.after_s


NO_STORE = b'{"error":"Store not found","error_code":"not_found","message":"Store not found"}'
BAD_NAME = b'{"error":"bad_request","message":"events[0].event_name can\'t be blank"}'

ANSWERS: list[tuple[str, Answer, tuple[str, str, float | None]]] = [
    ("204", Answer(204), ("done", "", None)),
    ("200 with any body", Answer(200, b"<!doctype html>"), ("done", "", None)),
    (
        "404",
        Answer(404, NO_STORE),
        ("pause", "no such store (404): wrong store_id or api_key, or no plan", None),
    ),
    ("401", Answer(401), ("pause", "credentials refused (401)", None)),
    ("403", Answer(403), ("pause", "credentials refused (403)", None)),
    ("301", Answer(301), ("pause", "redirected (301), check base_url", None)),
    (
        "400",
        Answer(400, BAD_NAME),
        ("dead", "refused (400): events[0].event_name can't be blank", None),
    ),
    ("422 without words", Answer(422, b"no JSON"), ("dead", "refused (422)", None)),
    ("409", Answer(409, b"{}"), ("dead", "refused (409)", None)),
    (
        "429 in plain text",
        Answer(429, b"Too many requests", {"Retry-After": "7"}),
        ("retry", "throttled (429)", 7.0),
    ),
    (
        "no connection",
        Answer(failure="not_sent", detail="refused"),
        ("retry", "no connection: refused", None),
    ),
]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("_name", "answer", "expected"), ANSWERS)
def test_r6_r7_what_an_answer_means(
    provider: str, _name: str, answer: Answer, expected: tuple[str, str, float | None]
) -> None:
    """R6, R7, DESIGN 5.5: 2xx is accepted unread, 404 is no fault of the event."""
    assert judged(provider, answer) == expected


@pytest.mark.parametrize(
    "answer",
    [Answer(500), Answer(503), Answer(failure="no_answer", detail="not within 10 s")],
)
def test_r50_an_ambiguous_end_is_retried_where_an_id_deduplicates(answer: Answer) -> None:
    """Section 2, retry: SnackVideo only gets again what surely did not arrive."""
    verdicts = [judged(provider, answer)[0] for provider in PROVIDERS]
    assert verdicts == ["retry", "retry", "dead"]


# --- a round trip ---

EVENTS: list[tuple[str, dict[str, Any]]] = [
    ("view_item", {"items": [shop.KAOS]}),
    ("add_to_cart", {"items": [shop.KAOS, shop.PAKET]}),
    ("begin_checkout", {"items": [shop.KAOS]}),
    ("add_payment_info", {"payment_method": "card"}),
    ("purchase", {"id": "ORD-77", "value": 120000, "items": [shop.KAOS]}),
]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_sandbox_takes_every_event(provider: str) -> None:
    """R1-R7: Scalev's stand-in, which knows the contract and refuses cookies, has no objection."""
    table = {"base_url": "http://scalev.test/sandbox/api"}
    events = [shop.event(name, params, user=shop.USER) for name, params in EVENTS]
    destination = scalev(provider, table)
    assert [destination.skips(event) for event in events] == [None] * len(events)
    verdicts = shop.verdicts(destination, events, NOW)
    assert verdicts == ["done"] * len(events)


def test_the_sandbox_refuses_a_bad_key_as_scalev_does() -> None:
    """DESIGN 5.5: a wrong key is a 404, and pauses the destination."""
    table = {"base_url": "http://scalev.test/sandbox/api", "api_key": "wrong_key"}
    destination = scalev("meta", table)
    assert shop.verdicts(destination, [shop.add_to_cart()], NOW) == ["pause"]
