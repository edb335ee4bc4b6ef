"""Midtrans' word for it: what the status API confirms, what is taken back, what operators see.

Rules: specs/midtrans.md M5 and 3, specs/alusio.md L10.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.relay.paid_round import META_PURCHASE, PAID, ROUND, Round, goes, orders, round_of
from tests.relay.paid_shop import event, notification

pytestmark = pytest.mark.anyio


# --- taken back (L10) ---


@pytest.mark.parametrize("status", ["refund", "partial_refund", "chargeback", "deny", "cancel"])
async def test_l10_a_payment_taken_back_is_recorded_and_sends_nothing(
    tmp_path: Path, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A log line, and a state that operators see; `settlement` to `deny` happens within minutes."""
    async with round_of(tmp_path, PAID) as one:
        await goes(one, "purchase, settled")
        before = len(await one.calls("meta"))
        for _ in range(2):
            await one.midtrans(notification(transaction_status=status, status_code="202"))
        assert len(await one.calls("meta")) == before
        (row,) = (await one.operator("/v1/payments?order_id=ORD-77"))["payments"]
        assert (row["state"], row["status"]) == ("reversed", status)
        (said,) = [record for record in caplog.messages if "taken back" in record]
        assert said.startswith(
            "was paid and is taken back; what was sent for it stays sent "
            f"site=toko order_id=ORD-77 status={status} request_id="
        )


async def test_operators_see_which_orders_are_paid(tmp_path: Path) -> None:
    """`GET /v1/payments`, newest first, with the secret key alone."""
    async with round_of(tmp_path) as one:
        await goes(one, "begin_checkout, settled")
        one.passes(1)
        await goes(one, "purchase, settled", "ORD-78")
        rows = (await one.operator("/v1/payments"))["payments"]
        assert [(row["order_id"], row["state"], row["event_id"]) for row in rows] == [
            ("ORD-78", "paid", None),
            ("ORD-77", "paid", "ORD-77-purchase"),
        ]
        assert (await one.http.get("/v1/payments")).status_code == 401


# --- the status API (M5) ---

CONFIRM = {**PAID, "midtrans": {**ROUND["midtrans"], "confirm": True}}


async def says(shop: Round, status: str, order_id: str = "ORD-77", **fields: Any) -> None:
    """What the status API is to say of the order."""
    body = notification(order_id, transaction_status=status, **fields)
    await shop.sandbox("POST", f"/midtrans/{order_id}", json=body)


async def test_m5_a_payment_that_the_status_api_confirms_is_sent(tmp_path: Path) -> None:
    async with round_of(tmp_path, CONFIRM) as one:
        await says(one, "settlement")
        await goes(one, "purchase, settled, settled")
        assert await orders(one) == [META_PURCHASE]
        assert len(await one.calls("midtrans")) == 1  # what is known is not asked again


@pytest.mark.parametrize("status", ["cancel", "authorize", "pending", "deny"])
async def test_m5_a_swapped_status_is_found_out(tmp_path: Path, status: str) -> None:
    """`status_code` is 200 of a cancelled order too, and the signature says nothing of the rest."""
    async with round_of(tmp_path, CONFIRM) as one:
        await says(one, status)
        await goes(one, "purchase, settled")
        assert await orders(one) == []
        assert (await one.operator("/v1/payments"))["payments"] == []


async def test_m5_a_swapped_refund_is_found_out(tmp_path: Path) -> None:
    async with round_of(tmp_path, CONFIRM) as one:
        await says(one, "settlement")
        await goes(one, "purchase, settled, refunded")
        (row,) = (await one.operator("/v1/payments"))["payments"]
        assert (row["state"], row["status"]) == ("paid", "settlement")


async def test_what_changes_nothing_is_not_asked(tmp_path: Path) -> None:
    async with round_of(tmp_path, CONFIRM) as one:
        await goes(one, "pending, expired, denied")
        assert await one.calls("midtrans") == []


TROUBLE = [
    {"system": "midtrans", "do": "fail", "status": 503},
    {"system": "midtrans", "do": "garbage"},
    {"system": "midtrans", "do": "throttle"},
]


@pytest.mark.parametrize("trouble", [None, *TROUBLE])
async def test_m5_what_cannot_be_confirmed_is_503_and_taken_when_it_can(
    tmp_path: Path, trouble: dict[str, Any] | None
) -> None:
    """Midtrans comes again; meanwhile nothing is sent. `None`: the order is not known there."""
    async with round_of(tmp_path, CONFIRM) as one:
        if trouble:
            await says(one, "settlement")
            await one.sandbox("POST", "/behaviour", json=trouble)
        await one.page(event())
        answer = await one.midtrans(notification())
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "not_confirmed"
        assert int(answer.headers["retry-after"]) >= 1
        assert await orders(one) == []
        await one.sandbox("DELETE", "/behaviour")
        await says(one, "settlement")
        await goes(one, "settled")
        assert await orders(one) == [META_PURCHASE]


async def test_m5_a_status_api_that_is_slow_does_not_hold_up_midtrans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It wants its answer within 5 seconds; here a tenth of one is allowed."""
    monkeypatch.setattr("relay.webhooks.CONFIRM_WITHIN_S", 0.1)
    async with round_of(tmp_path, CONFIRM) as one:
        await says(one, "settlement")
        stall = {"system": "midtrans", "do": "stall", "seconds": 5}
        await one.sandbox("POST", "/behaviour", json=stall)
        answer = await one.midtrans(notification())
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_confirmed")


async def test_a_status_api_that_is_not_where_base_url_says_is_503_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says so, and holds no key."""
    wrong = {**CONFIRM["midtrans"], "base_url": "http://sandbox.test/nothing/here"}
    async with round_of(tmp_path, {**CONFIRM, "midtrans": wrong}) as one:
        assert (await one.midtrans(notification())).status_code == 503
        assert "Midtrans' status API does not confirm" in caplog.text
        assert wrong["server_key"] not in caplog.text
