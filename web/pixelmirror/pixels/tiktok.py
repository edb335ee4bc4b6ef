"""TikTok's pixel, `ttq`: set-up, calls, parameters. Source: specs/tiktok.md 1-2, scalev R43, D4."""

from .. import user_data as own
from ..event_id import sent_as
from . import items

SDK_URLS = ("https://analytics.tiktok.com/i18n/pixel/events.js",)

# Our field -> TikTok's, beside what is made of the items.
FIELDS = (("value", "value"), ("currency", "currency"), ("search_term", "search_string"))

# TikTok's key -> the user's field, and its normal form. Source: specs/tiktok.md 1, 5.
USER = (
    ("sha256_email", "email", own.email),
    ("sha256_phone_number", "phone", own.phone),
    ("external_id", "id", own.as_told),
)

IS_TOLD_ONCE = False  # who the shopper is: `identify` may be called again

PAGE_VIEW = "Pageview"  # what TikTok calls the event of its own `page` call


def setup(pixel: dict, heard: dict) -> list:
    """One `load` for each of our pixels that the page has not loaded itself (R10, R11)."""
    return [[["ttq"], ["load", [one]]] for one in pixel["pixel_ids"] if one not in heard["ids"]]


def user_data(user: dict) -> dict:
    """Who the shopper is, as `identify` is told: `{"sha256_email": "ca1535fd..."}`, hashes only."""
    return own.hashed(user, USER)


def identify(told: dict, pixel: dict, heard: dict) -> list:
    """Addressed as the events that it enriches: the stub keeps no order between the two ways."""
    return _addressed(["identify", [told]], pixel, heard)


def calls(event: dict, name: str, pixel: dict, heard: dict) -> list:
    """One call for all pixels; with others' on the page, one for each of ours alone."""
    if name == PAGE_VIEW:
        return _addressed(["page", []], pixel, heard)
    event_id = sent_as(event, name, pixel["order_event_id"])
    arguments = [name, parameters(event), {"event_id": event_id}]
    return _addressed(["track", arguments], pixel, heard)


def _addressed(call: list, pixel: dict, heard: dict) -> list:
    ours = pixel["pixel_ids"]
    if heard["ids"] != ours and [one for one in heard["ids"] if one not in ours]:
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
        found["contents"] = items.rows(lines, "content_id", "price")
    for field, own_field in FIELDS:
        if field in params:
            found[own_field] = params[field]
    return found
