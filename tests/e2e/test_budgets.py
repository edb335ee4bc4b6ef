"""What the tag costs a page before it is ready: requests and bytes, never times."""

import brotli
import httpx
from playwright.sync_api import Request

from tests.e2e.shop import Shop
from tests.e2e.shopper import Shopper

MAX_REQUESTS = 8  # measured: 7
MAX_WIRE_BYTES = 300_000  # measured: 279 167
MAX_LOADER_BYTES = 8_000  # measured: 5 937, of a site with every pixel


def test_micropython_is_ready_within_its_budget(shop: Shop, shopper: Shopper) -> None:
    """Requests to the relay and their bytes over the wire, headers included, on a first visit."""
    shop.page("/", tag=shop.tag(attributes='async data-auto-page-view="off"'))
    page = shopper.visit("/")
    page.wait_for_load_state("networkidle")
    asked = [request for request in shopper.requests if request.url.startswith(shop.relay)]
    sizes = {request.url: wire_bytes(request) for request in asked}
    assert len(asked) <= MAX_REQUESTS, sizes
    assert 100_000 < sum(sizes.values()) <= MAX_WIRE_BYTES, sizes


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
    """With the settings and the stubs of every pixel, compressed."""
    text = httpx.get(f"{shop.relay}/s/toko.js").content
    assert len(brotli.compress(text)) <= MAX_LOADER_BYTES
