"""A page for the tests: storage, cookies, pixels and a relay that answers when it is told to.

It keeps to `pixelmirror.browser.Page`: what crosses to the page crosses as JSON text, and what the
tracker does is written down in order in `did`, so that tests read like a log.
"""

import json

from pixelmirror.anything import Any, Function
from tests.unit.samples import NOW_MS, URL


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
        self.widget: Any = None  # Alhena's: method -> what it returns, an Exception is thrown
        self.request: Any = None  # (body, done), while one is under way
        self.sends: dict[str, Any] = {}  # key -> done, of what is under way to Scalev
        self.is_full = False  # the browser sends nothing on should the page go
        self.room_bytes = 60000
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
        stored = self.browser.shelf(shelf)
        return [(key, json.loads(stored[key])) for key in stored]

    def entry(self, key: str, shelf: str = "call") -> Any:
        return json.loads(self.browser.shelf(shelf).get(key, "null"))

    def write(self, key: str, entry: Any, shelf: str = "call") -> None:
        self.browser.shelf(shelf)[key] = json.dumps(entry)
        self.did.append(["write", key])

    def remove(self, key: str, shelf: str = "call") -> None:
        self.browser.shelf(shelf).pop(key, None)

    def reserve(self, keys: list[str], done: Function, shelf: str = "call") -> None:
        done([key for key in keys if key not in self.browser.reserved])

    def orders(self) -> list[str]:
        return list(self.browser.fired_orders)

    def write_orders(self, orders: list[str]) -> None:
        self.browser.fired_orders = orders

    # --- pixels ---

    def install(self, name: str) -> None:
        self.did.append(["install", name])

    def heard(self, kind: str) -> Any:
        return self.own.get(kind, {"ids": [], "page_view": False})

    def guard(self, steps: list[Any]) -> Any:
        """The loader's guard: `{"ok"}`, or why it is not."""
        steps = json.loads(json.dumps(steps))
        name = steps[0][0]
        if name == "gleenWidget" and self.widget is not None:
            value = self.widget[steps[1][0]]
            is_thrown = isinstance(value, Exception)
            return {"ok": False, "error": str(value)} if is_thrown else {"ok": True, "value": value}
        if name in self.missing or name == "gleenWidget":
            return {"ok": False, "missing": True, "error": name + " is not on the page"}
        self.did.append(["call", steps])
        if name in self.throwing:
            return {"ok": False, "error": name + ": it is broken"}
        return {"ok": True}

    # --- the relay ---

    def post(self, text: str, done: Function) -> None:
        assert self.request is None, "two requests at a time"
        body = json.loads(text)
        self.did.append(["post", body])
        self.request = (body, done)

    def answer(self, status: int, retry_after: str = "") -> Any:
        """The relay's answer to the request that is under way; gives the request's body."""
        body, done = self.request
        self.request = None
        done(status, retry_after)
        return body

    def beacon(self, text: str) -> None:
        self.did.append(["beacon", json.loads(text)])

    def later(self, wait_ms: int, function: Function, whose: str) -> None:
        self.timers.append((wait_ms, function))
        self.did.append(["later", wait_ms])

    def ring(self) -> None:
        """The oldest timer's wait is over."""
        wait_ms, function = self.timers.pop(0)
        self.clock_ms += wait_ms
        function()

    # --- Scalev ---

    def send(self, url: str, headers: Any, text: str, done: Function, whose: str, key: str) -> bool:
        assert key not in self.sends, key + " is under way"
        self.did.append(["send", url, headers, json.loads(text)])
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

    def sent(self, event: Any, result: Any) -> None:
        self.did.append(["sent", event["event_id"], result])
