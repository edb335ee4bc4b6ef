"""What several systems want to know of an event's items."""


def pieces(lines: list) -> int:
    """Pieces of all items together."""
    return sum([item["quantity"] for item in lines])


def single(lines: list) -> dict:
    """`content_name` and `content_category` of the only item; nothing for several."""
    if len(lines) != 1:
        return {}
    product = lines[0]["product"]
    found = {"content_name": product["name"]}
    if "category_1" in product:
        found["content_category"] = product["category_1"]
    return found
