"""Many events: a burst in one task arrives whole, and ten thousand on one page leave nothing."""

import json

import pytest
from playwright.sync_api import Page

from tests.e2e.goods import kaos
from tests.e2e.heard import Heard
from tests.e2e.shop import Shop
from tests.e2e.shopper import Shopper
from tests.e2e.waiting import until

pytestmark = pytest.mark.one_start

CALLS = 1000  # in one task, of which measured peers bring 107 to 200 to their server
PATIENCE_S = 90

# The site `bare` loads no SDK: these are all there is of its pixels.
PIXELS = """<script>
  window.heard = {};
  const hear = (name) => () => void (heard[name] = (heard[name] ?? 0) + 1);
  for (const name of ["fbq", "cact", "trackAlhenaEvent"]) window[name] = hear(name);
  for (const name of ["ttq", "kwaiq"]) {
    const queue = (window[name] = {});
    for (const method of ["track", "page", "load"]) queue[method] = hear(name);
    queue.instance = () => queue;
  }
</script>"""

# Of the servers only Tracify is sent these.
BURST = """
  window.told = [];
  pixelmirror("on", "sent", (event, {{ relay }}) => {{
    if (relay === "stored" && event.event_name === "add_to_cart") told.push(event.event_id);
  }});
  for (let i = 0; i < {calls}; i++)
    pixelmirror("track", "add_to_cart", {params},
      {{event_id: `{prefix}-${{i}}`, destinations: ["meta", "tracify"]}});
"""


def burst(prefix: str, calls: int = CALLS) -> str:
    return BURST.format(calls=calls, params=json.dumps(kaos()), prefix=prefix)


def missing(heard: Heard, prefix: str) -> list[str]:
    """Those that the relay does not hold."""
    held = {row["event_id"] for row in heard.deliveries("bare", destination="tracify")}
    return [event_id for event_id in ids(prefix) if event_id not in held]


def all_arrive(heard: Heard, prefix: str) -> None:
    what = "the relay has all of the burst"
    until(lambda: missing(heard, prefix), what, lambda found: not found, PATIENCE_S)


def told(page: Page) -> list[str]:
    """The events that the page was told are stored, in that order."""
    found: list[str] = page.evaluate("told")
    return found


def ids(prefix: str) -> list[str]:
    return [f"{prefix}-{i}" for i in range(CALLS)]


def test_a_burst_before_python_is_up_arrives_whole(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """A thousand inline calls in one task: all are stored, in order, and fire once."""
    shop.page(
        "/",
        f"<script>{burst('early')}</script>",
        head=PIXELS,
        tag=shop.tag("bare", attributes=""),
    )
    page = shopper.visit("/")
    all_arrive(heard, "early")
    until(lambda: told(page), "all are told in order", lambda found: found == ids("early"))
    assert page.evaluate("heard.fbq") == CALLS + 2, "the set-up and the page view beside them"


def test_a_burst_after_python_is_up_arrives_whole(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """A thousand calls in one task of the page: all are stored, in order, and fire once."""
    shop.page("/", head=PIXELS, tag=shop.tag("bare"))
    page = shopper.visit("/")
    page.evaluate(f"() => {{ {burst('late')} }}")
    all_arrive(heard, "late")
    until(lambda: told(page), "all are told in order", lambda found: found == ids("late"))
    assert page.evaluate("heard.fbq") == CALLS + 2


# Each request is all but what the browser sends on of a page that goes, and follows at once upon
# the answer to the one before.
REQUESTS = """(params) => new Promise((done) => {
  const [calls, requests] = [110, 11];
  const fates = [];
  const call = () => {
    for (let i = 0; i < calls; i++)
      pixelmirror("track", "add_to_cart", params, { destinations: ["meta", "tracify"] });
  };
  pixelmirror("on", "sent", (event, { relay }) => {
    fates.push(relay);
    if (fates.length === calls * requests) done(fates);
    else if (fates.length % calls === 0) call();
  });
  call();
})"""


def test_requests_one_after_the_other_find_the_browsers_room_given_back(
    shop: Shop, shopper: Shopper
) -> None:
    """The browser refuses what is more than 64 KiB of `keepalive` requests under way."""
    shop.page("/", head=PIXELS, tag=shop.tag("bare", attributes='data-auto-page-view="off"'))
    fates = shopper.visit("/").evaluate(REQUESTS, kaos())
    assert set(fates) == {"stored"}
    sizes = [len(json.dumps(body)) for body in shopper.bodies("bare")]
    assert len(sizes) == 11
    assert min(sizes) > 64 * 1024 / 2, "two of them are more than the browser takes"


def test_the_rest_of_a_burst_goes_from_the_next_page(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """The browser sends on 64 KiB of a page that leaves; a thousand events are more than that."""
    tag = shop.tag("bare", attributes='async data-auto-page-view="off"')
    for path in ("/", "/next"):
        shop.page(path, head=PIXELS, tag=tag)
    page = shopper.visit("/")
    page.evaluate(f"() => {{ {burst('left')} location.href = '/next'; }}")
    page.wait_for_url("**/next")
    all_arrive(heard, "left")


def test_the_rest_of_a_burst_before_python_was_up_goes_from_the_next_page(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """The loader beacons no more than the browser takes; all of it is written ahead."""
    shop.page(
        "/",
        f"<script>{burst('gone')} location.href = '/next'</script>",
        head=PIXELS,
        tag=shop.tag("bare", attributes='data-auto-page-view="off"'),
    )
    later = shop.tag("bare", attributes='async data-auto-page-view="off"')
    shop.page("/next", head=PIXELS, tag=later)
    page = shopper.visit("/", ready=False)
    page.wait_for_url("**/next")
    all_arrive(heard, "gone")


def test_the_last_200_orders_are_remembered(shop: Shop, shopper: Shopper) -> None:
    """scalev R30: once per order in this browser, whose list of orders does not grow for ever."""
    shop.page("/", head=PIXELS, tag=shop.tag("bare"))
    page = shopper.visit("/")
    taken = page.evaluate(
        """(params) => [...Array(201).keys(), 0, 200].map((i) =>
          Boolean(pixelmirror.track("purchase", { ...params, id: `ORD-${i}`, value: 1 },
            { destinations: ["meta"] })))""",
        kaos(),
    )
    assert taken == [True] * 201 + [True, False], "the first is forgotten, the last is not"
    orders = page.evaluate("() => JSON.parse(localStorage.getItem('pm.bare.orders'))")
    assert (len(orders), orders[-1]) == (200, "ORD-0-purchase")


# --- what events leave behind ---

# Of these no server is sent anything.
MANY = """async ({ calls, params }) => {
  const destinations = ["meta", "tiktok", "kwai", "commanders_act", "alhena"];
  window.told ??= (pixelmirror("on", "sent", () => void (window.told += 1)), 0);
  for (let made = 0; made < calls; made += 50) {
    const before = told;
    for (let i = 0; i < 50; i++) pixelmirror("track", "add_to_cart", params, { destinations });
    while (told < before + 50) await new Promise((done) => setTimeout(done, 5));
  }
}"""

# In the interpreter that runs the tracker. It collects only when it has returned to the page.
PYTHON = """<script type="mpy">
import gc
import js

def collect():
    gc.collect()

def allocated():
    return gc.mem_alloc()

js.collect, js.allocated = collect, allocated
</script>"""


def sizes(page: Page) -> dict[str, int]:
    """What is in use after collections, in bytes, and how many objects each side holds."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    found: dict[str, int] = page.evaluate(
        """() => {
          collect();
          return { python: allocated(), proxies: proxy_js_ref.filter(Boolean).length,
            functions: proxy_js_map.size, entries: localStorage.length };
        }"""
    )
    session.send("HeapProfiler.collectGarbage")
    found["javascript"] = int(session.send("Runtime.getHeapUsage")["usedSize"])
    session.detach()
    return found


def test_ten_thousand_events_on_one_page_leave_nothing(shop: Shop, shopper: Shopper) -> None:
    """Both heaps are as large after 10,000 events as after 2,000, and nothing is kept."""
    shop.page("/", PYTHON, head=PIXELS, tag=shop.tag("bare"))
    page = shopper.visit("/")
    page.wait_for_function("() => window.allocated")
    page.set_default_timeout(PATIENCE_S * 1000)
    page.evaluate(MANY, {"calls": 2000, "params": kaos()})
    few = sizes(page)
    page.evaluate(MANY, {"calls": 8000, "params": kaos()})
    many = sizes(page)
    assert page.evaluate("heard.trackAlhenaEvent") == 10000
    assert many["entries"] == few["entries"], (few, many)
    # A byte for each event would be 8,000.
    assert many["python"] < few["python"] + 4000, (few, many)
    assert many["javascript"] < few["javascript"] + 400_000, (few, many)
    for what in ("proxies", "functions"):
        assert many[what] <= few[what] + 5, (few, many)
