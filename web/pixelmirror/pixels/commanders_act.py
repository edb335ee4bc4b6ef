"""Commanders Act's library, `cact`. Source: specs/commanders-act.md 1 and 4."""

from ..catalogue import own_name
from ..event_id import sent_as

SDK_URLS = ("https://cdn.tagcommander.com/events/sdk.js",)

OUR_ITEM_KEYS = ("kind", "cart_quantity")


def setup(pixel: dict, heard: dict) -> list:
    """Nothing: each `trigger` carries site, source key and event ID."""
    return []


def calls(event: dict, name: str, pixel: dict, heard: dict) -> list:
    """One `trigger`; Meta's ID goes along so that their own Facebook copy has it too."""
    template = pixel["order_event_id"]
    config = {"siteId": pixel["site_id"], "eventId": sent_as(event, name, template)}
    if pixel.get("source_key"):
        config["sourceKey"] = pixel["source_key"]
    data = properties(event)
    found = integrations(event, template, pixel.get("meta_event_names"))
    if found:
        data["integrations"] = found
    return [[["cact", ["trigger", name, data, config]]]]


def integrations(event: dict, template: str, meta_event_names: dict | None) -> dict:
    """Meta's ID of the event, for their own Facebook copy; empty where Meta has no such event."""
    meta_name = own_name(event["event_name"], "meta", meta_event_names)
    if not meta_name:
        return {}
    return {"facebook": {"event_id": sent_as(event, meta_name, template)}}


def properties(event: dict) -> dict:
    """Params and user as Commanders Act documents them: ours, less the keys only we know."""
    data = dict(event["params"])
    data.pop("is_probably_spam", None)
    if "items" in data:
        data["items"] = [_theirs(item) for item in data["items"]]
    user = dict(event.get("user") or {})
    if "categories" in event["consent"]:
        user["consent_categories"] = event["consent"]["categories"]
    if user:
        data["user"] = user
    return data


def _theirs(item: dict) -> dict:
    found = dict(item)
    for key in OUR_ITEM_KEYS:
        found.pop(key, None)
    return found
