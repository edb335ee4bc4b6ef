"""Scalev: which events its routes get, under which names and event IDs (specs/scalev.md)."""

from typing import Any

import pytest

from tests.relay import shop
from tests.relay.scalev_shop import ID, PROVIDERS, request_for, scalev, sent_event

# --- names and event IDs ---

DEFAULT_NAMES = [
    ("view_item", {"items": [shop.KAOS]}, "ViewContent", "ViewContent", "contentView"),
    ("add_to_cart", {"items": [shop.KAOS]}, "AddToCart", "AddToCart", "addToCart"),
    (
        "begin_checkout",
        {"items": [shop.KAOS]},
        "InitiateCheckout",
        "InitiateCheckout",
        "initiatedCheckout",
    ),
    (
        "add_payment_info",
        {"payment_method": "card"},
        "AddPaymentInfo",
        "AddPaymentInfo",
        "addPaymentInfo",
    ),
    (
        "purchase",
        {"id": "ORD-77", "value": 120000, "items": [shop.KAOS]},
        "Purchase",
        "CompletePayment",
        "purchase",
    ),
]


@pytest.mark.parametrize(("name", "params", "meta", "tiktok", "snackvideo"), DEFAULT_NAMES)
def test_r25_to_r29_r32_r57_the_default_names(
    name: str, params: dict[str, Any], meta: str, tiktok: str, snackvideo: str
) -> None:
    """R25-R29, R32, R57: each provider's own name, in `event` for TikTok, else `event_name`."""
    event = shop.event(name, params)
    assert sent_event("meta", event)["event_name"] == meta
    assert sent_event("tiktok", event)["event"] == tiktok
    assert sent_event("snackvideo", event)["event_name"] == snackvideo


NAMES = [
    # the pixel's own name, Scalev's own name, what is sent
    ("meta", "meta", None, None, "ViewContent"),
    ("meta", "meta", "Lihat", None, "Lihat"),
    ("meta", "meta", None, "Tampil", "Tampil"),
    ("meta", "meta", "Lihat", "Tampil", "Tampil"),
    ("tiktok", "tiktok", "Lihat", None, "Lihat"),
    ("snackvideo", "kwai", "konten", None, "konten"),
    ("snackvideo", "kwai", "konten", "custom_1", "custom_1"),
]


@pytest.mark.parametrize(("provider", "kind", "pixels", "own", "expected"), NAMES)
def test_r33_r47_names_of_the_site_file(
    provider: str, kind: str, pixels: str | None, own: str | None, expected: str
) -> None:
    """R33, R47: a name set for the provider, else the pixel's, so that both copies agree."""
    pixel: dict[str, Any] = {"mode": "browser", "pixel_ids": ["1"]}
    pixel |= {"event_names": {"view_item": pixels}} if pixels else {}
    table = {"event_names": {provider: {"view_item": own}}} if own else {}
    event = shop.event("view_item", {"items": [shop.KAOS]})
    sent = sent_event(provider, event, table=table, pixels={kind: pixel})
    assert sent.get("event_name", sent.get("event")) == expected


def test_r46_r48_one_event_id_in_every_copy() -> None:
    """R46, R48: the page's random ID goes to Meta and TikTok unchanged."""
    event = shop.add_to_cart()
    assert event["event_id"] == ID
    for provider in ("meta", "tiktok"):
        assert sent_event(provider, event)["event_id"] == ID
        assert scalev(provider).sent_as(event) == ID


ORDER_IDS = [
    # Section 4's vectors, then the site's own rule, and an ID of the caller's.
    ("meta", {}, None, "ORD-77-Purchase-FORM"),
    ("tiktok", {}, None, "ORD-77-CompletePayment-FORM"),
    ("meta", {"order_event_id": "{order_id}"}, None, "ORD-77"),
    ("tiktok", {}, "mine-1", "mine-1"),
]


@pytest.mark.parametrize(("provider", "settings", "given", "expected"), ORDER_IDS)
def test_r49_order_events_have_the_orders_id(
    provider: str, settings: dict[str, Any], given: str | None, expected: str
) -> None:
    """R49: by order and the provider's own name, the same on retry and reload."""
    event = shop.purchase(event_id=given)
    assert sent_event(provider, event, **settings)["event_id"] == expected
    assert scalev(provider, **settings).sent_as(event) == expected


def test_r49_the_id_follows_the_own_name() -> None:
    """R47, R49: the pixel's own name of a purchase is in both copies' IDs."""
    pixels = {
        "tiktok": {"mode": "browser", "pixel_ids": ["C1"], "event_names": {"purchase": "Buy"}}
    }
    sent = sent_event("tiktok", shop.purchase(), pixels=pixels)
    assert (sent["event"], sent["event_id"]) == ("Buy", "ORD-77-Buy-FORM")


def test_r50_snackvideo_has_no_event_id() -> None:
    """R50: so a repeat would count twice; and a day is the most that one waits."""
    snackvideo = scalev("snackvideo")
    assert set(sent_event("snackvideo", shop.purchase())) == {"event_name", "properties"}
    assert snackvideo.sent_as(shop.purchase()) is None
    assert not request_for("snackvideo", shop.purchase()).repeatable
    assert snackvideo.max_age_s == 24 * 60 * 60


def test_r46_a_repeat_to_meta_or_tiktok_is_dropped_there() -> None:
    """R46: so these may be tried again for a week."""
    for provider in ("meta", "tiktok"):
        assert request_for(provider, shop.add_to_cart()).repeatable
        assert scalev(provider).max_age_s == 7 * 24 * 60 * 60


# --- which events ---


def test_r58_no_click_id_no_snackvideo_call() -> None:
    """R58: Meta and TikTok get the event all the same."""
    event = shop.add_to_cart(attribution={"fbp": "fb.1.1.1"})
    reasons = [scalev(provider).skips(event) for provider in PROVIDERS]
    assert reasons == [None, None, "no click ID"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r63_spam_fires_no_purchase(provider: str) -> None:
    """R63: an order marked as spam is skipped everywhere."""
    event = shop.purchase(params={"is_probably_spam": True})
    assert scalev(provider).skips(event) == "probably spam"
    honest = shop.purchase(params={"is_probably_spam": False})
    assert scalev(provider).skips(honest) is None


PAGE_VIEWS: list[tuple[dict[str, Any], bool]] = [
    ({}, False),
    ({"event_names": {"tiktok": {"page_view": "Pageview"}}}, False),
    ({"event_names": {"meta": {"page_view": "PageView"}}}, True),
    ({"events": ["page_view"]}, True),
    ({"events": ["purchase"], "event_names": {"meta": {"page_view": "PageView"}}}, False),
]


@pytest.mark.parametrize(("table", "is_sent"), PAGE_VIEWS)
def test_d9_page_views_are_sent_on_request(table: dict[str, Any], is_sent: bool) -> None:
    """D9: the SDK's own page view has no event ID; a server copy of it is asked for by name."""
    reason = scalev("meta", table).skips(shop.event("page_view"))
    assert (reason is None) == is_sent


def test_the_table_limits_the_events() -> None:
    """DESIGN 5.2: `events` names those that the server copies cover."""
    table = {"events": ["purchase"]}
    reason = "not among the events set for this destination"
    assert scalev("meta", table).skips(shop.add_to_cart()) == reason
    assert scalev("meta", table).skips(shop.purchase()) is None


def test_r33_snackvideo_has_only_known_names() -> None:
    """R33: Meta and TikTok take any name; SnackVideo's are configured by the store."""
    event = shop.event("wishlist", custom_events=("wishlist",))
    sites: dict[str, Any] = {"custom_events": ["wishlist"]}
    assert scalev("meta", **sites).skips(event) is None
    assert sent_event("tiktok", event, **sites)["event"] == "wishlist"
    reason = "no name for wishlist, event_names.snackvideo can give one"
    assert scalev("snackvideo", **sites).skips(event) == reason
    table = {"event_names": {"snackvideo": {"wishlist": "suka"}}}
    assert scalev("snackvideo", table, **sites).skips(event) is None
