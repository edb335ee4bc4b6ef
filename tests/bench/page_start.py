"""From navigation to the first `fbq` call of an early `track`, against bare MicroPython."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from playwright.sync_api import Browser

from tests.bench.rows import PAGE, Benchmark, Row, Run, at_most
from tests.bench.shop import Shop, open_shop
from tests.bench.visits import DESKTOP, SLOW_CPU, SLOW_NET, Shopper, browser, tab

AGAINST = "bare MicroPython, preloaded"
BY_TAG = "bare MicroPython by a tag, after the first paint"

# The ways to start, and what the page says last when all of its start is over.
LAST = {
    "bare": "started",
    "by_tag": "started",
    "tag": "sent stored",
    "core": "sent stored",
    "pyodide": "sent stored",
}
NAMES = {"tag": "", "core": " through PyScript's core", "pyodide": " on Pyodide"}


def visits(one: Browser, shop: Shop, way: str, who: Shopper) -> tuple[float, float]:
    """Milliseconds of the first page and of the second, in a browser that knows nothing."""
    with tab(one, who) as shopper:
        found = []
        for number in (1, 2):
            url = f"{shop.page(way)}?{number}"
            with shopper.hears(LAST[way]):
                shopper.page.goto(url, wait_until="commit")
            shopper.settle()
            found.append(shopper.started_ms())
    return found[0], found[1]


def starting(who: Shopper, ways: list[str], run: Run) -> Iterator[Row]:
    took: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    with open_shop() as shop, browser() as one:
        for way in ways:  # the machine's own caches are warm
            visits(one, shop, way, who)
        for _ in run.turns():
            for way in ways:
                took[way].append(visits(one, shop, way, who))
    for way in [one for one in ways if one in NAMES]:
        for number, cache in enumerate(("cold", "warm")):
            what = f"start{NAMES[way]}, {cache}, {who.name}"
            ours, bare = ([each[number] for each in took[one]] for one in (way, "bare"))
            is_tag = way == "tag"
            yield Row(what, "ms", ours, bare, AGAINST, at_most(1.25) if is_tag else None, is_tag)
            if "by_tag" in ways:
                by_tag = [each[number] for each in took["by_tag"]]
                yield Row(what, "ms", ours, by_tag, BY_TAG, is_headline=cache == "cold")


BENCHMARKS = [
    *(
        Benchmark(name, PAGE, partial(starting, who, ["bare", "by_tag", "tag"]), rounds=7)
        for name, who in (
            ("start, loopback", DESKTOP),
            ("start, slow CPU", SLOW_CPU),
            ("start, slow network", SLOW_NET),
        )
    ),
    Benchmark(
        "start, other starts",
        PAGE,
        partial(starting, DESKTOP, ["bare", "core", "pyodide"]),
        rounds=3,
    ),
]
