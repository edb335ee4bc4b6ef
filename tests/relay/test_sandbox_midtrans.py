"""Midtrans' stand-in answers what it was told to (midtrans.md section 2)."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.applications import Starlette

from relay.sandbox import control
from relay.sandbox.apis.midtrans import Payments
from relay.sandbox.behaviour import Behaviours
from relay.sandbox.calls import Record
from tests.relay.sandbox_client import Sandbox

STATUS = {
    "order_id": "ORD-1001",
    "transaction_id": "1f0b6f1e-0000-4000-8000-3f2a5f0d9a11",
    "transaction_status": "settlement",
    "status_code": "200",
}
SERVER_KEY = ("SB-Mid-server-TESTKEY", "")


@pytest.mark.parametrize("asked_by", ["order_id", "transaction_id"])
def test_midtrans_answers_what_it_was_told_to(asked_by: str) -> None:
    """By order ID and by transaction ID (midtrans.md section 2)."""
    sandbox = Sandbox()
    assert sandbox.ask("POST", "/midtrans/ORD-1001", json=STATUS).status_code == 204
    path = f"/api/v2/{STATUS[asked_by]}/status"
    answer = sandbox.ask("GET", path, auth=SERVER_KEY)
    assert (answer.status_code, answer.json()) == (200, STATUS)
    assert [(row["system"], row["accepted"]) for row in sandbox.calls()] == [("midtrans", True)]


def test_midtrans_says_404_in_the_body_of_an_order_it_does_not_know() -> None:
    """As before a payment method is chosen."""
    sandbox = Sandbox()
    answer = sandbox.ask("GET", "/api/v2/ORD-9/status", auth=SERVER_KEY)
    assert (answer.status_code, answer.json()["status_code"]) == (200, "404")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer SB-Mid-server-TESTKEY"},
        {"Authorization": "Basic SB-Mid-server-TESTKEY"},
        {"Authorization": "Basic YmFkOg=="},  # bad:
        {"Authorization": "Basic a2V5OnNlY3JldA=="},  # key:secret
    ],
)
def test_midtrans_refuses_a_server_key(headers: dict[str, str]) -> None:
    """It is the user name of Basic authentication, with an empty password."""
    sandbox = Sandbox()
    answer = sandbox.ask("GET", "/api/v2/ORD-9/status", headers=headers)
    assert (answer.status_code, answer.json()["status_code"]) == (401, "401")


@pytest.mark.parametrize("body", [b"{", b"[]"])
def test_midtrans_is_told_an_object(body: bytes) -> None:
    """400 for anything else."""
    sandbox = Sandbox()
    assert sandbox.ask("POST", "/midtrans/ORD-1", content=body).status_code == 400


def test_midtrans_forgets_the_oldest_answer_beyond_the_limit() -> None:
    """A long demo does not fill the memory."""
    payments: Payments = {}
    record = Record(lambda: 0)
    behaviours = Behaviours({})
    app = Starlette(routes=control.routes(record, behaviours, payments))

    async def tell() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.test") as client:
            for i in range(control.MAX_PAYMENTS + 1):
                await client.post(f"/midtrans/{i}", json={})

    asyncio.run(tell())
    assert len(payments) == control.MAX_PAYMENTS
    assert "0" not in payments
