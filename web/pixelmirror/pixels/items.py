"""What several systems want to know of an event's items."""


def pieces(lines: list) -> int:
    """Pieces of all items together."""
    found = 0
    for item in lines:
        found += item["quantity"]
    return found


def rows(lines: list, id_field: str, price_field: str) -> list:
    """ID, quantity and price of each; code written for Scalev need not tell a price."""
    found = []
    for item in lines:
        row = {id_field: item["id"], "quantity": item["quantity"]}
        if "price" in item["product"]:
            row[price_field] = item["product"]["price"]
        found.append(row)
    return found


def add_single(found: dict, lines: list) -> None:
    """`content_name` and `content_category` of the only item; nothing for several.

    A name that is the ID is none: code written for Scalev need not tell one.
    """
    if len(lines) == 1:
        product = lines[0]["product"]
        if product["name"] != lines[0]["id"]:
            found["content_name"] = product["name"]
        if "category_1" in product:
            found["content_category"] = product["category_1"]
