"""The right request of each specification, to be taken as it is and refused when broken."""

from __future__ import annotations

from tests.relay.sandbox_client import NOW_S, Sample

HASH = "4320997dde26a372566fbae6938926b36996b927f236fa61d6ca48e94313c843"
FINGERPRINT = "0d2f6e9c-6a0e-4f3e-8a55-0c2b7c1e9a01"
ITEM = {"id": "SKU-9", "quantity": 1, "product": {"id": "9", "name": "Mug", "price": 9.99}}
LINE = {"product_id": "P-1", "product_name": "Mug", "quantity": 3, "value": 22.5, "currency": "EUR"}
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
