"""The checkout's context: what a visitor's events told of an order, joined to its payment.

A payment notification says that an order is paid, and nothing of who bought what (midtrans M9).
So what the page's events with that order's ID told is kept, and becomes part of the event that
the payment sends. Pure: the outbox keeps it (`relay.outbox.Outbox.tell` and `pay`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pixelmirror import consent_rules, scalev
from pixelmirror.catalogue import EVENTS
from pixelmirror.event import check_params
from pixelmirror.event_id import event_id
from relay.destinations import Destination, Event
from relay.outbox import Payment, Told
from relay.site import Site

STEPS = ("begin_checkout", "add_payment_info")
COPIES = ("purchase", "subscribe")
"""What the page may send of an order that the payment sends too."""

# Of an event, what a payment can use.
KEPT = (
    "event_id event_name received_at params page user visitor_id attribution consent client "
    "destinations direct is_bot"
).split()

# What holds of the order too when a step before it told it.
STEP_PARAMS = ("coupon", "items", "payment_method", "predicted_ltv", "subscription_id")

EXTRA = ("shipping_amount", "tax_amount")
MONEY = (*EXTRA, "items", "predicted_ltv")

Context = Mapping[str, Any]


def sends(site: Site, order_id: str) -> str:
    """The event that this order's payment sends (alusio S4, S5; midtrans M6, M7)."""
    prefix = site.midtrans.membership_prefix if site.midtrans else ""
    return "subscribe" if prefix and order_id.startswith(prefix) else "purchase"


def waits_for_payment(event: Event, site: Site) -> bool:
    """True of what is not sent to servers before its order is paid (alusio S3, scalev R31)."""
    is_copy = event["event_name"] in COPIES and "id" in event["params"]
    return site.purchase_on == "paid" and is_copy


def left_to_pages(site: Site) -> list[str]:
    """What a page posts itself of an event though the relay heard of it by another way.

    Of its calls before Python was up, or of its order by the payment. Where an event ID drops the
    repeat, both send it; SnackVideo has none, so the relay does not (scalev R50).
    """
    return [
        f"{name}.{provider}"
        for name, table in site.posted_by_pages().items()
        for provider in dict.fromkeys(table.providers)
        if provider not in scalev.WITH_EVENT_ID
    ]


def told(event: Event, site: Site, *, is_page: bool) -> Told | None:
    """What the event tells of an order whose payment may follow; None where none can."""
    name, order_id = event["event_name"], event["params"].get("id")
    if site.midtrans is None or name not in STEPS + COPIES or order_id is None:
        return None
    context = {key: event[key] for key in KEPT if key in event}
    context["is_page"] = is_page
    return Told(site.site, order_id, context, is_order_event=name == sends(site, order_id))


def joined(
    payment: Payment,
    contexts: Sequence[Context],
    site: Site,
    destinations: Sequence[Destination],
) -> dict[str, Any]:
    """The event of a paid order. `contexts`: what was told of it, newest first.

    Amount, currency and time are the payment's; who it was and what he bought, the newest that was
    told. The page's own copy of the event goes before everything else.
    """
    own = [one for one in contexts if one["event_name"] == payment.event_name]
    order = [*own, *(one for one in contexts if one not in own)]
    event: dict[str, Any] = {
        "site": payment.site,
        "source": "payment",
        "event_id": event_id(payment.event_name, {"id": payment.order_id}, ""),
        "event_name": payment.event_name,
        "event_time": payment.paid_at,
        "received_at": payment.received_at,
        "page": _first(order, "page"),
        "params": PARAMS[payment.event_name](payment, order),
        "attribution": _merged(order, "attribution"),
        "user": _merged(order, "user"),
        "consent": _consent(contexts, site),
    }
    found = {key: _first(order, key) for key in ("client", "visitor_id", "is_bot")}
    event |= {key: value for key, value in found.items() if value}
    # A page posts its copy when the order is created, or not at all where the payment sends it.
    direct = left_to_pages(site) if site.purchase_on == "created" else []
    if own:
        direct = own[0].get("direct", [])
        if "destinations" in own[0]:
            event["destinations"] = own[0]["destinations"]
        # An ID that is one destination's own by the site's rule is not every destination's.
        ours = {destination.sent_as(event) for destination in destinations}
        if own[0]["event_id"] not in ours:
            event["event_id"] = own[0]["event_id"]
    if payment.event_id:
        event["event_id"] = payment.event_id
    return {**event, "direct": direct} if direct else event


def _first(order: Sequence[Context], key: str) -> Any:
    """The first that holds something, whole: an IP address and a user agent belong together."""
    return next((one[key] for one in order if one.get(key)), {})


def _merged(order: Sequence[Context], key: str) -> dict[str, Any]:
    """Each field as the first one tells it."""
    found: dict[str, Any] = {}
    for one in order:
        found = {**one.get(key, {}), **found}
    return found


def _consent(contexts: Sequence[Context], site: Site) -> dict[str, Any]:
    """The newest that a page told; a server knows none unless no page was there to ask."""
    asked = [one for one in contexts if one["is_page"]] or contexts
    consent: dict[str, Any] = (
        asked[0]["consent"] if asked else consent_rules.initial(site.consent, "", False)
    )
    return consent


# --- params ---


def _params(payment: Payment, order: Sequence[Context]) -> dict[str, Any]:
    """What was told of the order, with the amount that was paid.

    Of the page's copy everything, of other events what holds of the order too. What was told in
    another currency, or is more than was paid, is of another amount.
    """
    row = EVENTS[payment.event_name]
    found: dict[str, Any] = {}
    for one in order:
        params = one["params"]
        is_own = one["event_name"] == payment.event_name
        takes = params if is_own else {*STEP_PARAMS} & {*row["required"], *row["optional"]}
        is_same_money = params.get("currency", payment.currency) == payment.currency
        known = {key: params[key] for key in params if key in takes}
        found = {**{key: known[key] for key in known if is_same_money or key not in MONEY}, **found}
    found.pop("revenue", None)  # it follows from the value
    found |= {"id": payment.order_id, "value": payment.value, "currency": payment.currency}
    if _extra(found) > payment.value:
        found = {key: found[key] for key in found if key not in EXTRA}
    return found


def _extra(params: Mapping[str, Any]) -> float:
    amount: float = sum(params.get(key, 0) for key in EXTRA)
    return amount


def _purchase(payment: Payment, order: Sequence[Context]) -> dict[str, Any]:
    """The purchase. `items` may be missing, here alone.

    The catalogue requires them of whoever calls, and no payment knows them. But the sale is real:
    it is sent to those who take it without, and no item is made up, nor the price of one
    of which code written for Scalev told none.
    """
    params = _params(payment, order)
    items = params.pop("items", ())
    if items and all("price" in item["product"] for item in items):
        return _checked("purchase", {**params, "items": items})
    defaults = EVENTS["purchase"]["defaults"]
    return {**defaults, "revenue": payment.value - _extra(params), **params}


def _subscribe(payment: Payment, order: Sequence[Context]) -> dict[str, Any]:
    """The membership; its order's ID stands in for a subscription ID that nobody told."""
    params = {"subscription_id": payment.order_id, **_params(payment, order)}
    return _checked("subscribe", params)


def _checked(name: str, params: dict[str, Any]) -> dict[str, Any]:
    checked: dict[str, Any] = check_params(name, params, params["currency"])
    return checked


PARAMS = {"purchase": _purchase, "subscribe": _subscribe}
