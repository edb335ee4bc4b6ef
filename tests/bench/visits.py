"""Visits of a headless Chromium to a page: its processor and network slowed as asked."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CONFIG = runpy.run_path(str(Path(__file__).parents[2] / "playwright.config.py"))

TIMEOUT_MS = 60_000  # of one wait: the machine may be slow and busy

# "Slow 4G" as DevTools throttles it: 1.6 Mbit/s down and 0.75 up, of which it leaves 90 %, and
# 150 ms, of which it makes 3.75 times as much for each request.
SLOW_4G = {
    "offline": False,
    "latency": 150 * 3.75,
    "downloadThroughput": 1.6e6 / 8 * 0.9,
    "uploadThroughput": 0.75e6 / 8 * 0.9,
}


@dataclass(frozen=True)
class Shopper:
    """What one surfs with: `cpu` times slower than this machine, on such a network."""

    name: str
    cpu: float = 1
    network: dict[str, Any] | None = None


DESKTOP = Shopper("loopback")
SLOW_CPU = Shopper("4x slower CPU", cpu=4)
SLOW_NET = Shopper("slow 4G", network=SLOW_4G)
PHONE = Shopper("4x slower CPU on slow 4G", cpu=4, network=SLOW_4G)


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=CONFIG["BROWSER"], args=CONFIG["BROWSER_ARGS"]
        )
        yield launched
        launched.close()


@contextmanager
def tab(one: Browser, who: Shopper = DESKTOP) -> Iterator[Tab]:
    """A tab of a browser that knows nothing yet."""
    context = one.new_context(user_agent=CONFIG["USER_AGENT"], viewport=CONFIG["VIEWPORT"])
    context.set_default_timeout(TIMEOUT_MS)
    found = Tab(context)
    found.slow_down(who)
    yield found
    context.close()


class Tab:
    """A page under the protocol's eyes. What is waited for is said in its console."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.cdp = context.new_cdp_session(self.page)
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._on_console)

    def _on_console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def slow_down(self, who: Shopper) -> None:
        """From now on the tab is this shopper's."""
        self.cdp.send("Emulation.setCPUThrottlingRate", {"rate": who.cpu})
        if who.network:
            self.cdp.send("Network.enable")
            self.cdp.send("Network.emulateNetworkConditions", who.network)

    def visit(self, url: str, word: str = "started") -> None:
        """The page is there, and has said this word in its console."""
        with self.hears(word):
            self.page.goto(url, wait_until="commit")

    @contextmanager
    def hears(self, word: str) -> Iterator[None]:
        """What is done inside ends with this word in the console; what was said instead is told."""
        try:
            with self.page.expect_console_message(lambda message: message.text == word):
                yield
        except Exception as error:
            raise AssertionError(f"no {word!r} in {self.page.url}: {self.errors}") from error

    def settle(self) -> None:
        """The page has loaded and has nothing to do."""
        self.page.wait_for_load_state("load")
        self.page.evaluate(
            "() => new Promise((done) => requestIdleCallback(() => requestIdleCallback(done)))"
        )

    def started_ms(self) -> float:
        """From the start of the navigation to the moment the page calls `started`."""
        at: float = self.page.evaluate("window.at")
        return at
