"""The page: the only module that touches it, through two JavaScript functions of web/page/edge.js.

A JavaScript exception thrown under a call from MicroPython can't be caught and in the end kills
the interpreter, and whole numbers of 2^31 and more wrap between the two; so all that crosses is
text, and all that may throw is done by JavaScript under its guard. And each crossing costs as much
as a screen of Python: so what is to be done in the page is gathered, and handed over at once when
Python is through with what has happened, or has to ask something.
"""

import gc
import json
import sys
import time

from . import attribution
from .anything import Any, Function
from .tracker import Tracker

UNKNOWN = "?"  # news of a page at which nobody has looked


class Page:
    """What the tracker, the mirror and what goes to Scalev from here need of a page.

    `cross(text)` has the actions done that the text holds, and gives the last one's value.
    """

    def __init__(self, cross: Function) -> None:
        self.cross = cross
        self.todo: list = []  # actions, as JSON texts
        self.callbacks: dict = {"begin": self._begin}
        self.start: dict = {}  # what was so when Python came
        self.id = ""
        self.facts: dict = {}  # what the page was like when this happened
        self.known_cookies: dict = {}
        self.knows_cookies = True  # as they are now,
        self.knows_heard = True  # and what the page's code has done with the pixels

    # --- crossing ---

    def enter(self, news: str, name: str, *words: object) -> str | None:
        """Something happened: the actions that follow from it, as JSON texts with commas between.

        `news`: what the page is like, where that is not as it was, or `UNKNOWN`. The page never
        sees an error of ours, whatever it is: it ends in the console.
        """
        answer = None
        self.knows_cookies = self.knows_heard = news != UNKNOWN
        try:
            if news and self.knows_cookies:
                self._learn(json.loads(news))
            answer = self.callbacks[name](*words)
        except Exception as error:
            self.say("internal error in", name, "-", repr(error))
        if answer is not None:
            self._do("is", answer)
        return self._handed_over()

    def _handed_over(self) -> str | None:
        todo, self.todo = self.todo, []
        return ",".join(todo) or None

    def _do(self, action: str, *words: object) -> None:
        self.todo.append(json.dumps((action,) + words))

    def _ask(self, action: str, *words: object) -> Any:
        self._do(action, *words)
        return json.loads(self.cross(self._handed_over()))

    def _callback(self, function: Function, whose: str) -> str:
        """The name by which the page has the function called; `whose` tells namesakes apart."""
        name = whose + " " + function.__name__
        self.callbacks[name] = function
        return name

    def _begin(self, text: str) -> None:
        self.start = json.loads(text)
        self.id = self.start["page_id"]
        tracker = Tracker(self.start["settings"], self)

        def take(uuid: str, text: str) -> str | None:
            time_ms, words = json.loads(text)
            page = self.facts["page"]
            return tracker.take({"uuid": uuid, "time": time_ms, "args": words, "page": page})

        self.callbacks["take"] = take
        self.callbacks["leave"] = tracker.leave
        self.callbacks["come_back"] = tracker.come_back
        tracker.start(self.start["calls"])

    # --- facts ---

    def now_ms(self) -> int:
        return int(time.time() * 1000)

    def chance(self, below: int) -> int:
        """A random whole number from the browser's crypto; MicroPython's own is weak."""
        return int(self.start["chance"], 16) % below

    def uuid(self) -> str:
        return self._ask("uuid")

    def has_gpc(self) -> bool:
        return self.start["has_gpc"]

    def landings(self) -> list:
        """`{"url", "time"}` of an earlier page that never saw Python, then of this one."""
        found = self.start["landings"]
        self.start["landings"] = found[-1:]
        self._do("remove", "landing")
        return found

    def left_reset(self) -> str:
        """The visitor ID of an earlier page's `reset` that never saw Python; empty without one."""
        self._do("remove", "reset")
        return self.start.pop("reset_id", "")

    def _learn(self, facts: dict) -> None:
        if facts["cookies"] != self.facts.get("cookies"):
            self.known_cookies = attribution.parse_cookies(facts["cookies"])
        if facts.get("page") == self.facts.get("page"):
            facts["page"] = self.facts.get("page")  # one and the same: much is kept by it
        self.facts = facts
        self.knows_cookies = self.knows_heard = True

    # --- cookies ---

    def cookies(self) -> dict:
        """One and the same as long as nothing has changed; nobody may change it."""
        if not self.knows_cookies:
            self._learn(self._ask("facts"))
        return self.known_cookies

    def write_cookie(self, name: str, value: str, max_age_s: int, domain: str) -> None:
        """Write the cookie; where a host-only twin of its name masks it, write that one too."""
        is_https = self.start["is_https"]
        texts = [
            attribution.cookie_text(name, value, max_age_s, where, is_https)
            for where in (domain, "")
        ]
        self._do("cookie", *texts)
        self.knows_cookies = False

    def cookie_domain(self, setting: str) -> str:
        """The widest domain on which the browser keeps a cookie; empty for the host alone."""
        domains = attribution.domains(self.start["host"], setting)
        return self._ask("domain", domains) if domains else ""

    # --- storage: the entries, the orders that were fired ---

    def entries(self, shelf: str) -> list:
        """`[(key, {"time", "by", "at"})]` of all on this shelf, whichever page wrote them."""
        return self._ask("entries", shelf)

    def entry(self, key: str, shelf: str) -> dict | None:
        return self._ask("read", shelf + "." + key)

    def holders(self, keys: list, shelf: str) -> dict:
        """Of each of these that is still kept, who takes care of it: `{key: page ID or None}`."""
        return self._ask("holders", shelf, keys)

    def write(self, key: str, entry: dict, shelf: str) -> None:
        self._do("write", shelf + "." + key, entry)

    def forget(self, keys: list, shelf: str) -> None:
        if keys:
            self._do("forget", shelf, keys)

    def reserve(self, keys: list, done: Function, shelf: str) -> None:
        """`done` is given those of the keys that no other tab has reserved."""

        def reserved(text: str) -> None:
            done(json.loads(text))

        self._do("reserve", self._callback(reserved, shelf), keys)

    def is_new_order(self, key: str, most: int) -> bool:
        """True the first time in this browser, which remembers the last `most`."""
        return self._ask("order", key, most)

    # --- pixels ---

    def install(self, name: str) -> None:
        """Put the official stub in place and load the SDK."""
        self._do("install", name)
        self.knows_heard = False

    def heard(self) -> dict:
        """`{kind: {"ids", "page_view"}}`: what the page's code has done with the pixels."""
        if not self.knows_heard:
            self._learn(self._ask("facts"))
        return self.facts["heard"]

    def has_widget(self) -> bool:
        """True where Alhena's widget is on the page, and one of our destinations needs it."""
        return self.facts["has_widget"]

    def prepare(self, name: str, calls: list) -> None:
        """Call the pixel; what fails is said, and the other calls are made all the same."""
        if calls:
            self._do("prepare", name, calls)

    def fire(self, uuid: str, pixels: list) -> None:
        """`(name, calls)` of each pixel that gets the event, `(name, result)` of all others."""
        self._do("fire", uuid, pixels)

    def value(self, name: str, steps: list) -> Any:
        """What the steps lead to; None where that is not on the page, or fails."""
        return self._ask("ask", name, steps)

    # --- events, which the page holds, by their calls' UUIDs ---

    def keep(self, uuid: str, event: str) -> None:
        """The event, as JSON text, is written ahead and held until it is forgotten."""
        self.todo.append('["keep","' + uuid + '"')
        self.todo.append(event + "]")

    def hand(self, uuids: list, by: str | None) -> None:
        """This page, or nobody, takes care of these from now on."""
        if uuids:
            self._do("hand", uuids, by)

    def tell(self, uuids: list, fate: str) -> None:
        """Tell the page's `on("sent", ...)` listeners, once of each event."""
        self._do("tell", uuids, fate)

    def post(self, uuids: list, head: dict, done: Function) -> None:
        """POST to the relay at once; `done(status, retry_after)`, status 0 for no answer."""
        self._do("post", self._callback(done, "mirror"), uuids, head)

    def beacon(self, uuids: list, head: dict) -> None:
        self._do("beacon", uuids, head)

    # --- Scalev ---

    def send(
        self, url: str, headers: dict, body: dict, done: Function, whose: str, key: str
    ) -> bool:
        """POST to another server, without cookies; `done(status, retry_after, key)`.

        True when the browser sends it on should the page go.
        """
        return self._ask("send", url, headers, body, self._callback(done, whose), key)

    def room(self) -> int:
        """How many bytes more the browser would send on should the page go."""
        return self._ask("room")

    # --- time and words ---

    def afterwards(self, function: Function, whose: str) -> None:
        """When whatever of the page's code has called us is through."""
        self._do("afterwards", self._callback(function, whose))

    def later(self, wait_ms: int, function: Function, whose: str) -> None:
        self._do("later", self._callback(function, whose), wait_ms)

    def say(self, *words: object) -> None:
        """An error for the front-end developer, in the console only."""
        self._do("say", *[str(word) for word in words])

    def warn(self, text: str) -> None:
        """What the front-end developer may want to look at."""
        self._do("warn", text)

    def note(self, text: str) -> None:
        self._do("note", text)


IS_MICROPYTHON = sys.implementation.name == "micropython"

# MicroPython of itself collects after each 16 KiB, which is every call: a third of its time.
COLLECTED_AFTER_BYTES = 512 * 1024


def offer(loader: Any) -> None:
    """This interpreter can run the tracker, once all of the page's part is there."""
    create_proxy = _as_it_is
    if not IS_MICROPYTHON:
        from pyodide import ffi

        create_proxy = ffi.create_proxy

    def take_offer(*_: object) -> None:
        start(loader, create_proxy)

    loader.offers.push(create_proxy(take_offer))


def _as_it_is(function: Function) -> Any:
    """MicroPython's functions live as long as JavaScript holds them, just as they are."""
    return function


def start(loader: Any, create_proxy: Function) -> None:
    """Run the tracker in this interpreter, if it is the one that is to run it."""
    if loader.claim("micropython" if IS_MICROPYTHON else "pyodide"):
        if IS_MICROPYTHON:
            gc.threshold(COLLECTED_AFTER_BYTES)  # type: ignore[attr-defined]
        page = Page(loader.ask)
        loader.begin(create_proxy(page.enter))
