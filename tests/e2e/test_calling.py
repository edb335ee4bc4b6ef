"""All ways of calling: JavaScript, the stub before the tag, markup, Python in the page."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Route

from tests.e2e.goods import KAOS, kaos
from tests.e2e.heard import Heard
from tests.e2e.settings import REPO
from tests.e2e.shop import STUB, Shop
from tests.e2e.shopper import Shopper
from tests.e2e.waiting import until

ITEMS = json.dumps({"items": [KAOS]})


def events(shopper: Shopper, *names: str) -> list[Any]:
    """The posted events once these names, and no others but page views, are among them."""

    def posted() -> list[Any]:
        return [event for event in shopper.posted() if event["event_name"] != "page_view"]

    return until(
        posted,
        f"{names} were posted",
        lambda found: sorted(event["event_name"] for event in found) == sorted(names),
    )


# --- JavaScript ---


def test_the_function_and_the_methods_are_the_same_calls(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """`pixelmirror("track", ...)` and `pixelmirror.track(...)`; both return the event ID."""
    shop.page("/")
    page = shopper.visit("/")
    by_function = page.evaluate("(params) => pixelmirror('track', 'view_item', params)", kaos())
    by_method = page.evaluate("(params) => pixelmirror.track('add_to_cart', params)", kaos())
    paged = page.evaluate("() => pixelmirror.page({page_type: 'cart'})")
    shopper.wait_until_acknowledged(page)
    sent = {event["event_id"]: event["event_name"] for event in shopper.posted()}
    assert sent[by_function] == "view_item"
    assert sent[by_method] == "add_to_cart"
    assert sent[paged] == "page_view"


def test_a_caller_may_give_the_event_id_and_the_destinations(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """`options.event_id` is sent as it is; `options.destinations` names the only ones."""
    shop.page("/")
    page = shopper.visit("/")
    options = {"event_id": "mine-1", "destinations": ["tiktok", "scalev.tiktok"]}
    assert shopper.track(page, "add_to_cart", kaos(), options) == "mine-1"
    assert heard.wait_for("tiktok", "AddToCart")[0]["event_id"] == "mine-1"
    assert heard.wait_for("scalev.tiktok", "AddToCart")[0]["event_id"] == "mine-1"
    heard.wait_until_delivered(["mine-1"])
    told = {row["system"] for row in heard.calls() if row["event_id"] == "mine-1"}
    assert told == {"tiktok", "scalev.tiktok"}
    assert "AddToCart" not in heard.names("meta") + heard.names("scalev.meta")
    assert heard.names("alhena") == []


def test_what_identify_tells_goes_with_later_events_of_this_page_only(
    shop: Shop, shopper: Shopper
) -> None:
    """Added to what is known; `null` forgets; the next page starts without."""
    shop.page("/")
    page = shopper.visit("/")
    shopper.call(page, "identify", {"email": "siti@example.com"})
    shopper.call(page, "identify", {"id": 77})
    shopper.track(page, "view_item", kaos())
    shopper.call(page, "identify", None)
    shopper.track(page, "view_item", kaos())
    shopper.wait_until_acknowledged(page)
    users = [event.get("user") for event in shopper.posted()]
    assert users == [None, {"email": "siti@example.com", "id": "77"}, None]


def test_ready_is_a_promise_and_an_event_on_the_document(shop: Shop, shopper: Shopper) -> None:
    """Both tell a page that Python is up."""
    listen = (
        "<script>addEventListener('pixelmirror:ready', () => (window.told = true), true)</script>"
    )
    shop.page("/", head=listen)
    page = shopper.visit("/")
    assert page.evaluate("told")
    assert page.evaluate("pixelmirror.ready.then((value) => value === pixelmirror)")


def test_the_stub_keeps_calls_with_their_times_and_their_order(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """What templates call before the tag is there is sent as of then, after the page view."""
    calls = f"""<script>
      const at = [];
      for (const name of ["view_item", "add_to_cart", "view_cart"]) {{
        at.push(Date.now());
        pixelmirror("track", name, {ITEMS});
      }}
      at.push(Date.now());
    </script>"""
    shop.page("/", calls, tag="", head=STUB)
    page = shopper.visit("/", ready=False)
    at: list[int] = page.evaluate("at")
    until(lambda: page.evaluate("Date.now()"), "time passes", lambda now: now > at[-1] + 200)
    page.evaluate(
        "(src) => document.head.append(Object.assign(document.createElement('script'), {src}))",
        f"{shop.relay}/s/toko.js",
    )
    shopper.wait_until_ready(page)
    shopper.wait_until_acknowledged(page)
    sent = shopper.posted()
    assert [event["event_name"] for event in sent] == [
        "page_view",
        "view_item",
        "add_to_cart",
        "view_cart",
    ]
    for event, earliest, latest in zip(sent[1:], at, at[1:], strict=False):
        assert earliest <= event["event_time"] <= latest
    heard.wait_for("meta", "ViewCart")
    assert heard.names("meta") == ["PageView", "ViewContent", "AddToCart", "ViewCart"]


# --- markup ---

MARKUP = {
    "click": ("<button {track}>Add</button>", "button"),
    "submit": (
        "<form {track} onsubmit='event.preventDefault()'><button>Send</button></form>",
        "form button",
    ),
    "visible": ("<div style='height:3000px'></div><p {track}>Below</p>", ""),
    "load": ("<p {track}>Here</p>", ""),
}
INSERT = """(html) => document.body.append(
  ...new DOMParser().parseFromString(`<div>${html}</div>`, "text/html").body.children)"""


@pytest.mark.parametrize("is_added_later", [False, True], ids=["in-the-page", "added-later"])
@pytest.mark.parametrize("on", MARKUP)
def test_markup_fires_at_its_moment_and_once(
    shop: Shop, shopper: Shopper, on: str, is_added_later: bool
) -> None:
    """`data-pm-track` on click, submit, sight or load, wherever the element came from."""
    markup, target = MARKUP[on]
    html = markup.format(
        track=f'data-pm-track="add_to_cart" data-pm-on="{on}" data-pm-params=\'{ITEMS}\''
    )
    shop.page("/", "" if is_added_later else html)
    page = shopper.visit("/")
    if is_added_later:
        page.evaluate(INSERT, html)
    if on in ("click", "submit", "visible"):
        shopper.wait_until_acknowledged(page)
        assert events(shopper) == []
    if on == "visible":
        page.get_by_text("Below").scroll_into_view_if_needed()
    elif target:
        page.locator(target).click()
    (event,) = events(shopper, "add_to_cart")
    assert event["params"]["value"] == 120000


def test_a_form_is_tracked_on_submit_unless_it_says_otherwise(shop: Shop, shopper: Shopper) -> None:
    """A click on it alone is none."""
    html = (
        f"<form data-pm-track=view_cart data-pm-params='{ITEMS}' onsubmit='event.preventDefault()'>"
        "<label>Note <input></label><button>Send</button></form>"
    )
    shop.page("/", html)
    page = shopper.visit("/")
    page.get_by_label("Note").click()
    page.get_by_role("button").click()
    assert len(events(shopper, "view_cart")) == 1


# --- Python ---

PYTHON = f"""
import json
from pixelmirror import consent, identify, page, reset, track
identify({{"id": "C-1"}})
track("add_to_cart", json.loads({ITEMS!r}))
reset()
page({{"page_type": "cart"}})
"""


@pytest.mark.parametrize("kind", ["mpy", "py"])
@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
def test_python_in_a_page_with_the_tag_just_works(
    shop: Shop, shopper: Shopper, heard: Heard, runtime: str, kind: str
) -> None:
    """`from pixelmirror import track` in either interpreter, whichever runs the tracker."""
    script = f'<script type="{kind}">{PYTHON}</script>'
    shop.page("/", script, tag=shop.tag(attributes=f'async data-runtime="{runtime}"'))
    page = shopper.visit("/")
    assert page.evaluate("pixelmirror._.runtime") == runtime
    heard.wait_for("meta", "AddToCart")
    heard.wait_for("meta", "PageView", 2)
    shopper.wait_until_acknowledged(page)
    (added,) = [event for event in shopper.posted() if event["event_name"] == "add_to_cart"]
    assert added["user"] == {"id": "C-1"}
    (cart,) = [each for each in shopper.posted() if each["params"].get("page_type") == "cart"]
    assert "user" not in cart
    assert cart["visitor_id"] != added["visitor_id"]
    assert heard.names("meta").count("AddToCart") == 1


def test_python_is_given_the_event_id(shop: Shop, shopper: Shopper) -> None:
    """`track` returns it to Python as to JavaScript, and never raises."""
    python = f"""
import json
import js
from pixelmirror import track
js.document.title = str(track("add_to_cart", json.loads({ITEMS!r})))
track("no_such_event")
"""
    shop.page("/", f'<script type="mpy">{python}</script>')
    page = shopper.visit("/")
    (event,) = events(shopper, "add_to_cart")
    until(page.title, "the title is the event ID", lambda title: title == event["event_id"])
    shopper.said("no_such_event", "event_name")


@pytest.mark.one_start
@pytest.mark.parametrize("kind", ["mpy", "py"])
def test_a_page_with_its_own_pyscript_needs_our_config_only(
    shop: Shop, shopper: Shopper, heard: Heard, kind: str
) -> None:
    """PyScript of its own, `config=".../s/toko/pyscript.json"`, no tag: the tracker runs in it."""
    core = own_pyscript(shop, shopper)
    config = f"{shop.relay}/s/toko/pyscript.json"
    shop.page(
        "/",
        f'<script type="{kind}" config="{config}">{PYTHON}</script>',
        tag=f'<script type="module" src="{core}"></script>',
    )
    page = shopper.visit("/?fbclid=Ab")
    heard.wait_for("meta", "AddToCart")
    heard.wait_for("meta", "PageView", 2)
    heard.wait_for("scalev.meta", "AddToCart")
    shopper.wait_until_acknowledged(page)
    assert heard.names("meta").count("AddToCart") == 1
    assert shopper.cookies()["_fbc"]["value"].endswith(".Ab")


def own_pyscript(shop: Shop, shopper: Shopper) -> str:
    """The path of PyScript's core among the shop's own files; the CDN it asks is stood in for."""
    manifest = json.loads((REPO / "web/dist/manifest.json").read_text())
    folders = {name: REPO / "web/dist" / entry.split("/")[0] for name, entry in manifest.items()}
    for file in folders["pyscript"].glob("*.js"):
        shop.file(f"/own/{file.name}", file.read_bytes(), "text/javascript")

    def from_cdn(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        files = [folders[group] / name for group in ("micropython", "pyodide")]
        (file,) = [each for each in files if each.is_file()]
        route.fulfill(path=file, content_type=MEDIA_TYPES[file.suffix])

    shopper.context.route("https://cdn.jsdelivr.net/**", from_cdn)
    shopper.allow("cdn.jsdelivr.net")
    return f"/own/{Path(manifest['pyscript']).name}"


MEDIA_TYPES = {
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
    ".zip": "application/zip",
    ".json": "application/json",
}


def test_a_page_that_configures_pyscript_otherwise_is_told_what_to_write(
    shop: Shop, shopper: Shopper
) -> None:
    """One config per interpreter is all PyScript allows: the page's own stays, nothing breaks."""
    own = '<script type="mpy" config="/own.json">import js; js.document.title = "own"</script>'
    shop.file("/own.json", b"{}", "application/json")
    shop.page("/", own)
    shopper.visit("/", ready=False)
    shopper.said('configures "mpy" itself', f"{shop.relay[5:]}/s/toko/pyscript.json")
