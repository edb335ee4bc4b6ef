"""A shopper: one browser profile of his own, whose pages are watched for every kind of harm."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, WebError

from tests.e2e.settings import CONFIG
from tests.e2e.shop import HOST, Shop
from tests.e2e.waiting import until

# The tag has run and its tracker is up. No text is evaluated in the page, so that this works under
# a strict CSP too.
READY = """(waitMs) => new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error("the tracker is not up")), waitMs);
  const look = () => window.pixelmirror?.ready
    ? pixelmirror.ready.then(() => resolve(pixelmirror._.runtime))
    : setTimeout(look, 10);
  look();
})"""

# How many calls this browser keeps because the relay has not acknowledged them.
KEPT = "() => Object.keys(localStorage).filter((key) => /^pm\\.[^.]+\\.call\\./.test(key))"


# An SDK that has not arrived when the page is left never tells what its queue held.
UNDER_WAY = """() => {
  const ended = performance.getEntriesByType("resource").map((entry) => entry.name);
  const sdks = [...document.querySelectorAll('script[src*="/sandbox/sdk/"]')];
  return sdks.map((script) => script.src).filter((src) => !ended.includes(src));
}"""


class Shopper:
    """Visits pages of the shop, calls from them, and tells what they did and said."""

    def __init__(self, context: BrowserContext, shop: Shop, hosts: Sequence[str]) -> None:
        self.context = context
        self.shop = shop
        self.requests: list[Request] = []
        self._hosts = set(hosts)
        self._errors: list[str] = []
        self.lines: list[str] = []  # what the tag said in the console
        context.set_default_timeout(CONFIG["TIMEOUT_MS"])
        context.on("request", self._on_request)
        context.on("weberror", self._on_error)
        context.on("console", self._on_console)

    def _on_request(self, request: Request) -> None:
        self.requests.append(request)

    def _on_error(self, error: WebError) -> None:
        self._errors.append(str(error.error))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "[pixelmirror]" in message.text:
            self.lines.append(message.text)

    # --- going about ---

    def visit(
        self, path: str, *, host: str = HOST, ready: bool = True, page: Page | None = None
    ) -> Page:
        """The page, in a new tab unless `page` is given; its tracker is up unless not `ready`."""
        page = page or self.context.new_page()
        page.goto(self.shop.url(path, host), wait_until="domcontentloaded")
        if ready:
            self.wait_until_ready(page)
        return page

    @staticmethod
    def wait_until_ready(page: Page) -> str:
        """The runtime that runs the page's tracker."""
        runtime: str = page.evaluate(READY, CONFIG["TIMEOUT_MS"])
        return runtime

    @staticmethod
    def call(page: Page, *words: Any) -> Any:
        """What `pixelmirror(...)` returns: for a track or page call the event ID."""
        return page.evaluate("(words) => pixelmirror(...words)", list(words))

    def track(
        self, page: Page, name: str, params: Any = None, options: dict[str, Any] | None = None
    ) -> str:
        """The event ID."""
        event_id = self.call(page, "track", name, params, options)
        assert isinstance(event_id, str), f"{name} became no event: {self.lines}"
        return event_id

    @staticmethod
    def wait_until_acknowledged(page: Page) -> None:
        """The relay has acknowledged all that was called here, and no SDK is on its way."""
        until(lambda: page.evaluate(KEPT), "the relay has acknowledged all", lambda kept: not kept)
        until(lambda: page.evaluate(UNDER_WAY), "the SDKs are here", lambda urls: not urls)

    def posted(self, site: str = "toko") -> list[Any]:
        """The events that went to the relay from pages, in their order, repeats included."""
        return [event for body in self.bodies(site) for event in body.get("events", ())]

    def bodies(self, site: str = "toko") -> list[Any]:
        """What went to the relay from pages, each request on its own."""
        self._catch_up()
        return [
            json.loads(request.post_data or "{}")
            for request in self.requests
            if request.method == "POST" and request.url == f"{self.shop.relay}/s/{site}"
        ]

    def cookies(self) -> dict[str, Any]:
        """The shop's cookies by name."""
        return {cookie.get("name", ""): cookie for cookie in self.context.cookies()}

    # --- what came of it ---

    def _catch_up(self) -> None:
        """What the browser has told is here: it comes along with its next answer."""
        self.context.cookies([])

    def _has_said(self) -> bool:
        self._catch_up()
        return bool(self.lines)

    def said(self, *words: str) -> str:
        """The oldest line in the console that no test has asked for yet; it holds these words."""
        until(self._has_said, f"{words} are said in the console")
        line = self.lines.pop(0)
        for word in words:
            assert word in line, line
        return line

    def allow(self, host: str) -> None:
        """Requests to this host are the page's own affair."""
        self._hosts.add(host)

    def harm(self) -> list[str]:
        """What the tag did to the pages: errors, words nobody asked for, requests to strangers."""
        self._catch_up()
        strangers = {
            request.url
            for request in self.requests
            if urlsplit(request.url).scheme in ("http", "https", "ws", "wss")
            and urlsplit(request.url).hostname not in self._hosts
        }
        errors = [f"page error: {error}" for error in self._errors]
        words = [f"said: {line}" for line in self.lines]
        boxes = [
            f"shown in {page.url}: {markup}"
            for page in self.context.pages
            for markup in page.evaluate(SHOWN)
        ]
        return errors + words + boxes + [f"request to {url}" for url in sorted(strangers)]


# The red box that PyScript shows to whoever is there.
SHOWN = """() => [...document.querySelectorAll(".py-error, .mpy-error")]
  .map((element) => element.outerHTML)"""
