"""What the tag costs a page before it is ready: requests and bytes, never times."""

import httpx
from playwright.sync_api import Request

from tests.e2e.shop import Shop
from tests.e2e.shopper import Shopper

MAX_LOADER_BYTES = 3_000  # of a site with every pixel
# How Python starts -> most requests, most bytes over the wire.
BUDGETS = {"direct": (8, 240_000), "pyscript": (8, 280_000)}


def test_micropython_is_ready_within_its_budget(shop: Shop, shopper: Shopper, start: str) -> None:
    """Requests to the relay and their bytes over the wire, headers included, on a first visit.

    Nothing comes twice, and nothing comes early that is not used.
    """
    shop.page("/", tag=shop.tag(attributes='async data-auto-page-view="off"'))
    page = shopper.context.new_page()
    words: list[str] = []
    page.on("console", lambda message: words.append(f"{message.type}: {message.text}"))
    shopper.visit("/", page=page)
    page.wait_for_load_state("networkidle")
    asked = [request for request in shopper.requests if request.url.startswith(shop.relay)]
    sizes = [(request.url, wire_bytes(request)) for request in asked]
    requests, most = BUDGETS[start]
    assert len(asked) <= requests, sizes
    assert 100_000 < sum(size for _, size in sizes) <= most, sizes
    came = [url for url, size in sizes if size]
    assert len(came) == len(set(came)), sizes
    assert [each for each in words if each.startswith(("warning", "error"))] == []


def test_the_next_page_loads_nothing_again(shop: Shop, shopper: Shopper) -> None:
    """Assets are kept for ever and the loader for minutes: the network is not asked."""
    shop.page("/", tag=shop.tag(attributes='async data-auto-page-view="off"'))
    page = shopper.visit("/")
    page.wait_for_load_state("networkidle")
    seen = len(shopper.requests)
    page = shopper.visit("/", page=page)
    page.wait_for_load_state("networkidle")
    again = [request for request in shopper.requests[seen:] if request.url.startswith(shop.relay)]
    assert {request.url: wire_bytes(request) for request in again if wire_bytes(request)} == {}


def wire_bytes(request: Request) -> int:
    """Headers and body of the answer as they came over the wire; none out of the cache."""
    sizes = request.sizes()
    return sizes["responseHeadersSize"] + sizes["responseBodySize"]


def test_the_loader_is_small(shop: Shop) -> None:
    """With the settings of every pixel, as it is served."""
    asked = {"Accept-Encoding": "br, gzip"}
    with httpx.stream("GET", f"{shop.relay}/s/toko.js", headers=asked) as answer:
        assert 1_000 < sum(map(len, answer.iter_raw())) <= MAX_LOADER_BYTES
