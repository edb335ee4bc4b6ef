"""Kwai's stand-in refuses what the contract forbids (kwai.md sections 4 and 6)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.relay.sandbox_client import GONE, Sandbox, send
from tests.relay.sandbox_samples import SAMPLES

KWAI: list[tuple[str, Any, int]] = [
    ("header Content-Type", "text/plain", 10001),
    ("body", "{", 10002),
    *[
        (key, GONE, 10001)
        for key in (
            "access_token clickid event_name pixelId is_attributed mmpcode pixelSdkVersion "
            "testFlag trackFlag"
        ).split()
    ],
    ("access_token", "bad", 10003),
    ("is_attributed", True, 10002),
    ("is_attributed", 0, 10001),
    ("event_name", "purchase", 10001),
    ("mmpcode", "XX", 10001),
    ("testFlag", 0, 10002),
    ("value", 147000, 10002),
    ("properties", {"value": 1}, 10002),
    ("properties", "value=1", 10001),
    ("properties", '{"value": "1"}', 10002),
    ("properties", '{"content_type": "item"}', 10001),
]


@pytest.mark.parametrize(("where", "value", "result"), KWAI)
def test_kwai_refuses_with_a_result_and_http_200(where: str, value: Any, result: int) -> None:
    """10002 is a wrong type, a boolean `is_attributed` above all (kwai.md section 6)."""
    sandbox = Sandbox()
    answer = send(sandbox, SAMPLES["kwai"], where=where, value=value)
    assert (answer.status_code, answer.json()["result"]) == (200, result)
    assert [row["error"] for row in sandbox.calls()] == [answer.json()["error_msg"]]
