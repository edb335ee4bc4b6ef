"""What the page posts to Scalev itself, where the site file says `transport = "direct"`.

Beside the mirror and like it: one server copy for each event and provider, written ahead in the
page and kept until Scalev has taken it. Its entries lie under `{the call's UUID}.{destination}`.
Source: scalev R1-R8, R51-R65, D3, D8.
"""

from . import consent_rules, scalev
from .anything import Any, Iterator
from .copies import Copies
from .entries import Entries
from .wanted import is_named

MAX_KEPT = 150
LEAVING_BYTES = 30000  # posted by a page that goes
BEACON_BYTES = 20000  # what the mirror's beacon needs of the browser's room


class Direct:
    """The routes of every table that the page posts itself; without one it does nothing.

    `site["direct"]`: `{"scalev": {"api_key", "categories", "waits_for_payment": [events that, of an
    order, the relay sends when it is paid], "routes": [as in `pixelmirror.scalev`]}}`.
    """

    def __init__(self, site: dict, page: Any) -> None:
        self.page = page
        self.tables = site.get("direct", {})
        loss = "server copies were never taken by Scalev"
        self.entries = Entries(page, "direct", MAX_KEPT, loss)
        self.copies: dict = {}  # destination -> its Copies
        for destination, table, route in self._routes():
            self.copies[destination] = Copies(
                self.entries, destination, route, table["api_key"], self.flush
            )
        self.has_left = False

    def _routes(self) -> Iterator:
        """`("scalev.meta", table, route)` of each; an order that MicroPython's dicts lack."""
        for name in sorted(self.tables):
            for route in self.tables[name]["routes"]:
                yield name + "." + route["provider"], self.tables[name], route

    def keep(self, uuid: str, event: dict) -> list:
        """The destinations that the page sends this event to; their copies are written ahead."""
        found = []
        for destination, table, route in self._routes():
            if _refusal(event, destination, table, route) is None:
                copy = {
                    "name": scalev.name_of(event, route),
                    "time": event["event_time"],
                    "body": scalev.body(event, route, _urls(event), _phone(event)),
                }
                self.copies[destination].keep(uuid + "." + destination, copy)
                found.append(destination)
        return found

    def flush(self) -> None:
        """Post what waits: the routes at once, and none waits for another (R60, D8)."""
        if self.has_left:  # it was only hidden
            self.take_over()
        for destination, _, _ in self._routes():
            self.copies[destination].flush()

    def take_over(self) -> None:
        """What earlier pages left goes again, once it is surely no other tab's."""
        self.has_left = False
        if self.copies:
            self.entries.take_over(self._take, self.flush)

    def _take(self, key: str, entry: dict) -> None:
        self.copies[_destination(key)].take_over(key, entry)

    def heed(self, consent: dict) -> None:
        """What is kept and may not go any more, by this consent and the site file, is forgotten."""
        allowed = [
            destination
            for destination, table, _ in self._routes()
            if not consent_rules.refusal(consent, "scalev", table["categories"])
        ]
        kept = [key for key, _ in self.page.entries(self.entries.shelf)]
        refused = [key for key in kept if _destination(key) not in allowed]
        self.page.forget(refused, self.entries.shelf)

    def leave(self) -> None:
        """The page hides: it posts what it can, and another may take care of the rest."""
        room, whole = 0, min(LEAVING_BYTES, self.page.room() - BEACON_BYTES)
        for destination, _, _ in self._routes():
            room += whole // len(self.copies)
            room = self.copies[destination].leave(room)
        self.has_left = bool(self.copies)


def _destination(key: str) -> str:
    return key[key.find(".") + 1 :]


def _refusal(event: dict, destination: str, table: dict, route: dict) -> str | None:
    """Why the page does not post this event there, in words; None when it does."""
    reason = consent_rules.refusal(event["consent"], "scalev", table["categories"])
    if reason is None and not is_named(destination, event.get("destinations", [destination])):
        reason = "not among this call's destinations"
    is_order = "id" in event["params"]
    if reason is None and is_order and event["event_name"] in table["waits_for_payment"]:
        reason = "the relay sends it when the order is paid"
    return reason or scalev.skips(event, route, _urls(event))


def _urls(event: dict) -> dict:
    """A browser's own URLs are sound; but a file's is no http URL, nor is a referring app's."""
    page = event["page"]
    return {
        "event_source_url": _http(page.get("url", "")),
        "referrer_url": _http(page.get("referrer", "")),
    }


def _http(url: str) -> str:
    return url if url.startswith("http://") or url.startswith("https://") else ""


def _phone(event: dict) -> str:
    """The digits as they were given (R62): Scalev normalises, and the page can't."""
    return "".join([c for c in event.get("user", {}).get("phone", "") if "0" <= c <= "9"])
