"""Alhena's `trackAlhenaEvent`: cart and checkout. Source: specs/alhena.md 1, A1-A9."""

from ..event import money

# The shop installs Alhena's own script, which drains the queue; we load none.
SDK_URLS = ()


def setup(pixel: dict, heard: dict) -> list:
    """Nothing: Alhena's own script adds the company key and the fingerprints."""
    return []


def calls(event: dict, name: str, pixel: dict, heard: dict) -> list:
    """One call for each changed item of a cart event, one for a purchase."""
    if event["event_name"] == "purchase":
        return [[["trackAlhenaEvent", [name, checkout(event["params"])]]]]
    rows = cart(event["event_name"], event["params"])
    return [[["trackAlhenaEvent", [name, row]]] for row in rows]


def cart(event_name: str, params: dict) -> list:
    """The rows of `sendCartEvent`: `quantity` is the one after the action (A5).

    Without `cart_quantity` an added item is taken as new in the cart, a removed one as gone.
    """
    rows = []
    for item in params["items"]:
        quantity = item["quantity"]
        if event_name == "add_to_cart":
            after = item.get("cart_quantity", quantity)
            kind = "QUANTITY_INCREASED" if after > quantity else "ITEM_ADDED"
        else:
            after = item.get("cart_quantity", 0)
            kind = "QUANTITY_DECREASED" if after else "ITEM_REMOVED"
        row = _line(item, params["currency"], _price(item))
        row["type"] = kind
        row["quantity"] = after
        rows.append(row)
    return rows


def checkout(params: dict) -> dict:
    """`sendCheckoutEvent`: the amount the buyer pays, line totals (H1, H3)."""
    return {
        "orderId": params["id"],
        "value": params["value"],
        "currency": params["currency"],
        "lineItems": [
            _line(item, params["currency"], _price(item) * item["quantity"])
            for item in params["items"]
        ],
    }


def _price(item: dict) -> float:
    return item["product"]["price"] - item.get("discount", 0)


def _line(item: dict, currency: str, value: float) -> dict:
    return {
        "productId": item["product"]["id"],
        "productName": item["product"]["name"],
        "quantity": item["quantity"],
        "value": money(value, currency),
        "currency": currency,
    }
