"""Doubts: what is odd about an event and yet no reason to refuse it, in words for the developer.

Personal data is never in them. Source: specs/commanders-act.md C3, C6.
"""

from .anything import Any
from .event import sum_of

WHO = ("id", "email", "id_md5", "id_sha256", "email_md5", "email_sha256")

# What a partial refund gives back is the shop's to say.
UNLIKE_ITEMS = ("refund",)


def doubts(event: dict, site: dict, known: Any = ()) -> list:
    """`[(kind, words)]`, each kind to be said once on a page; mostly empty.

    The kinds that are `known` are not looked for.
    """
    found = []
    for kind, check in CHECKS:
        words = "" if kind in known else check(event, site)
        if words:
            found.append((kind, event["event_name"] + ": " + words))
    return found


def _nobody(event: dict, site: dict) -> str:
    """C3: their "user" is required, and who knows neither can match nobody."""
    user = event.get("user", {})
    if [field for field in WHO if field in user]:
        return ""
    kinds = [site["destinations"][name]["kind"] for name in site["destinations"]]
    if "commanders_act" not in kinds:
        return ""
    return "Commanders Act wants to know the user's id or email, which identify tells"


def _parts(event: dict, site: dict) -> str:
    """C6: `value` is `revenue` with shipping and tax."""
    params = event["params"]
    if "value" not in params or "revenue" not in params:
        return ""
    whole = params["revenue"] + _extra(params)
    if _are_near(params["value"], whole, params):
        return ""
    parts = "revenue, shipping_amount and tax_amount are " + str(whole)
    return "value is " + str(params["value"]) + ", but " + parts


def _items(event: dict, site: dict) -> str:
    """C6: the items are worth `value`, or that less shipping and tax; a coupon may change it."""
    params = event["params"]
    is_other = event["event_name"] in UNLIKE_ITEMS or "coupon" in params
    if is_other or "value" not in params or "items" not in params:
        return ""
    whole = sum_of(params["items"])
    if whole == params["value"]:
        return ""
    for value in (params["value"], params["value"] - _extra(params)):
        if _are_near(value, whole, params):
            return ""
    return "value is " + str(params["value"]) + ", but its items add up to " + str(whole)


CHECKS = (("nobody", _nobody), ("parts", _parts), ("items", _items))


def _extra(params: dict) -> float:
    return params.get("shipping_amount", 0) + params.get("tax_amount", 0)


def _are_near(one: float, other: float, params: dict) -> bool:
    """Amounts are rounded, a few times in one sum: rupiah whole, others to cents."""
    roundings = 2 + len(params.get("items", ()))
    unit = 1 if params.get("currency") == "IDR" else 0.01
    return abs(one - other) <= unit * roundings + 0.001
