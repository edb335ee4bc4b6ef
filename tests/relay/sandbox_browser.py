"""A headless browser with a shop's page on it, beside a sandbox that serves on a real port."""

from __future__ import annotations

import runpy
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route

from relay.sandbox import create_sandbox

BROWSER = runpy.run_path(str(Path(__file__).parents[2] / "playwright.config.py"))


@dataclass
class Stage:
    """A browser, a sandbox at `url`, and at every other path of that port the page `html`."""

    url: str
    client: httpx.Client
    browser: Browser
    html: str = ""


@contextmanager
def staged() -> Iterator[Stage]:
    """All of it, until the end of the block."""
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/sandbox"
    with sync_playwright() as playwright, httpx.Client(base_url=url) as client:
        browser = playwright.chromium.launch(
            executable_path=BROWSER["BROWSER"], args=BROWSER["BROWSER_ARGS"]
        )
        stage = Stage(url, client, browser)

        def page(_: Request) -> HTMLResponse:
            return HTMLResponse(stage.html)

        app = Starlette(routes=[Mount("/sandbox", create_sandbox()), Route("/{path:path}", page)])
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield stage
        finally:
            browser.close()
            server.should_exit = True
            thread.join()
            listening.close()


class Shop:
    """A page of a shop on another origin than the sandbox, in a browser of a new visitor.

    It is served for real: Chromium lets a page that a test made up reach no local port.
    """

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.origin = stage.url.replace("127.0.0.1", "localhost").removesuffix("/sandbox")
        self.context = stage.browser.new_context()
        self.context.set_default_timeout(BROWSER["TIMEOUT_MS"])
        self.page: Page = self.context.new_page()
        self.page_errors: list[str] = []
        self.page.on("pageerror", lambda error: self.page_errors.append(str(error)))
        stage.client.delete("/calls")

    def open(self, script: str) -> None:
        """The page has run `script`."""
        self.stage.html = f"<!doctype html><script>{script}</script>"
        self.page.goto(self.origin)

    def load(self, name: str) -> None:
        """The stand-in SDK has run in the page."""
        self.page.add_script_tag(url=f"{self.stage.url}/sdk/{name}.js")

    def run(self, script: str) -> Any:
        return self.page.evaluate(script)

    def calls(self, until: str) -> list[dict[str, Any]]:
        """The calls on record once one of this event name is among them."""
        found: dict[str, Any] = self.page.wait_for_function(
            """async ([url, name]) => {
                const told = await (await fetch(url)).json();
                return told.calls.some((call) => call.event_name === name) && told;
            }""",
            arg=[self.stage.url + "/calls", until],
        ).json_value()
        return list(found["calls"])

    def events(self, until: str) -> list[tuple[str | None, str | None, str | None, str | None]]:
        """Name, event ID, pixel and error of each event, up to the one of this name."""
        return [
            (call["event_name"], call["event_id"], call["pixel"], call["error"])
            for call in self.calls(until)
            if call["event_name"] is not None
        ]

    def cookies(self) -> dict[str, str]:
        return {
            str(cookie["name"]): str(cookie["value"])
            for cookie in self.context.cookies(self.origin)
        }
