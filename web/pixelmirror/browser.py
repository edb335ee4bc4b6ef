"""The page: the only module that touches it. Everything here goes through the loader's guard.

A JavaScript exception thrown under a call from MicroPython can't be caught and in the end kills
the interpreter, and whole numbers of 2^31 and more wrap between the two; so all that may throw,
and all that is structured, crosses as JSON text through one guarded JavaScript function.
"""

import json
import sys
import time

from . import attribution
from .anything import Any, Function
from .tracker import Tracker

LOADER = (["pixelmirror"], ["_"])


class Page:
    """What the tracker, the mirror and what goes to Scalev from here need of a page."""

    def __init__(self, loader: Any, create_proxy: Function) -> None:
        self.loader = loader
        self.create_proxy = create_proxy
        self.id = loader.pageId
        self.settings = self._loader(["settings"])
        self.prefix = "pm." + self.settings["site"] + "."
        self.memory: dict = {}  # storage where the page's own is full or forbidden
        self.callbacks: dict = {}

    # --- the guard ---

    def guard(self, steps: list) -> dict:
        """`{"ok", "value", "error"}` of steps that lead from `window` to a call or a property."""
        return json.loads(self.loader.guard(json.dumps(steps)))

    def _value(self, *steps: list) -> Any:
        return self.guard(list(steps)).get("value")

    def _loader(self, *steps: list) -> Any:
        return self._value(*(LOADER + steps))

    def callback(self, function: Function, whose: str) -> Any:
        """The function as JavaScript can call it, once made; what it raises ends in the console.

        `whose` tells functions of one name apart.
        """
        key = whose + " " + function.__name__
        if key not in self.callbacks:

            def safe(*arguments: object) -> Any:
                try:
                    return function(*arguments)
                except Exception as error:
                    # The page must never see an error of ours, whatever it is.
                    self.say("internal error in", key, "-", repr(error))

            self.callbacks[key] = self.create_proxy(safe)
        return self.callbacks[key]

    # --- facts ---

    def now_ms(self) -> int:
        return int(time.time() * 1000)

    def chance(self, below: int) -> int:
        """A random whole number from the browser's crypto; MicroPython's own is weak."""
        return int(self._loader(["chance", []]), 16) % below

    def uuid(self) -> str:
        return self._loader(["uuid7", [self.now_ms()]])

    def has_gpc(self) -> bool:
        return self._value(["navigator"], ["globalPrivacyControl"]) is True

    def landings(self) -> list:
        """`{"url", "time"}` of an earlier page that never saw Python, then of this one."""
        left = self._read("landing")
        self._remove("landing")
        here = self._loader(["landing"])
        return ([left] if left and left["time"] != here["time"] else []) + [here]

    def left_reset(self) -> str:
        """The visitor ID of an earlier page's `reset` that never saw Python; empty without one."""
        left = self._read("reset")
        self._remove("reset")
        return left["id"] if left and left["by"] != self.id else ""

    # --- cookies ---

    def cookies(self) -> dict:
        return attribution.parse_cookies(self._value(["document"], ["cookie"]) or "")

    def write_cookie(self, name: str, value: str, max_age_s: int, domain: str) -> None:
        """Write the cookie; where a host-only twin of its name masks it, write that one too."""
        is_https = self._value(["location"], ["protocol"]) == "https:"
        for where in (domain, ""):
            text = attribution.cookie_text(name, value, max_age_s, where, is_https)
            self.guard([["document"], ["cookie", "=", text]])
            if self.cookies().get(name) == value:
                return

    def cookie_domain(self, setting: str) -> str:
        """The widest domain on which the browser keeps a cookie; empty for the host alone."""
        host = self._value(["location"], ["hostname"]) or ""
        for domain in attribution.domains(host, setting):
            self.guard(
                [["document"], ["cookie", "=", "_pm_try=1; Path=/; SameSite=Lax; Domain=" + domain]]
            )
            is_kept = "_pm_try" in self.cookies()
            self.guard(
                [["document"], ["cookie", "=", "_pm_try=; Path=/; Max-Age=0; Domain=" + domain]]
            )
            if is_kept:
                return domain
        return ""

    # --- storage: the entries, the orders that were fired ---

    def entries(self, shelf: str) -> list:
        """`[(key, entry)]` of this site on this shelf, whichever page wrote them."""
        found = []
        start = self.prefix + shelf + "."
        stored = self._loader(["stored", [start]]) or []
        for name, text in stored + list(self.memory.items()):
            if name.startswith(start):
                entry = _parsed(text)
                if entry is None or "at" not in entry or "by" not in entry:
                    self.guard([["localStorage"], ["removeItem", [name]]])
                else:
                    found.append((name[len(start) :], entry))
        return found

    def entry(self, key: str, shelf: str) -> dict | None:
        return self._read(shelf + "." + key)

    def write(self, key: str, entry: dict, shelf: str) -> None:
        self._write(shelf + "." + key, entry)

    def remove(self, key: str, shelf: str) -> None:
        self._remove(shelf + "." + key)

    def reserve(self, keys: list, done: Function, shelf: str) -> None:
        """`done` is given those of the keys that no other tab has reserved."""

        def reserved(text: str) -> None:
            done(json.loads(text))

        self.loader.reserve(json.dumps(keys), self.callback(reserved, shelf))

    def orders(self) -> list:
        """Event IDs of the orders that were fired in this browser."""
        return self._read("orders") or []

    def write_orders(self, orders: list) -> None:
        self._write("orders", orders)

    def _read(self, key: str) -> Any:
        text = self._value(["localStorage"], ["getItem", [self.prefix + key]])
        return _parsed(text or self.memory.get(self.prefix + key, "null"))

    def _write(self, key: str, value: object) -> None:
        text = json.dumps(value)
        if not self.guard([["localStorage"], ["setItem", [self.prefix + key, text]]])["ok"]:
            self.memory[self.prefix + key] = text

    def _remove(self, key: str) -> None:
        self.memory.pop(self.prefix + key, None)
        self.guard([["localStorage"], ["removeItem", [self.prefix + key]]])

    # --- pixels ---

    def install(self, name: str) -> None:
        """Put the official stub in place and load the SDK."""
        answer = self.guard(list(LOADER) + [["install", [name]]])
        if not answer["ok"]:
            self.say(name, "pixel can't be set up:", answer["error"])

    def heard(self, name: str) -> dict:
        """`{"ids", "page_view"}`: what the page's code has done with this pixel's global."""
        return self._loader(["heard", [name]]) or {"ids": [], "page_view": False}

    # --- sending ---

    def post(self, text: str, done: Function) -> None:
        """POST to the relay at once; `done(status, retry_after)`, status 0 for no answer."""
        init = {"headers": {"Content-Type": "text/plain"}, "credentials": "include"}
        url = self.settings["relay"]
        self.loader.send(url, json.dumps(init), text, self.callback(done, "mirror"))

    def send(
        self, url: str, headers: dict, text: str, done: Function, whose: str, key: str
    ) -> bool:
        """POST to another server, without cookies; `done(status, retry_after, key)`.

        True when the browser sends it on should the page go.
        """
        init = json.dumps({"headers": headers, "credentials": "omit"})
        return self.loader.send(url, init, text, self.callback(done, whose), key)

    def room(self) -> int:
        """How many bytes more the browser would send on should the page go."""
        return self._loader(["room", []]) or 0

    def beacon(self, text: str) -> None:
        self._loader(["beacon", [text]])

    def later(self, wait_ms: int, function: Function, whose: str) -> None:
        self.loader.later(self.callback(function, whose), wait_ms)

    # --- words ---

    def say(self, *words: object) -> None:
        """An error for the front-end developer, in the console only."""
        self._value(["console"], ["error", ["[pixelmirror]"] + [str(word) for word in words]])

    def warn(self, text: str) -> None:
        """What the front-end developer may want to look at."""
        self._value(["console"], ["warn", ["[pixelmirror] " + text]])

    def note(self, text: str) -> None:
        self._value(["console"], ["debug", ["[pixelmirror] " + text]])

    def sent(self, event: dict, result: dict) -> None:
        """Tell the page's `on("sent", ...)` listeners."""
        self._loader(["sent", [event, result]])


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


IS_MICROPYTHON = sys.implementation.name == "micropython"


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
    if not loader.claim("micropython" if IS_MICROPYTHON else "pyodide"):
        return
    page = Page(loader, create_proxy)
    tracker = Tracker(page.settings, page)

    def take(text: str) -> str | None:
        return tracker.take(json.loads(text))

    def leave(*_: object) -> None:
        tracker.leave()

    def come_back(*_: object) -> None:
        tracker.come_back()

    loader.onHide = page.callback(leave, "page")
    loader.onReturn = page.callback(come_back, "page")
    tracker.start(json.loads(loader.take()))
    loader.up(page.callback(take, "page"))
