"""Scalev's Storefront analytics: what its three routes take, and the bodies that they are posted.

The relay posts them, or the page itself where the site file says `transport = "direct"`. Source:
specs/scalev.md. One event a body, as user, URLs and items are shared by all events of one
(section 2).

A route is what the site file says of one provider: `{"provider": "meta", "url": "https://...",
"events": [the only ones] or None, "event_names": {own names}, "requested": [names that the file
asks for], "order_event_id": "{order_id}-...", "country": "id"}`. `urls` are an event's, as its
sender can tell them: `{"event_source_url", "referrer_url"}`, empty where it is no http(s) URL.
"""

from .anything import Mapping
from .catalogue import own_name
from .event_id import sent_as
from .pixels import kwai, meta, tiktok
from .wanted import unwanted

BASE_URL = "https://api.scalev.com"
PATH = "/v3/stores/{store_id}/public/analytics/{provider}/events"
KEY_HEADER = "X-Scalev-Storefront-Api-Key"

# Provider -> the kind of its pixel, whose names and parameters it shares (R47).
KINDS = {"meta": "meta", "tiktok": "tiktok", "snackvideo": "kwai"}

# They drop repeats by the event ID (R46); SnackVideo knows none, so a repeat counts twice (R50).
WITH_EVENT_ID = ("meta", "tiktok")

DAY_S = 24 * 60 * 60
MAX_AGE_S = {"meta": 7 * DAY_S, "tiktok": 7 * DAY_S, "snackvideo": DAY_S}

# SDKs report a page view by themselves, so its server copy is on request (D9).
ON_REQUEST = ("page_view",)

ITEM_LISTS = (
    ("variant", "variants", "variant_unique_id"),
    ("bundle_price_option", "bundle_price_options", "bundle_price_option_unique_id"),
)

# SnackVideo takes these as integers only.
WHOLE = ("value", "quantity", "price")

NO_STORE = "no such store (404): wrong store_id or api_key, or no plan"


def headers(api_key: str) -> dict:
    """R3, R4."""
    return {KEY_HEADER: api_key, "Accept": "application/json", "Content-Type": "application/json"}


# --- which events, under which name and ID ---


def skips(event: Mapping, route: dict, urls: dict) -> str | None:
    """Why this route does not take the event, in words; None when it does."""
    name, provider = event["event_name"], route["provider"]
    reason = unwanted(event, route["events"])
    if reason:
        return reason
    if name in ON_REQUEST and name not in route["requested"]:
        return name + " is sent only where events or event_names." + provider + " names it"
    if not name_of(event, route):
        return "no name for " + name + ", event_names." + provider + " can give one"
    return LACKS[provider](event, urls)


def name_of(event: Mapping, route: dict) -> str:
    """The provider's own name of the event; empty where there is none."""
    return own_name(event["event_name"], KINDS[route["provider"]], route["event_names"]) or ""


def event_id_of(event: Mapping, route: dict) -> str | None:
    """The event ID the provider is given; None for one that takes none (R50)."""
    if route["provider"] not in WITH_EVENT_ID:
        return None
    return sent_as(event, name_of(event, route), route["order_event_id"])


def _lacks_nothing(event: Mapping, urls: dict) -> str | None:
    return None


def _lacks_url(event: Mapping, urls: dict) -> str | None:
    """D11."""
    return None if urls["event_source_url"] else "no http or https page URL"


def _lacks_click_id(event: Mapping, urls: dict) -> str | None:
    """R58."""
    return None if event["attribution"].get("kwai_click_id") else "no click ID"


LACKS = {"meta": _lacks_nothing, "tiktok": _lacks_url, "snackvideo": _lacks_click_id}


# --- bodies ---


def body(event: dict, route: dict, urls: dict, phone: str | None) -> dict:
    """What this route is posted of the event. `phone`: digits alone, best with country code."""
    made = BODIES[route["provider"]](event, route, phone)
    made.update(_known(**urls))
    made.update(_items(event))
    return made


def _meta_body(event: dict, route: dict, phone: str | None) -> dict:
    """R51-R54, R62."""
    user, attribution, name = event.get("user", {}), event["attribution"], name_of(event, route)
    return {
        "user_data": _known(
            country=user.get("country", route["country"]).lower(),
            fbc=attribution.get("fbc"),
            fbp=attribution.get("fbp"),
            em=user.get("email"),
            ph=phone,
            fn=user.get("firstname"),
            ln=user.get("lastname"),
            ct=user.get("city"),
            st=user.get("state"),
            external_id=user.get("id"),
        ),
        "events": [
            {
                "event_id": event_id_of(event, route),
                "event_name": name,
                "parameters": meta.parameters(event, name),
            }
        ],
    }


def _tiktok_body(event: dict, route: dict, phone: str | None) -> dict:
    """R55-R57, R62. The user agent where it is not that of the request itself."""
    user, attribution = event.get("user", {}), event["attribution"]
    return {
        "user": _known(
            ttclid=attribution.get("ttclid"),
            ttp=attribution.get("ttp"),
            email=user.get("email"),
            phone=phone,
            external_id=user.get("id"),
            user_agent=event.get("client", {}).get("user_agent"),
        ),
        "events": [
            {
                "event_id": event_id_of(event, route),
                "event": name_of(event, route),
                "parameters": tiktok.parameters(event),
            }
        ],
    }


def _snackvideo_body(event: dict, route: dict, phone: str | None) -> dict:
    """R50, R59. What is not whole is left out of the properties."""
    found = kwai.properties(event)
    properties = {
        key: found[key] for key in found if key not in WHOLE or isinstance(found[key], int)
    }
    return {
        "click_id": event["attribution"]["kwai_click_id"],
        "events": [{"event_name": name_of(event, route), "properties": properties}],
    }


BODIES = {"meta": _meta_body, "tiktok": _tiktok_body, "snackvideo": _snackvideo_body}


def _items(event: Mapping) -> dict:
    """R35-R38: variants and bundles apart, each by its unique ID; an empty list is left out."""
    items = event["params"].get("items", ())
    found = {}
    for kind, field, unique_id in ITEM_LISTS:
        rows = [
            {unique_id: item["id"], "quantity": item["quantity"]}
            for item in items
            if item.get("kind", "variant") == kind
        ]
        if rows:
            found[field] = rows
    return found


def _known(**fields: str | None) -> dict:
    """The fields that have a value; what is unknown or empty is left out (R51, R52, R55, D6)."""
    return {key: fields[key] for key in fields if fields[key]}
