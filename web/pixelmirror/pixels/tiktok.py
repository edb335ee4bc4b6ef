"""TikTok's pixel, `ttq`: set-up, calls, parameters. Source: specs/tiktok.md 1-2, scalev R43, D4."""

from ..event_id import sent_as
from . import items

SDK_URLS = ("https://analytics.tiktok.com/i18n/pixel/events.js",)

# Our field -> TikTok's, beside what is made of the items.
FIELDS = (("value", "value"), ("currency", "currency"), ("search_term", "search_string"))

PAGE_VIEW = "Pageview"  # what TikTok calls the event of its own `page` call


def setup(pixel: dict, heard: dict) -> list:
    """One `load` for each of our pixels that the page has not loaded itself (R10, R11)."""
    return [[["ttq"], ["load", [one]]] for one in pixel["pixel_ids"] if one not in heard["ids"]]


def calls(event: dict, name: str, pixel: dict, heard: dict) -> list:
    """One call for all pixels; with others' on the page, one for each of ours alone."""
    if name == PAGE_VIEW:
        call: list = ["page", []]
    else:
        event_id = sent_as(event, name, pixel["order_event_id"])
        call = ["track", [name, parameters(event), {"event_id": event_id}]]
    ours = pixel["pixel_ids"]
    if [one for one in heard["ids"] if one not in ours]:
        return [[["ttq"], ["instance", [one]], call] for one in ours]
    return [[["ttq"], call]]


def parameters(event: dict) -> dict:
    """TikTok's parameters of an event, in the pixel and in the server copy alike."""
    params = event["params"]
    lines = params.get("items", ())
    found: dict = {}
    if lines:
        found["content_id"] = lines[0]["id"]
        found["content_type"] = "product"
        found["contents"] = [
            items.with_price(
                {"content_id": item["id"], "quantity": item["quantity"]}, "price", item
            )
            for item in lines
        ]
    for field, own_field in FIELDS:
        if field in params:
            found[own_field] = params[field]
    return found
