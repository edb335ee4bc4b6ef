"""The site files of the tests: one shop with everything, and shops that differ in one thing."""

import json
from pathlib import Path

KEY = "a-secret-key-for-the-tests"
META = "1234567890"

# Site -> its settings beyond the common ones. `asks` has category 3 for Meta and Scalev, `bare`
# loads no SDK, `twin` has two Meta pixels, `layer` reads the dataLayer and has Alhena by server.
# `matching` asks for advanced matching, and has two Meta pixels too.
# The pages of `direct` post to Scalev themselves, those of `mistaken` with a key that it refuses.
SITES: dict[str, dict[str, str]] = {
    "toko": {},
    "asks": {"consent": '"required"'},
    "bare": {},
    "twin": {},
    "matching": {},
    "layer": {"data_layer": "true"},
    "direct": {},
    "mistaken": {},
}

PIXELS = ("meta", "tiktok", "kwai", "commanders_act", "alhena")

TABLES: dict[str, dict[str, object]] = {
    "meta": {"mode": "browser", "pixel_ids": [META]},
    "tiktok": {"mode": "browser", "pixel_ids": ["CTOKO"]},
    "kwai": {"pixel_ids": ["300001"]},
    "commanders_act": {"site_id": "1234", "source_key": "source"},
    "alhena": {"company_key": "toko"},
    "scalev": {"store_id": "store_1", "api_key": "sfpk_1"},
    "tracify": {"customer_site_id": "5f0c9c52-7f0e-4c55-9a7a-2f2c8b6d1e10", "token": "token"},
}


def write(folder: Path, sandbox: str, origins: list[str]) -> list[Path]:
    """One file for each of `SITES`; their systems are all at the sandbox's address."""
    files = []
    for site, settings in SITES.items():
        lines = [
            f'site = "{site}"',
            f'publishable_key = "pmk_{site}"',
            f'secret_key = "{KEY}-{site}"',
            f"origins = {json.dumps(origins)}",
            "rate_limit = 0",
            *(f"{key} = {value}" for key, value in settings.items()),
        ]
        for name, table in TABLES.items():
            lines += [f"[destinations.{name}]", *_keys(site, name, table, sandbox)]
        files.append(folder / f"{site}.toml")
        files[-1].write_text("\n".join(lines) + "\n")
    return files


def _keys(site: str, name: str, table: dict[str, object], sandbox: str) -> list[str]:
    keys = dict(table)
    if name not in PIXELS:
        keys["base_url"] = f"{sandbox}/sandbox/api"
    else:
        keys["sdk_url"] = "" if site == "bare" else f"{sandbox}/sandbox/sdk/{name}.js"
    if site == "asks" and name in ("meta", "scalev"):
        keys["categories"] = ["3"]
    if (site, name) == ("layer", "alhena"):
        del keys["sdk_url"]
        keys |= {"mode": "server", "base_url": f"{sandbox}/sandbox/api"}
    if site in ("direct", "mistaken") and name == "scalev":
        keys["transport"] = "direct"
        keys["api_key"] = "sfpk_1" if site == "direct" else "wrong_1"
    if site == "matching" and name in ("meta", "tiktok"):
        keys["advanced_matching"] = True
    if site in ("twin", "matching") and name == "meta":
        keys["pixel_ids"] = [META, "9876543210"]
    return [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
