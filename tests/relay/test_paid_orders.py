"""Paid orders: from the page's checkout and Midtrans' word, in any order, to one purchase.

Rules: specs/alusio.md 3 and 5 (S2 to S5, S10, the L rows), specs/midtrans.md 3, scalev R29 to R31.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.relay.paid_round import (
    CREATED,
    META_PURCHASE,
    PAID,
    ROUND,
    TIKTOK_PURCHASE,
    goes,
    orders,
    round_of,
)
from tests.relay.site_files import problems

pytestmark = pytest.mark.anyio


ONE_PURCHASE = [
    "begin_checkout, purchase, settled",
    "begin_checkout, settled, purchase",
    "purchase, settled",
    "settled, purchase",
    "begin_checkout, settled",
    "add_payment_info, settled",
    "begin_checkout, add_payment_info, purchase, pending, settled",
    "purchase, settled, settled, purchase",
    "settled, settled, purchase, purchase",
    "settled, begin_checkout, purchase",
    "begin_checkout, captured, settled, purchase",
    "purchase, settled, pending, captured",
    "purchase, expired, settled",
    "begin_checkout, denied, settled",
    "purchase, settled, refunded, settled, purchase",
    "begin_checkout, settled, charged back, purchase",
    "begin_checkout, settled, denied, purchase",
    "begin_checkout, challenged, captured, purchase, settled",
    "purchase, challenged, cancelled, settled",
    "failed, begin_checkout, settled, purchase",
    "begin_checkout, captured, cancelled, settled, purchase",
    "purchase, settled, refunded in part, refunded in part, refunded",
    "purchase, settled, begin_checkout, add_payment_info, purchase",
]


@pytest.mark.parametrize("steps", ONE_PURCHASE)
@pytest.mark.parametrize("shop", [CREATED, PAID], ids=["created", "paid"])
async def test_s2_in_whatever_order_it_is_one_purchase(
    tmp_path: Path, shop: dict[str, Any], steps: str
) -> None:
    """Page first, webhook first, only webhook, twice, out of order: one, under the pixel's ID.

    alusio L7, midtrans M10: Midtrans' order ID is the shop's. L13: no order is asked for.
    """
    async with round_of(tmp_path, shop) as one:
        await goes(one, steps)
        assert await orders(one) == [META_PURCHASE]
        assert await orders(one, "tiktok") == [TIKTOK_PURCHASE]
        assert len(await orders(one, "tracify")) == 1


@pytest.mark.parametrize(
    "steps",
    [
        "purchase",
        "begin_checkout, purchase, pending",
        "purchase, denied",
        "purchase, expired",
        "purchase, challenged",
        "purchase, challenged, denied",
        "purchase, cancelled",
        "purchase, failed",
        "charged back, begin_checkout, settled, purchase",
        "refunded, settled, purchase",
    ],
)
async def test_s3_what_is_not_paid_is_not_sent(tmp_path: Path, steps: str) -> None:
    """With `purchase_on = "paid"` (scalev R31); refunded before it was heard of, it is not paid."""
    async with round_of(tmp_path, PAID) as one:
        await goes(one, steps)
        assert await orders(one) == await orders(one, "tiktok") == []
        rows = await one.operator("/v1/deliveries?order_id=ORD-77")
        assert [row for row in rows["deliveries"] if row["event_name"] == "purchase"] == []


@pytest.mark.parametrize("shop", [CREATED, PAID], ids=["created", "paid"])
async def test_s2_all_of_it_at_once_is_one_purchase(tmp_path: Path, shop: dict[str, Any]) -> None:
    """Two notifications and the page's copy, none waiting for the other's answer."""
    async with round_of(tmp_path, shop) as one:
        for n in range(10):
            steps = [goes(one, step, f"O{n}") for step in ("settled", "purchase", "settled")]
            await asyncio.gather(*(steps if n % 2 else steps[::-1]))
        expected = [("Purchase", f"O{n}-Purchase-FORM") for n in range(10)]
        assert sorted(await orders(one)) == expected
        assert len(await orders(one, "tracify")) == 10


async def test_r29_an_order_that_is_created_is_sent_at_once(tmp_path: Path) -> None:
    """With `purchase_on = "created"`, and its payment adds nothing."""
    async with round_of(tmp_path) as one:
        await goes(one, "purchase")
        assert await orders(one) == [META_PURCHASE]
        await goes(one, "settled")
        assert await orders(one) == [META_PURCHASE]


@pytest.mark.parametrize("shop", [CREATED, PAID], ids=["created", "paid"])
@pytest.mark.parametrize("steps", ["begin_checkout, settled", "begin_checkout, settled, subscribe"])
async def test_s4_a_paid_membership_is_a_subscribe_and_no_purchase(
    tmp_path: Path, shop: dict[str, Any], steps: str
) -> None:
    """By the order ID's prefix, `MBR-` (L11, midtrans M6); its ID is the order's (L3)."""
    async with round_of(tmp_path, shop) as one:
        await goes(one, steps, "MBR-2001")
        assert await orders(one) == [("Subscribe", "MBR-2001-Subscribe-FORM")]


async def test_s4_the_pages_subscribe_waits_for_the_payment_too(tmp_path: Path) -> None:
    async with round_of(tmp_path, PAID) as one:
        await goes(one, "subscribe", "MBR-2001")
        assert await orders(one) == []
        await goes(one, "settled", "MBR-2001")
        (row,) = await one.calls("meta")
        (sent,) = row["call"]["data"]
        assert sent["custom_data"]["subscription_id"] == "sub-9"
        assert sent["custom_data"]["value"] == 147000


async def test_s4_a_purchase_of_a_membership_is_no_purchase(tmp_path: Path) -> None:
    """The order ID decides, not what the page calls it; what it told is used."""
    async with round_of(tmp_path, PAID) as one:
        await goes(one, "purchase, settled", "MBR-2001")
        assert await orders(one) == [("Subscribe", "MBR-2001-Subscribe-FORM")]


@pytest.mark.parametrize("order_id", ["ORD-77", "mbr-1", "XMBR-1", "SUBS-1", "MBR1"])
async def test_s5_an_order_without_the_prefix_is_a_purchase(tmp_path: Path, order_id: str) -> None:
    """The prefix is compared to the letter (M6), and `SUBS-` is not it (M7)."""
    async with round_of(tmp_path, PAID) as one:
        await goes(one, "begin_checkout, settled", order_id)
        assert await orders(one) == [("Purchase", f"{order_id}-Purchase-FORM")]


@pytest.mark.parametrize(
    ("prefix", "name"), [("VIP", "Subscribe"), ("", "Purchase"), ("MBR-", "Purchase")]
)
async def test_l11_the_prefix_is_the_sites(tmp_path: Path, prefix: str, name: str) -> None:
    """An empty one is none: no order is a membership."""
    midtrans = {**ROUND["midtrans"], "membership_prefix": prefix}
    async with round_of(tmp_path, {**ROUND, "midtrans": midtrans}) as one:
        await goes(one, "begin_checkout, settled", "VIP1")
        assert [each for each, _ in await orders(one)] == [name]


async def test_s10_a_reloaded_success_page_sends_nothing_new(tmp_path: Path) -> None:
    """In another browser, days later, when the deliveries are forgotten."""
    async with round_of(tmp_path, PAID) as one:
        await goes(one, "purchase, settled, purchase")
        for system in ("meta", "tiktok", "tracify"):
            assert len(await orders(one, system)) == 1
        one.passes(8 * 86_400)
        await one.relay.outbox.purge(one.clock(), {})
        await goes(one, "purchase, settled")
        assert await orders(one) == [META_PURCHASE]


def test_paid_orders_need_somebody_who_says_so() -> None:
    """Without [midtrans] no purchase would ever be sent."""
    shop = {key: value for key, value in PAID.items() if key != "midtrans"}
    assert problems(shop) == [("purchase_on", '"paid" needs [midtrans], which says what is paid')]
