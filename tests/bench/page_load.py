"""What the shopper sees of the tag: the first paint and the load event, with it and without."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from playwright.sync_api import Browser

from tests.bench.rows import PAGE, Benchmark, Row, Run, columns
from tests.bench.shop import Shop, open_shop
from tests.bench.visits import DESKTOP, PHONE, Shopper, browser, tab

# The end of the load event and the first paint with something in it, in ms from the navigation.
MOMENTS = """() => new Promise((done) => {
  const tell = () => {
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    const { loadEventEnd } = performance.getEntriesByType("navigation")[0];
    if (paint && loadEventEnd) done([loadEventEnd, paint.startTime]);
    else setTimeout(tell, 20);
  };
  tell();
})"""
NAMES = ("load event", "first contentful paint")


def moments(one: Browser, shop: Shop, page: str, who: Shopper) -> list[float]:
    """Of a first visit, in a browser that knows nothing."""
    with tab(one, who) as shopper:
        shopper.page.goto(shop.page(page), wait_until="load")
        found: list[float] = shopper.page.evaluate(MOMENTS)
    return found


def loading(who: Shopper, run: Run) -> Iterator[Row]:
    with open_shop() as shop, browser() as one:
        moments(one, shop, "tag", who), moments(one, shop, "plain", who)  # warm
        rounds = [[moments(one, shop, page, who) for page in ("tag", "plain")] for _ in run.turns()]
    for place, name in enumerate(NAMES):
        pairs = columns((ours[place], plain[place]) for ours, plain in rounds)
        yield Row(f"{name}, {who.name}", "ms", *pairs, "the same page without the tag")


BENCHMARKS = [
    Benchmark("load, loopback", PAGE, partial(loading, DESKTOP), rounds=9),
    Benchmark("load, phone", PAGE, partial(loading, PHONE), rounds=7),
]
