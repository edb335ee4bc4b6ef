"""Scalev's three routes on the relay: what arrives, what is fed by which, who the shopper is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.relay.relay_stage import NOW, ORIGIN, SHOPPER, USER_AGENT
from tests.relay.sandbox_client import GONE, changed
from tests.relay.storefront_bodies import (
    EVENT_ID,
    META,
    SAMPLES,
    SNACKVIDEO,
    TIKTOK,
    add_to_cart,
    order_created,
)
from tests.relay.storefront_shop import OTHERS, PIXELS, SCALEV, Storefront, shop, storefront

SYSTEMS = ("meta", "tiktok", "snackvideo")


@pytest.fixture
def toko(tmp_path: Path) -> Iterator[Storefront]:
    with storefront(tmp_path) as one:
        yield one


def of(calls: list[dict[str, Any]], system: str) -> list[dict[str, Any]]:
    return [call for call in calls if call["system"] == system]


# --- 002's own bodies ---


@pytest.mark.parametrize("system", SYSTEMS)
def test_002s_sample_is_204_once_it_is_stored(toko: Storefront, system: str) -> None:
    """Scalev's own answer, R6: empty, and from then on the event is durable."""
    answer = toko.post(system, SAMPLES[system])
    assert (answer.status_code, answer.content) == (204, b"")
    assert len(toko.stored(f"scalev.{system}")) == 1


@pytest.mark.parametrize("system", SYSTEMS)
def test_002s_sample_arrives_at_scalev_as_it_was_posted(toko: Storefront, system: str) -> None:
    """URLs, user, items, name and ID are those of the body; the parameters hold at least its own.

    SnackVideo's event has no ID (R50); the user agent is the request's where none is told (R56).
    """
    toko.post(system, SAMPLES[system])
    (call,) = of(toko.delivered(), f"scalev.{system}")
    assert call["accepted"]
    posted, sent = SAMPLES[system], call["call"]
    if system == "tiktok":
        assert sent["user"].pop("user_agent") == USER_AGENT
    data = "properties" if system == "snackvideo" else "parameters"
    (posted_event,), (sent_event,) = posted["events"], sent.pop("events")
    parameters = sent_event.pop(data)
    assert sent == {key: value for key, value in posted.items() if key != "events"}
    assert sent_event == {key: value for key, value in posted_event.items() if key != data}
    assert parameters.items() >= posted_event[data].items()


def test_what_track_add_to_cart_posts_arrives_at_all_three(toko: Storefront) -> None:
    """One event ID for Meta and TikTok (R46), none for SnackVideo."""
    for system, body in add_to_cart().items():
        assert toko.post(system, body).status_code == 204
    calls = toko.delivered()
    seen = {
        call["system"]: (call["event_name"], call["event_id"])
        for call in calls
        if call["system"].startswith("scalev.")
    }
    assert seen == {
        "scalev.meta": ("AddToCart", EVENT_ID),
        "scalev.tiktok": ("AddToCart", EVENT_ID),
        "scalev.snackvideo": ("addToCart", None),
    }
    assert all(call["accepted"] for call in calls)
    (to_meta,) = of(calls, "scalev.meta")
    assert to_meta["call"]["events"] == add_to_cart()["meta"]["events"]


def test_each_system_gets_what_its_own_copy_told(toko: Storefront) -> None:
    """Both samples have one event ID; neither system is told what was told to the other."""
    for system in ("meta", "tiktok"):
        toko.post(system, SAMPLES[system])
    calls = toko.delivered()
    (to_meta,), (to_tiktok,) = of(calls, "scalev.meta"), of(calls, "scalev.tiktok")
    assert to_meta["call"]["user_data"] == META["user_data"]
    assert to_meta["call"]["referrer_url"] == "https://facebook.com/"
    assert to_tiktok["call"]["user"] == {**TIKTOK["user"], "user_agent": USER_AGENT}
    assert to_tiktok["call"]["referrer_url"] == "https://tiktok.com/"


@pytest.mark.parametrize("gross_revenue", [210000, "210000.00"])
def test_what_track_order_created_posts_arrives_at_all_three(
    toko: Storefront, gross_revenue: object
) -> None:
    """Its amount may be a decimal text (D7); the IDs hold each system's name (R49)."""
    bodies = order_created(gross_revenue)
    for system, body in bodies.items():
        assert toko.post(system, body).status_code == 204
    calls = toko.delivered()
    sent = {system: of(calls, f"scalev.{system}")[0] for system in SYSTEMS}
    assert [(call["accepted"], call["event_name"]) for call in sent.values()] == [
        (True, "Purchase"),
        (True, "CompletePayment"),
        (True, "purchase"),
    ]
    assert sent["meta"]["event_id"] == "ORD-77-Purchase-FORM"
    assert sent["tiktok"]["event_id"] == "ORD-77-CompletePayment-FORM"
    parameters = sent["meta"]["call"]["events"][0]["parameters"]
    assert parameters == {**bodies["meta"]["events"][0]["parameters"], "value": 210000}
    assert sent["meta"]["call"]["user_data"] == {
        **bodies["meta"]["user_data"],
        "ph": "6281234567890",
    }
    assert sent["snackvideo"]["call"]["events"][0]["properties"]["value"] == 210000
    for call in sent.values():
        assert call["call"]["variants"] == bodies["meta"]["variants"]
        assert call["call"]["bundle_price_options"] == bodies["meta"]["bundle_price_options"]


def test_an_order_posted_again_is_sent_once(toko: Storefront) -> None:
    """R49, DESIGN 5.5: a retry and a reloaded success page store nothing new."""
    for _ in range(2):
        assert toko.post("meta", order_created()["meta"]).status_code == 204
    assert len(of(toko.delivered(), "scalev.meta")) == 1
    assert toko.post("meta", order_created()["meta"]).status_code == 204
    assert of(toko.delivered(), "scalev.meta") == []


def test_an_order_can_be_found_by_its_id(toko: Storefront) -> None:
    """DESIGN 5.4: `/v1/deliveries` knows the order of what was posted for Meta and for TikTok."""
    for system, body in order_created().items():
        toko.post(system, body)
    rows = {row["destination"]: row["sent_as"] for row in toko.rows(order_id="ORD-77")}
    assert rows == {
        "scalev.meta": "ORD-77-Purchase-FORM",
        "scalev.tiktok": "ORD-77-CompletePayment-FORM",
        "tracify": None,
    }


# --- which destinations ---


@pytest.mark.parametrize(
    ("system", "fed"),
    [
        (
            "meta",
            {"meta.1", "meta.2", "scalev.meta", "tracify", "commanders_act", "alhena"},
        ),
        ("tiktok", {"tiktok", "scalev.tiktok"}),
        ("snackvideo", {"kwai", "scalev.snackvideo"}),
    ],
)
def test_each_route_feeds_its_own_system_and_meta_the_rest(
    tmp_path: Path, system: str, fed: set[str]
) -> None:
    """So that no destination gets two copies of one action; the others' rows are not there."""
    pixels = {name: {**table, "events": ["add_to_cart"]} for name, table in PIXELS.items()}
    pixels["meta"]["pixel_ids"] = ["1", "2"]
    scalev = {"scalev": {**SCALEV["scalev"], "events": ["purchase"]}}
    with storefront(tmp_path, shop({**pixels, **scalev, **OTHERS})) as toko:
        assert toko.post(system, SAMPLES[system]).status_code == 204
        assert {row["destination"] for row in toko.rows()} == fed


@pytest.mark.parametrize(
    ("system", "pixel"), [("meta", "meta"), ("tiktok", "tiktok"), ("snackvideo", "kwai")]
)
def test_the_systems_own_api_is_fed_as_scalevs_is(tmp_path: Path, system: str, pixel: str) -> None:
    """A shop may leave Scalev and keep its code."""
    with storefront(tmp_path, shop(PIXELS)) as toko:
        for each, body in order_created().items():
            toko.post(each, body)
        (call,) = of(toko.delivered(), pixel)
        assert (call["accepted"], call["error"]) == (True, None)


def test_items_whose_prices_are_not_told_arrive_without(tmp_path: Path) -> None:
    """Scalev requires none; nothing stands where nothing was told (R35, R42-R44)."""
    with storefront(tmp_path, shop({**PIXELS, "tracify": OTHERS["tracify"]})) as toko:
        for system, body in order_created().items():
            data = "properties" if system == "snackvideo" else "parameters"
            assert toko.post(system, changed(body, f"events.0.{data}.contents", GONE)).is_success
        calls = {call["system"]: call for call in toko.delivered()}
    assert all(call["accepted"] for call in calls.values())
    ids = [("bundle_price_option_b7", 1), ("variant_a1", 2)]
    custom_data = calls["meta"]["call"]["data"][0]["custom_data"]
    assert custom_data["contents"] == [{"id": one, "quantity": pieces} for one, pieces in ids]
    properties = calls["tiktok"]["call"]["data"][0]["properties"]
    assert properties["contents"] == [
        {"content_id": one, "quantity": pieces} for one, pieces in ids
    ]
    lines = calls["tracify"]["call"]["events"][0]["data"]
    assert [lines["ITEM1"], lines["QTY2"]] == ["bundle_price_option_b7", "2"]
    assert "AMT1" not in lines


def test_a_site_without_destinations_for_a_system_stores_nothing(tmp_path: Path) -> None:
    """It is right all the same: the shop may turn a destination off and leave its code."""
    with storefront(tmp_path, shop({"tiktok": PIXELS["tiktok"]})) as toko:
        assert toko.post("meta", META).status_code == 204
        assert toko.rows() == []


# --- paid orders ---

PAID: dict[str, Any] = {"purchase_on": "paid", "midtrans": {"server_key": "SB-Mid-server-1"}}


def test_r31_an_order_that_is_to_be_paid_first_waits_for_its_payment(tmp_path: Path) -> None:
    """Then one purchase goes to each, with what the copies for Meta and TikTok told of him."""
    with storefront(tmp_path, shop(**PAID)) as toko:
        for system in ("meta", "tiktok"):
            assert toko.post(system, order_created()[system]).status_code == 204
        assert toko.rows() == []
        toko.pay("ORD-77")
        calls = toko.delivered()
    (to_meta,), (to_tiktok,) = of(calls, "scalev.meta"), of(calls, "scalev.tiktok")
    assert to_meta["event_id"] == "ORD-77-Purchase-FORM"
    assert to_meta["call"]["user_data"]["fbc"] == "fb.1.1760000000000.AbC"
    assert to_tiktok["event_id"] == "ORD-77-CompletePayment-FORM"
    assert to_tiktok["call"]["user"]["ttclid"] == "E.C.P.x"
    assert len(of(calls, "tracify")) == 1


def test_a_paid_order_whose_prices_were_not_told_is_sent_without_items(tmp_path: Path) -> None:
    """The payment tells the amount, and the sale is real."""
    with storefront(tmp_path, shop(**PAID)) as toko:
        body = changed(order_created()["meta"], "events.0.parameters.contents", GONE)
        assert toko.post("meta", body).status_code == 204
        toko.pay("ORD-77")
        (call,) = of(toko.delivered(), "scalev.meta")
    assert call["call"]["events"][0]["parameters"] == {"value": 210000, "currency": "IDR"}


def test_a_payment_that_comes_first_is_completed_for_all(tmp_path: Path) -> None:
    """One copy tells the page's URL, which none of them can do without."""
    with storefront(tmp_path, shop(**PAID)) as toko:
        toko.pay("ORD-77")
        before = {row["destination"]: row["state"] for row in toko.rows()}
        assert before["scalev.tiktok"] == "skipped"
        toko.post("meta", order_created()["meta"])
        states = {row["destination"]: row["state"] for row in toko.rows()}
    assert states["scalev.tiktok"] == states["scalev.meta"] == states["tracify"] == "waiting"


# --- consent ---


def test_consent_that_is_required_can_not_be_told(tmp_path: Path) -> None:
    """Nothing leaves, and `/v1/deliveries` says why."""
    with storefront(tmp_path, shop(consent="required")) as toko:
        assert toko.post("meta", META).status_code == 204
        rows = toko.rows(destination="scalev")
        assert [(row["state"], row["reason"]) for row in rows] == [("skipped", "consent awaited")]


def test_global_privacy_control_is_heard(toko: Storefront) -> None:
    """The browser says it in a header of its own."""
    toko.post("meta", META, headers={"Sec-GPC": "1"})
    assert {row["reason"] for row in toko.rows()} == {"consent refused by Global Privacy Control"}


def test_a_crawler_is_kept_out_of_advertising(toko: Storefront) -> None:
    """As everywhere in the relay."""
    toko.post("meta", META, headers={"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"})
    assert {row["state"] for row in toko.rows()} == {"skipped"}


# --- who the shopper is ---


def test_a_browser_is_the_shoppers(toko: Storefront) -> None:
    """Scalev fills address and user agent from the request; so do we (section 2)."""
    toko.post("meta", META)
    (event,) = toko.stored("scalev.meta")
    assert event["client"] == {"ip": SHOPPER, "user_agent": USER_AGENT}
    assert (event["event_time"], event["received_at"]) == (NOW, NOW)


def test_behind_a_trusted_proxy_the_address_is_the_one_it_names(tmp_path: Path) -> None:
    """As on every route of the relay."""
    with storefront(tmp_path, shop(trusted_proxies=["10.0.0.0/8"])) as toko:
        toko.post(
            "meta", META, peer="10.1.2.3", headers={"X-Forwarded-For": "8.8.8.8, 198.51.100.4"}
        )
        (event,) = toko.stored("scalev.meta")
        assert event["client"]["ip"] == "198.51.100.4"


def test_a_server_is_not_the_shopper(toko: Storefront) -> None:
    """Without an origin nothing of the request is taken for the shopper's."""
    headers = {"Origin": None, "User-Agent": "shop-backend/1.0"}
    assert toko.post("meta", META, headers=headers).status_code == 204
    (event,) = toko.stored("scalev.meta")
    assert "client" not in event


@pytest.mark.parametrize(
    ("origin", "client"),
    [
        (ORIGIN, {"ip": SHOPPER, "user_agent": "Mozilla/5.0 (iPhone)"}),
        (None, {"user_agent": "Mozilla/5.0 (iPhone)"}),
    ],
)
def test_r56_tiktoks_user_agent_may_be_told(
    toko: Storefront, origin: str | None, client: dict[str, str]
) -> None:
    """Then it goes before the request's."""
    body = changed(TIKTOK, "user.user_agent", "Mozilla/5.0 (iPhone)")
    toko.post("tiktok", body, headers={"Origin": origin})
    (event,) = toko.stored("scalev.tiktok")
    assert event["client"] == client


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_only_the_relay_knows_is_not_taken_from_the_body(
    toko: Storefront, system: str
) -> None:
    """R54: `client_ip_address`, `client_user_agent` and `ip` are read-only."""
    forged = {"client_ip_address": "8.8.8.8", "client_user_agent": "forged", "ip": "8.8.8.8"}
    body = {**SAMPLES[system], **forged}
    for key in ("user", "user_data"):
        if key in body:
            body[key] = {**body[key], **forged}
    assert toko.post(system, body).status_code == 204
    (event,) = toko.stored(f"scalev.{system}")
    assert event["client"] == {"ip": SHOPPER, "user_agent": USER_AGENT}
    assert "8.8.8.8" not in str(event)


def test_every_event_of_a_batch_has_the_shared_parts(toko: Storefront) -> None:
    """Section 2: user, URLs and items are shared by all events of a body."""
    first = SNACKVIDEO["events"][0]
    body = {**SNACKVIDEO, "events": [first, {**first, "event_name": "initiatedCheckout"}]}
    assert toko.post("snackvideo", body).status_code == 204
    events = toko.stored("scalev.snackvideo")
    assert [event["event_name"] for event in events] == ["add_to_cart", "begin_checkout"]
    for event in events:
        assert event["attribution"] == {"kwai_click_id": "snackvideo_click_id"}
        assert event["page"] == {
            "url": SNACKVIDEO["event_source_url"],
            "referrer": "https://snackvideo.com/",
        }
        assert [item["id"] for item in event["params"]["items"]] == ["variant_xxx"]
