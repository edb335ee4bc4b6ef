"""A shop for a real relay: its site file, its shopper, and an event that every system takes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tests.relay.processes import RelayProcess

ORIGIN = "https://toko.example"
KEY = "hush-the-secret-key"
UUID = "5f0c9c52-7f0e-4c55-9a7a-2f2c8b6d1e10"
USER = {
    "id": "C-77",
    "email": "siti.hush@example.com",
    "phone": "+6281234567890",
    "firstname": "Sitihush",
    "lastname": "Rahmahush",
    "city": "Bandunghush",
}
PRIVATE = [
    KEY,
    "hush",
    "81234567890",
    "%40example.com",
    "Mozilla/5.0 (Linux; Android 10; K)",
    "203.0.113.7",
    "5d0c-visitor",
]
ITEM = {"id": "v1", "quantity": 2, "product": {"id": "p1", "name": "Kaos", "price": 60000}}
SCALEV: dict[str, Any] = {
    "scalev": {"store_id": "store_1", "api_key": "sfpk_hush"},
    "tracify": {"customer_site_id": UUID, "token": "tracify-hush-0a1b2c3d"},
}
DIRECT: dict[str, Any] = {
    "meta": {"mode": "server", "pixel_ids": ["111"], "access_token": "EAAhush1234567890"},
    "tiktok": {"mode": "server", "pixel_ids": ["C222"], "access_token": "tthush1234567890"},
    "kwai": {"mode": "server", "pixel_ids": ["333"], "access_token": "kwhush1234567890"},
    "commanders_act": {"mode": "server", "site_id": "444", "source_key": "cahush1234567890"},
    "alhena": {"mode": "server", "company_key": "alhush1234567890"},
}


def event(event_id: str, *destinations: str, name: str = "add_to_cart") -> dict[str, Any]:
    """An event that every system takes, for these destinations or for all.

    Its page's path ends in its ID, as some systems are told no event ID.
    """
    params: dict[str, Any] = {"items": [ITEM]}
    if name == "purchase":
        params |= {"id": event_id.removesuffix("-purchase"), "value": 120000}
    found = {
        "event_id": event_id,
        "event_name": name,
        "event_time": int(time.time() * 1000),
        "page": {"url": f"{ORIGIN}/p/{event_id}", "referrer": "https://m.facebook.com/"},
        "params": params,
        "user": USER,
        "visitor_id": "5d0c-visitor",
        "attribution": {
            "fbc": "fb.1.1760000000000.AbC",
            "fbp": "fb.1.1750000000000.4821",
            "ttclid": "E.C.P.x",
            "ttp": "2abc",
            "kwai_click_id": "kw-9f",
            "caid": "202612345678901234567890",
            "alhena_fingerprint": UUID,
            "alhena_faq_fingerprint": UUID,
        },
        "consent": {"status": "granted", "categories": ["1", "3"]},
    }
    return {**found, "destinations": list(destinations)} if destinations else found


def relay(
    folder: Path, name: str, tables: dict[str, Any], upstream: str, *options: str
) -> RelayProcess:
    """The relay of a site whose systems are all at this address; it is not started yet."""
    lines = [
        f'site = "{name}"',
        f'publishable_key = "pmk_{name}"',
        f'secret_key = "{KEY}"',
        f'origins = ["{ORIGIN}"]',
        'trusted_proxies = ["127.0.0.1"]',
        "rate_limit = 0",
    ]
    for table, keys in tables.items():
        lines.append(f"[destinations.{table}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
        lines.append(f'base_url = "{upstream}/sandbox/api"')
    file = folder / f"{name}.toml"
    file.write_text("\n".join(lines) + "\n")
    return RelayProcess(file, KEY, ORIGIN, *options)


SHOPPER = {"User-Agent": "Mozilla/5.0 (Linux; Android 10; K)", "X-Forwarded-For": "203.0.113.7"}
