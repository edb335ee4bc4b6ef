"""What the outbox forgets of orders, and when: what was told, and that they were paid."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay.outbox import ORDER_DAYS
from relay.outbox.sqlite import SqliteOutbox
from tests.relay.outbox_orders import WITHOUT_TOLD, copy, join, payment, told, waiting
from tests.relay.records import DAY_MS, NOW, end, raw

pytestmark = pytest.mark.anyio


async def test_nothing_told_is_kept_once_the_order_is_paid_and_the_page_came(
    outbox: SqliteOutbox, path: Path
) -> None:
    """Page first and payment first, put by the page and by the payment: the disk forgets."""
    await outbox.tell([], [told(), told("purchase")], join)
    await outbox.pay(payment(), join)
    for destination in WITHOUT_TOLD:
        await end(outbox, "done", destination)
    await outbox.close()
    assert b"siti" not in raw(path)


async def test_the_pages_copy_that_was_put_needs_nothing_told(
    outbox: SqliteOutbox, path: Path
) -> None:
    await outbox.tell([], [told(), copy()], join)
    for destination in WITHOUT_TOLD:
        await end(outbox, "done", destination)
    await outbox.close()
    assert b"siti" not in raw(path)


@pytest.mark.parametrize(("days", "is_kept"), [(30, True), (31, False)])
async def test_an_order_never_paid_is_told_of_for_the_sites_retention(
    outbox: SqliteOutbox, path: Path, days: int, is_kept: bool
) -> None:
    """`retention_days`, 30 for a site that does not say."""
    await outbox.tell([], [told()], join)
    await outbox.purge(NOW + days * DAY_MS, {})
    await outbox.pay(payment(NOW + days * DAY_MS), join)
    assert bool(await waiting(outbox, "meta", NOW + days * DAY_MS)) is is_kept
    await outbox.close()
    assert (b"siti" in raw(path)) is is_kept


async def test_a_paid_orders_telling_goes_when_nothing_is_left_to_complete(
    outbox: SqliteOutbox, path: Path
) -> None:
    """The page's copy may come for seven days."""
    await outbox.tell([], [told()], join)
    await outbox.pay(payment(), join)
    for destination in WITHOUT_TOLD:
        await end(outbox, "done", destination)
    await outbox.purge(NOW + 8 * DAY_MS, {"toko": 30})
    await outbox.close()
    assert b"siti" not in raw(path)


@pytest.mark.parametrize(("days", "is_known"), [(ORDER_DAYS, True), (ORDER_DAYS + 1, False)])
async def test_an_order_is_remembered_longer_than_a_chargeback_takes(
    outbox: SqliteOutbox, days: int, is_known: bool
) -> None:
    await outbox.pay(payment(), join)
    await outbox.purge(NOW + days * DAY_MS, {})
    assert bool(await outbox.payments("toko")) is is_known
