"""How long the tag keeps a page's main thread from the shopper, read from the browser's trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from playwright.sync_api import Browser

from tests.bench.page_start import AGAINST, LAST, NAMES
from tests.bench.rows import PAGE, Benchmark, Row, Run, at_most
from tests.bench.shop import Shop, open_shop
from tests.bench.visits import DESKTOP, SLOW_CPU, Shopper, browser, tab

CATEGORIES = ["blink.user_timing", "devtools.timeline", "disabled-by-default-devtools.timeline"]
LONG_MS = 50.0  # what a task takes beyond this blocks, by the definition of total blocking time


@dataclass(frozen=True)
class Thread:
    """One page's main thread, from the navigation until all is sent and it is idle. In ms."""

    tasks: list[float]
    late_tasks: list[float]  # those that began once the interpreter's wasm was on its way in
    loader: float  # evaluating web/loader.js

    @property
    def blocking(self) -> float:
        """The total blocking time."""
        return sum(max(0.0, task - LONG_MS) for task in self.tasks)

    @property
    def longest_late(self) -> float:
        return max(self.late_tasks)


def traced(one: Browser, shop: Shop, way: str, who: Shopper) -> Thread:
    """A first page, in a browser that knows nothing."""
    with tab(one, who) as shopper:
        one.start_tracing(page=shopper.page, categories=CATEGORIES)
        with shopper.hears(LAST[way]):
            shopper.page.goto(shop.page(way), wait_until="commit")
        shopper.settle()
        events = json.loads(one.stop_tracing())["traceEvents"]
    return read(events, shop.page(way))


def read(events: list[dict[str, Any]], url: str) -> Thread:
    """What the trace says of the navigation to this page."""
    navigation = next(
        event
        for event in events
        if event["name"] == "navigationStart" and _data(event).get("documentLoaderURL") == url
    )
    own = [
        event
        for event in events
        if (event["pid"], event["tid"]) == (navigation["pid"], navigation["tid"])
        and event.get("ts", 0) >= navigation["ts"]
    ]
    wasm = {
        _data(event)["requestId"]
        for event in own
        if event["name"] == "ResourceSendRequest" and _data(event)["url"].endswith(".wasm")
    }
    up = min(
        event["ts"]
        for event in own
        if event["name"] == "ResourceReceiveResponse" and _data(event)["requestId"] in wasm
    )
    tasks = [event for event in own if event["name"] == "RunTask" and event["ph"] == "X"]
    return Thread(
        [task["dur"] / 1000 for task in tasks],
        [task["dur"] / 1000 for task in tasks if task["ts"] >= up],
        sum(
            event["dur"] / 1000
            for event in own
            if event["name"] == "EvaluateScript"
            and _data(event).get("url", "").endswith("/s/bench.js")
        ),
    )


def _data(event: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = event.get("args", {}).get("data", {})
    return found


def blocking(who: Shopper, ways: list[str], run: Run) -> Iterator[Row]:
    rounds: dict[str, list[Thread]] = {way: [] for way in ways}
    with open_shop() as shop, browser() as one:
        for way in ways:
            traced(one, shop, way, who)  # the machine's own caches are warm
        for _ in run.turns():
            for way in ways:
                rounds[way].append(traced(one, shop, way, who))
    bare = rounds["bare"]
    for way in ways[1:]:
        ours, is_default = rounds[way], way == "tag"
        slow = is_default and who is SLOW_CPU
        yield Row(
            f"total blocking time{NAMES[way]}, {who.name}",
            "ms",
            [each.blocking for each in ours],
            [each.blocking for each in bare],
            AGAINST,
            at_most(20, "difference") if slow else None,
            is_headline=slow,
        )
        fast = is_default and who is DESKTOP
        yield Row(
            f"longest task from the wasm's arrival on{NAMES[way]}, {who.name}",
            "ms",
            [each.longest_late for each in ours],
            [each.longest_late for each in bare],
            AGAINST,
            at_most(LONG_MS, "ours") if fast else None,
            is_headline=fast,
        )
        yield Row(
            f"main thread in all{NAMES[way]}, {who.name}",
            "ms",
            [sum(each.tasks) for each in ours],
            [sum(each.tasks) for each in bare],
            AGAINST,
        )
    if "tag" in ways:
        yield Row(
            f"evaluating the loader, {who.name}",
            "ms",
            [each.loader for each in rounds["tag"]],
            target=at_most(LONG_MS, "ours"),
        )


BENCHMARKS = [
    Benchmark("thread, loopback", PAGE, partial(blocking, DESKTOP, ["bare", "tag"])),
    Benchmark("thread, slow CPU", PAGE, partial(blocking, SLOW_CPU, ["bare", "tag"])),
    Benchmark(
        "thread, other starts",
        PAGE,
        partial(blocking, DESKTOP, ["bare", "core", "pyodide"]),
        rounds=2,
    ),
]
