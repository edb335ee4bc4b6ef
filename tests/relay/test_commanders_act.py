"""Commanders Act: what its HTTP tracking API is sent of an event (specs/commanders-act.md)."""

from typing import Any

import pytest

from relay.destinations import Answer
from relay.redaction import safe_reason
from tests.relay import shop
from tests.relay.commanders_act_shop import (
    ATTRIBUTION,
    CAID,
    SOURCE_KEY,
    body_of,
    commanders_act,
    consent,
    event,
    every_event,
    mug,
    request_of,
)

ITEMS = {"items": [mug()]}
ADDED = event("add_to_cart", ITEMS, user={"id": "C-77"})
ORDER = {"id": "O_1245", "value": 22.53, "shipping_amount": 3.33, "tax_amount": 3.2, **ITEMS}


# --- the request (section 3) ---


def test_the_body_is_section_3s() -> None:
    """Section 3's sample: properties at the root, technical data in `context`, all we know."""
    page = {"url": shop.URL, "referrer": shop.REFERRER, "title": "Mug"}
    told = event("add_to_cart", ITEMS, user={"id": "C-77"}, page=page, event_id="add_to_cart_0b0f")
    assert body_of(told) == {
        "event_name": "add_to_cart",
        "value": 8,
        "currency": "EUR",
        "items": [
            {
                "id": "SKU-9",
                "quantity": 1,
                "discount": 1.99,
                "product": {"id": "9", "name": "Mug", "price": 9.99},
            }
        ],
        "user": {
            "id": "C-77",
            "consistent_anonymous_id": CAID,
            "consent_categories": ["1", "3"],
        },
        "context": {
            "event_id": "add_to_cart_0b0f",
            "event_timestamp": shop.NOW_MS,
            "page": {"title": "Mug", "url": shop.URL, "referrer": shop.REFERRER},
            "device": {
                "user_agent": shop.USER_AGENT,
                "ip": "203.0.113.7",
                "cookie": "_fbp=fb.1.1760000000000.4821; _fbc=fb.1.1760000000000.AbC",
            },
        },
        "integrations": {"facebook": {"event_id": "add_to_cart_0b0f"}},
    }


def test_what_is_unknown_is_left_out() -> None:
    """Section 3: no empty page, device, address or cookie."""
    told = event("add_to_cart", ITEMS, page={}, client=None, attribution={"caid": CAID})
    assert set(body_of(told)["context"]) == {"event_id", "event_timestamp"}
    only_fbc = {"caid": CAID, "fbc": ATTRIBUTION["fbc"]}
    told = event("add_to_cart", ITEMS, page={"url": "about:blank"}, attribution=only_fbc)
    context = body_of(told)["context"]
    assert context["device"]["cookie"] == "_fbc=" + ATTRIBUTION["fbc"]
    assert "page" not in context


def test_c13_the_token_is_in_the_address_alone() -> None:
    """C13: site and source key in the query, escaped; no `Authorization`."""
    request = request_of(ADDED)
    query = "?tc_s=1234&token=source-key%2F1"
    assert (request.method, request.url) == (
        "POST",
        "https://collect.commander1.com/events" + query,
    )
    assert request.headers == {"Content-Type": "application/json"}


def test_c15_a_collection_domain_of_ones_own_has_a_path() -> None:
    """C15: the base URL is the site file's, path prefix included."""
    url = request_of(ADDED, table={"base_url": "https://data.toko.example/cdp"}).url
    assert url.startswith("https://data.toko.example/cdp/events?tc_s=1234&token=")


def test_c12_the_time_is_whole_milliseconds_in_the_context() -> None:
    """C12: the event's own time, and nowhere else."""
    body = body_of(event("add_to_cart", ITEMS, time_ms=1750000000123))
    assert body["context"]["event_timestamp"] == 1750000000123
    assert type(body["context"]["event_timestamp"]) is int
    assert not [key for key in body if "time" in key]


def test_c14_the_event_id_is_in_the_context() -> None:
    """C14: `event_id`, not the browser library's `eventId`; the one that the page gave."""
    body = body_of(ADDED)
    assert body["context"]["event_id"] == commanders_act().sent_as(ADDED) == ADDED["event_id"]
    assert "eventId" not in body["context"]


def test_an_orders_event_id_is_the_templates() -> None:
    """DESIGN 5.4: filled with the name that Commanders Act is given."""
    told = event("purchase", ORDER)
    assert commanders_act().sent_as(told) == "O_1245-purchase-FORM"
    own = {"event_names": {"purchase": "order"}}
    body = body_of(told, table=own, order_event_id="{event_name}.{order_id}")
    assert (body["event_name"], body["context"]["event_id"]) == ("order", "order.O_1245")


def test_metas_id_goes_along() -> None:
    """Section 1: their own Facebook copy gets the ID that the page's Meta pixel has sent."""
    told = event("purchase", ORDER)
    facebook = body_of(told)["integrations"]["facebook"]
    assert facebook == {"event_id": "O_1245-Purchase-FORM"}
    meta = {"meta": {"pixel_ids": ["1"], "event_names": {"purchase": "Bayar"}}}
    facebook = body_of(told, others=meta)["integrations"]["facebook"]
    assert facebook == {"event_id": "O_1245-Bayar-FORM"}


# --- properties (sections 2 and 5) ---


def test_c1_a_checkout_may_have_an_id() -> None:
    """C1: its sample has one, its table has none."""
    assert "id" not in body_of(event("begin_checkout", ITEMS))
    assert body_of(event("begin_checkout", {**ITEMS, "id": "B-1"}))["id"] == "B-1"


def test_c2_a_purchase_has_type_status_and_payment_method() -> None:
    """C2: all three are required and the sample lacks them."""
    body = body_of(event("purchase", ORDER))
    found = {key: body[key] for key in ("type", "status", "payment_method")}
    assert found == {"type": "online", "status": "in_progress", "payment_method": "other"}
    told = event("purchase", {**ORDER, "status": "pending", "payment_method": "card"})
    assert [body_of(told)[key] for key in ("status", "payment_method")] == ["pending", "card"]


@pytest.mark.parametrize("params", [{"value": 9.99}, {"revenue": 9.99}, {}])
def test_c4_an_item_view_has_both_amounts(params: dict[str, Any]) -> None:
    """C4: `revenue` by 004, `value` by newer text: what was given, the other derived."""
    product = {"id": "9", "name": "Mug", "price": 9.99}
    items = [{"id": "SKU-9", "quantity": 1, "product": product}]
    body = body_of(event("view_item", {**params, "items": items}))
    assert [body[key] for key in ("value", "revenue", "currency")] == [9.99, 9.99, "EUR"]


@pytest.mark.parametrize("name", ["remove_from_cart", "view_cart", "add_payment_info"])
def test_c5_an_amount_has_a_currency(name: str) -> None:
    """C5: whatever the event; without an amount none is made up."""
    params = {"payment_method": "card", "value": 5, **ITEMS}
    assert body_of(event(name, params))["currency"] == "EUR"
    assert "currency" not in body_of(event("add_payment_info", {"payment_method": "card"}))


def test_c6_sums_are_the_shops_own() -> None:
    """C6: Commanders Act's own sample does not add up, so the amounts go out as told."""
    amounts = {"value": 20.33, "revenue": 16, "shipping_amount": 3.33, "tax_amount": 3.2}
    body = body_of(event("purchase", {**ORDER, **amounts}))
    assert {key: body[key] for key in amounts} == amounts


def test_c7_c8_c9_the_item_and_its_product() -> None:
    """C7, C8, C9: numbered categories; the list price in the product, the discount apart."""
    short = {"id": "SKU-9", "name": "Mug", "price": 9.99, "discount": 1.99, "quantity": 2}
    product = {"category_1": "Home", "category_2": "Kitchen"}
    [item] = body_of(event("view_cart", {"items": [{**short, "product": product}]}))["items"]
    assert item == {
        "id": "SKU-9",
        "quantity": 2,
        "discount": 1.99,
        "product": {"id": "SKU-9", "name": "Mug", "price": 9.99, **product},
    }


def test_only_what_commanders_act_knows_of_an_item() -> None:
    """Section 2: `kind` and `cart_quantity` are our own."""
    [item] = body_of(event("add_to_cart", {"items": [mug(kind="variant", cart_quantity=3)]}))[
        "items"
    ]
    assert set(item) == {"id", "quantity", "discount", "product"}


def test_c10_the_names_are_004s() -> None:
    """C10: `id`, `shipping_amount` and `tax_amount`, not the older names."""
    body = body_of(event("purchase", ORDER))
    assert [body[key] for key in ("id", "shipping_amount", "tax_amount")] == ["O_1245", 3.33, 3.2]
    assert not {"transaction_id", "shipping", "tax", "payment_type", "properties"} & set(body)


def test_what_is_ours_is_not_overwritten_by_params() -> None:
    """Section 3: a field of that name in the params changes neither envelope nor visitor."""
    foreign = {"event_name": "x", "user": {"id": "x"}, "context": {"event_id": "x"}}
    told = event("add_to_cart", {**ITEMS, **foreign}, user={"id": "C-77"})
    assert body_of(told) == body_of(ADDED)


def test_a_custom_event_keeps_its_name() -> None:
    """Section 2: any name is taken."""
    told = event("quiz_done", {"score": 7}, custom_events=("quiz_done",))
    body = body_of(told)
    assert (body["event_name"], body["score"]) == ("quiz_done", 7)
    assert commanders_act().skips(told) is None


# --- user and consent (sections 2, 4 and 6) ---

# Section 6: of a plain value in the documented format, the MD5 and the SHA-256.
VECTORS = {
    "email": (
        "john.doe@example.com",
        "8eb1b522f60d11fa897de1dc6351b7e8",
        "836f82db99121b3481011f16b49dfa5fbc714a0d1b1b9f784a1ebbbf5b39577f",
    ),
    "phone": (
        "+33612345678",
        "60dd761f55cb17f0532c9fb1679e8ddd",
        "42d573cfc315801d4cd8eddd5416b416a0bf298b9b9e12d6b07442c91db42bd8",
    ),
    "birthdate": (
        "1970-01-01",
        "0c0fb6b2ee7dbb235035f7f6fdcfe8fb",
        "85c14296d9598554eeb207f773a614a81cdefaecbf35a0d7051f27cf07f896b3",
    ),
}


@pytest.mark.parametrize("field", VECTORS)
def test_section_6_the_vectors(field: str) -> None:
    """Section 6: the shop's hashes in lower case, nothing hashed by us, the phone with its `+`."""
    plain, md5, sha256 = VECTORS[field]
    hashed = {f"{field}_md5": md5, f"{field}_sha256": sha256}
    for told, expected in (({field: plain}, {field: plain}), (hashed, hashed)):
        user = body_of(event("add_to_cart", ITEMS, user=told))["user"]
        assert {key: user[key] for key in user if key.startswith(field)} == expected


def test_section_6_hashes_are_the_shops() -> None:
    """Section 6: plain data stays plain, as the platform hashes by itself; hashes stay hashes."""
    plain = {"id": "C-77", "email": "john.doe@example.com", "city": "Paris", "gender": "f"}
    email_sha256, phone_md5 = VECTORS["email"][2], VECTORS["phone"][1]
    told = {**plain, "email_sha256": email_sha256.upper(), "phone_md5": phone_md5}
    user = body_of(event("add_to_cart", ITEMS, user=told))["user"]
    assert user == {
        **plain,
        "email_sha256": email_sha256,
        "phone_md5": phone_md5,
        "consent_categories": ["1", "3"],
        "consistent_anonymous_id": CAID,
    }


@pytest.mark.parametrize(
    ("phone", "expected"),
    [
        ("+33612345678", "+33612345678"),
        ("+33 6 12 34 56 78", "+33612345678"),
        ("0812-3456-7890", "+6281234567890"),
        ("6281234567890", "+6281234567890"),
    ],
)
def test_the_phone_is_e164_with_the_plus(phone: str, expected: str) -> None:
    """Section 2, User: with `+`."""
    assert body_of(event("add_to_cart", ITEMS, user={"phone": phone}))["user"]["phone"] == expected


def test_a_phone_that_is_none_is_left_out() -> None:
    """Section 2, User: whose calling code can't be known is no E.164 number; none is guessed."""
    told = event("add_to_cart", ITEMS, user={"phone": "12345"})
    assert "phone" not in body_of(told)["user"]


def test_c11_consent_categories_are_texts() -> None:
    """C11: as the visitor gave them, or as the shop told them in `user`, which may be numbers."""
    told = event("add_to_cart", ITEMS, categories=("3",), user={"consent_categories": [1, 3]})
    assert body_of(told)["user"]["consent_categories"] == ["3"]
    told = event("add_to_cart", ITEMS, categories=None, user={"consent_categories": [1, 3]})
    assert body_of(told)["user"]["consent_categories"] == ["1", "3"]


# --- what is skipped ---

NO_CONSENT = "no consent categories, which Commanders Act requires"
NO_CAID = "no CAID, Commanders Act's cookie with its ID of the visitor"

SKIPPED = [
    ({}, event("add_to_cart", ITEMS, categories=None), NO_CONSENT),
    ({}, event("add_to_cart", ITEMS, categories=None, user={"id": "C-77"}), NO_CONSENT),
    *[
        ({}, event("add_to_cart", ITEMS, attribution={"caid": caid} if caid else {}), NO_CAID)
        for caid in (None, CAID[:-1], CAID + "0", "x" * 24, "\u0662" * 24)
    ],
    ({"source_key": ""}, ADDED, "not configured: no source_key"),
    ({"events": ["purchase"]}, ADDED, "not among the events set for this destination"),
    ({}, event("purchase", {**ORDER, "is_probably_spam": True}), "probably spam"),
]


@pytest.mark.parametrize(("table", "told", "reason"), SKIPPED)
def test_c3_what_is_skipped(table: dict[str, Any], told: Any, reason: str) -> None:
    """C3, section 4: the API requires consent and the CAID, and the relay makes up neither."""
    assert commanders_act(table).skips(told) == reason


@pytest.mark.parametrize("told", every_event(), ids=lambda told: told["event_name"])
def test_every_event_is_taken(told: Any) -> None:
    """Section 2: our names are Commanders Act's."""
    assert commanders_act().skips(told) is None
    assert body_of(told)["event_name"] == told["event_name"]


def test_consent_without_a_category_is_forwarded_as_it_is() -> None:
    """Section 4: what Commanders Act's destinations may have, it decides itself."""
    told = {**ADDED, "consent": consent()}
    assert body_of(told)["user"]["consent_categories"] == []


# --- secrets ---


def test_the_source_key_is_in_no_reason() -> None:
    """DESIGN 5.5: nor is what the shopper told, were Commanders Act to quote the request."""
    told = event("add_to_cart", ITEMS, user=shop.USER)
    request = request_of(told)
    quoted = f"token {SOURCE_KEY} (source-key%2F1) of {CAID}: siti@example.com, Siti Rahma"
    answer = Answer(400, f'{{"error": "{quoted}"}}'.encode())
    judgement = commanders_act().judge(request, answer, 0)
    assert judgement.reason == "refused (400): token ... (...) of ...: ... Siti Rahma"
    kept = safe_reason(judgement.reason, request)
    assert kept == "refused (400): token ... (...) of ...: ... [hidden] [hidden]"
