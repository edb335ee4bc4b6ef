"""GA4's ecommerce events, as shops push them to `window.dataLayer`, in our words.

Pure, and the same in the page and in the relay. Source of names and meanings: Google Analytics 4,
"Recommended events" and "Measure ecommerce", read 2026-11.
"""

from .anything import Any
from .catalogue import EVENTS as OURS
from .catalogue import PAYMENT_METHODS
from .check import EventError, check_kind

# Event, named as ours is -> params of which it has at least one; without any of them the push is
# something of the shop's own that happens to have the name. Empty: the name alone tells.
EVENTS: dict = {
    "view_item": ("items",),
    "view_item_list": ("items",),
    "select_item": ("items",),
    "add_to_cart": ("items",),
    "remove_from_cart": ("items",),
    "view_cart": ("items",),
    "begin_checkout": ("items",),
    "add_shipping_info": ("items",),
    "add_payment_info": ("items",),
    "purchase": ("items", "transaction_id"),
    "refund": ("items", "transaction_id"),
    "add_to_wishlist": ("items",),
    "search": ("search_term",),
    "sign_up": (),
    "login": (),
    "generate_lead": (),
}

# GA4's field -> ours. The rest of what a push holds is not ours to read.
PARAMS = (
    ("transaction_id", "id"),
    ("currency", "currency"),
    ("value", "value"),
    ("tax", "tax_amount"),
    ("shipping", "shipping_amount"),
    ("coupon", "coupon"),
    ("shipping_tier", "shipping_tier"),
    ("item_list_name", "item_list_name"),
    ("search_term", "search_term"),
    ("method", "method"),
)
ITEM = (
    ("item_variant", "variant"),
    ("coupon", "coupon"),
    ("affiliation", "affiliation"),
)
PRODUCT = (
    ("item_brand", "brand"),
    ("item_category", "category_1"),
    ("item_category2", "category_2"),
    ("item_category3", "category_3"),
    ("item_category4", "category_4"),
    ("item_category5", "category_5"),
)


def read(name: object, pushed: object) -> dict | None:
    """The params of our event of the same name; None for what is no ecommerce.

    `read("search", {"search_term": "kaos"})`: `{"search_term": "kaos"}`. GA4's `value` has neither
    shipping nor tax in it, so it is an order's `revenue` too.
    """
    if not isinstance(name, str) or name not in EVENTS:
        return None
    given = pushed if isinstance(pushed, dict) else {}
    if EVENTS[name] and not [field for field in EVENTS[name] if _is_there(given.get(field))]:
        return None
    takes = OURS[name]["required"] + OURS[name]["optional"]
    params: dict = {}
    for theirs, ours in PARAMS:
        if ours in takes and _is_there(given.get(theirs)):
            params[ours] = given[theirs]
    if "value" in params and ("tax_amount" in params or "shipping_amount" in params):
        params["revenue"] = params["value"]
    if "payment_method" in takes and (given.get("payment_type") or name == "add_payment_info"):
        told = given.get("payment_type")
        params["payment_method"] = told if told in PAYMENT_METHODS else "other"
    items = given.get("items")
    if "items" in takes and isinstance(items, list) and items:
        params["items"] = [_item(item) for item in items]
        if "item_list_name" in takes and isinstance(items[0], dict):
            _copy((("item_list_name", "item_list_name"),), items[0], params)
    return params


def _item(theirs: Any) -> Any:
    """Our item of GA4's, whose quantity is 1 where it says nothing.

    GA4's `price` is the one after `discount`, ours the one before. What isn't an object is left to
    the check.
    """
    if not isinstance(theirs, dict):
        return theirs
    item_id = _text(theirs.get("item_id")) or _text(theirs.get("item_name"))
    name = _text(theirs.get("item_name")) or item_id
    product: dict = {"id": item_id, "name": name, "price": theirs.get("price")}
    item: dict = {"id": item_id, "quantity": theirs.get("quantity"), "product": product}
    if not _is_there(item["quantity"]):
        item["quantity"] = 1
    price, discount = _amount(product["price"]), _amount(theirs.get("discount"))
    if price and discount:
        product["price"] = price + discount
        item["discount"] = discount
    index = theirs.get("index")
    if isinstance(index, int) and not isinstance(index, bool) and index >= 0:
        item["list_position"] = index
    _copy(ITEM, theirs, item)
    _copy(PRODUCT, theirs, product)
    return item


def _copy(fields: tuple, theirs: dict, ours: dict) -> None:
    """The texts among the fields; one that is there already stays."""
    for source, target in fields:
        text = _text(theirs.get(source))
        if text and target not in ours:
            ours[target] = text


def _is_there(value: object) -> bool:
    return value is not None and value != "" and value != []


def _text(value: object) -> str | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value.strip() else None


def _amount(value: object) -> float:
    """An amount, which shops also push as a text; 0 for what is none."""
    try:
        return check_kind("amount", value, "")
    except EventError:
        return 0
