"""The smallest right item, params, event, pixel and site; the tests say only what differs."""

from pixelmirror import event
from pixelmirror.anything import Any

NOW_MS = 1760000000000
UUID = "0199c82b-8f00-7aaa-8bbb-cccccccccccc"
URL = "https://toko.example/p/kaos"


def item(**fields: Any) -> dict[str, Any]:
    """Two shirts at Rp 60 000 each."""
    product = {"id": "p1", "name": "Kaos", "price": 60000}
    return dict({"id": "variant_a1", "quantity": 2, "product": product}, **fields)


def cup(**fields: Any) -> dict[str, Any]:
    """One cup at Rp 27 000, of a category."""
    product = {"id": "p2", "name": "Cangkir", "price": 27000, "category_1": "Rumah"}
    return dict({"id": "variant_b2", "quantity": 1, "product": product}, **fields)


def params(event_name: str, **fields: Any) -> dict[str, Any]:
    """What a shop has to say of an event, and no more."""
    needed: dict[str, Any] = {
        "page_view": {},
        "select_content": {},
        "search": {"search_term": "kaos"},
        "add_payment_info": {"payment_method": "cod"},
        "purchase": {"id": "ORD-77", "value": 147000, "items": [item(), cup()]},
        "refund": {"id": "ORD-77", "value": 147000},
        "generate_lead": {},
        "sign_up": {},
        "login": {},
        "subscribe": {"value": 99000, "subscription_id": "sub-9"},
        "quiz_done": {},
    }
    return dict(needed.get(event_name, {"items": [item()]}), **fields)


def built(event_name: str, **fields: Any) -> dict[str, Any]:
    """The event that the page builds of `params(event_name, ...)`."""
    site: dict[str, Any] = {"currency": "IDR", "custom_events": ["quiz_done"]}
    context = {
        "site": site,
        "page": {"url": URL},
        "attribution": {},
        "consent": {"status": "granted"},
    }
    return event.build(event_name, params(event_name, **fields), UUID, NOW_MS, {}, context)


def pixel(kind: str, **settings: Any) -> dict[str, Any]:
    """A destination's part of the public settings."""
    fields: dict[str, Any] = {
        "kind": kind,
        "stub": True,
        "sdk_urls": ["https://sdk.example/" + kind + ".js"],
        "event_names": {},
        "categories": [],
        "order_event_id": "{order_id}-{event_name}-FORM",
    }
    if kind == "commanders_act":
        fields.update({"site_id": "3311", "source_key": "", "meta_event_names": {}})
    elif kind != "alhena":
        fields["pixel_ids"] = [kind + "-1"]
    return dict(fields, **settings)


def site(**settings: Any) -> dict[str, Any]:
    """The public settings of a site with each pixel once, under the pixel's own name."""
    kinds = ("meta", "tiktok", "kwai", "commanders_act", "alhena")
    fields: dict[str, Any] = {
        "site": "toko",
        "currency": "IDR",
        "consent": "granted",
        "cookie_domain": "auto",
        "custom_events": ["quiz_done"],
        "destinations": {kind: pixel(kind) for kind in kinds},
    }
    return dict(fields, **settings)
