"""Kwai's and SnackVideo's pixel, `kwaiq`. Source: specs/kwai.md 1-2, scalev R33, R44, R50, D5."""

from . import items

SDK_URLS = (
    "https://s15-def.ap4r.com/kos/s101/nlav11187/pixel/events.js",
    "https://s16-11187.ap4r.com/kos/s101/nlav11187/pixel/events.js",
)

# Our field -> Kwai's, beside what is made of the items.
FIELDS = (("value", "value"), ("currency", "currency"), ("search_term", "query"))

PAGE_VIEW = "page"  # its own call, not an event


def setup(pixel: dict, heard: dict) -> list:
    """One `load` for each of our pixels that the page has not loaded itself (R10, R11)."""
    return [[["kwaiq"], ["load", [one]]] for one in pixel["pixel_ids"] if one not in heard["ids"]]


def calls(event: dict, name: str, pixel: dict, heard: dict) -> list:
    """One call for each of our pixels; Kwai takes no event ID (R50)."""
    if name == PAGE_VIEW:
        return [[["kwaiq"], ["page", []]]]
    arguments = [name, properties(event)]
    return [[["kwaiq"], ["instance", [one]], ["track", arguments]] for one in pixel["pixel_ids"]]


def properties(event: dict) -> dict:
    """Kwai's properties of an event, in the pixel and in the server copy alike.

    `quantity` is pieces in total, `price` one piece's, left out for several items (D5).
    """
    params = event["params"]
    lines = params.get("items", ())
    found: dict = {}
    if lines:
        found["content_type"] = "product"
        found["quantity"] = items.pieces(lines)
        items.add_single(found, lines)
    if len(lines) == 1 and "price" in lines[0]["product"]:
        found["price"] = lines[0]["product"]["price"]
    for field, own_field in FIELDS:
        if field in params:
            found[own_field] = params[field]
    return found
