"""Consent: what the shopper has agreed to, and whether one destination may have an event.

A consent is `{"status": "granted" | "denied" | "awaited"}`, with `categories` (texts) when only
these were agreed to, and `gpc: true` when the browser sends Global Privacy Control. It travels
with each event, and the relay asks the same question again (DESIGN 5.3).
"""

import json

from .check import EventError, shown

# Kinds that advertise: Global Privacy Control counts as refused for them.
ADVERTISING = ("meta", "tiktok", "kwai", "scalev", "tracify")


def initial(setting: str, remembered: str, has_gpc: bool) -> dict:
    """The consent a page starts with: the remembered one, else by the site's setting."""
    consent = from_text(remembered)
    if consent is None:
        consent = {"status": "awaited" if setting == "required" else "granted"}
    if has_gpc:
        consent["gpc"] = True
    return consent


def given(value: object) -> dict:
    """The consent a call gives: `"granted"`, `"denied"` or the list of categories agreed to."""
    if value in ("granted", "denied"):
        return {"status": value}
    if isinstance(value, list):
        wrong = [one for one in value if isinstance(one, bool) or not isinstance(one, (str, int))]
        categories = [str(category) for category in value]
        if not wrong:
            return {"status": "granted" if value else "denied", "categories": categories}
    message = "consent must be 'granted', 'denied' or a list of categories, got "
    raise EventError("consent", message + shown(value))


def to_text(consent: dict) -> str:
    """The consent as its cookie holds it: `granted`, `denied` or `1,3`.

    Categories that could not be read back from that are JSON: `["a,b"]`. `web/loader.js` reads the
    cookie too.
    """
    categories = consent.get("categories")
    if not categories:
        return consent["status"]
    text = ",".join(categories)
    is_read_back = (from_text(text) or {}).get("categories") == categories
    return text if is_read_back else json.dumps(categories)


def from_text(text: str) -> dict | None:
    """The consent a cookie holds; None for an absent one."""
    if not text:
        return None
    if text in ("granted", "denied"):
        return given(text)
    return given(_texts(text) or text.split(","))


def _texts(text: str) -> list:
    """The texts of a JSON list; empty where it is none."""
    try:
        found = json.loads(text) if text.startswith("[") else None
    except (ValueError, RuntimeError):  # the latter of one nested too deeply
        return []
    if not isinstance(found, list) or [one for one in found if not isinstance(one, str)]:
        return []
    return found


def refusal(consent: dict, kind: str, categories: list) -> str | None:
    """Why a destination of this kind may not have an event, in words; None when it may."""
    if consent.get("status") != "granted":
        return "consent " + str(consent.get("status", "awaited"))
    if consent.get("gpc") and kind in ADVERTISING:
        return "consent refused by Global Privacy Control"
    if "categories" in consent:
        for category in categories:
            if category not in consent["categories"]:
                return "no consent for category " + category
    return None
