"""TikTok's stand-in refuses what the contract forbids (tiktok.md sections 4 and 6)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.relay.sandbox_client import GONE, NOW_S, Sandbox, send
from tests.relay.sandbox_samples import HASH, SAMPLES

PROPERTIES = "data.0.properties."
TIKTOK: list[tuple[str, Any, int]] = [
    ("header Access-Token", GONE, 40104),
    ("header Access-Token", "wrong-1", 40105),
    ("header Content-Type", "text/plain", 40002),
    ("body", "{", 40002),
    ("event_source", GONE, 40002),
    ("event_source", "shop", 40002),
    ("event_source_id", GONE, 40002),
    ("event_source_id", "wrong1", 40001),
    ("partner_name", "bad", 40063),
    ("data", [], 40061),
    ("data", [{}] * 1001, 40061),
    ("data.0.event", GONE, 40002),
    ("data.0.event_time", GONE, 40002),
    ("data.0.event_time", NOW_S * 1000, 40002),
    ("data.0.event_id", 1, 40002),
    ("data.0.limited_data_use", 0, 40002),
    ("data.0.page", GONE, 40002),
    ("data.0.page.url", "/thanks", 40002),
    ("data.0.user.email", "budi@example.org", 40062),
    ("data.0.user.phone", "+6281234567890", 40062),
    ("data.0.user.external_id", ["CUST-0042"], 40062),
    ("data.0.user.ttclid", HASH, 40002),
    ("data.0.user.ip", HASH, 40002),
    (PROPERTIES + "currency", "idr", 40002),
    (PROPERTIES + "value", "147000", 40002),
    (PROPERTIES + "content_type", "item", 40002),
    (PROPERTIES + "contents.0.content_id", 7, 40002),
    (PROPERTIES + "contents.0.quantity", 1.5, 40002),
]


@pytest.mark.parametrize(("where", "value", "code"), TIKTOK)
def test_tiktok_refuses_with_a_code_and_http_200(where: str, value: Any, code: int) -> None:
    """The status says nothing at TikTok (tiktok.md section 6)."""
    sandbox = Sandbox()
    answer = send(sandbox, SAMPLES["tiktok"], where=where, value=value)
    told = answer.json()
    assert (answer.status_code, told["code"]) == (200, code)
    assert {(row["accepted"], row["error"]) for row in sandbox.calls()} == {
        (False, told["message"])
    }


def test_tiktok_names_the_row() -> None:
    """As in the recorded error of tiktok.md section 6."""
    sandbox = Sandbox()
    where = "data.0.properties.contents.0.content_id"
    answer = send(sandbox, SAMPLES["tiktok"], where=where, value=7)
    assert answer.json()["message"].startswith("Batch.0.properties.contents.0.content_id: ")
