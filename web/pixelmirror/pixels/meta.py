"""Meta's pixel, `fbq`: set-up, calls, parameters. Source: specs/meta.md 1-2, scalev R9-R13, R42."""

from .. import user_data as own
from ..event_id import sent_as
from . import items

SDK_URLS = ("https://connect.facebook.net/en_US/fbevents.js",)

# Meta's own events; any other name is a custom one (scalev D10).
STANDARD = (
    "AddPaymentInfo AddToCart AddToWishlist CompleteRegistration Contact CustomizeProduct Donate "
    "FindLocation InitiateCheckout Lead PageView Purchase Schedule Search StartTrial "
    "SubmitApplication Subscribe ViewContent"
).split(" ")

# Our field -> Meta's, beside what is made of the items.
FIELDS = (
    ("value", "value"),
    ("currency", "currency"),
    ("search_term", "search_string"),
    ("predicted_ltv", "predicted_ltv"),
    ("subscription_id", "subscription_id"),
)

# Meta's key -> the user's field, and its normal form. Source: specs/meta.md 1, 5.
USER = (
    ("em", "email", own.full_email),
    ("ph", "phone", own.phone_digits),
    ("fn", "firstname", own.letters),
    ("ln", "lastname", own.letters),
    ("ge", "gender", own.gender),
    ("db", "birthdate", own.birthdate),
    ("ct", "city", own.city),
    ("st", "state", own.state),
    ("zp", "zipcode", own.zipcode),
    ("country", "country", own.country),
    ("external_id", "id", own.compact),
)

IS_TOLD_ONCE = True  # who the shopper is: in `init`, and only there

# Left out of one event's parameters: 000's checkout payload has neither (alusio S9).
LEFT_OUT = {"InitiateCheckout": ("content_type", "contents")}


def setup(pixel: dict, heard: dict) -> list:
    """One `init` for each of our pixels that the page has not initialised itself (R10, R11)."""
    return [[["fbq", ["init", one]]] for one in pixel["pixel_ids"] if one not in heard["ids"]]


def user_data(user: dict) -> dict:
    """Who the shopper is, as `init` is told: `{"em": "4320997d..."}`, hashes only."""
    return own.hashed(user, USER)


def identify(told: dict, pixel: dict, heard: dict) -> list:
    """One `init` with these hashes for each of our pixels that the page has not initialised."""
    return [[["fbq", ["init", one, told]]] for one in pixel["pixel_ids"] if one not in heard["ids"]]


def calls(event: dict, name: str, pixel: dict, heard: dict) -> list:
    """One call for all pixels; with others' on the page, one for each of ours alone."""
    verb = "track" if name in STANDARD else "trackCustom"
    event_id = sent_as(event, name, pixel["order_event_id"])
    arguments = [name, parameters(event, name), {"eventID": event_id}]
    ours = pixel["pixel_ids"]
    if heard["ids"] != ours and [one for one in heard["ids"] if one not in ours]:
        single = verb.replace("track", "trackSingle")
        return [[["fbq", [single, one] + arguments]] for one in ours]
    return [[["fbq", [verb] + arguments]]]


def parameters(event: dict, name: str) -> dict:
    """Meta's parameters of an event, in pixel and server copy alike (scalev R42, R60)."""
    params = event["params"]
    lines = params.get("items", ())
    found: dict = {}
    if lines:
        found["content_ids"] = [item["id"] for item in lines]
        found["content_type"] = "product"
        found["contents"] = items.rows(lines, "id", "item_price")
        found["num_items"] = items.pieces(lines)
        items.add_single(found, lines)
    for field, own_field in FIELDS:
        if field in params:
            found[own_field] = params[field]
    for field in LEFT_OUT.get(name, ()):
        found.pop(field, None)
    return found
