"""A least and a full site file to break, and what is said of a broken one."""

from __future__ import annotations

from typing import Any

import pytest

from relay.site import SiteError, parse

LEAST: dict[str, Any] = {
    "site": "toko",
    "publishable_key": "pmk_toko",
    "secret_key": "the-secret-key",
    "origins": ["https://toko.example"],
}
UUID = "5f0c9c52-7f0e-4c55-9a7a-2f2c8b6d1e10"
TABLES: dict[str, dict[str, Any]] = {
    "meta": {"pixel_ids": ["1"], "mode": "browser"},
    "tiktok": {"pixel_ids": ["1"], "mode": "browser"},
    "kwai": {"pixel_ids": ["1"]},
    "scalev": {"store_id": "s", "api_key": "k"},
    "tracify": {"customer_site_id": UUID, "token": "t"},
    "commanders_act": {"site_id": "1"},
    "alhena": {"company_key": "toko"},
}
FULL = {**LEAST, "destinations": TABLES, "midtrans": {"server_key": "m"}}


def problems(raw: dict[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with this document: key and reason."""
    with pytest.raises(SiteError) as caught:
        parse(raw, "toko.toml")
    assert {mistake.file for mistake in caught.value.mistakes} == {"toko.toml"}
    return [(mistake.key, mistake.reason) for mistake in caught.value.mistakes]
