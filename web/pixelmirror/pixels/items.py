"""What several systems want to know of an event's items."""


def pieces(lines: list) -> int:
    """Pieces of all items together."""
    return sum([item["quantity"] for item in lines])


def single(lines: list) -> dict:
    """`content_name` and `content_category` of the only item; nothing for several.

    A name that is the ID is none: code written for Scalev need not tell one.
    """
    if len(lines) != 1:
        return {}
    product = lines[0]["product"]
    found = {}
    if product["name"] != lines[0]["id"]:
        found["content_name"] = product["name"]
    if "category_1" in product:
        found["content_category"] = product["category_1"]
    return found


def with_price(row: dict, own_field: str, item: dict) -> dict:
    """The row with the item's price, which code written for Scalev need not tell."""
    if "price" in item["product"]:
        row[own_field] = item["product"]["price"]
    return row
