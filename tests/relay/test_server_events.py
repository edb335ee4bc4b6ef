"""`POST /v1/events`: what the shop's own servers send (DESIGN 5.4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.relay.relay_stage import BATIK, EVENT, NOW, ORDER, USER_AGENT, Stage, is_told

CLIENT = {"ip": "203.0.113.99", "user_agent": "Mozilla/5.0 (iPhone)"}


def body(*events: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"site": "toko", "events": list(events), **more}


def test_the_secret_key_of_the_site_is_all_it_needs(toko: Stage) -> None:
    """No origin, no cookies, no CORS; 204 once durable."""
    answer = toko.server(body(EVENT))
    assert (answer.status_code, answer.content) == (204, b"")
    assert "access-control-allow-origin" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert len(toko.stored("scalev.meta")) == 1


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_may_be_written_in_any_case(toko: Stage, scheme: str) -> None:
    """As HTTP has it."""
    headers = {"Authorization": f"{scheme} {BATIK['secret_key']}"}
    assert toko.server({**body(EVENT), "site": "batik"}, headers=headers).status_code == 204


def test_a_key_is_good_for_its_own_site_only(toko: Stage) -> None:
    """The other shop's events are not stored, and it does not learn whether they could be."""
    answer = toko.server({**body(EVENT), "site": "batik"})
    assert is_told(answer, 401, "unknown_key", "site")
    assert toko.stored(name="batik") == []
    assert toko.stored() == []


def test_text_plain_is_taken_too(toko: Stage) -> None:
    """The media types are those of pages."""
    assert toko.server(body(EVENT), headers={"Content-Type": "text/plain"}).status_code == 204


# --- the shopper ---


def test_the_servers_own_address_and_user_agent_are_not_the_shoppers(toko: Stage) -> None:
    """Without `client` neither is stored, so neither can be sent on."""
    headers = {"User-Agent": "shop-backend/1.0", "X-Forwarded-For": "8.8.8.8"}
    toko.server(body(EVENT), headers=headers)
    (stored,) = toko.stored("scalev.meta")
    assert "client" not in stored
    rows = toko.rows(destination="tracify")
    assert [(row["state"], row["reason"]) for row in rows] == [("skipped", "no IP address")]


def test_a_client_that_the_server_names_is_the_shopper(toko: Stage) -> None:
    """`ip` and `user_agent`, nothing else of it."""
    toko.server(body({**EVENT, "client": {**CLIENT, "host": "x", "ip6": "::1"}}))
    assert toko.stored()[0]["client"] == CLIENT


@pytest.mark.parametrize("client", [{}, {"ip": "", "user_agent": None}, None])
def test_an_empty_client_is_none(toko: Stage, client: Any) -> None:
    """Empty is unknown."""
    assert toko.server(body({**EVENT, "client": client})).status_code == 204
    assert not toko.stored("scalev.meta")[0].get("client")


# --- the clock ---


def test_without_sent_at_no_clock_is_corrected(toko: Stage) -> None:
    """An order of this morning happened this morning."""
    toko.server(body({**EVENT, "event_time": NOW - 3_600_000}))
    assert toko.stored("scalev.meta")[0]["event_time"] == NOW - 3_600_000


def test_with_sent_at_the_servers_clock_is_corrected(toko: Stage) -> None:
    """As a page's."""
    toko.server(body({**EVENT, "event_time": NOW + 50_000}, sent_at=NOW + 60_000))
    assert toko.stored("scalev.meta")[0]["event_time"] == NOW - 10_000


# --- the event ID ---


def test_an_orders_event_needs_no_event_id(toko: Stage) -> None:
    """It gets `{order ID}-{event name}`, the page's."""
    toko.server(body(ORDER))
    assert {row["event_id"] for row in toko.rows(order_id="ORD-77")} == {"ORD-77-purchase"}


def test_every_other_event_needs_one(toko: Stage) -> None:
    """A repeat could not be known again without."""
    event = {key: value for key, value in EVENT.items() if key != "event_id"}
    answer = toko.server(body(ORDER, event))
    assert is_told(answer, 422, "invalid_event", "events[1].event_id")
    assert toko.rows() == []


@pytest.mark.parametrize("page_first", [True, False])
def test_the_same_event_from_page_and_server_is_delivered_once(
    toko: Stage, page_first: bool
) -> None:
    """Whichever came first; the later copy adds only what the first could not have."""
    if page_first:
        toko.page({"events": [ORDER]})
    toko.server(body({**ORDER, "client": CLIENT}))
    assert toko.page({"events": [ORDER]}).status_code == 204
    rows = toko.rows(order_id="ORD-77")
    assert sorted(row["destination"] for row in rows) == [
        "scalev.meta",
        "scalev.snackvideo",
        "scalev.tiktok",
        "tracify",
    ]
    expected = USER_AGENT if page_first else CLIENT["user_agent"]
    assert toko.stored()[0]["client"]["user_agent"] == expected


def test_a_purchase_the_page_marked_as_spam_is_skipped_from_a_server_too(toko: Stage) -> None:
    """`is_probably_spam` stands in `params`."""
    toko.server(body({**ORDER, "params": {**ORDER["params"], "is_probably_spam": True}}))
    assert {row["reason"] for row in toko.rows()} == {"probably spam"}
