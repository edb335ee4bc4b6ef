"""A page for the tests: storage, cookies, pixels and a relay that answers when it is told to.

It keeps to `pixelmirror.browser.Page`: what crosses to the page crosses as JSON text, and what the
tracker does is written down in order in `did`, so that tests read like a log.
"""

import json

from pixelmirror.anything import Any, Function
from tests.unit.samples import NOW_MS, URL

# What an entry holds -> its field that says when it happened.
TIMES = {"event": "event_time", "call": "time", "copy": "time"}


class Browser:
    """What outlives a page: cookies, storage, the orders that were fired."""

    def __init__(self) -> None:
        self.jar: dict[str, str] = {}
        self.stored: dict[str, str] = {}  # UUID -> entry, as JSON text
        self.copies: dict[str, str] = {}  # the same of what goes to Scalev from the page
        self.fired_orders: list[str] = []
        self.reset_id = ""  # of a `reset` on a page that never saw Python
        self.reserved: list[str] = []  # keys of entries that another tab takes over

    def shelf(self, name: str) -> dict[str, str]:
        return {"call": self.stored, "direct": self.copies}[name]


class FakePage:
    """One page in a browser. `did` holds what happened, as lists that begin with the verb."""

    def __init__(self, browser: Any = None, page_id: str = "page-1", url: str = URL) -> None:
        self.browser = browser or Browser()
        self.id = page_id
        self.url = url
        self.clock_ms = NOW_MS
        self.is_private = False  # Global Privacy Control
        self.did: list[list[Any]] = []
        self.warned: list[str] = []  # not in `did`: nothing depends on when it was said
        self.missing: list[str] = []  # globals that are not on the page
        self.throwing: list[str] = []  # globals whose calls throw
        self.own: dict[str, Any] = {}  # kind -> what the page's own code has done with it
        self.events: dict[str, Any] = {}  # UUID -> event, until it is forgotten
        self.fates: list[Any] = []  # (UUID, what the relay made of it), told once or more
        self.results: dict[str, Any] = {}  # UUID -> {pixel: result}, until the event's fate
        self.complained: list[str] = []  # pixels whose failure was said
        self.has_alhena = True  # among the site's destinations
        self.widget: Any = None  # Alhena's: method -> what it returns, an Exception is thrown
        self.request: Any = None  # (body, done), while one is under way
        self.sends: dict[str, Any] = {}  # key -> done, of what is under way to Scalev
        self.is_full = False  # the browser sends nothing on should the page go
        self.room_bytes = 60000
        self.tasks = 0  # those that the tracker asked for
        self.timers: list[Any] = []  # [(wait_ms, function)]

    def done(self, verb: str) -> list[Any]:
        """What was done under one verb, without the verb."""
        return [step[1:] for step in self.did if step[0] == verb]

    def verbs(self) -> list[str]:
        return [step[0] for step in self.did]

    # --- facts ---

    def now_ms(self) -> int:
        return self.clock_ms

    def chance(self, below: int) -> int:
        return below - 1

    def uuid(self) -> str:
        return "visitor-" + self.id

    def has_gpc(self) -> bool:
        return self.is_private

    def landings(self) -> list[Any]:
        return [{"url": self.url, "time": self.clock_ms}]

    def left_reset(self) -> str:
        left, self.browser.reset_id = self.browser.reset_id, ""
        return left

    # --- cookies ---

    def cookies(self) -> dict[str, str]:
        return dict(self.browser.jar)

    def write_cookie(self, name: str, value: str, max_age_s: int, domain: str) -> None:
        self.browser.jar[name] = value
        if not max_age_s:
            del self.browser.jar[name]
        self.did.append(["cookie", name, value, max_age_s, domain])

    def cookie_domain(self, setting: str) -> str:
        return "toko.example" if setting == "auto" else setting

    # --- storage ---

    def entries(self, shelf: str = "call") -> list[Any]:
        found = []
        stored = self.browser.shelf(shelf)
        for key in list(stored):
            entry = json.loads(stored[key])
            times = [entry[what].get(TIMES[what], 0) for what in TIMES if what in entry]
            time = times[0] if times else 0
            row = {"time": time, "by": entry["by"], "at": entry["at"]}
            found.append((key, row))
        return found

    def entry(self, key: str, shelf: str = "call") -> Any:
        return json.loads(self.browser.shelf(shelf).get(key, "null"))

    def holders(self, keys: list[str], shelf: str = "call") -> Any:
        entries = {key: self.entry(key, shelf) for key in keys}
        return {key: entries[key]["by"] for key in keys if entries[key]}

    def write(self, key: str, entry: Any, shelf: str = "call") -> None:
        self.browser.shelf(shelf)[key] = json.dumps(entry)
        self.did.append(["write", key])

    def forget(self, keys: list[str], shelf: str = "call") -> None:
        for key in keys:
            self.browser.shelf(shelf).pop(key, None)
            self.events.pop(key, None)

    def reserve(self, keys: list[str], done: Function, shelf: str = "call") -> None:
        done([key for key in keys if key not in self.browser.reserved])

    def is_new_order(self, key: str, most: int) -> bool:
        if key in self.browser.fired_orders:
            return False
        self.browser.fired_orders.append(key)
        self.browser.fired_orders = self.browser.fired_orders[-most:]
        return True

    # --- pixels ---

    def install(self, name: str) -> None:
        self.did.append(["install", name])

    def heard(self) -> Any:
        return self.own

    def has_widget(self) -> bool:
        return self.has_alhena and self.widget is not None

    def prepare(self, name: str, calls: list[Any]) -> None:
        for steps in calls:
            self._fired(name, [steps])

    def fire(self, uuid: str, pixels: list[Any]) -> None:
        results = {name: self._fired(name, calls) for name, calls in pixels}
        self.results[uuid] = (self.events[uuid]["event_id"], results)

    def value(self, name: str, steps: list[Any]) -> Any:
        value = self.widget[steps[1][0]]
        if isinstance(value, Exception):
            self._complain(name, "failed: " + str(value))
            return None
        return value

    def _fired(self, name: str, calls: Any) -> str:
        """What became of the event in one pixel; the first call that fails says so."""
        if isinstance(calls, str):
            result: str = calls
            return self._complain(name, result) if result.startswith("failed") else result
        for steps in json.loads(json.dumps(calls)):
            first: str = steps[0][0]
            if first in self.missing:
                return "skipped: " + first + " is not on the page"
            self.did.append(["call", steps])
            if first in self.throwing:
                return self._complain(name, "failed: " + first + ": it is broken")
        return "fired"

    def _complain(self, name: str, result: str) -> str:
        if name not in self.complained:
            self.complained.append(name)
            self.say(name, "pixel", result)
        return result

    # --- events, and the relay ---

    def keep(self, uuid: str, event: str) -> None:
        self.events[uuid] = json.loads(event)
        self.hand([uuid], self.id)

    def hand(self, uuids: list[str], by: str | None) -> None:
        for uuid in [one for one in uuids if one in self.events]:
            self.write(uuid, {"event": self.events[uuid], "by": by, "at": self.clock_ms})

    def tell(self, uuids: list[str], fate: str) -> None:
        for uuid in uuids:
            self.fates.append((uuid, fate))
            if uuid in self.results:
                event_id, pixels = self.results.pop(uuid)
                self.did.append(["sent", event_id, {"pixels": pixels, "relay": fate}])

    def _body(self, uuids: list[str], head: Any) -> Any:
        return dict(head, events=[self.events[uuid] for uuid in uuids])

    def post(self, uuids: list[str], head: Any, done: Function) -> None:
        assert self.request is None, "two requests at a time"
        body = self._body(uuids, head)
        self.did.append(["post", body])
        self.request = (body, done)

    def answer(self, status: int, retry_after: str = "") -> Any:
        """The relay's answer to the request that is under way; gives the request's body."""
        body, done = self.request
        self.request = None
        done(status, retry_after)
        return body

    def beacon(self, uuids: list[str], head: Any) -> None:
        self.did.append(["beacon", self._body(uuids, head)])

    def afterwards(self, function: Function, whose: str) -> None:
        function()

    def later(self, wait_ms: int, function: Function, whose: str) -> None:
        if not wait_ms:  # a task of its own, and soon
            self.tasks += 1
            function()
            return
        self.timers.append((wait_ms, function))
        self.did.append(["later", wait_ms])

    def ring(self) -> None:
        """The oldest timer's wait is over."""
        wait_ms, function = self.timers.pop(0)
        self.clock_ms += wait_ms
        function()

    # --- Scalev ---

    def send(self, url: str, headers: Any, body: Any, done: Function, whose: str, key: str) -> bool:
        assert key not in self.sends, key + " is under way"
        self.did.append(["send", url, headers, json.loads(json.dumps(body))])
        self.sends[key] = done
        return not self.is_full

    def room(self) -> int:
        return self.room_bytes

    def scalev(self, status: int, key: str, retry_after: str = "") -> None:
        """Scalev's answer to what is under way under this key."""
        self.sends.pop(key)(status, retry_after, key)

    # --- words ---

    def say(self, *words: object) -> None:
        self.did.append(["say", " ".join([str(word) for word in words])])

    def warn(self, text: str) -> None:
        self.warned.append(text)

    def note(self, text: str) -> None:
        self.did.append(["note", text])
