"""The relay's client for the shop's own servers, and for a Python page that only staff can open.

    from pixelmirror.client import EventError, RelayError, Relay

    relay = Relay("https://t.shop.example", "toko", os.environ["TOKO_SECRET"])
    event_id = relay.track("refund", {"id": "ORD-77", "value": 147000})

An event is checked before it is sent, by the code that page and relay check by, and stored on the
relay's disk when `track` returns. `AsyncRelay` is the same for asyncio. In a Pyodide page `Relay`
works too, on pyodide-http; what the relay's own pages send needs no client and no secret key.
"""

from ..check import EventError
from .errors import Refused, RelayError, Unreachable
from .relay import AsyncRelay, Relay

__all__ = ("AsyncRelay", "EventError", "Refused", "Relay", "RelayError", "Unreachable")
