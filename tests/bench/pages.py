"""What the tag costs a page: against the same page without it, and with the runtime alone."""

from __future__ import annotations

import json
import runpy
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from playwright.sync_api import Browser, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from relay.assets import Assets
from relay.pages import SitePages
from relay.site import parse

CONFIG = runpy.run_path(str(Path(__file__).parents[2] / "playwright.config.py"))
Pair = tuple[Callable[[], float], Callable[[], float]]

PAGE = "<!doctype html><title>Shop</title><h1>Shop</h1>"
TAG = '<script async src="/s/bench.js"></script>'
BARE = """<script type="mpy" config='{config}' target="#bare" id="bare">
from js import Event, document
document.dispatchEvent(Event.new("pixelmirror:ready"))
</script><script type="module" src="{core}"></script>"""


@contextmanager
def server() -> Iterator[str]:
    """A shop with three pages: without anything, with the tag, with MicroPython alone."""
    listening = socket.create_server(("127.0.0.1", 0))  # who connects before it runs just waits
    port = listening.getsockname()[1]
    base = f"//127.0.0.1:{port}/s"
    raw = {
        "site": "bench",
        "publishable_key": "pmk_bench",
        "secret_key": "not-a-secret",
        "origins": [f"http://127.0.0.1:{port}"],
        "destinations": {"meta": {"mode": "browser", "pixel_ids": ["1"], "sdk_url": ""}},
    }
    assets = Assets()
    pages = SitePages(parse(raw, "bench"), assets)
    bare = BARE.format(
        config=json.dumps({"interpreter": assets.url(base, "micropython"), "plugins": ["!error"]}),
        core=assets.url(base, "pyscript"),
    )
    bodies = {"/": PAGE, "/tag": PAGE + TAG, "/bare": PAGE + bare}

    async def page(request: Request) -> Response:
        return HTMLResponse(bodies[request.url.path])

    async def loader(request: Request) -> Response:
        return Response(pages.loader(base), media_type="text/javascript")

    async def taken(request: Request) -> Response:
        return Response(status_code=204)

    app = Starlette(
        routes=[
            Route("/s/bench.js", loader),
            Route("/s/bench", taken, methods=["POST"]),
            Route("/s/assets/{path:path}", assets.endpoint),
            *(Route(path, page) for path in bodies),
        ]
    )
    running = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{port}"
    running.should_exit = True
    thread.join()


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(
            executable_path=CONFIG["BROWSER"], args=CONFIG["BROWSER_ARGS"]
        )
        yield one
        one.close()


MARK = """addEventListener("load", () => setTimeout(() => window.loaded = performance.now()));
document.addEventListener("pixelmirror:ready", () => window.ready = performance.now());"""


def visit(one: Browser, url: str, moment: str) -> float:
    """Seconds from the start of the navigation to the moment, in a browser that knows nothing."""
    context = one.new_context(user_agent=CONFIG["USER_AGENT"])
    context.add_init_script(MARK)
    page = context.new_page()
    page.goto(url)
    page.wait_for_function(f"window.{moment}")
    took: float = page.evaluate(f"window.{moment}") / 1000
    context.close()
    return took


@contextmanager
def loading() -> Iterator[Pair]:
    with server() as shop, browser() as one:
        yield (
            lambda: visit(one, f"{shop}/tag", "loaded"),
            lambda: visit(one, f"{shop}/", "loaded"),
        )


@contextmanager
def starting() -> Iterator[Pair]:
    with server() as shop, browser() as one:
        yield (
            lambda: visit(one, f"{shop}/tag", "ready"),
            lambda: visit(one, f"{shop}/bare", "ready"),
        )


BENCHMARKS = [
    ("page load event with the tag", "the same page without it", loading),
    ("tracker ready, cold cache, MicroPython", "PyScript and MicroPython alone", starting),
]
