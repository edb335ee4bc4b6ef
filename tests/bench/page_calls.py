"""What a call costs once Python is up, what becomes of a burst, and what events leave behind."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import Browser

from tests.bench.rows import PAGE, Benchmark, Row, Run, at_least, at_most
from tests.bench.shop import COUNTED, ITEM, Shop, open_shop
from tests.bench.visits import Tab, browser, tab

CALLS = 500
SLICE = 10
ALONE = 100
BURST = 1_000
FEW, MANY = 2_000, 10_000
EMPTY_CALL = "an empty call of Python from JavaScript"

# `calls(n)`: milliseconds of n calls in one task. `sliced(n, size)`: n calls, so many in a task,
# the next once the page is idle; `alone(n)`: each once the one before is stored. All of them give
# what the calls themselves took, and end when the fate of each event is known.
HARNESS = """(item) => {
  const idle = () => new Promise((done) => requestIdleCallback(done));
  let sent = 0, wanted = 0, done = () => {};
  pixelmirror("on", "sent", (event, result) => {
    if (result.relay === "stored" && event.event_name !== "page_view" && ++sent >= wanted) done();
  });
  const stored = (count, patience = 20000) => new Promise((resolve) => {
    wanted = count;
    done = resolve;
    if (sent >= wanted) done();
    else setTimeout(resolve, patience);
  });
  window.calls = (count, name = "add_to_cart") => {
    const begin = performance.now();
    for (let i = 0; i < count; i++) pixelmirror("track", name, { items: [item] });
    return performance.now() - begin;
  };
  window.sliced = async (count, size) => {
    const before = sent;
    let took = 0;
    for (let made = 0; made < count; made += size) {
      took += calls(size);
      await idle();
    }
    await stored(before + count);
    return took;
  };
  window.alone = async (count) => {
    let took = 0;
    for (let made = 0; made < count; made++) {
      took += calls(1);
      await stored(sent + 1);
    }
    return took;
  };
  window.burst = async (count) => {
    const before = sent;
    const took = calls(count, "COUNTED");
    await stored(before + count);
    return took;
  };
}""".replace("COUNTED", COUNTED)

# Before the page's own scripts: what is ever instantiated can be asked how large its memory is.
MEMORIES = """
window.memories = [];
for (const name of ["instantiate", "instantiateStreaming"]) {
  const original = WebAssembly[name];
  WebAssembly[name] = async (...words) => {
    const made = await original.apply(WebAssembly, words);
    for (const one of Object.values((made.instance ?? made).exports ?? {}))
      if (one instanceof WebAssembly.Memory) memories.push(one);
    return made;
  };
}"""


def open_page(shopper: Tab, shop: Shop) -> None:
    """The tag is on the page, its start is over, and the harness stands."""
    shopper.visit(shop.page("tag"), "sent stored")
    shopper.settle()
    shopper.page.evaluate(HARNESS, ITEM)


def worked_us(shopper: Tab) -> tuple[float, float]:
    """What the page's main thread has ever had to do: how long it took, and of the processor."""
    metrics = shopper.cdp.send("Performance.getMetrics")["metrics"]
    found = {one["name"]: float(one["value"]) * 1e6 for one in metrics}
    return found["TaskDuration"], found["ThreadTime"]


def cost_us(shopper: Tab, script: str, count: int) -> tuple[float, float, float]:
    """For each call: of the main thread in all, of the processor in it, and in the call itself."""
    before = worked_us(shopper)
    took: float = shopper.page.evaluate(script) * 1000
    tasks, processor = (now - then for now, then in zip(worked_us(shopper), before, strict=True))
    return tasks / count, processor / count, took / count


def empty_us(bare: Tab) -> float:
    """Microseconds of an empty call: as many of them, after as many, as ours are measured by."""
    script = """(count) => {
      const begin = performance.now();
      for (let i = 0; i < count; i++) empty();
      return performance.now() - begin;
    }"""
    bare.page.evaluate(script, CALLS)
    took: float = bare.page.evaluate(script, CALLS)
    return took / CALLS * 1000


def calling(run: Run) -> Iterator[Row]:
    costs, first, alone, empty = [], [], [], []
    with open_shop() as shop, browser() as one:
        for _ in run.turns():
            with tab(one) as shopper:
                shopper.cdp.send("Performance.enable")
                open_page(shopper, shop)
                first.append(cost_us(shopper, f"sliced({SLICE}, 1)", SLICE)[0])
                shopper.page.evaluate(f"sliced({CALLS}, {SLICE})")
                costs.append(cost_us(shopper, f"sliced({CALLS}, {SLICE})", CALLS))
                alone.append(cost_us(shopper, f"alone({ALONE})", ALONE)[0])
            with tab(one) as bare:
                bare.visit(shop.page("bare"))
                bare.settle()
                empty.append(empty_us(bare))
    whole, processor, inside = zip(*costs, strict=True)
    most = at_most(90)
    yield Row("track, main thread in all", "us", whole, empty, EMPTY_CALL, most, is_headline=True)
    yield Row("track, processor time of it", "us", processor, empty, EMPTY_CALL)
    yield Row("track, the call itself", "us", inside, empty, EMPTY_CALL)
    yield Row("track, each call sent on its own", "us", alone, empty, EMPTY_CALL)
    yield Row(f"track, a page's first {SLICE} calls", "us", first, empty, EMPTY_CALL)


def bursting(run: Run) -> Iterator[Row]:
    arrived, took = [], []
    with browser() as one:
        for _ in run.turns():
            with open_shop() as shop:
                with tab(one) as shopper:
                    open_page(shopper, shop)
                    took.append(shopper.page.evaluate(f"burst({BURST})"))
                arrived.append(len(shop.relay.rows(destination="counted", state="waiting")))
    yield Row(
        f"of {BURST:,} calls in one task, at the relay",
        "",
        arrived,
        target=at_least(BURST, "ours"),
        is_headline=True,
    )
    yield Row(f"the task of {BURST:,} calls", "ms", took)


def heap_mb(shopper: Tab) -> tuple[float, float]:
    """What JavaScript's objects take after a collection, and the memories of WebAssembly."""
    shopper.cdp.send("HeapProfiler.collectGarbage")
    used: float = shopper.cdp.send("Runtime.getHeapUsage")["usedSize"]
    script = "memories.reduce((sum, one) => sum + one.buffer.byteLength, 0)"
    memory: float = shopper.page.evaluate(script)
    return used / 1e6, memory / 1e6


def leaking(run: Run) -> Iterator[Row]:
    with open_shop() as shop, browser() as one:
        many, few = heaps(one, shop, run)
    for place, what in enumerate(("JavaScript heap", "WebAssembly memory")):
        yield Row(
            f"{what} after {MANY:,} events",
            "MB",
            [many[place]],
            [few[place]],
            f"after {FEW:,}",
            at_most(1.05),
            is_headline=not place,
        )


def heaps(one: Browser, shop: Shop, run: Run) -> tuple[tuple[float, float], tuple[float, float]]:
    """After many events, and after few of them."""
    with tab(one) as shopper:
        shopper.page.add_init_script(MEMORIES)
        open_page(shopper, shop)
        run.say(f"{FEW:,} events")
        shopper.page.evaluate(f"sliced({FEW}, {SLICE * 10})")
        few = heap_mb(shopper)
        for made in range(FEW, MANY, FEW):
            run.say(f"{made + FEW:,} events")
            shopper.page.evaluate(f"sliced({FEW}, {SLICE * 10})")
        return heap_mb(shopper), few


BENCHMARKS = [
    Benchmark("calls", PAGE, calling, rounds=7),
    Benchmark("burst", PAGE, bursting, rounds=3),
    Benchmark("heap", PAGE, leaking, rounds=1),
]
