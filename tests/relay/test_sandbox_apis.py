"""Each vendor's stand-in takes the sample of its specification."""

from __future__ import annotations

import pytest

from tests.relay.sandbox_client import Sandbox, send
from tests.relay.sandbox_samples import SAMPLES


@pytest.mark.parametrize("name", SAMPLES)
def test_the_sample_of_the_specification_is_taken(name: str) -> None:
    """Answered as the vendor does, and on record with the vendor's own name and event ID."""
    sandbox = Sandbox()
    sample = SAMPLES[name]
    answer = send(sandbox, sample)
    assert answer.status_code == sample.status
    assert (answer.json() if answer.content else None) == sample.answer
    (row,) = sandbox.calls()
    assert (row["system"], row["side"], row["accepted"]) == (sample.system, "server", True)
    assert (row["event_name"], row["event_id"]) == (sample.event_name, sample.event_id)
    assert row["pixel"] == sample.pixel
    expected = {**sample.body, "access_token": "(hidden)"} if name == "kwai" else sample.body
    assert row["call"] == expected


@pytest.mark.parametrize("name", SAMPLES)
def test_a_second_copy_is_a_duplicate_where_the_vendor_has_a_key(name: str) -> None:
    """Event ID, order ID or conversion ID; elsewhere a repeat counts twice."""
    sandbox = Sandbox()
    for _ in range(2):
        send(sandbox, SAMPLES[name])
    rows = sandbox.calls()
    assert [row["duplicate"] for row in rows] == [False, SAMPLES[name].deduplicates]
