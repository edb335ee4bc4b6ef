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
    """What `pixelmirror.tracker` and `pixelmirror.mirror` need of a page."""

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

    def callback(self, function: Function) -> Any:
        """The function as JavaScript can call it, once made; what it raises ends in the console."""
        key = function.__name__
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

    # --- storage: the mirror's entries, the orders that were fired ---

    def entries(self) -> list:
        """`[(uuid, entry)]` of this site, whichever page wrote them."""
        found = []
        stored = self._loader(["stored", [self.prefix + "call."]]) or []
        for key, text in stored + list(self.memory.items()):
            if key.startswith(self.prefix + "call."):
                entry = _parsed(text)
                if entry is None or "at" not in entry or "by" not in entry:
                    self.guard([["localStorage"], ["removeItem", [key]]])
                else:
                    found.append((key[len(self.prefix + "call.") :], entry))
        return found

    def entry(self, uuid: str) -> dict | None:
        return self._read("call." + uuid)

    def write(self, uuid: str, entry: dict) -> None:
        self._write("call." + uuid, entry)

    def remove(self, uuid: str) -> None:
        self._remove("call." + uuid)

    def reserve(self, uuids: list, done: Function) -> None:
        """`done` is given those of the UUIDs that no other tab has reserved."""

        def reserved(text: str) -> None:
            done(json.loads(text))

        self.loader.reserve(json.dumps(uuids), self.callback(reserved))

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
        self.loader.post(text, self.callback(done))

    def beacon(self, text: str) -> None:
        self._loader(["beacon", [text]])

    def later(self, wait_ms: int, function: Function) -> None:
        self.loader.later(self.callback(function), wait_ms)

    # --- words ---

    def say(self, *words: object) -> None:
        """An error for the front-end developer, in the console only."""
        self._value(["console"], ["error", ["[pixelmirror]"] + [str(word) for word in words]])

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


def start(loader: Any, create_proxy: Function) -> None:
    """Run the tracker in this interpreter, if it is the one that is to run it."""
    is_micropython = sys.implementation.name == "micropython"
    if not loader.claim("micropython" if is_micropython else "pyodide"):
        return
    page = Page(loader, create_proxy)
    tracker = Tracker(page.settings, page)

    def take(text: str) -> str | None:
        return tracker.take(json.loads(text))

    def leave(*_: object) -> None:
        tracker.mirror.leave()

    def come_back(*_: object) -> None:
        tracker.mirror.come_back()

    loader.onHide = page.callback(leave)
    loader.onReturn = page.callback(come_back)
    tracker.start(json.loads(loader.take()))
    loader.up(page.callback(take))
