"""What is sent of a paid order: the payment's amount and time, and what the page told.

Rules: specs/alusio.md 3 and 5 (S7, S8, the L rows), specs/midtrans.md M9.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from relay.outbox import HOLD_MS
from tests.relay.paid_round import (
    API,
    CREATED,
    META_PURCHASE,
    PAID,
    ROUND,
    TIKTOK_PURCHASE,
    goes,
    orders,
    round_of,
)
from tests.relay.paid_shop import SETTLED_AT, event, notification
from tests.relay.records import raw
from tests.relay.relay_stage import ITEM, SITE, USER_AGENT

pytestmark = pytest.mark.anyio


async def test_m9_the_payment_is_sent_with_what_the_checkout_told(tmp_path: Path) -> None:
    """Amount and time are the payment's, who and what the page's (alusio 3, L2, S7, S8)."""
    async with round_of(tmp_path, PAID) as one:
        begun = event("begin_checkout", params={"coupon": "HEMAT"})
        paying = event(
            "add_payment_info",
            params={"payment_method": "card"},
            attribution={"fbc": "fb.1.1760000000001.New"},
            user={"email": "siti@example.com", "firstname": "Siti"},
        )
        await one.page(begun, paying)
        await one.midtrans(notification(gross_amount="132000.00"))
        await one.calls("meta")
        sent = (await one.calls("meta"))[-1]["call"]["data"][0]
        assert sent["event_time"] == SETTLED_AT // 1000
        assert sent["event_source_url"] == "https://toko.example/order/ORD-77/add_payment_info"
        assert sent["user_data"]["em"] == [
            "3684a581ce82ee39a1541130095759584e4c574d3db3e88b193256c20fae9747"
        ]
        assert sent["user_data"]["ph"] == [
            "dd752605096029a73495a91862983963e1947a834a4300808074185af10bb725"
        ]
        assert sent["user_data"]["fbc"] == "fb.1.1760000000001.New"
        assert sent["user_data"]["fbp"] == "fb.1.1750000000000.4821"
        assert sent["user_data"]["client_user_agent"] == USER_AGENT
        assert sent["user_data"]["client_ip_address"] == "203.0.113.7"
        assert "ln" not in sent["user_data"]  # L12
        custom = sent["custom_data"]
        assert (custom["value"], custom["currency"], custom["num_items"]) == (132000, "IDR", 2)
        assert custom["content_ids"] == [row["id"] for row in custom["contents"]] == ["variant_a1"]
        assert custom["order_id"] == "ORD-77"


async def test_the_pages_copy_goes_before_all_else_that_was_told(tmp_path: Path) -> None:
    """Also before a checkout that was opened again later; what only that told is added."""
    async with round_of(tmp_path, PAID) as one:
        await one.page(event(user={"email": "siti@example.com"}))
        await one.page(event("begin_checkout", params={"items": [{**ITEM, "quantity": 9}]}))
        await goes(one, "settled")
        sent = (await one.calls("meta"))[-1]["call"]["data"][0]
        assert sent["event_source_url"] == "https://toko.example/order/ORD-77/purchase"
        assert sent["custom_data"]["num_items"] == 2
        assert "ph" in sent["user_data"]


async def test_tiktok_and_tracify_get_the_same_order(tmp_path: Path) -> None:
    async with round_of(tmp_path, PAID) as one:
        await goes(one, "purchase, settled")
        (tiktok,) = await one.calls("tiktok")
        (sent,) = tiktok["call"]["data"]
        assert (sent["user"]["ttclid"], sent["user"]["ttp"]) == ("E.C.P.x", "2abc")
        assert sent["properties"]["value"] == 147000
        (tracify,) = await one.calls("tracify")
        (sent,) = tracify["call"]["events"]
        assert (sent["data"]["amount"], sent["data"]["ITEM1"]) == ("147000.00", "Kaos")


async def test_an_order_without_known_items_is_sent_without(tmp_path: Path) -> None:
    """The sale is not lost to those who take it so, and no item is made up."""
    async with round_of(tmp_path, PAID) as one:
        paying = event("add_payment_info", params={"payment_method": "card"})
        del paying["params"]["items"]
        await one.page(paying)
        await goes(one, "settled")
        sent = (await one.calls("meta"))[-1]["call"]["data"][0]["custom_data"]
        assert sent == {"value": 147000, "currency": "IDR", "order_id": "ORD-77"}
        assert await orders(one, "tiktok") == [TIKTOK_PURCHASE]
        data = (await one.calls("tracify"))[-1]["call"]["events"][0]["data"]
        assert data["amount"] == "147000.00"
        assert "ITEM1" not in data


async def test_the_pages_own_event_id_is_the_servers(tmp_path: Path) -> None:
    """An ID given by the caller is sent as it is, by pixel and payment alike."""
    async with round_of(tmp_path, PAID) as one:
        await one.page({**event(), "event_id": "my-own-id"})
        await goes(one, "settled")
        assert await orders(one) == [("Purchase", "my-own-id")]


@pytest.mark.parametrize("shop", [CREATED, PAID], ids=["created", "paid"])
async def test_the_pages_own_event_id_is_the_servers_also_where_the_payment_came_first(
    tmp_path: Path, shop: dict[str, Any]
) -> None:
    """As long as nothing was due under the other one: the pixel's copy has no other ID."""
    async with round_of(tmp_path, shop) as one:
        await goes(one, "settled")
        await one.page({**event(), "event_id": "my-own-id"})
        assert await orders(one) == [("Purchase", "my-own-id")]
        (paid,) = (await one.operator("/v1/payments"))["payments"]
        assert paid["event_id"] == "my-own-id"
        rows = (await one.operator("/v1/deliveries?order_id=ORD-77"))["deliveries"]
        assert {(row["event_id"], row["sent_as"]) for row in rows if row["sent_as"]} == {
            ("my-own-id", "my-own-id")
        }


async def test_an_own_event_id_comes_too_late_once_the_payment_was_sent(tmp_path: Path) -> None:
    """The checkout told enough to send it at once; under a second ID it would count twice."""
    async with round_of(tmp_path, PAID) as one:
        await goes(one, "begin_checkout, settled")
        assert await orders(one) == [META_PURCHASE]
        await one.page({**event(), "event_id": "my-own-id"})
        assert await orders(one) == [META_PURCHASE]


async def test_an_own_event_id_that_another_event_has_is_not_taken(tmp_path: Path) -> None:
    """One event is not merged with another; the order is sent under its own ID."""
    async with round_of(tmp_path, PAID) as one:
        await one.page({**event("begin_checkout", "ORD-1"), "event_id": "my-own-id"})
        await goes(one, "settled")
        await one.page({**event(), "event_id": "my-own-id"})
        assert await orders(one) == [META_PURCHASE]


async def test_one_systems_own_id_is_not_every_systems(tmp_path: Path) -> None:
    """Code written for Scalev's API names each system's own ID; each gets its own."""
    async with round_of(tmp_path, PAID) as one:
        await one.page({**event(), "event_id": "ORD-77-Purchase-FORM"})
        await goes(one, "settled")
        assert await orders(one) == [META_PURCHASE]
        assert await orders(one, "tiktok") == [TIKTOK_PURCHASE]


# --- nobody told anything ---


async def test_an_order_that_no_page_told_of_is_skipped_with_its_reason(tmp_path: Path) -> None:
    """Meta and Tracify need the shopper's browser, TikTok a page: operators see why."""
    async with round_of(tmp_path, PAID) as one:
        await goes(one, "settled")
        one.passes(HOLD_MS // 1000)
        assert await orders(one) == []
        rows = (await one.operator("/v1/deliveries?order_id=ORD-77"))["deliveries"]
        assert {row["destination"]: (row["state"], row["reason"]) for row in rows} == {
            "meta": ("skipped", "no http or https page URL"),
            "tiktok": ("skipped", "no http or https page URL"),
            "tracify": ("skipped", "no http or https page URL"),
        }


async def test_who_takes_an_order_alone_gets_it_after_a_moment(tmp_path: Path) -> None:
    """Scalev needs nothing of the browser; the page has ten seconds to bring what it knows."""
    tables = {"scalev": {**SITE["destinations"]["scalev"], **API, "providers": ["meta"]}}
    async with round_of(tmp_path, {**PAID, "destinations": tables}) as one:
        await goes(one, "settled")
        assert await orders(one, "scalev.meta") == []
        one.passes(HOLD_MS // 1000)
        assert await orders(one, "scalev.meta") == [META_PURCHASE]
        await goes(one, "purchase")
        assert await orders(one, "scalev.meta") == [META_PURCHASE]


async def test_the_page_that_comes_in_that_moment_is_joined(tmp_path: Path) -> None:
    tables = {"scalev": {**SITE["destinations"]["scalev"], **API, "providers": ["meta"]}}
    async with round_of(tmp_path, {**PAID, "destinations": tables}) as one:
        await goes(one, "settled, purchase")
        (row,) = await one.calls("scalev.meta")
        assert row["call"]["user_data"]["fbc"] == "fb.1.1760000000000.AbC"
        assert row["call"]["variants"] == [{"variant_unique_id": "variant_a1", "quantity": 2}]


async def test_items_in_another_currency_are_another_amounts(tmp_path: Path) -> None:
    """They are left out rather than sent as rupiah; so are costs above what was paid."""
    async with round_of(tmp_path, PAID) as one:
        await one.page(event(params={"currency": "USD", "value": 9.5, "items": [ITEM]}))
        await goes(one, "settled")
        sent = (await one.calls("meta"))[-1]["call"]["data"][0]["custom_data"]
        assert sent == {"value": 147000, "currency": "IDR", "order_id": "ORD-77"}


async def test_costs_of_more_than_was_paid_are_left_out(tmp_path: Path) -> None:
    """A voucher of the payment's made the order smaller; it is sent all the same."""
    async with round_of(tmp_path, PAID) as one:
        await one.page(event(params={"shipping_amount": 20000}))
        await one.midtrans(notification(gross_amount="15000.00"))
        sent = (await one.calls("meta"))[-1]["call"]["data"][0]["custom_data"]
        assert sent["value"] == 15000


# --- consent, bots, spam ---

NOT_SENT = [
    ({"consent": {"status": "denied"}}, {}, "consent denied"),
    (
        {"consent": {"status": "granted", "gpc": True}},
        {},
        "consent refused by Global Privacy Control",
    ),
    (
        {},
        {"User-Agent": "Googlebot/2.1"},
        "bot: its user agent is a known crawler's or headless browser's",
    ),
    ({"params": {"is_probably_spam": True}}, {}, "probably spam"),  # scalev R63
    ({"destinations": ["kwai"]}, {}, "not among the call's destinations"),
]


@pytest.mark.parametrize("steps", ["page, settled", "settled, page"])
@pytest.mark.parametrize(("fields", "headers", "reason"), NOT_SENT)
async def test_what_holds_of_the_pages_copy_holds_of_the_payment(
    tmp_path: Path, steps: str, fields: dict[str, Any], headers: dict[str, str], reason: str
) -> None:
    """No payment gets round the shopper's refusal, nor round what the page's call said."""
    async with round_of(tmp_path, PAID) as one:
        for step in steps.split(", "):
            if step == "page":
                await one.page(event(**fields), **headers)
            else:
                await goes(one, step)
        one.passes(HOLD_MS // 1000)
        assert await orders(one) == []
        rows = (await one.operator("/v1/deliveries?destination=meta"))["deliveries"]
        assert [(row["state"], row["reason"]) for row in rows] == [("skipped", reason)]


async def test_an_order_of_unknown_consent_is_not_sent_where_consent_is_required(
    tmp_path: Path,
) -> None:
    async with round_of(tmp_path, {**PAID, "consent": "required"}) as one:
        await goes(one, "settled")
        rows = (await one.operator("/v1/deliveries?destination=meta"))["deliveries"]
        assert [row["reason"] for row in rows] == ["consent awaited"]


async def test_a_servers_copy_does_not_grant_what_the_shopper_refused(tmp_path: Path) -> None:
    """The shop's server sends no consent, so what the page said last holds."""
    async with round_of(tmp_path, PAID) as one:
        await one.page(event("begin_checkout", consent={"status": "granted", "gpc": True}))
        copy = event()
        del copy["consent"]
        body = {"site": "toko", "events": [copy]}
        answer = await one.http.post(
            "/v1/events", json=body, headers={"Authorization": f"Bearer {SITE['secret_key']}"}
        )
        assert answer.status_code == 204
        await goes(one, "settled")
        assert await orders(one) == []


# --- what is kept ---


async def test_what_was_told_is_gone_from_the_disk_when_nobody_needs_it(tmp_path: Path) -> None:
    """After the page and the payment both came and everything is delivered."""
    async with round_of(tmp_path, PAID) as one:
        await goes(one, "begin_checkout, purchase, settled")
        assert await orders(one) == [META_PURCHASE]
    disk = raw(tmp_path / "var" / "outbox.db")
    assert b"ORD-77" in disk
    for private in (b"siti@", b"81234567890", b"203.0.113.7", b"fb.1.1760000000000.AbC"):
        assert private not in disk


@pytest.mark.parametrize(("days", "is_kept"), [(2, True), (4, False)])
async def test_what_was_told_is_erased_when_the_site_keeps_it_no_longer(
    tmp_path: Path, days: int, is_kept: bool
) -> None:
    """`retention_days`, by the relay's own housekeeping; until then a payment finds it."""
    shop = {**PAID, "retention_days": 3}
    async with round_of(tmp_path, shop) as one:
        await goes(one, "begin_checkout")
        assert len(await one.calls("meta")) == 1
    async with round_of(tmp_path, shop, days) as one:
        if not is_kept:
            async with asyncio.timeout(20):
                while b"siti@" in raw(tmp_path / "var" / "outbox.db"):  # noqa: ASYNC110
                    await asyncio.sleep(0)
        payment = notification(settlement_time=None, transaction_time=None)
        assert (await one.midtrans(payment)).status_code == 200
        assert await orders(one) == ([META_PURCHASE] if is_kept else [])


async def test_a_site_without_midtrans_keeps_nothing_of_a_checkout(tmp_path: Path) -> None:
    """Nobody would ever need it."""
    shop = {key: value for key, value in ROUND.items() if key != "midtrans"}
    async with round_of(tmp_path, shop) as one:
        await goes(one, "begin_checkout")
        for system in ("meta", "tiktok"):
            assert len(await one.calls(system)) == 1
    disk = raw(tmp_path / "var" / "outbox.db")
    assert b"siti@" not in disk
