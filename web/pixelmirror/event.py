"""Checking what the shop said of an event, deriving what follows from it, and building the Event.

The same code runs in the page and in the relay, so both refuse the same things in the same words.
"""

from . import catalogue
from .anything import Any
from .check import HASH_LENGTHS, EventError, check_fields, check_hash, check_kind, shown
from .event_id import LIMIT, event_id
from .urls import sent_url

URLS = ("path", "referrer", "url")  # of params


def check_name(name: object, custom_events: Any = ()) -> str:
    """The event name, or EventError with the nearest known one."""
    if isinstance(name, str) and (name in catalogue.EVENTS or name in custom_events):
        return name
    message = "unknown event " + shown(name)
    known = list(catalogue.EVENTS) + list(custom_events)
    near = catalogue.nearest(name, known) if isinstance(name, str) else None
    if near:
        message += ", did you mean '" + near + "'?"
    message += " (other names go into custom_events of the site file)"
    raise EventError("event_name", message)


def check_params(name: str, params: object, currency: str | None) -> dict:
    """The params of an event, checked, normalised and completed.

    `currency`: the site's, used when an amount has none (DESIGN 5.3). Fields beyond the catalogue
    are kept as they are. Raises EventError with a path below `params`.
    """
    if params is None:
        params = {}
    if not isinstance(params, dict):
        raise EventError("params", "params must be an object, got " + shown(params))
    row = catalogue.EVENTS.get(name, {"required": (), "optional": tuple(catalogue.FIELDS)})
    checked = check_fields(catalogue.FIELDS, params, "params")
    for field in URLS:
        if field in checked:
            checked[field] = sent_url(checked[field])
    for field in row.get("defaults", {}):
        checked.setdefault(field, row["defaults"][field])
    if "items" in checked:
        _check_item_currencies(name, checked)
        most = row.get("most_items")
        if most and len(checked["items"]) > most:
            raise EventError("params.items", name + " takes no more items than " + str(most))
    _derive(name, row, checked, currency)
    for field in row["required"]:
        if field not in checked:
            raise EventError("params." + field, field + " is required in " + name)
    return checked


def check_user(user: object) -> dict:
    """What the shopper told the shop, checked by the catalogue; raises EventError.

    Personal data is never repeated in an error.
    """
    if user is None:
        return {}
    if not isinstance(user, dict):
        raise EventError("user", "user must be an object")
    checked = {}
    for field in sorted(user):
        value = user[field]
        if value is None or value == "":
            continue
        path = "user." + field
        stem, _, algorithm = field.rpartition("_")
        if stem in catalogue.USER and algorithm in HASH_LENGTHS:
            checked[field] = check_hash(value, algorithm, path)
        elif field in catalogue.USER:
            try:
                checked[field] = check_kind(catalogue.USER[field], value, path)
            except EventError as error:
                raise EventError(error.field, error.message.split(", got ")[0])
        else:
            near = catalogue.nearest(field, list(catalogue.USER))
            hint = ", did you mean '" + near + "'?" if near else ""
            raise EventError(path, "user has no field " + field + hint)
    return checked


def build(
    name: object, params: object, uuid: str, time_ms: int, options: dict, context: dict
) -> dict:
    """The Event (DESIGN 5.4), or EventError.

    `options`: `event_id` (the caller's own), `destinations` (only these). `context`: what is the
    same for all events of this moment: `site` (`currency`, `custom_events`), `page`, `user`,
    `visitor_id`, `attribution`, `consent`.
    """
    site = context["site"]
    name = check_name(name, site.get("custom_events", ()))
    params = check_params(name, params, site.get("currency"))
    given = options.get("event_id")
    if given is not None:
        given = check_kind("id", given, "options.event_id")
    one = given or event_id(name, params, uuid)
    if len(one) > LIMIT:
        field = "options.event_id" if given else "params.id"
        raise EventError(field, "the event ID must have at most " + str(LIMIT) + " characters")
    event = {
        "event_id": one,
        "event_name": name,
        "event_time": time_ms,
        "page": context["page"],
        "params": params,
        "attribution": context["attribution"],
        "consent": context["consent"],
    }
    for field in ("user", "visitor_id"):
        if context.get(field):
            event[field] = context[field]
    if options.get("destinations") is not None:
        only = options["destinations"]
        event["destinations"] = check_kind("texts", only, "options.destinations")
    return event


def _derive(name: str, row: dict, params: dict, currency: str | None) -> None:
    """Fill in what follows from the rest (DESIGN 5.3: "what can be derived")."""
    takes = row["required"] + row["optional"]
    extra = params.get("shipping_amount", 0) + params.get("tax_amount", 0)
    items = params.get("items")
    if name not in catalogue.ORDER_EVENTS and "value" not in params and "value" in takes:
        if "revenue" in params:
            params["value"] = params["revenue"] + extra
        elif items:
            params["value"] = sum_of(items)
    if "revenue" in takes and "revenue" not in params and "value" in params:
        if extra > params["value"]:
            message = "value must include shipping_amount and tax_amount, got less than both"
            raise EventError("params.value", message)
        params["revenue"] = params["value"] - extra
    amounts = [field for field in params if catalogue.FIELDS.get(field) == "amount"]
    if currency and "currency" not in params and (amounts or "currency" in row["required"]):
        params["currency"] = currency
    if amounts and "currency" not in params:
        raise EventError("params.currency", "currency is required with " + sorted(amounts)[0])
    for field in amounts:
        params[field] = money(params[field], params["currency"])
    currency = params.get("currency", currency)
    for item in items or ():
        for holder, field in ((item["product"], "price"), (item, "discount")):
            if field in holder:
                holder[field] = money(holder[field], currency)


def money(amount: float, currency: str | None) -> float:
    """An amount as it is sent: rupiah whole (scalev R45), others to four decimals at most."""
    if type(amount) is int:
        return amount
    if currency == "IDR":
        return int(amount + 0.5)
    amount = round(amount, 4)
    return int(amount) if amount == int(amount) else amount


def sum_of(items: list) -> float:
    """What the items are worth: price less discount, as often as there are pieces."""
    found = 0
    for item in items:
        found += (item["product"]["price"] - item.get("discount", 0)) * item["quantity"]
    return found


def _check_item_currencies(name: str, params: dict) -> None:
    """The items' currencies agree with each other and with the event's, set by them if absent."""
    for i, item in enumerate(params["items"]):
        own = item["product"].get("currency")
        if own and params.setdefault("currency", own) != own:
            raise EventError(
                "params.items[" + str(i) + "].product.currency",
                "all of one event must have one currency, got '"
                + own
                + "' beside '"
                + params["currency"]
                + "'",
            )
        if "quantity" not in item:
            if name not in catalogue.VIEWING_EVENTS:
                path = "params.items[" + str(i) + "].quantity"
                raise EventError(path, "quantity is required in each item")
            item["quantity"] = 1
