"""Fixtures: one browser and one set of servers for all tests, a shopper of its own for each.

Every test runs once for each way in which the tag starts Python, but for those in which that makes
no difference: on Pyodide, which has one way, and those marked `one_start`.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.heard import Heard
from tests.e2e.processes import Process, free_port
from tests.e2e.settings import CONFIG, REPO
from tests.e2e.shop import HOST, Shop
from tests.e2e.shopper import Shopper
from tests.e2e.site_files import SITES, write

# Names under which the shop is visited; the browser takes every name for this machine.
SHOP_HOSTS = (HOST, "127.0.0.1", "localhost", "www.toko.example", "www.toko.co.id")
SECURE_SHOP = "https://www.toko.example"
RELAY_HOSTS = ("127.0.0.1", "t.toko.example")

NewShopper = Callable[..., Shopper]

# How Python starts -> what the tag says for it.
STARTS = {"direct": "", "pyscript": ' data-start="pyscript"'}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "one_start: how Python starts makes no difference here")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What a second run could not tell from the first is left out."""
    repeated = [item for item in items if isinstance(item, pytest.Function) and is_repeated(item)]
    config.hook.pytest_deselected(items=repeated)
    items[:] = [item for item in items if item not in repeated]


def is_repeated(item: pytest.Function) -> bool:
    given = item.callspec.params if hasattr(item, "callspec") else {}
    has_one = "pyodide" in given.values() or item.get_closest_marker("one_start")
    return given.get("start") == "pyscript" and bool(has_one)


@pytest.fixture(scope="package")
def built() -> None:
    """What the relay serves of our own code is what is in the source files."""
    ours = ["loader", "page", "tracker", "image", "direct_image", "client"]
    subprocess.run([sys.executable, REPO / "web/build.py", *ours], check=True)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=CONFIG["TIMEOUT_MS"])
    assert CONFIG["BROWSER"], "no Chromium found, see playwright.config.py"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=CONFIG["BROWSER"], args=CONFIG["BROWSER_ARGS"]
        )
        yield launched
        launched.close()


@pytest.fixture
def caching_browser(browser: Browser) -> Iterator[Browser]:
    """A browser with its back/forward cache, which Playwright switches off elsewhere."""
    launched = browser.browser_type.launch(
        executable_path=CONFIG["BROWSER"],
        args=CONFIG["BROWSER_ARGS"],
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield launched
    launched.close()


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="package")
def sandbox(folder: Path) -> Iterator[str]:
    """The sandbox's address."""
    port = free_port()
    process = Process(CONFIG["sandbox"](port), folder / "sandbox.log")
    process.start()
    yield f"http://127.0.0.1:{port}"
    process.stop()


@pytest.fixture(scope="package")
def relay_port() -> int:
    return free_port()


@pytest.fixture(scope="package")
def the_shop(relay_port: int) -> Iterator[Shop]:
    shop = Shop(f"http://127.0.0.1:{relay_port}")
    yield shop
    shop.close()


@pytest.fixture(scope="package", params=STARTS)
def start(request: pytest.FixtureRequest, the_shop: Shop) -> str:
    """How Python starts in the shop's pages."""
    way: str = request.param
    the_shop.start = STARTS[way]
    return way


@pytest.fixture(scope="package")
def relay_process(
    built: None, folder: Path, relay_port: int, sandbox: str, the_shop: Shop, start: str
) -> Iterator[Process]:
    """The relay; for each way to start it has an outbox of its own, as an ID is stored once."""
    origins = [SECURE_SHOP, *(the_shop.origin(host) for host in SHOP_HOSTS)]
    files = write(folder, sandbox, origins)
    command = CONFIG["relay"](relay_port, files, folder / f"data-{start}")
    process = Process(command, folder / f"relay-{start}.log")
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="package")
def the_heard(relay_process: Process, relay_port: int, sandbox: str) -> Iterator[Heard]:
    heard = Heard(sandbox, f"http://127.0.0.1:{relay_port}")
    yield heard
    heard.close()


@pytest.fixture(scope="package")
def demo(built: None, folder: Path) -> Iterator[str]:
    """The address of the demo of `make run`."""
    port = free_port()
    process = Process(CONFIG["demo"](port), folder / "demo.log")
    process.start()
    yield f"http://127.0.0.1:{port}"
    process.stop()


@pytest.fixture
def relay(relay_process: Process, the_heard: Heard) -> Iterator[Process]:
    """The relay, for tests that stop it; it runs again afterwards."""
    yield relay_process
    if not relay_process.is_running:
        relay_process.start()


@pytest.fixture
def heard(the_heard: Heard, relay: Process) -> Iterator[Heard]:
    """What the outside systems hear from now on; nothing of it is left for the next test."""
    the_heard.begin()
    yield the_heard
    the_heard.normal()
    if relay.is_running:
        the_heard.wait_until_idle(SITES)


@pytest.fixture
def shop(the_shop: Shop) -> Iterator[Shop]:
    yield the_shop
    the_shop.clear()


@contextmanager
def shoppers(browser: Browser, shop: Shop) -> Iterator[NewShopper]:
    """Makes shoppers, each with a browser profile of his own; none of them comes to harm."""
    made: list[Shopper] = []

    def make(init_script: str = "", **options: Any) -> Shopper:
        context = browser.new_context(**{"viewport": CONFIG["VIEWPORT"], **options})
        if init_script:
            context.add_init_script(init_script)
        made.append(Shopper(context, shop, (*SHOP_HOSTS, *RELAY_HOSTS)))
        return made[-1]

    yield make
    harm = [line for shopper in made for line in shopper.harm()]
    for shopper in made:
        shopper.context.close()
    assert not harm


@pytest.fixture
def new_shopper(browser: Browser, shop: Shop, heard: Heard) -> Iterator[NewShopper]:
    with shoppers(browser, shop) as make:
        yield make


@pytest.fixture
def shopper(new_shopper: NewShopper) -> Shopper:
    return new_shopper()
