"""When Python starts, and in what: never in the page's way, and at once where it may be left."""

import json

import pytest

from tests.e2e.goods import kaos
from tests.e2e.heard import Heard
from tests.e2e.shop import Shop
from tests.e2e.shopper import Shopper
from tests.e2e.waiting import until

# A page that is never idle: no frame, no free moment, and no end of the longest wait for them.
BUSY = """
  const wait = window.setTimeout;
  window.setTimeout = (action, ms, ...rest) => [100, 500].includes(ms) || wait(action, ms, ...rest);
  window.requestAnimationFrame = window.requestIdleCallback = () => 0;
  scheduler.postTask = () => new Promise(() => {});
"""
# page.js has taken the place of the loader's list.
IS_WHOLE = "() => Boolean(window.pixelmirror) && pixelmirror._.offers.length === undefined"
IS_UP = "() => Promise.race([pixelmirror.ready.then(() => true), Promise.resolve(false)])"

URGENT = {
    "purchase": "pixelmirror('track', 'purchase', {params})",
    "begin_checkout": "pixelmirror('track', 'begin_checkout', {params})",
    "submit": "document.querySelector('button').click()",
}
FORM = (
    f"<form data-pm-track=view_cart data-pm-params='{json.dumps(kaos())}' "
    "onsubmit='event.preventDefault()'><button>Send</button></form>"
)


@pytest.mark.parametrize("what", URGENT)
def test_what_a_navigation_may_follow_starts_python_at_once(
    shop: Shop, shopper: Shopper, what: str
) -> None:
    """A page that is busy waits; the call that may be its last one does not."""
    shopper.context.add_init_script(BUSY)
    shop.page("/", FORM)
    page = shopper.visit("/", ready=False)
    until(lambda: page.evaluate(IS_WHOLE), "the rest of the page's code is there")
    assert not page.evaluate(IS_UP)
    params = json.dumps({"id": f"ORD-{what}", "value": 1, **kaos()})
    page.evaluate("() => {" + URGENT[what].replace("{params}", params) + "}")
    shopper.wait_until_ready(page)
    shopper.wait_until_acknowledged(page)
    assert len(shopper.posted()) == 2


def test_a_hidden_page_waits_for_no_paint(shop: Shop, shopper: Shopper) -> None:
    """A tab opened in the background is tracked too."""
    shopper.context.add_init_script(
        """Object.defineProperty(Document.prototype, "hidden", {get: () => true});
        window.requestAnimationFrame = () => 0;"""
    )
    shop.page("/")
    page = shopper.visit("/")
    shopper.wait_until_acknowledged(page)
    assert [event["event_name"] for event in shopper.posted()] == ["page_view"]


OWN = {
    "none": "",
    "mpy": '<script type="mpy">import js; js.document.title = "own"</script>',
    "config": "<mpy-config>{}</mpy-config>",
}


@pytest.mark.parametrize("own", OWN)
def test_pyscripts_core_comes_only_where_it_is_needed(
    shop: Shop, shopper: Shopper, heard: Heard, start: str, own: str
) -> None:
    """For the tag's attribute, or Python of the page's own; never two interpreters on one page."""
    shop.page("/", OWN[own])
    page = shopper.visit("/", ready=own != "config")
    if own == "config":
        shopper.said("configures", "mpy")
    else:
        shopper.track(page, "add_to_cart", kaos())
        heard.wait_for("meta", "AddToCart")
        shopper.wait_until_acknowledged(page)
    asked = [request.url.rpartition("/")[2] for request in shopper.requests]
    assert asked.count("micropython.wasm") <= 1
    if own == "none":
        assert ("core.js" in asked) == (start == "pyscript")
    if own == "mpy":
        assert "core.js" in asked
        until(page.title, "the page's own Python has run", lambda title: title == "own")
