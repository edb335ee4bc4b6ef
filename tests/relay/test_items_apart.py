"""An event of several items for a system that takes one a request: its parts, each sent once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from relay.destinations import Event, TakesItems
from relay.outbox import Outcome, Payment, Record
from relay.outbox.sqlite import SqliteOutbox
from relay.record import route
from tests.relay.alhena_shop import PRINTS, TABLE
from tests.relay.delivery_stage import FakeDestination
from tests.relay.outbox_orders import payment, told
from tests.relay.paid_round import API, ROUND, Round, round_of
from tests.relay.records import NOW, event, raw, states
from tests.relay.relay_stage import EVENT, ITEM, KEY

pytestmark = pytest.mark.anyio


class ByItem(TakesItems, FakeDestination):
    """A destination that takes one item a request."""


class Unwilling(ByItem):
    """One that does not want the event."""

    def skips(self, event: Event) -> str | None:
        return "probably spam"


def of_items(*names: str, **more: Any) -> dict[str, Any]:
    """An event with these items."""
    items = [{**ITEM, "id": name} for name in names]
    return {**EVENT, "event_id": "E1", "params": {"value": 9, "items": items}, **more}


# --- routing ---


def test_each_item_is_an_event_of_its_own_under_an_id_of_its_own() -> None:
    """The whole event's row says what became of it."""
    delivery = route(of_items("a", "b", "c"), ByItem("alhena"))
    assert (delivery["state"], delivery["sent_as"]) == ("skipped", None)
    assert delivery["reason"] == "sent as 3 events, one for each item: E1.1 to E1.3"
    parts = [
        (part["event_id"], [item["id"] for item in part["params"]["items"]], routed)
        for part, routed in delivery["parts"]
    ]
    waits = [{"destination": "alhena", "state": "waiting", "reason": "", "sent_as": None}]
    assert parts == [("E1.1", ["a"], waits), ("E1.2", ["b"], waits), ("E1.3", ["c"], waits)]


def test_a_part_has_all_of_the_event_but_the_other_items_and_their_value() -> None:
    whole = of_items("a", "b")
    (part, _), _ = route(whole, ByItem())["parts"]
    assert "value" not in part["params"]
    same = {key for key in whole if part[key] == whole[key]}
    assert same == {*whole} - {"event_id", "params"}


WHOLE = [
    (of_items("a"), ByItem(), "waiting", ""),
    (of_items(), ByItem(), "waiting", ""),
    ({**EVENT, "params": {}}, ByItem(), "waiting", ""),
    (of_items("a", "b"), FakeDestination(), "waiting", ""),
    (of_items("a", "b"), Unwilling(), "skipped", "probably spam"),
    (of_items("a", "b", consent={"status": "denied"}), ByItem(), "skipped", "consent denied"),
]


@pytest.mark.parametrize(("asked", "to", "state", "reason"), WHOLE)
def test_an_event_stays_whole(
    asked: dict[str, Any], to: FakeDestination, state: str, reason: str
) -> None:
    """Of one item or none, where a request takes them all, and where it is not sent at all."""
    kind = type("Named", (type(to),), {"kind": "alhena"})  # consent is a matter of the kind
    delivery = route(asked, kind())
    assert (delivery["state"], delivery["reason"]) == (state, reason)
    assert "parts" not in delivery


# --- storing ---


def order(*items: str, event_id: str = "O1-purchase") -> Record:
    """A purchase of these items for a system that takes one a request."""
    params = {"id": "O1", "items": [{"id": item} for item in items]}
    body = event(event_id, "purchase", params=params, consent={"status": "granted"})
    return body, [route(body, ByItem("alhena"))]


async def test_the_parts_are_stored_once_and_with_the_whole_events_row(tmp_path: Path) -> None:
    """Sent again, also with other items, an event changes nothing (DESIGN 5.5)."""
    async with await SqliteOutbox.open(tmp_path / "outbox.db") as outbox:
        assert await outbox.put([order("a", "b")]) == {("toko", "alhena")}
        for again in (order("a", "b"), order("a", "b", "c"), order("a")):
            assert await outbox.put([again]) == set()
        assert await states(outbox) == [
            ("O1-purchase", "alhena", "skipped"),
            ("O1-purchase.1", "alhena", "waiting"),
            ("O1-purchase.2", "alhena", "waiting"),
        ]


async def test_what_was_stored_whole_has_no_parts_later(tmp_path: Path) -> None:
    """A repeat that lists more items would send the first one twice."""
    async with await SqliteOutbox.open(tmp_path / "outbox.db") as outbox:
        await outbox.put([order("a")])
        assert await outbox.put([order("a", "b")]) == set()
        assert await states(outbox) == [("O1-purchase", "alhena", "waiting")]


async def test_an_orders_parts_are_found_by_its_id(tmp_path: Path) -> None:
    """And the whole event's row with them."""
    async with await SqliteOutbox.open(tmp_path / "outbox.db") as outbox:
        await outbox.put([order("a", "b")])
        found = await states(outbox, order_id="O1")
        assert [row[0] for row in found] == ["O1-purchase", "O1-purchase.1", "O1-purchase.2"]


async def test_no_personal_data_outlives_the_last_part(tmp_path: Path) -> None:
    """Nor is any kept with the whole event, which nobody waits for."""
    path = tmp_path / "var" / "outbox.db"
    async with await SqliteOutbox.open(path) as outbox:
        await outbox.put([order("a", "b")])
        claimed = await outbox.claim("toko", "alhena", 100, NOW)
        assert [one.event["params"]["items"] for one in claimed] == [[{"id": "a"}], [{"id": "b"}]]
        await outbox.settle([Outcome(one, "done") for one in claimed], NOW)
    assert b"siti@" not in raw(path)


# --- paid orders ---


def join(payment: Payment, contexts: Sequence[Mapping[str, Any]]) -> Record:
    """A purchase of two items; of none where no page told any."""
    items = ("a", "b") if contexts else ()
    return order(*items, event_id=payment.event_id or "O1-purchase")


PARTS = [
    ("O1-purchase", "alhena", "skipped"),
    ("O1-purchase.1", "alhena", "waiting"),
    ("O1-purchase.2", "alhena", "waiting"),
]


async def test_a_paid_orders_event_is_sent_in_parts_too(tmp_path: Path) -> None:
    async with await SqliteOutbox.open(tmp_path / "outbox.db") as outbox:
        await outbox.tell([], [told("purchase")], join)
        assert await outbox.pay(payment(), join) == {("toko", "alhena")}
        assert await outbox.pay(payment(), join) == set()
        assert await states(outbox, order_id="O1") == PARTS


async def test_the_items_that_the_page_brings_after_the_payment_are_its_parts(
    tmp_path: Path,
) -> None:
    """Under the ID of the event that the payment sent, however often the page tells."""
    async with await SqliteOutbox.open(tmp_path / "outbox.db") as outbox:
        await outbox.pay(payment(), join)
        for name in ("begin_checkout", "purchase", "purchase"):
            await outbox.tell([], [told(name)], join)
            assert await states(outbox, order_id="O1") == PARTS


# --- the whole way ---

ALHENA = {**ROUND, "destinations": {"alhena": {**TABLE, **API}}}
ADDED: dict[str, Any] = {
    **EVENT,
    "event_id": "added",
    "params": {
        "currency": "IDR",
        "items": [
            {"id": f"v{n}", "quantity": 1, "product": {"id": f"p{n}", "name": "Kaos", "price": 9}}
            for n in (1, 2, 3)
        ],
    },
    "attribution": PRINTS,
}


async def rows(shop: Round) -> dict[str, tuple[str, str]]:
    """State and reason of each delivery, by event ID."""
    found = await shop.operator("/v1/deliveries?destination=alhena")
    return {row["event_id"]: (row["state"], row["reason"]) for row in found["deliveries"]}


async def test_of_a_cart_event_each_item_arrives_at_alhena_once(tmp_path: Path) -> None:
    """One fails and is a dead letter; the others are not sent again with it, or by a repeat."""
    trouble = {"system": "alhena", "do": "fail", "times": 1}
    async with round_of(tmp_path, ALHENA) as shop:
        await shop.sandbox("POST", "/behaviour", json=trouble)
        await shop.page(ADDED)
        await shop.asked()
        await shop.page(ADDED)
        asked = await shop.asked()
        assert sorted(row["call"]["product_id"] for row in asked) == ["p1", "p2", "p3"]
        assert [row["accepted"] for row in asked].count(True) == 2
        found = await rows(shop)
        assert found.pop("added") == (
            "skipped",
            "sent as 3 events, one for each item: added.1 to added.3",
        )
        assert sorted(found) == ["added.1", "added.2", "added.3"]
        assert sorted(state for state, _ in found.values()) == ["dead", "done", "done"]


async def test_the_part_that_failed_can_be_sent_again_alone(tmp_path: Path) -> None:
    """Replayed by its ID: Alhena has counted three items, each once."""
    trouble = {"system": "alhena", "do": "fail", "times": 1}
    async with round_of(tmp_path, ALHENA) as shop:
        await shop.sandbox("POST", "/behaviour", json=trouble)
        await shop.page(ADDED)
        await shop.asked()
        (failed,) = (name for name, (state, _) in (await rows(shop)).items() if state == "dead")
        answer = await shop.http.post(
            "/v1/dead-letters/replay",
            json={"site": "toko", "event_id": failed},
            headers={"Authorization": f"Bearer {KEY}"},
        )
        assert answer.json() == {"replayed": 1}
        taken = [row["call"]["product_id"] for row in await shop.asked() if row["accepted"]]
        assert sorted(taken) == ["p1", "p2", "p3"]
