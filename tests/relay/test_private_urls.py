"""The URLs of an event are cut before it is stored, by whichever way it comes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.relay.relay_stage import EVENT, NOW, Stage
from tests.relay.storefront_bodies import META, TIKTOK
from tests.relay.storefront_shop import storefront

TOLD = "https://toko.example/p/kaos?email=siti%40example.com&utm_source=fb&fbclid=0812345678901#a=1"
CUT = "https://toko.example/p/kaos?utm_source=fb&fbclid=0812345678901#a=1"
FROM = "https://siti:secret@m.example/?q=+6281234567890"
LONG = "https://toko.example/p/kaos?big=" + "x" * 100_000 + "&utm_source=fb"


def page(url: str = TOLD) -> dict[str, str]:
    return {"url": url, "referrer": FROM, "title": "Kaos"}


def by_page(toko: Stage, told: dict[str, str]) -> int:
    return toko.page({"sent_at": NOW, "events": [{**EVENT, "page": told}]}).status_code


def by_server(toko: Stage, told: dict[str, str]) -> int:
    return toko.server({"site": "toko", "events": [{**EVENT, "page": told}]}).status_code


def by_raw_call(toko: Stage, told: dict[str, str]) -> int:
    args = ["track", "add_to_cart", EVENT["params"]]
    call = {"uuid": "u-1", "time": NOW, "args": args, "page": told}
    return toko.page({"sent_at": NOW, "calls": [call], "cookies": ""}).status_code


@pytest.mark.parametrize("by", [by_page, by_server, by_raw_call])
def test_what_is_personal_in_urls_is_never_stored(toko: Stage, by: Any) -> None:
    """Pages, their raw calls and servers alike; campaigns and click IDs stay."""
    assert by(toko, page()) == 204
    (event,) = toko.stored("scalev.meta")
    assert event["page"] == {"url": CUT, "referrer": "https://m.example/", "title": "Kaos"}


@pytest.mark.parametrize("by", [by_page, by_server, by_raw_call])
def test_no_event_is_lost_by_a_long_url_or_title(toko: Stage, by: Any) -> None:
    """What fits is stored, the path and the short parameters first."""
    assert by(toko, {**page(LONG), "title": "K" * 9000}) == 204
    (event,) = toko.stored("scalev.meta")
    assert event["page"]["url"] == "https://toko.example/p/kaos?utm_source=fb"
    assert event["page"]["title"] == "K" * 8192


def test_a_click_id_counts_though_its_url_is_cut(toko: Stage) -> None:
    """It is read from the whole URL, before anything is cut."""
    assert by_raw_call(toko, page(LONG + "&ttclid=" + "T" * 400)) == 204
    (event,) = toko.stored("scalev.meta")
    assert event["attribution"]["ttclid"] == "T" * 400


def test_urls_among_the_params_are_cut_too(toko: Stage) -> None:
    """A page view may tell its URL once more, for Commanders Act."""
    params = {"url": TOLD, "referrer": FROM, "path": "/p/kaos?phone=1#x", "title": "Kaos"}
    event = {**EVENT, "event_id": "e-1", "event_name": "page_view", "params": params}
    assert toko.page({"events": [event]}).status_code == 204
    (stored,) = toko.stored()
    assert stored["params"] == {
        "url": CUT,
        "referrer": "https://m.example/",
        "path": "/p/kaos#x",
        "title": "Kaos",
        "page_type": "other",
    }


def test_code_written_for_scalev_tells_no_more(tmp_path: Path) -> None:
    """Its URLs are the page's whole ones, as Scalev wants them."""
    with storefront(tmp_path) as toko:
        body = {**META, "event_source_url": TOLD, "referrer_url": FROM}
        assert toko.post("meta", body).status_code == 204
        (event,) = toko.stored("scalev.meta")
        assert event["page"] == {"url": CUT, "referrer": "https://m.example/"}
        assert toko.post("tiktok", {**TIKTOK, "event_source_url": LONG}).status_code == 204
        (event,) = toko.stored("scalev.tiktok")
        assert event["page"]["url"] == "https://toko.example/p/kaos?utm_source=fb"
