"""Alhena's stand-in refuses what the contract forbids (alhena.md section 2)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.relay.sandbox_client import GONE, Broken, Sandbox, send
from tests.relay.sandbox_samples import LINE, SAMPLES

ALHENA_400: list[Broken] = [
    ("alhena cart", "header Content-Type", "text/plain"),
    ("alhena cart", "body", "{"),
    *[("alhena cart", key, GONE) for key in SAMPLES["alhena cart"].body],
    *[("alhena checkout", key, GONE) for key in ("company_key", "value", "currency")],
    ("alhena cart", "type", "item_added"),
    ("alhena cart", "quantity", -1),
    ("alhena cart", "quantity", True),
    ("alhena cart", "value", "7.5"),
    ("alhena cart", "product_id", 12),
    ("alhena cart", "product_name", ""),
    ("alhena cart", "currency", "eur"),
    ("alhena cart", "user_fingerprint", "me"),
    ("alhena checkout", "order_id", ""),
    ("alhena checkout", "line_items", {}),
    *[("alhena checkout", f"line_items.0.{key}", GONE) for key in LINE],
]


@pytest.mark.parametrize(("name", "where", "value"), ALHENA_400)
def test_alhena_refuses_with_400(name: str, where: str, value: Any) -> None:
    """Its own error shape could not be read; the reason is on record."""
    sandbox = Sandbox()
    answer = send(sandbox, SAMPLES[name], where=where, value=value)
    assert answer.status_code == 400
    assert [row["error"] for row in sandbox.calls()] == [answer.json()["error"]]


def test_alhena_refuses_an_unknown_company() -> None:
    """401."""
    sandbox = Sandbox()
    answer = send(sandbox, SAMPLES["alhena cart"], where="company_key", value="wrong")
    assert answer.status_code == 401
