"""What operators ask: deliveries, dead letters, and whether the relay is well (DESIGN 5.4)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from relay.outbox import OutboxUnavailable, Outcome
from relay.outbox.sqlite import SqliteOutbox
from tests.relay.relay_stage import (
    BATIK,
    EVENT,
    NOW,
    ORDER,
    TRACIFY,
    Stage,
    is_told,
    site,
    stage,
)

BATIK_KEY = BATIK["secret_key"]


def bury(toko: Stage, destination: str, reason: str = "refused (400): no") -> None:
    """All that waits for this destination is a dead letter now."""

    async def run() -> None:
        await toko.relay.routing.caught_up()
        found = await toko.outbox.claim("toko", destination, 100, toko.now_ms)
        ends = [Outcome(delivery, "dead", 400, reason) for delivery in found]
        await toko.outbox.settle(ends, toko.now_ms)

    toko.run(run())


# --- deliveries ---


def test_a_delivery_is_shown_with_what_became_of_it(toko: Stage) -> None:
    """The contract's keys, and the ID under which it was sent; nothing of the shopper."""
    toko.page({"events": [ORDER]})
    bury(toko, "scalev.meta")
    answer = toko.operator("/v1/deliveries", site="toko", destination="scalev.meta")
    assert answer.json() == {
        "deliveries": [
            {
                "event_id": "ORD-77-purchase",
                "event_name": "purchase",
                "destination": "scalev.meta",
                "state": "dead",
                "attempts": 1,
                "status": 400,
                "reason": "refused (400): no",
                "updated_at": NOW,
                "sent_as": "ORD-77-Purchase-FORM",
            }
        ]
    }


def test_what_waits_has_no_attempt_no_status_and_no_reason(toko: Stage) -> None:
    """The first attempt is yet to come."""
    toko.page({"events": [EVENT]})
    row = toko.rows(destination="tracify")[0]
    shown = {key: row[key] for key in ("state", "attempts", "status", "reason", "updated_at")}
    assert shown == {
        "state": "waiting",
        "attempts": 0,
        "status": None,
        "reason": "",
        "updated_at": NOW,
    }


def test_the_newest_come_first(toko: Stage) -> None:
    """By when something last happened to them."""
    for number in range(3):
        toko.now_ms = NOW + number
        toko.page({"events": [{**EVENT, "event_id": f"e{number}"}]})
    toko.now_ms = NOW + 9
    bury(toko, "tracify")
    assert [row["event_id"] for row in toko.rows(destination="scalev.meta")] == ["e2", "e1", "e0"]
    assert {row["destination"] for row in toko.rows(limit=3)} == {"tracify"}


# Query, and which of the destinations' deliveries of `e1` (add_to_cart) and an order it finds.
FILTERS: list[tuple[dict[str, Any], int]] = [
    ({}, 8),
    ({"site": "toko"}, 8),
    ({"event_id": "e1"}, 4),
    ({"event_id": "none"}, 0),
    ({"order_id": "ORD-77"}, 4),
    ({"order_id": "ORD-7"}, 0),
    ({"state": "waiting"}, 6),
    ({"state": "dead"}, 2),
    ({"state": "done"}, 0),
    ({"state": "skipped"}, 0),
    ({"destination": "tracify"}, 2),
    ({"destination": "scalev"}, 6),
    ({"destination": "scalev.tiktok"}, 2),
    ({"destination": "scale"}, 0),
    ({"destination": "scalev", "state": "dead", "event_id": "e1"}, 1),
    ({"limit": 3}, 3),
    ({"limit": 1000}, 8),
]


@pytest.mark.parametrize(("query", "count"), FILTERS)
def test_deliveries_are_found_by_any_of_their_marks(
    toko: Stage, query: dict[str, Any], count: int
) -> None:
    """All filters together; a table's name also stands for the destinations it makes."""
    toko.page({"events": [{**EVENT, "event_id": "e1"}, ORDER]})
    bury(toko, "scalev.meta")
    assert len(toko.rows(**query)) == count


def test_an_order_is_found_through_all_of_its_events(toko: Stage) -> None:
    """From checkout to purchase, by the ID in `params.id`."""
    params = {"id": "ORD-77", "items": ORDER["params"]["items"]}
    checkout = {"event_id": "c1", "event_name": "begin_checkout", "params": params}
    payment = {
        "event_id": "p1",
        "event_name": "add_payment_info",
        "params": {**params, "payment_method": "card"},
    }
    toko.page({"events": [{**EVENT, **checkout}, {**EVENT, **payment}, ORDER, EVENT]})
    found = {row["event_name"] for row in toko.rows(order_id="ORD-77")}
    assert found == {"begin_checkout", "add_payment_info", "purchase"}


def test_skipped_deliveries_say_why(tmp_path: Path) -> None:
    """Consent, no click ID, an event or a destination not asked for: each in words."""
    tables = {
        "scalev": {"store_id": "s", "api_key": "k", "providers": ["snackvideo"]},
        "tracify": {**TRACIFY, "events": ["purchase"], "categories": ["3"]},
    }
    with stage(tmp_path, site(destinations=tables)) as toko:
        toko.page({"events": [{**EVENT, "event_id": "e1", "attribution": {}}]})
        one = {"status": "granted", "categories": ["1"]}
        toko.page({"events": [{**ORDER, "consent": one, "destinations": ["tracify"]}]})
        reasons = {(row["event_id"], row["destination"]): row["reason"] for row in toko.rows()}
        assert {row["state"] for row in toko.rows()} == {"skipped"}
        assert reasons == {
            ("e1", "scalev.snackvideo"): "no click ID",
            ("e1", "tracify"): "not among the events set for this destination",
            ("ORD-77-purchase", "scalev.snackvideo"): "not among the call's destinations",
            ("ORD-77-purchase", "tracify"): "no consent for category 3",
        }


# --- dead letters ---


def test_dead_letters_are_the_same_rows(toko: Stage) -> None:
    """Those that will not be tried again by themselves, newest first."""
    toko.page({"events": [EVENT]})
    assert toko.operator("/v1/dead-letters").json() == {"dead_letters": []}
    bury(toko, "scalev.meta")
    toko.now_ms += 1
    bury(toko, "tracify")
    found = toko.operator("/v1/dead-letters", site="toko").json()["dead_letters"]
    assert [row["destination"] for row in found] == ["tracify", "scalev.meta"]
    assert found == toko.rows(state="dead")
    found = toko.operator("/v1/dead-letters", destination="scalev").json()["dead_letters"]
    assert [row["destination"] for row in found] == ["scalev.meta"]


# What is asked for, and how many of the three dead letters wait again.
REPLAYS: list[tuple[dict[str, Any], int]] = [
    ({}, 3),
    ({"destination": None, "event_id": None, "since": None}, 3),
    ({"destination": "scalev"}, 2),
    ({"destination": "scalev.meta"}, 1),
    ({"destination": "scalev.snackvideo"}, 0),
    ({"event_id": EVENT["event_id"]}, 3),
    ({"event_id": "none"}, 0),
    ({"since": NOW}, 3),
    ({"since": NOW + 1}, 1),
    ({"since": 0}, 3),
    ({"since": NOW + 1, "destination": "scalev"}, 0),
]


@pytest.mark.parametrize(("which", "count"), REPLAYS)
def test_a_replay_lets_them_be_tried_again(toko: Stage, which: dict[str, Any], count: int) -> None:
    """Those of a destination, of an event, since a moment (milliseconds), or all."""
    toko.page({"events": [EVENT]})
    bury(toko, "scalev.meta")
    bury(toko, "scalev.tiktok")
    toko.now_ms = NOW + 1
    bury(toko, "tracify")
    answer = toko.replay({"site": "toko", **which})
    assert (answer.status_code, answer.json()) == (200, {"replayed": count})
    assert len(toko.rows(state="dead")) == 3 - count
    assert len(toko.rows(state="waiting")) == 1 + count
    assert {row["attempts"] for row in toko.rows(state="waiting")} == {0}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"destination": ["meta"]}, "destination"),
        ({"event_id": 7}, "event_id"),
        ({"since": "yesterday"}, "since"),
        ({"since": True}, "since"),
        ({"since": -1}, "since"),
        ({"since": 10**30}, "since"),
        ({"since": 1.5}, "since"),
    ],
)
def test_a_wrong_replay_changes_nothing(toko: Stage, body: dict[str, Any], field: str) -> None:
    """422, with the field."""
    toko.page({"events": [EVENT]})
    bury(toko, "tracify")
    assert is_told(toko.replay({"site": "toko", **body}), 422, "invalid_event", field)
    assert len(toko.rows(state="dead")) == 1


def test_a_replay_is_an_object(toko: Stage) -> None:
    """400 and 415 as everywhere."""
    assert is_told(toko.replay("[]"), 400, "invalid_json")


# --- keys ---


def test_an_operator_sees_and_replays_his_own_site_only(toko: Stage) -> None:
    """The key says which; another site's name beside it is 401, not an empty answer."""
    toko.page({"events": [EVENT]})
    bury(toko, "tracify")
    for path in ("/v1/deliveries", "/v1/dead-letters"):
        answer = toko.operator(path, key=BATIK_KEY, site="toko")
        assert is_told(answer, 401, "unknown_key", "site")
        assert toko.operator(path, key=BATIK_KEY).json().popitem()[1] == []
    assert is_told(toko.replay({"site": "toko"}, key=BATIK_KEY), 401, "unknown_key", "site")
    assert toko.replay({}, key=BATIK_KEY).json() == {"replayed": 0}
    assert len(toko.rows(state="dead")) == 1


@pytest.mark.parametrize("path", ["/v1/deliveries", "/v1/dead-letters", "/healthz", "/readyz"])
def test_pages_can_read_none_of_it(shared: Stage, path: str) -> None:
    """No CORS: a page of the shop is not an operator."""
    answer = shared.operator(path)
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


# --- health ---


class Broken(SqliteOutbox):
    """An outbox that can't store for now."""

    is_broken = True

    async def check(self) -> None:
        if self.is_broken:
            raise OutboxUnavailable("the outbox can't do this now: disk I/O error")
        await super().check()


def test_readyz_is_503_while_the_outbox_cannot_store(tmp_path: Path) -> None:
    """`/healthz` stays 200: a restart would not help."""
    with stage(tmp_path, kind=Broken) as toko:
        answer = toko.ask("GET", "/readyz")
        assert (answer.status_code, answer.text) == (
            503,
            "not ready: the outbox can't do this now: disk I/O error",
        )
        assert toko.ask("GET", "/healthz").status_code == 200
        vars(toko.outbox)["is_broken"] = False
        assert toko.ask("GET", "/readyz").status_code == 200
        assert toko.ask("HEAD", "/readyz").status_code == 200
