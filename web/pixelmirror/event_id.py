"""Event IDs: made once when the event happens, the same in every pixel call and server copy.

Source: DESIGN 5.4, scalev R46-R50.
"""

from .anything import Mapping

LIMIT = 200  # characters

# Only these may happen once per order.
ORDERS = ("purchase", "refund", "subscribe")


def is_order_event(event_name: str, params: dict) -> bool:
    """True for what happens once per order.

    A purchase, a full refund (one without items), a subscription that came by an order (alusio L3).
    """
    if event_name == "subscribe":
        return "id" in params
    return event_name == "purchase" or (event_name == "refund" and not params.get("items"))


def event_id(event_name: str, params: dict, uuid: str) -> str:
    """`{order ID}-{event name}` for an order's event, else `{event name}_{UUID version 7}`."""
    if is_order_event(event_name, params):
        return params["id"] + "-" + event_name
    return event_name + "_" + uuid


def sent_as(event: Mapping, own_name: str, order_event_id: str) -> str:
    """The event ID one system is given.

    An order's event gets the site's `order_event_id` (`{order_id}-{event_name}-FORM`) filled with
    the system's own name of the event (scalev R49); every other ID, and one given by the caller,
    is sent as it is.
    """
    name, params = event["event_name"], event["params"]
    if name not in ORDERS:
        return event["event_id"]
    if not is_order_event(name, params) or event["event_id"] != event_id(name, params, ""):
        return event["event_id"]
    return order_event_id.replace("{order_id}", params["id"]).replace("{event_name}", own_name)


def uuid7(now_ms: int, chance: bytes) -> str:
    """A UUID version 7 (RFC 9562) of a time in milliseconds and 10 random bytes."""
    value = bytearray(now_ms.to_bytes(6, "big") + chance)
    value[6] = value[6] & 0x0F | 0x70
    value[8] = value[8] & 0x3F | 0x80
    text = bytes(value).hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
