"""Scalev's `transport = "direct"`: what the relay tells pages, and what it leaves to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pixelmirror import scalev
from relay.cli import main
from relay.pages import SitePages
from relay.site import SiteError
from tests.relay import shop
from tests.relay.paid_shop import SERVER_KEY, event, mirror, notify
from tests.relay.relay_stage import EVENT, NOW, SITE, TRACIFY, Stage, page_assets, site
from tests.relay.relay_stage import stage as staged
from tests.relay.test_page_calls import body as beacon
from tests.relay.test_page_calls import call
from tests.relay.test_pages import settings_of

REASON = "the page posts it to Scalev itself"
DIRECT = {"store_id": "store_1", "api_key": "sfpk_1", "transport": "direct"}
EVERY = ["scalev.meta", "scalev.tiktok", "scalev.snackvideo"]
TABLES: dict[str, Any] = {"scalev": DIRECT, "tracify": TRACIFY}
MIDTRANS = {"server_key": SERVER_KEY}


@pytest.fixture
def toko(tmp_path: Path) -> Iterator[Stage]:
    """A relay of a shop whose pages post to Scalev themselves."""
    with staged(tmp_path, site(destinations=TABLES)) as stage:
        yield stage


def fates(stage: Stage, **query: Any) -> dict[str, str]:
    """What becomes of an event at each destination: its state, or why it is skipped."""
    return {row["destination"]: row["reason"] or row["state"] for row in stage.rows(**query)}


def posted_by_page(*destinations: str) -> dict[str, str]:
    return {name: REASON if name in destinations else "waiting" for name in EVERY}


# --- the site file and what pages are told ---


def test_the_transport_is_relay_or_direct() -> None:
    """DESIGN 5.2."""
    with pytest.raises(SiteError, match="must be 'relay' or 'direct'"):
        site(destinations={"scalev": {**DIRECT, "transport": "page"}})


def test_d13_a_pixel_still_has_one_route_of_server_copies() -> None:
    """scalev D13: whoever posts them."""
    meta = {"mode": "both", "pixel_ids": ["1"], "access_token": "token"}
    with pytest.raises(SiteError, match="twice"):
        site(destinations={"meta": meta, "scalev": DIRECT})


def told(folder: Path, **settings: Any) -> dict[str, Any]:
    one = site(**settings)
    return settings_of(SitePages(one, page_assets(folder / "dist")).loader("//t.toko.example/s"))


def test_r2_r3_pages_are_told_the_routes_and_the_publishable_key(tmp_path: Path) -> None:
    """scalev R1-R3: where to post, with which key, and which events under which names."""
    table = {
        **DIRECT,
        "providers": ["meta", "tiktok"],
        "base_url": "http://127.0.0.1:9/api",
        "events": ["purchase"],
        "event_names": {"tiktok": {"purchase": "Buy"}},
        "categories": ["3"],
    }
    pixel = {"mode": "browser", "pixel_ids": ["1"], "event_names": {"view_item": "Lihat"}}
    url = "http://127.0.0.1:9/api/v3/stores/store_1/public/analytics/{}/events"
    common = {
        "events": ["purchase"],
        "order_event_id": "{order_id}-{event_name}-FORM",
        "country": "id",
    }
    assert told(tmp_path, destinations={"scalev": table, "meta": pixel})["direct"] == {
        "scalev": {
            "api_key": "sfpk_1",
            "categories": ["3"],
            "waits_for_payment": [],
            "routes": [
                {
                    **common,
                    "provider": "meta",
                    "url": url.format("meta"),
                    "event_names": {"view_item": "Lihat"},
                    "requested": ["purchase"],
                },
                {
                    **common,
                    "provider": "tiktok",
                    "url": url.format("tiktok"),
                    "event_names": {"purchase": "Buy"},
                    "requested": ["purchase", "purchase"],
                },
            ],
        }
    }


def test_the_key_of_a_relayed_table_is_in_no_page(tmp_path: Path) -> None:
    """Only what a page posts with is told to it, and nothing at all where it posts nothing."""
    relayed = {"kind": "scalev", "store_id": "hush_2", "api_key": "hush_key", "events": ["search"]}
    settings = told(
        tmp_path, destinations={"scalev": {**DIRECT, "events": ["purchase"]}, "other": relayed}
    )
    assert list(settings["direct"]) == ["scalev"]
    assert "hush" not in json.dumps(settings)
    assert "direct" not in told(tmp_path / "relayed", destinations={"other": relayed})


def test_r31_pages_are_told_what_waits_for_a_payment(tmp_path: Path) -> None:
    """scalev R31: with `purchase_on = "paid"` the relay sends an order when it is paid."""
    settings = told(tmp_path, destinations=TABLES, purchase_on="paid", midtrans=MIDTRANS)
    assert settings["direct"]["scalev"]["waits_for_payment"] == ["purchase", "subscribe"]


@pytest.mark.parametrize("provider", ["meta", "tiktok", "snackvideo"])
def test_page_and_relay_make_the_same_body(tmp_path: Path, provider: str) -> None:
    """By what pages are told of the route; but phone and user agent, which each knows its own."""
    (route,) = [
        one
        for one in told(tmp_path, destinations=TABLES)["direct"]["scalev"]["routes"]
        if one["provider"] == provider
    ]
    order = dict(shop.purchase(client=None))
    (request,) = shop.destination(f"scalev.{provider}", TABLES).requests([order])
    urls = {"event_source_url": shop.URL, "referrer_url": shop.REFERRER}
    assert request.url == route["url"]
    assert json.loads(request.body) == scalev.body(order, route, urls, "6281234567890")


def test_check_says_that_the_page_posts(tmp_path: Path) -> None:
    """What will go where, by whom; and that everyone can read the key."""
    file = tmp_path / "toko.toml"
    file.write_text(
        'site = "toko"\npublishable_key = "pmk_toko"\nsecret_key = "a long secret"\n'
        'origins = ["https://toko.example"]\n[destinations.scalev]\nproviders = ["meta"]\n'
        + "".join(f"{key} = {json.dumps(value)}\n" for key, value in DIRECT.items())
    )
    result = CliRunner().invoke(main, ["check", str(file)])
    assert result.exit_code == 0, result.output
    way = "by the page itself: its script holds the api_key"
    assert result.output.splitlines()[-1] == f"  server copies to scalev.meta, {way}"


# --- what a page posts itself ---

NAMED: list[tuple[Any, dict[str, str]]] = [
    (None, posted_by_page()),
    ([], posted_by_page()),
    (EVERY, posted_by_page(*EVERY)),
    (["scalev"], posted_by_page(*EVERY)),
    (["scalev.meta", "scalev.tiktok"], posted_by_page("scalev.meta", "scalev.tiktok")),
    (["tracify", "meta", "scale"], posted_by_page()),
]


@pytest.mark.parametrize(("names", "expected"), NAMED)
def test_the_relay_skips_what_the_page_names(
    toko: Stage, names: Any, expected: dict[str, str]
) -> None:
    """By destination or table; no other kind of destination can be named."""
    assert toko.page({"sent_at": NOW, "events": [{**EVENT, "direct": names}]}).status_code == 204
    assert fates(toko) == {**expected, "tracify": "waiting"}


@pytest.mark.parametrize("names", ["scalev", {"scalev": 1}, [5.5], [None], [["scalev"]], 1])
def test_names_that_are_none_are_refused(toko: Stage, names: Any) -> None:
    """DESIGN 5.4: with the field's path, and nothing is stored."""
    answer = toko.page({"sent_at": NOW, "events": [{**EVENT, "direct": names}]})
    found = answer.json()["error"]
    assert (answer.status_code, found["code"]) == (422, "invalid_event")
    assert found["field"].startswith("events[0].direct")
    assert toko.rows() == []


def test_what_else_keeps_an_event_from_scalev_is_said_before(toko: Stage) -> None:
    """Consent comes first. But who the page's visitor is makes no odds: it has posted."""
    refused = {**EVENT, "event_id": "refused", "consent": {"status": "denied"}, "direct": EVERY}
    toko.page({"sent_at": NOW, "events": [refused]})
    assert fates(toko, event_id="refused")["scalev.meta"] == "consent denied"
    crawled = {**EVENT, "event_id": "crawled", "direct": EVERY}
    toko.page({"sent_at": NOW, "events": [crawled]}, headers={"User-Agent": "Googlebot/2.1"})
    assert fates(toko, event_id="crawled")["scalev.meta"] == REASON
    assert fates(toko, event_id="crawled")["tracify"].startswith("bot")


def test_the_first_word_of_an_event_holds(toko: Stage) -> None:
    """Stored once for each destination, whichever copy comes first (DESIGN 5.5)."""
    toko.page({"sent_at": NOW, "events": [{**EVENT, "direct": EVERY}]})
    toko.page({"sent_at": NOW, "events": [EVENT]})
    assert fates(toko) == {**posted_by_page(*EVERY), "tracify": "waiting"}


# --- what no page posts ---


def test_a_servers_own_events_go_by_the_relay(toko: Stage) -> None:
    """No page has posted them, whatever a server says."""
    server = {**EVENT, "direct": EVERY}
    assert toko.server({"site": "toko", "events": [server]}).status_code == 204
    assert [fates(toko)[name] for name in EVERY] == ["waiting"] * 3


def test_storefront_copies_go_by_the_relay(tmp_path: Path) -> None:
    """What code written for Scalev's API posts to us, we pass on."""
    with staged(tmp_path, site(destinations=TABLES, store_id="store_9")) as stage:
        parameters = {"search_string": "kaos"}
        search = {"event_id": "e1", "event_name": "Search", "parameters": parameters}
        body = {"user_data": {}, "events": [search]}
        path = "/v3/stores/store_9/public/analytics/meta/events"
        headers = {"X-Scalev-Storefront-Api-Key": "pmk_toko"}
        assert stage.ask("POST", path, json=body, headers=headers).status_code == 204
        assert fates(stage)["scalev.meta"] == "waiting"


CART = ("track", "add_to_cart", EVENT["params"])
KNOWN = "_kwai_click_id=kw-9f"


def test_r50_of_raw_calls_the_next_page_tells_snackvideo(toko: Stage) -> None:
    """scalev R50: it posts what it catches up; of Meta and TikTok a repeat is dropped by its ID."""
    toko.page(beacon(call(1, *CART), cookies=KNOWN))
    assert fates(toko) == {**posted_by_page("scalev.snackvideo"), "tracify": "waiting"}


def test_r50_the_relay_tells_snackvideo_of_raw_calls_where_no_page_posts(tmp_path: Path) -> None:
    """The transport decides."""
    with staged(tmp_path, site(SITE)) as stage:
        stage.page(beacon(call(1, *CART), cookies=KNOWN))
        assert fates(stage) == {**posted_by_page(), "tracify": "waiting"}


# --- paid orders ---


def paid(folder: Path, purchase_on: str) -> Any:
    return staged(folder, site(destinations=TABLES, purchase_on=purchase_on, midtrans=MIDTRANS))


def orders(stage: Stage) -> dict[str, str]:
    found = {
        row["destination"]: row["reason"] or row["state"]
        for row in stage.rows(order_id="ORD-77")
        if row["event_name"] == "purchase"
    }
    return {name: found[name] for name in EVERY if name in found}


def test_r31_a_paid_order_goes_by_the_relay(tmp_path: Path) -> None:
    """scalev R31: with `purchase_on = "paid"` no page posts it, so SnackVideo gets it from us."""
    with paid(tmp_path, "paid") as stage:
        mirror(stage, event("begin_checkout", direct=EVERY), event())
        assert orders(stage) == {}
        notify(stage)
        assert orders(stage) == posted_by_page()


def test_r31_a_paid_order_that_was_called_before_python_was_up_too(tmp_path: Path) -> None:
    """The next page leaves it to the relay, so the relay leaves nothing to the page."""
    with paid(tmp_path, "paid") as stage:
        order = {"id": "ORD-77", "value": 147000, "items": EVENT["params"]["items"]}
        stage.page(beacon(call(1, "track", "purchase", order), cookies=KNOWN))
        notify(stage)
        assert orders(stage) == posted_by_page()


@pytest.mark.parametrize("steps", ["page, payment", "payment, page"])
def test_r50_an_order_that_the_page_posts_is_not_sent_for_its_payment(
    tmp_path: Path, steps: str
) -> None:
    """scalev R50: whichever comes first, each provider is told by one of the two."""
    with paid(tmp_path, "created") as stage:
        mirror(stage, event("begin_checkout", direct=EVERY))
        for step in steps.split(", "):
            if step == "page":
                mirror(stage, event(direct=EVERY))
            else:
                notify(stage)
        assert orders(stage) == posted_by_page(*EVERY)


def test_r50_a_payment_of_which_no_page_has_told_yet_leaves_snackvideo_to_it(
    tmp_path: Path,
) -> None:
    """scalev R50: Meta and TikTok drop the page's repeat by the order's ID, SnackVideo can't."""
    with paid(tmp_path, "created") as stage:
        mirror(stage, event("begin_checkout", direct=EVERY))
        notify(stage)
        assert orders(stage) == posted_by_page("scalev.snackvideo")


def test_a_page_that_did_not_post_its_order_leaves_it_to_the_relay(tmp_path: Path) -> None:
    """An older page, say, from before the site file changed."""
    with paid(tmp_path, "created") as stage:
        notify(stage)
        mirror(stage, event())
        assert orders(stage) == posted_by_page()
