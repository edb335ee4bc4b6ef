"""What the tag fetches: bytes over the wire and requests, on a first page and on a second."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser

from tests.bench.page_start import AGAINST, LAST, NAMES
from tests.bench.rows import PAGE, Benchmark, Row, Run, at_most
from tests.bench.shop import Shop, open_shop
from tests.bench.visits import Tab, browser, tab

# What is told of the pages: first or second, of which figure, and what it is called.
FIGURES = [
    ("cold", 0, 0, "kB", "over the wire", at_most(240, "ours")),
    ("cold", 0, 1, "", "requests", at_most(8, "ours")),
    ("warm", 1, 1, "", "requests", at_most(1, "ours")),
]


class Wire:
    """What came over the network from the relay, but for the answers to what was sent to it."""

    def __init__(self, shopper: Tab, relay: str) -> None:
        self.fetched: dict[str, float] = {}  # request -> bytes, head and body as encoded
        self._relay = relay
        shopper.cdp.on("Network.requestWillBeSent", self._on_request)
        shopper.cdp.on("Network.requestServedFromCache", self._on_cached)
        shopper.cdp.on("Network.responseReceived", self._on_response)
        shopper.cdp.on("Network.loadingFinished", self._on_end)
        shopper.cdp.send("Network.enable")

    def _on_request(self, event: dict[str, Any]) -> None:
        request = event["request"]
        if request["url"].startswith(self._relay) and request["method"] == "GET":
            self.fetched[event["requestId"]] = 0.0

    def _on_cached(self, event: dict[str, Any]) -> None:
        self.fetched.pop(event["requestId"], None)

    def _on_response(self, event: dict[str, Any]) -> None:
        if event["response"].get("fromDiskCache"):
            self._on_cached(event)

    def _on_end(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self.fetched:
            self.fetched[event["requestId"]] = event["encodedDataLength"]

    def taken(self) -> tuple[float, float]:
        """kB and requests since this was asked last."""
        found = sum(self.fetched.values()) / 1000, float(len(self.fetched))
        self.fetched.clear()
        return found


def wire(one: Browser, shop: Shop, way: str) -> list[tuple[float, float]]:
    """kB and requests of the first page and of the second."""
    with tab(one) as shopper:
        relay = Wire(shopper, shop.relay.url)
        found = []
        for number in (1, 2):
            with shopper.hears(LAST[way]):
                shopper.page.goto(f"{shop.page(way)}?{number}", wait_until="commit")
            shopper.settle()
            found.append(relay.taken())
    return found


def fetching(run: Run) -> Iterator[Row]:
    with open_shop() as shop, browser() as one:
        bare = wire(one, shop, "bare")
        for way, name in NAMES.items():
            run.say(way)
            ours = wire(one, shop, way)
            for cache, number, figure, unit, what, target in FIGURES:
                yield Row(
                    f"{what}{name}, {cache}",
                    unit,
                    [ours[number][figure]],
                    [bare[number][figure]],
                    AGAINST,
                    target if way == "tag" else None,
                    is_headline=way == "tag",
                )


BENCHMARKS = [Benchmark("bytes", PAGE, fetching, rounds=1)]
