"""Scalev's three routes on the relay: who may call, what is fed by which, what arrives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.relay.relay_stage import BATIK, NOW, ORIGIN, SHOPPER, USER_AGENT, error_of, is_told, site
from tests.relay.sandbox_client import changed
from tests.relay.storefront_shop import (
    EVENT_ID,
    META,
    OTHERS,
    PATH,
    PIXELS,
    SAMPLES,
    SCALEV,
    SNACKVIDEO,
    TIKTOK,
    Storefront,
    add_to_cart,
    order_created,
    shop,
    storefront,
)

SYSTEMS = ("meta", "tiktok", "snackvideo")


@pytest.fixture
def toko(tmp_path: Path) -> Iterator[Storefront]:
    with storefront(tmp_path) as one:
        yield one


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storefront]:
    """The same for all, for what leaves nothing behind; `batik` is of another store."""
    folder = tmp_path_factory.mktemp("relay")
    with storefront(folder, shop(), site(BATIK, store_id="store_2")) as one:
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


# --- who may call ---


def test_an_unknown_store_is_404(shared: Storefront) -> None:
    answer = shared.post("meta", META, path=PATH.replace("store_1", "store_3"))
    assert is_told(answer, 404, "unknown_store")


def test_a_site_without_a_store_id_has_no_store(tmp_path: Path) -> None:
    """An empty segment of a path is none."""
    with storefront(tmp_path, site()) as toko:
        assert toko.post("meta", META, path=PATH.replace("store_1", "")).status_code == 404


@pytest.mark.parametrize("key", [None, "pmk_batik", "PMK_TOKO", "the-secret-key-of-toko"])
def test_another_key_is_401(shared: Storefront, key: str | None) -> None:
    """None at all, another site's, another spelling, the secret one."""
    answer = shared.post("meta", META, headers={"X-Scalev-Storefront-Api-Key": key})
    assert is_told(answer, 401, "unknown_key")
    assert answer.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize("origin", ["https://batik.example", "null", "https://toko.example.evil"])
def test_another_origin_is_403(shared: Storefront, origin: str) -> None:
    answer = shared.post("meta", META, headers={"Origin": origin})
    assert is_told(answer, 403, "origin_not_allowed")
    assert "access-control-allow-origin" not in answer.headers


def test_two_sites_of_one_store_are_told_apart_by_their_keys(tmp_path: Path) -> None:
    """And an origin is good for its own site only."""
    batik = site({**BATIK, "destinations": {"tracify": OTHERS["tracify"]}}, store_id="store_1")
    with storefront(tmp_path, shop(), batik) as both:
        key = {"X-Scalev-Storefront-Api-Key": "pmk_batik"}
        assert is_told(both.post("meta", META, headers=key), 403, "origin_not_allowed")
        headers = {**key, "Origin": "https://batik.example"}
        assert both.post("meta", META, headers=headers).status_code == 204
        assert (len(both.rows("batik")), both.rows("toko")) == (1, [])


def test_too_many_requests_are_429_with_when_to_come_again(tmp_path: Path) -> None:
    """The page's own events and these draw on one allowance."""
    with storefront(tmp_path, shop(rate_limit=1)) as toko:
        answers = [toko.post("meta", META) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [204] * 4 + [429]
        assert is_told(answers[-1], 429, "rate_limited")
        assert answers[-1].headers["retry-after"] == "1"
        assert answers[-1].headers["access-control-expose-headers"] == "Retry-After"
        page = toko.ask("POST", "/s/toko", content="{}", headers={"Origin": ORIGIN})
        assert page.status_code == 429
        toko.seconds += 1
        assert toko.post("meta", META).status_code == 204


def test_what_cannot_be_stored_is_503(toko: Storefront) -> None:
    """The caller may send it again."""
    toko.close_outbox()
    answer = toko.post("meta", META)
    assert is_told(answer, 503, "not_durable")
    assert answer.headers["retry-after"]


# --- CORS ---


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_preflight_allows_what_scalevs_allows(shared: Storefront, system: str) -> None:
    """Section 2: its four headers, the exact origin, no credentials."""
    headers = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-scalev-storefront-api-key",
    }
    answer = shared.ask("OPTIONS", PATH.format(system), headers=headers)
    assert answer.status_code == 204
    allowed = answer.headers["access-control-allow-headers"]
    assert allowed.split(", ") == [
        "X-Scalev-Storefront-Api-Key",
        "X-Scalev-Guest-Token",
        "Authorization",
        "Content-Type",
    ]
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", ["https://batik.example", "https://evil.example"])
def test_a_preflight_from_elsewhere_is_403(shared: Storefront, origin: str) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    answer = shared.ask("OPTIONS", PATH.format("meta"), headers=headers)
    assert is_told(answer, 403, "origin_not_allowed")
    assert "access-control-allow-origin" not in answer.headers


def test_an_answer_names_the_exact_origin_and_sets_no_cookies(toko: Storefront) -> None:
    """002's code omits credentials, so cookies would be nobody's."""
    answer = toko.post("meta", META)
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers
    assert "set-cookie" not in answer.headers


def test_a_server_gets_no_cors(toko: Storefront) -> None:
    answer = toko.post("meta", META, headers={"Origin": None})
    assert "access-control-allow-origin" not in answer.headers


# --- what is no request of Scalev's ---


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_r4_another_media_type_is_415(shared: Storefront, media_type: str | None) -> None:
    """Also text/plain, which needs no preflight and is taken from the tracker."""
    answer = shared.post("meta", META, headers={"Content-Type": media_type})
    assert is_told(answer, 415, "unsupported_media_type")


def test_a_charset_changes_nothing(toko: Storefront) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert toko.post("meta", META, headers=headers).status_code == 204


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"events": NaN}'])
def test_what_is_no_json_object_is_400(shared: Storefront, body: str) -> None:
    answer = shared.post("meta", body)
    assert is_told(answer, 400, "invalid_json")
    assert answer.headers["access-control-allow-origin"] == ORIGIN


def test_a_body_over_the_limit_is_413(shared: Storefront) -> None:
    answer = shared.post("meta", {**META, "own": "x" * 512 * 1024})
    assert is_told(answer, 413, "too_large")


@pytest.mark.parametrize(("events", "items"), [(501, 0), (100, 101)])
def test_a_batch_over_the_limit_is_413(shared: Storefront, events: int, items: int) -> None:
    """Items belong to each of the events, so both count."""
    variants = [{"variant_unique_id": f"variant_{n}", "quantity": 1} for n in range(items)]
    body = {**META, "events": META["events"] * events, "variants": variants}
    assert is_told(shared.post("meta", body), 413, "too_large")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", PATH.format("meta"), 405, "method_not_allowed"),
        ("POST", PATH.format("pinterest"), 404, "not_found"),
        ("POST", PATH.format("meta") + "/", 404, "not_found"),
    ],
)
def test_other_paths_and_methods_are_refused(
    shared: Storefront, method: str, path: str, status: int, code: str
) -> None:
    assert is_told(shared.ask(method, path), status, code)


@pytest.mark.parametrize("system", SYSTEMS)
def test_nothing_of_a_refused_body_is_stored(shared: Storefront, system: str) -> None:
    """One event of a batch is wrong, and its error repeats nothing of the shopper."""
    body = {**SAMPLES[system], "events": [*SAMPLES[system]["events"], {"event_id": "x"}]}
    answer = shared.post(system, body)
    assert answer.status_code == 422
    assert "buyer@example.com" not in str(error_of(answer))
    assert shared.rows() == []


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
