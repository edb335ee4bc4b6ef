"""Each vendor's stand-in takes the sample of its specification and refuses every broken rule."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.relay.sandbox_client import NOW_S, Sandbox

GONE = object()
HASH = "4320997dde26a372566fbae6938926b36996b927f236fa61d6ca48e94313c843"
WEEK_S = 7 * 86_400
FINGERPRINT = "0d2f6e9c-6a0e-4f3e-8a55-0c2b7c1e9a01"
ITEM = {"id": "SKU-9", "quantity": 1, "product": {"id": "9", "name": "Mug", "price": 9.99}}
LINE = {"product_id": "P-1", "product_name": "Mug", "quantity": 3, "value": 22.5, "currency": "EUR"}


@dataclass(frozen=True)
class Sample:
    """A right request: path below `/sandbox/api`, headers, body, and what is answered."""

    system: str
    path: str
    body: Any
    status: int = 200
    answer: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    event_name: str | None = None
    event_id: str | None = None
    pixel: str | None = None
    deduplicates: bool = True


SCALEV_HEADERS = {
    "X-Scalev-Storefront-Api-Key": "sfpk_1",
    "Accept": "application/json",
    "Content-Type": "application/json",
}
SAMPLES = {
    "scalev.meta": Sample(
        "scalev.meta",
        "/v3/stores/store_1/public/analytics/meta/events",
        {
            "event_source_url": "https://toko.example.test/p/kaos",
            "referrer_url": "https://m.facebook.com/",
            "user_data": {
                "country": "id",
                "fbc": "fb.1.1760000000000.AbC",
                "fbp": "fb.1.1760000000000.4821",
                "em": "siti@example.com",
                "ph": "6281234567890",
            },
            "events": [
                {
                    "event_id": "add_to_cart_0b0f",
                    "event_name": "AddToCart",
                    "parameters": {"content_ids": ["variant_a1"], "value": 120000},
                }
            ],
            "variants": [{"variant_unique_id": "variant_a1", "quantity": 2}],
        },
        status=204,
        headers=SCALEV_HEADERS,
        event_name="AddToCart",
        event_id="add_to_cart_0b0f",
    ),
    "scalev.tiktok": Sample(
        "scalev.tiktok",
        "/v3/stores/store_1/public/analytics/tiktok/events",
        {
            "event_source_url": "https://toko.example.test/p/kaos",
            "user": {"ttclid": "E.C.P.x", "ttp": "2abc", "phone": "6281234567890"},
            "events": [
                {
                    "event_id": "add_to_cart_0b0f",
                    "event": "AddToCart",
                    "parameters": {"content_id": "variant_a1", "value": 120000},
                }
            ],
            "variants": [{"variant_unique_id": "variant_a1", "quantity": 2}],
        },
        status=204,
        headers=SCALEV_HEADERS,
        event_name="AddToCart",
        event_id="add_to_cart_0b0f",
    ),
    "scalev.snackvideo": Sample(
        "scalev.snackvideo",
        "/v3/stores/store_1/public/analytics/snackvideo/events",
        {
            "click_id": "kw-9f",
            "event_source_url": "https://toko.example.test/p/kaos",
            "events": [
                {
                    "event_name": "addToCart",
                    "properties": {"currency": "IDR", "value": 120000, "quantity": 2},
                }
            ],
            "bundle_price_options": [
                {"bundle_price_option_unique_id": "bundle_price_option_b7", "quantity": 1}
            ],
        },
        status=204,
        headers=SCALEV_HEADERS,
        event_name="addToCart",
        deduplicates=False,
    ),
    "meta": Sample(
        "meta",
        "/v25.0/1234567890/events?access_token=EAAB-1",
        {
            "data": [
                {
                    "event_name": "Purchase",
                    "event_time": NOW_S,
                    "event_id": "ORD-77-Purchase",
                    "action_source": "website",
                    "event_source_url": "https://shop.example/thanks",
                    "referrer_url": "https://shop.example/checkout",
                    "opt_out": False,
                    "data_processing_options": [],
                    "user_data": {
                        "em": [HASH],
                        "ph": HASH,
                        "external_id": ["CUST-0042"],
                        "client_ip_address": "2001:db8::7",
                        "client_user_agent": "Mozilla/5.0 (demo)",
                        "fbc": "fb.1.1760000000000.AbC-1",
                        "fbp": "fb.1.1750000000000.1098115397",
                    },
                    "custom_data": {
                        "currency": "idr",
                        "value": 147000,
                        "order_id": "ORD-77",
                        "content_type": "product",
                        "content_ids": ["sku-1", 7],
                        "contents": [{"id": "sku-1", "quantity": 2, "item_price": 73500}],
                        "num_items": 2,
                    },
                }
            ],
            "test_event_code": "TEST12345",
        },
        answer={"events_received": 1, "messages": [], "fbtrace_id": "ASandbox"},
        event_name="Purchase",
        event_id="ORD-77-Purchase",
        pixel="1234567890",
    ),
    "tiktok": Sample(
        "tiktok",
        "/open_api/v1.3/event/track/",
        {
            "event_source": "web",
            "event_source_id": "CTESTPIXEL0001",
            "test_event_code": "TEST01234",
            "partner_name": "DemoRelay",
            "data": [
                {
                    "event": "Purchase",
                    "event_time": NOW_S,
                    "event_id": "ORD-77-Purchase",
                    "limited_data_use": False,
                    "user": {
                        "email": HASH,
                        "phone": [HASH],
                        "external_id": HASH,
                        "ttclid": "E.C.P.demo-1",
                        "ttp": "2aBcDeFgHiJkLmNoPqRsTuVwXyZ",
                        "ip": "203.0.113.7",
                        "user_agent": "Mozilla/5.0 (demo)",
                        "locale": "id-ID",
                    },
                    "page": {"url": "https://shop.example/thanks", "referrer": ""},
                    "properties": {
                        "currency": "IDR",
                        "value": 147000,
                        "order_id": "ORD-77",
                        "content_type": "product",
                        "contents": [{"content_id": "sku-1", "price": 73500, "quantity": 2}],
                    },
                }
            ],
        },
        headers={"Access-Token": "token-1"},
        answer={"code": 0, "message": "OK", "request_id": "20260102030405", "data": {}},
        event_name="Purchase",
        event_id="ORD-77-Purchase",
        pixel="CTESTPIXEL0001",
    ),
    "kwai": Sample(
        "kwai",
        "/log/common/api",
        {
            "access_token": "demo-token",
            "clickid": "Ab3_demo-clickid-0001",
            "event_name": "EVENT_PURCHASE",
            "pixelId": "300000000000001",
            "is_attributed": 1,
            "mmpcode": "PL",
            "pixelSdkVersion": "9.9.9",
            "testFlag": False,
            "trackFlag": False,
            "third_party": "demo_relay",
            "properties": '{"content_id":"sku-1","content_type":"product","content_name":"Kaos",'
            '"currency":"IDR","value":147000,"quantity":2,"price":73500,'
            '"event_timestamp":1760000000}',
        },
        answer={"result": 1},
        event_name="EVENT_PURCHASE",
        pixel="300000000000001",
        deduplicates=False,
    ),
    "tracify": Sample(
        "tracify",
        "/api/v1/events",
        {
            "events": [
                {
                    "url": "https://shop.example.test/thanks",
                    "customer_site_id": "5f0c9c52-7f0e-4c55-9a7a-2f2c8b6d1e10",
                    "identity_data": {"a" * 64: 1, "b" * 64: 2, "c" * 64: 3, "d" * 64: 4},
                    "datetime": "2026-03-04 05:09:00",
                    "type": "purchase",
                    "data": {
                        "origin": "https://shop.example.test",
                        "Referer": "https://m.facebook.com/",
                        "order_id": "A-1",
                        "currency": "EUR",
                        "amount": "100.00",
                        "ITEM1": "Mug",
                        "AMT1": "25.00",
                        "QTY1": "2",
                        "utm_source": "fb",
                    },
                }
            ]
        },
        headers={"tracify-token": "key-1"},
        answer={"status": True},
        event_name="purchase",
    ),
    "tracify conversion": Sample(
        "tracify",
        "/api/v1/events",
        {
            "events": [
                {
                    "url": "https://shop.example.test/",
                    "customer_site_id": "5f0c9c52-7f0e-4c55-9a7a-2f2c8b6d1e10",
                    "identity_data": {"c" * 64: 3, "d" * 64: 4},
                    "datetime": "2026-03-04 05:09:00",
                    "type": "conversion",
                    "data": {
                        "origin": "https://shop.example.test:8443",
                        "conversion_id": "L-1",
                        "currency": "EUR",
                        "amount": "5.00",
                        "value": "5.00",
                    },
                }
            ]
        },
        headers={"tracify-token": "key-1"},
        answer={"status": True},
        event_name="conversion",
    ),
    "commanders_act": Sample(
        "commanders_act",
        "/events?tc_s=1234&token=source-1",
        {
            "event_name": "add_to_cart",
            "value": 8.0,
            "currency": "EUR",
            "items": [ITEM],
            "user": {
                "id": "C-77",
                "email_sha256": "836f82db99121b3481011f16b49dfa5fbc714a0d1b1b9f784a1ebbbf5b39577f",
                "consistent_anonymous_id": "202612345678901234567890",
                "consent_categories": ["1", "3"],
            },
            "context": {
                "event_id": "add_to_cart_0b0f",
                "event_timestamp": 1760000000000,
                "page": {"title": "Mug", "url": "https://shop.example.test/p/9", "lang": "en"},
                "device": {"user_agent": "Mozilla/5.0", "ip": "203.0.113.7"},
            },
        },
        event_name="add_to_cart",
        event_id="add_to_cart_0b0f",
        pixel="1234",
        deduplicates=False,
    ),
    "alhena cart": Sample(
        "alhena",
        "/analytics/cart_events",
        {
            "company_key": "acme",
            "user_fingerprint": FINGERPRINT,
            "user_faq_fingerprint": FINGERPRINT,
            "type": "ITEM_REMOVED",
            "product_id": "P-12",
            "product_name": "Green mug",
            "value": 7.5,
            "currency": "EUR",
            "quantity": 0,
        },
        answer={"status": "success"},
        event_name="sendCartEvent",
        deduplicates=False,
    ),
    "alhena checkout": Sample(
        "alhena",
        "/analytics/checkout_events",
        {
            "company_key": "acme",
            "user_fingerprint": FINGERPRINT,
            "user_faq_fingerprint": FINGERPRINT,
            "order_id": "A-1",
            "value": 30.0,
            "currency": "EUR",
            "line_items": [LINE],
        },
        answer={"status": "success"},
        event_name="sendCheckoutEvent",
    ),
}


def changed(held: Any, where: str, value: Any) -> Any:
    """A copy of the JSON value with another value at the dotted path, or none there."""
    held = copy.deepcopy(held)
    *steps, last = [int(step) if step.isdigit() else step for step in where.split(".")]
    at = held
    for step in steps:
        at = at[step]
    if value is GONE:
        del at[last]
    else:
        at[last] = value
    return held


def send(sandbox: Sandbox, sample: Sample, *, where: str = "", value: Any = None) -> httpx.Response:
    """The sample, sent. `where`: `body`, `path`, `header X`, or a dotted path into the body."""
    body, path = copy.deepcopy(sample.body), sample.path
    headers = {"Content-Type": "application/json", **sample.headers}
    if where.startswith("header "):
        headers = changed(headers, where.removeprefix("header "), value)
    elif where == "path":
        path = value
    elif where == "body":
        body = value
    elif where:
        body = changed(body, where, value)
    content = body if isinstance(body, str) else json.dumps(body)
    return sandbox.ask("POST", "/api" + path, headers=headers, content=content)


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


@pytest.mark.parametrize("name", SAMPLES)
def test_the_sample_of_the_specification_is_taken(sandbox: Sandbox, name: str) -> None:
    """Answered as the vendor does, and on record with the vendor's own name and event ID."""
    sample = SAMPLES[name]
    answer = send(sandbox, sample)
    assert answer.status_code == sample.status
    assert (answer.json() if answer.content else None) == sample.answer
    (row,) = sandbox.calls()
    assert (row["system"], row["side"], row["accepted"]) == (sample.system, "server", True)
    assert (row["event_name"], row["event_id"]) == (sample.event_name, sample.event_id)
    assert row["pixel"] == sample.pixel
    expected = {**sample.body, "access_token": "(hidden)"} if name == "kwai" else sample.body
    assert row["call"] == expected


@pytest.mark.parametrize("name", SAMPLES)
def test_a_second_copy_is_a_duplicate_where_the_vendor_has_a_key(
    sandbox: Sandbox, name: str
) -> None:
    """Event ID, order ID or conversion ID; elsewhere a repeat counts twice."""
    for _ in range(2):
        send(sandbox, SAMPLES[name])
    rows = sandbox.calls()
    assert [row["duplicate"] for row in rows] == [False, SAMPLES[name].deduplicates]


Broken = tuple[str, str, Any]

SCALEV_400: list[Broken] = [
    ("scalev.meta", "body", "{"),
    ("scalev.meta", "body", "[]"),
    ("scalev.meta", "header Accept", "*/*"),
    ("scalev.meta", "header Content-Type", "text/plain"),
    ("scalev.meta", "header Cookie", "_fbp=fb.1.1.2"),
    ("scalev.meta", "user_data", GONE),
    ("scalev.meta", "user_data.location_id", "12"),
    ("scalev.meta", "user_data.em", ["siti@example.com"]),
    ("scalev.meta", "event_source_url", "/p/kaos"),
    ("scalev.meta", "referrer_url", ""),
    ("scalev.meta", "events", GONE),
    ("scalev.meta", "events", []),
    ("scalev.meta", "events.0.event_id", GONE),
    ("scalev.meta", "events.0.event_id", ""),
    ("scalev.meta", "events.0.event_name", GONE),
    ("scalev.meta", "events.0.event_time", 1760000000),
    ("scalev.meta", "events.0.parameters", []),
    ("scalev.meta", "variants", []),
    ("scalev.meta", "variants.0.price", 1),
    ("scalev.meta", "variants.0.quantity", 0),
    ("scalev.meta", "variants.0.quantity", True),
    ("scalev.meta", "variants.0.variant_unique_id", GONE),
    ("scalev.tiktok", "event_source_url", GONE),
    ("scalev.tiktok", "user", GONE),
    ("scalev.tiktok", "events.0.event", GONE),
    ("scalev.tiktok", "events.0.event_name", "AddToCart"),
    ("scalev.snackvideo", "click_id", GONE),
    ("scalev.snackvideo", "click_id", ""),
    ("scalev.snackvideo", "events.0.event_id", "e1"),
    ("scalev.snackvideo", "events.0.event_name", GONE),
    ("scalev.snackvideo", "events.0.properties.value", 120000.5),
    ("scalev.snackvideo", "events.0.properties.quantity", 2.0),
    ("scalev.snackvideo", "events.0.properties.price", "60000"),
    ("scalev.snackvideo", "bundle_price_options.0.variant_unique_id", "v"),
]


@pytest.mark.parametrize(("name", "where", "value"), SCALEV_400)
def test_scalev_refuses_with_400(sandbox: Sandbox, name: str, where: str, value: Any) -> None:
    """In Scalev's error shape, which names the field (scalev.md section 2)."""
    answer = send(sandbox, SAMPLES[name], where=where, value=value)
    error = answer.json()
    assert (answer.status_code, error["error_code"]) == (400, "bad_request")
    assert error.keys() == {"error", "error_code", "message", "errors"}
    named = where.removeprefix("header ")
    assert any(named in key for key in error["errors"])
    assert [(row["accepted"], row["error"]) for row in sandbox.calls()] == [
        (False, error["message"])
    ]


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("header X-Scalev-Storefront-Api-Key", GONE),
        ("header X-Scalev-Storefront-Api-Key", "bad_key"),
        ("path", "/v3/stores/wrong_1/public/analytics/meta/events"),
    ],
)
def test_scalev_knows_no_store_for_a_bad_key(sandbox: Sandbox, where: str, value: Any) -> None:
    """404 Store not found covers a bad key and an unknown store."""
    answer = send(sandbox, SAMPLES["scalev.meta"], where=where, value=value)
    assert (answer.status_code, answer.json()["message"]) == (404, "Store not found")


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("scalev.meta", "page_id"),
        ("scalev.meta", "user_data.client_ip_address"),
        ("scalev.meta", "events.0.parameters.anything"),
        ("scalev.snackvideo", "events.0.properties.mapping_id"),
    ],
)
def test_scalev_tolerates_unknown_keys_outside_events(
    sandbox: Sandbox, name: str, where: str
) -> None:
    """At the top, in the user data and in the parameters; inside an event and a row it does not."""
    assert send(sandbox, SAMPLES[name], where=where, value="x").status_code == 204


def test_a_throttled_scalev_answers_in_plain_text(sandbox: Sandbox) -> None:
    """Its 429 may hold no JSON (scalev.md section 2)."""
    sandbox.behave(system="scalev.meta", do="throttle")
    answer = send(sandbox, SAMPLES["scalev.meta"])
    assert (answer.status_code, answer.headers["content-type"]) == (
        429,
        "text/plain; charset=utf-8",
    )


USER = "data.0.user_data."
CUSTOM = "data.0.custom_data."
META_100: list[tuple[str, Any, int | None]] = [
    ("body", "{", 2804001),
    ("body", '{"data": [{"event_time": NaN}]}', 2804001),
    ("header Content-Type", "text/plain", 2804001),
    ("path", "/v25.0/pixel/events?access_token=EAAB-1", 33),
    ("data", GONE, 2804001),
    ("data", [], 2804001),
    ("data", [{}] * 1001, 2804001),
    ("data.0.event_name", GONE, 2804001),
    ("data.0.event_time", GONE, 2804001),
    ("data.0.event_time", str(NOW_S), 2804001),
    ("data.0.event_time", NOW_S * 1000, 2804001),
    ("data.0.event_time", NOW_S - WEEK_S - 1, 2804003),
    ("data.0.event_id", 77, 2804001),
    ("data.0.action_source", GONE, 2804001),
    ("data.0.action_source", "web", 2804001),
    ("data.0.event_source_url", GONE, 2804001),
    ("data.0.user_data", GONE, 2804001),
    (USER + "client_user_agent", GONE, 2804001),
    (USER + "em", "siti@example.com", 2804001),
    (USER + "em", [HASH.upper()], 2804001),
    (USER + "ph", ["6281234567890"], 2804001),
    (USER + "country", "id", 2804001),
    (USER + "fbp", HASH, 2804001),
    (USER + "client_ip_address", HASH, 2804001),
    ("data.0.user_data", {"country": HASH, "client_user_agent": "M"}, 2804001),
    (CUSTOM + "value", "147000", 2804001),
    (CUSTOM + "value", GONE, 2804009),
    (CUSTOM + "currency", GONE, 2804009),
    (CUSTOM + "currency", "rupiah", 2804001),
    (CUSTOM + "num_items", 2.5, 2804001),
    (CUSTOM + "content_type", "item", 2804001),
    (CUSTOM + "contents.0.id", GONE, 2804001),
    (CUSTOM + "contents.0.quantity", GONE, 2804001),
    ("data.0.opt_out", "false", 2804001),
]


@pytest.mark.parametrize(("where", "value", "subcode"), META_100)
def test_meta_refuses_with_code_100(
    sandbox: Sandbox, where: str, value: Any, subcode: int | None
) -> None:
    """HTTP 400 and Meta's error body (meta.md section 6)."""
    answer = send(sandbox, SAMPLES["meta"], where=where, value=value)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["error_subcode"]) == (400, 100, subcode)
    assert not any(row["accepted"] for row in sandbox.calls())


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v25.0/1234567890/events", 190),
        ("/v25.0/1234567890/events?access_token=bad-1", 190),
        ("/1234567890/25/events?access_token=EAAB-1", 2500),
    ],
)
def test_meta_refuses_a_token_or_a_path(sandbox: Sandbox, path: str, code: int) -> None:
    """A refused token is code 190 (meta.md section 6)."""
    answer = send(sandbox, SAMPLES["meta"], where="path", value=path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


@pytest.mark.parametrize(
    ("where", "value"),
    [("header Authorization", "Bearer EAAB-1"), ("access_token", "EAAB-1")],
)
def test_meta_takes_its_token_from_header_or_body_too(
    sandbox: Sandbox, where: str, value: str
) -> None:
    """Not only from the query."""
    sample = Sample("meta", "/v25.0/1234567890/events", SAMPLES["meta"].body)
    assert send(sandbox, sample, where=where, value=value).status_code == 200


@pytest.mark.parametrize(
    ("source", "days", "status"),
    [("website", 7, 200), ("website", 8, 400), ("physical_store", 62, 200)],
)
def test_meta_takes_no_event_over_its_age(
    sandbox: Sandbox, source: str, days: int, status: int
) -> None:
    """Seven days, 62 for a physical store."""
    body = changed(SAMPLES["meta"].body, "data.0.action_source", source)
    body = changed(body, "data.0.event_time", NOW_S - days * 86_400)
    assert send(sandbox, SAMPLES["meta"], where="body", value=body).status_code == status


def test_one_bad_event_takes_down_metas_whole_request(sandbox: Sandbox) -> None:
    """Each event is on record alone, and none is accepted."""
    good = SAMPLES["meta"].body["data"][0]
    bad = {**good, "event_id": "e2", "action_source": "nowhere"}
    send(sandbox, SAMPLES["meta"], where="data", value=[good, bad])
    rows = sandbox.calls()
    assert [(row["event_id"], row["accepted"]) for row in rows] == [
        ("ORD-77-Purchase", False),
        ("e2", False),
    ]
    assert [row["call"]["data"] for row in rows] == [[good], [bad]]
    assert "data.1.action_source" in rows[0]["error"]


PROPERTIES = "data.0.properties."
TIKTOK: list[tuple[str, Any, int]] = [
    ("header Access-Token", GONE, 40104),
    ("header Access-Token", "wrong-1", 40105),
    ("header Content-Type", "text/plain", 40002),
    ("body", "{", 40002),
    ("event_source", GONE, 40002),
    ("event_source", "shop", 40002),
    ("event_source_id", GONE, 40002),
    ("event_source_id", "wrong1", 40001),
    ("partner_name", "bad", 40063),
    ("data", [], 40061),
    ("data", [{}] * 1001, 40061),
    ("data.0.event", GONE, 40002),
    ("data.0.event_time", GONE, 40002),
    ("data.0.event_time", NOW_S * 1000, 40002),
    ("data.0.event_id", 1, 40002),
    ("data.0.limited_data_use", 0, 40002),
    ("data.0.page", GONE, 40002),
    ("data.0.page.url", "/thanks", 40002),
    ("data.0.user.email", "budi@example.org", 40062),
    ("data.0.user.phone", "+6281234567890", 40062),
    ("data.0.user.external_id", ["CUST-0042"], 40062),
    ("data.0.user.ttclid", HASH, 40002),
    ("data.0.user.ip", HASH, 40002),
    (PROPERTIES + "currency", "idr", 40002),
    (PROPERTIES + "value", "147000", 40002),
    (PROPERTIES + "content_type", "item", 40002),
    (PROPERTIES + "contents.0.content_id", 7, 40002),
    (PROPERTIES + "contents.0.quantity", 1.5, 40002),
]


@pytest.mark.parametrize(("where", "value", "code"), TIKTOK)
def test_tiktok_refuses_with_a_code_and_http_200(
    sandbox: Sandbox, where: str, value: Any, code: int
) -> None:
    """The status says nothing at TikTok (tiktok.md section 6)."""
    answer = send(sandbox, SAMPLES["tiktok"], where=where, value=value)
    told = answer.json()
    assert (answer.status_code, told["code"]) == (200, code)
    assert {(row["accepted"], row["error"]) for row in sandbox.calls()} == {
        (False, told["message"])
    }


def test_tiktok_names_the_row(sandbox: Sandbox) -> None:
    """As in the recorded error of tiktok.md section 6."""
    where = "data.0.properties.contents.0.content_id"
    answer = send(sandbox, SAMPLES["tiktok"], where=where, value=7)
    assert answer.json()["message"].startswith("Batch.0.properties.contents.0.content_id: ")


KWAI: list[tuple[str, Any, int]] = [
    ("header Content-Type", "text/plain", 10001),
    ("body", "{", 10002),
    *[
        (key, GONE, 10001)
        for key in (
            "access_token clickid event_name pixelId is_attributed mmpcode pixelSdkVersion "
            "testFlag trackFlag"
        ).split()
    ],
    ("access_token", "bad", 10003),
    ("is_attributed", True, 10002),
    ("is_attributed", 0, 10001),
    ("event_name", "purchase", 10001),
    ("mmpcode", "XX", 10001),
    ("testFlag", 0, 10002),
    ("value", 147000, 10002),
    ("properties", {"value": 1}, 10002),
    ("properties", "value=1", 10001),
    ("properties", '{"value": "1"}', 10002),
    ("properties", '{"content_type": "item"}', 10001),
]


@pytest.mark.parametrize(("where", "value", "result"), KWAI)
def test_kwai_refuses_with_a_result_and_http_200(
    sandbox: Sandbox, where: str, value: Any, result: int
) -> None:
    """10002 is a wrong type, a boolean `is_attributed` above all (kwai.md section 6)."""
    answer = send(sandbox, SAMPLES["kwai"], where=where, value=value)
    assert (answer.status_code, answer.json()["result"]) == (200, result)
    assert [row["error"] for row in sandbox.calls()] == [answer.json()["error_msg"]]


EVENT = "events.0."
TRACIFY_400: list[Broken] = [
    ("tracify", "header Content-Type", "text/plain"),
    ("tracify", "body", "{"),
    ("tracify", "events", []),
    ("tracify", EVENT + "url", GONE),
    ("tracify", EVENT + "url", "shop.example.test"),
    ("tracify", EVENT + "customer_site_id", "toko"),
    ("tracify", EVENT + "identity_data", GONE),
    ("tracify", EVENT + "identity_data", []),
    ("tracify", EVENT + "identity_data", {"a" * 64: 3}),
    ("tracify", EVENT + "identity_data", {"a" * 64: 4}),
    ("tracify", EVENT + "identity_data", {"c" * 64: 3, "d" * 64: 4, "a" * 64: 5}),
    ("tracify", EVENT + "identity_data", {"c" * 64: 3, "d" * 64: 4, "a" * 64: "1"}),
    ("tracify", EVENT + "identity_data", {"203.0.113.7": 3, "d" * 64: 4}),
    ("tracify", EVENT + "datetime", GONE),
    ("tracify", EVENT + "datetime", "2026-03-04T05:09:00Z"),
    ("tracify", EVENT + "datetime", "2026-13-04 05:09:00"),
    ("tracify", EVENT + "datetime", "2026-3-4 5:9:0"),
    ("tracify", EVENT + "type", "page_view"),
    ("tracify", EVENT + "data", GONE),
    ("tracify", EVENT + "data.origin", GONE),
    ("tracify", EVENT + "data.origin", "shop.example.test"),
    ("tracify", EVENT + "data.origin", "https://shop.example.test/"),
    ("tracify", EVENT + "data.Referer", ""),
    ("tracify", EVENT + "data.order_id", GONE),
    ("tracify", EVENT + "data.currency", GONE),
    ("tracify", EVENT + "data.currency", "eur"),
    ("tracify", EVENT + "data.amount", GONE),
    ("tracify", EVENT + "data.amount", 100.0),
    ("tracify", EVENT + "data.amount", "100,00"),
    ("tracify", EVENT + "data.ITEM1", ""),
    ("tracify", EVENT + "data.AMT1", 25),
    ("tracify", EVENT + "data.QTY1", "2.00"),
    ("tracify", EVENT + "data.utm_source", None),
    ("tracify conversion", EVENT + "data.conversion_id", GONE),
    ("tracify conversion", EVENT + "data.amount", GONE),
]


@pytest.mark.parametrize(("name", "where", "value"), TRACIFY_400)
def test_tracify_refuses_with_status_false(
    sandbox: Sandbox, name: str, where: str, value: Any
) -> None:
    """HTTP 400 and the reason (tracify.md section 2)."""
    answer = send(sandbox, SAMPLES[name], where=where, value=value)
    assert (answer.status_code, answer.json()["status"]) == (400, False)
    assert [row["error"] for row in sandbox.calls()] == [answer.json()["error"]]


@pytest.mark.parametrize("value", [GONE, "bad-key"])
def test_tracify_refuses_a_token(sandbox: Sandbox, value: Any) -> None:
    """401."""
    answer = send(sandbox, SAMPLES["tracify"], where="header tracify-token", value=value)
    assert (answer.status_code, answer.json()["status"]) == (401, False)


def test_tracify_does_not_deduplicate_page_views(sandbox: Sandbox) -> None:
    """They have no ID, so a retry counts twice."""
    event = SAMPLES["tracify"].body["events"][0]
    view = {**event, "type": "pageview", "data": {"origin": "https://shop.example.test"}}
    for _ in range(2):
        assert send(sandbox, SAMPLES["tracify"], where=EVENT[:-1], value=view).status_code == 200
    assert [row["duplicate"] for row in sandbox.calls()] == [False, False]


PURCHASE = {
    **SAMPLES["commanders_act"].body,
    "event_name": "purchase",
    "id": "ORD-1",
    "revenue": 16.0,
    "value": 22.53,
    "type": "online",
    "payment_method": "card",
    "status": "in_progress",
}
COMMANDERS_ACT: list[tuple[dict[str, Any], str, Any]] = [
    ({}, "header Content-Type", "text/plain"),
    ({}, "path", "/events?tc_s=1234"),
    ({}, "path", "/events?tc_s=1234&token=bad"),
    ({}, "path", "/events?token=source-1"),
    ({}, "event_name", GONE),
    ({}, "event_name", ""),
    ({}, "context", GONE),
    ({}, "context.event_id", GONE),
    ({}, "context.event_timestamp", GONE),
    ({}, "context.event_timestamp", "1760000000000"),
    ({}, "context.event_timestamp", 1760000000),
    ({}, "user", GONE),
    ({}, "user.consent_categories", GONE),
    ({}, "user.consistent_anonymous_id", GONE),
    ({}, "user.phone", "33612345678"),
    ({}, "user.email_sha256", "x"),
    ({}, "user.birthdate", "1/1/1970"),
    ({}, "properties", {}),
    ({}, "value", "8.00"),
    ({}, "currency", GONE),
    ({}, "currency", "eur"),
    ({}, "items", GONE),
    ({}, "items", []),
    ({}, "items.0.product", GONE),
    ({}, "items.0.product.price", GONE),
    ({}, "items.0.quantity", "1"),
    (PURCHASE, "id", GONE),
    (PURCHASE, "revenue", GONE),
    (PURCHASE, "payment_method", "paypal"),
    (PURCHASE, "payment_method", GONE),
    (PURCHASE, "status", "done"),
    (PURCHASE, "type", GONE),
    ({"event_name": "page_view"}, "page_type", GONE),
    ({"event_name": "search"}, "search_term", GONE),
    ({"event_name": "select_item"}, "items", [ITEM, ITEM]),
]


@pytest.mark.parametrize(("other", "where", "value"), COMMANDERS_ACT)
def test_commanders_act_refuses_in_silence(
    sandbox: Sandbox, other: dict[str, Any], where: str, value: Any
) -> None:
    """The answer is 200 all the same; the record says what their event inspector would."""
    body = {**SAMPLES["commanders_act"].body, **other}
    if value is GONE and "." not in where:
        body.setdefault(where, None)
    sample = Sample("commanders_act", SAMPLES["commanders_act"].path, body)
    assert send(sandbox, sample, where=where, value=value).status_code == 200
    assert [row["accepted"] for row in sandbox.calls()] == [False]
    assert sandbox.calls()[0]["error"]


@pytest.mark.parametrize("name", ["wishlist_shared", "login"])
def test_commanders_act_takes_events_without_items(sandbox: Sandbox, name: str) -> None:
    """Custom events and those that require nothing need no more than the envelope."""
    body = changed(SAMPLES["commanders_act"].body, "items", GONE)
    send(sandbox, SAMPLES["commanders_act"], where="body", value={**body, "event_name": name})
    assert [row["accepted"] for row in sandbox.calls()] == [True]


def test_commanders_act_takes_its_key_as_a_bearer_token(sandbox: Sandbox) -> None:
    """The API page and the OpenAPI file differ (commanders-act.md C13)."""
    sample = Sample("commanders_act", "/events?tc_s=1", SAMPLES["commanders_act"].body)
    send(sandbox, sample, where="header Authorization", value="Bearer source-1")
    assert [row["accepted"] for row in sandbox.calls()] == [True]


def test_commanders_act_upserts_a_purchase(sandbox: Sandbox) -> None:
    """The transaction's `id` is its only key."""
    for event_id in ("e1", "e2"):
        body = changed(PURCHASE, "context.event_id", event_id)
        send(sandbox, SAMPLES["commanders_act"], where="body", value=body)
    assert [row["duplicate"] for row in sandbox.calls()] == [False, True]


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("/events", "{", "invalid JSON"),
        ("/events/batch", "{", "invalid JSON"),
        ("/events", {"event_name": "x" * 33_000}, "the event is over 32 KB"),
        ("/events/batch", {"batch": [{"event_name": "x" * 33_000}]}, "an event is over 32 KB"),
        ("/events/batch", {"batch": [{"a": "x" * 30_000}] * 20}, "the batch is over 500 KB"),
    ],
)
def test_commanders_act_says_400_to_two_things(
    sandbox: Sandbox, path: str, body: Any, error: str
) -> None:
    """Invalid JSON and too much of it (commanders-act.md section 3)."""
    sample = Sample("commanders_act", path + "?tc_s=1&token=2", body)
    assert send(sandbox, sample).status_code == 400
    assert {row["error"] for row in sandbox.calls()} == {error}


def test_commanders_act_judges_each_event_of_a_batch(sandbox: Sandbox) -> None:
    """One bad event takes none with it; each is on record alone."""
    good = SAMPLES["commanders_act"].body
    bad = changed(good, "currency", GONE)
    sample = Sample("commanders_act", "/events/batch?tc_s=1&token=2", {"batch": [bad, good]})
    assert send(sandbox, sample).status_code == 200
    rows = sandbox.calls()
    assert [row["accepted"] for row in rows] == [False, True]
    assert [row["call"] for row in rows] == [{"batch": [bad]}, {"batch": [good]}]


@pytest.mark.parametrize("body", [{"batch": []}, {}, []])
def test_commanders_act_takes_no_empty_batch(sandbox: Sandbox, body: Any) -> None:
    """On record as refused, as nothing was in it."""
    sample = Sample("commanders_act", "/events/batch?tc_s=1&token=2", body)
    assert send(sandbox, sample).status_code == 200
    assert [row["accepted"] for row in sandbox.calls()] == [False]


ALHENA_400: list[Broken] = [
    ("alhena cart", "header Content-Type", "text/plain"),
    ("alhena cart", "body", "{"),
    *[("alhena cart", key, GONE) for key in SAMPLES["alhena cart"].body],
    *[("alhena checkout", key, GONE) for key in ("company_key", "value", "currency")],
    ("alhena cart", "type", "item_added"),
    ("alhena cart", "quantity", -1),
    ("alhena cart", "quantity", True),
    ("alhena cart", "value", "7.5"),
    ("alhena cart", "product_id", 12),
    ("alhena cart", "product_name", ""),
    ("alhena cart", "currency", "eur"),
    ("alhena cart", "user_fingerprint", "me"),
    ("alhena checkout", "order_id", ""),
    ("alhena checkout", "line_items", {}),
    *[("alhena checkout", f"line_items.0.{key}", GONE) for key in LINE],
]


@pytest.mark.parametrize(("name", "where", "value"), ALHENA_400)
def test_alhena_refuses_with_400(sandbox: Sandbox, name: str, where: str, value: Any) -> None:
    """Its own error shape could not be read; the reason is on record."""
    answer = send(sandbox, SAMPLES[name], where=where, value=value)
    assert answer.status_code == 400
    assert [row["error"] for row in sandbox.calls()] == [answer.json()["error"]]


def test_alhena_refuses_an_unknown_company(sandbox: Sandbox) -> None:
    """401."""
    answer = send(sandbox, SAMPLES["alhena cart"], where="company_key", value="wrong")
    assert answer.status_code == 401


STATUS = {
    "order_id": "ORD-1001",
    "transaction_id": "1f0b6f1e-0000-4000-8000-3f2a5f0d9a11",
    "transaction_status": "settlement",
    "status_code": "200",
}
SERVER_KEY = ("SB-Mid-server-TESTKEY", "")


@pytest.mark.parametrize("asked_by", ["order_id", "transaction_id"])
def test_midtrans_answers_what_it_was_told_to(sandbox: Sandbox, asked_by: str) -> None:
    """By order ID and by transaction ID (midtrans.md section 2)."""
    assert sandbox.ask("POST", "/midtrans/ORD-1001", json=STATUS).status_code == 204
    path = f"/api/v2/{STATUS[asked_by]}/status"
    answer = sandbox.ask("GET", path, auth=SERVER_KEY)
    assert (answer.status_code, answer.json()) == (200, STATUS)
    assert [(row["system"], row["accepted"]) for row in sandbox.calls()] == [("midtrans", True)]


def test_midtrans_says_404_in_the_body_of_an_order_it_does_not_know(sandbox: Sandbox) -> None:
    """As before a payment method is chosen."""
    answer = sandbox.ask("GET", "/api/v2/ORD-9/status", auth=SERVER_KEY)
    assert (answer.status_code, answer.json()["status_code"]) == (200, "404")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer SB-Mid-server-TESTKEY"},
        {"Authorization": "Basic SB-Mid-server-TESTKEY"},
        {"Authorization": "Basic YmFkOg=="},  # bad:
        {"Authorization": "Basic a2V5OnNlY3JldA=="},  # key:secret
    ],
)
def test_midtrans_refuses_a_server_key(sandbox: Sandbox, headers: dict[str, str]) -> None:
    """It is the user name of Basic authentication, with an empty password."""
    answer = sandbox.ask("GET", "/api/v2/ORD-9/status", headers=headers)
    assert (answer.status_code, answer.json()["status_code"]) == (401, "401")


@pytest.mark.parametrize("body", [b"{", b"[]"])
def test_midtrans_is_told_an_object(sandbox: Sandbox, body: bytes) -> None:
    """400 for anything else."""
    assert sandbox.ask("POST", "/midtrans/ORD-1", content=body).status_code == 400
