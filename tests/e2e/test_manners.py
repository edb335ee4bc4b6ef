"""Manners on someone else's page: one tracker, nothing shown, nobody else asked, no error."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from tests.e2e.goods import kaos
from tests.e2e.heard import Heard
from tests.e2e.shop import Shop
from tests.e2e.shopper import Shopper

INSERTED = """<script>
  document.head.append(Object.assign(document.createElement("script"), {{src: "{src}"}}));
</script>"""

# Where the tag stands: in the head and in the body of a page.
PLACES = {
    "async-in-the-head": ('<script async src="{src}"></script>', ""),
    "plain-in-the-head": ('<script src="{src}"></script>', ""),
    "deferred": ('<script defer src="{src}"></script>', ""),
    "at-the-end-of-the-body": ("", '<script src="{src}"></script>'),
    "inserted-by-a-script": ("", INSERTED),
    "twice": ('<script async src="{src}"></script>', '<script async src="{src}"></script>'),
    "twice-in-a-row": ('<script src="{src}"></script><script src="{src}"></script>', ""),
}


@pytest.mark.one_start
@pytest.mark.parametrize("place", PLACES)
def test_wherever_the_tag_stands_it_runs_once(
    shop: Shop, shopper: Shopper, heard: Heard, place: str
) -> None:
    """One tracker, one page view, each pixel set up once; a second tag does nothing."""
    src = f"{shop.relay}/s/toko.js"
    head, body = (part.format(src=src) for part in PLACES[place])
    shop.page("/", body, tag="", head=head)
    page = shopper.visit("/")
    page.wait_for_load_state()
    shopper.track(page, "add_to_cart", kaos())
    shopper.wait_until_acknowledged(page)
    heard.wait_for("alhena", "sendCartEvent")
    for system in ("meta", "tiktok", "kwai"):
        heard.wait_for(system, "addToCart" if system == "kwai" else "AddToCart")
        calls = [row["call"][0] for row in heard.calls(system)]
        assert calls == [
            "init" if system == "meta" else "load",
            "track" if system == "meta" else "page",
            "track",
        ]
    assert [event["event_name"] for event in shopper.posted()] == ["page_view", "add_to_cart"]


def test_page_views_are_the_pages_own_affair_where_it_says_so(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """`data-auto-page-view="off"`: none by itself, on no path; the page's own calls count."""
    shop.page("/", tag=shop.tag(attributes='async data-auto-page-view="off"'))
    page = shopper.visit("/")
    page.evaluate("history.pushState(null, '', '/p/kaos')")
    shopper.call(page, "page", {"page_type": "product"})
    heard.wait_for("meta", "PageView")
    shopper.wait_until_acknowledged(page)
    assert [event["params"] for event in shopper.posted()] == [{"page_type": "product"}]
    assert heard.names("meta") == ["PageView"]


def test_each_new_path_of_a_single_page_app_is_one_page_view(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """pushState, replaceState and the back button; another query or hash of one path is none."""
    shop.page("/")
    page = shopper.visit("/?utm_source=fb")
    for move in (
        "history.pushState({}, '', '/p/kaos')",
        "history.replaceState({}, '', '/p/kaos?size=m')",
        "history.pushState({}, '', '#reviews')",
        "history.replaceState({}, '', '/p/paket')",
    ):
        page.evaluate(move)
    page.evaluate("history.back()")
    page.wait_for_url("**/p/kaos?size=m")
    page.evaluate("history.go(-1)")
    page.wait_for_url("**/?utm_source=fb")
    shopper.wait_until_acknowledged(page)
    sent = shopper.posted()
    assert [urlsplit(event["page"]["url"]).path for event in sent] == [
        "/",
        "/p/kaos",
        "/p/paket",
        "/p/kaos",
        "/",
    ]
    assert sent[1]["page"]["referrer"] == shop.url("/?utm_source=fb")
    assert len({event["event_id"] for event in sent}) == len(sent)
    heard.wait_for("meta", "PageView", len(sent))
    heard.wait_for("commanders_act", "page_view", len(sent))
    assert heard.names("meta") == ["PageView"] * len(sent)


@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
def test_nothing_is_shown_or_added_to_the_body(shop: Shop, shopper: Shopper, runtime: str) -> None:
    """The body is what the shop wrote, also after an error: no banner, no element."""
    tag = shop.tag(attributes=f'async data-runtime="{runtime}"')
    shop.page("/", "<main><p>Kaos</p></main>", tag=tag)
    page = shopper.visit("/")
    shopper.call(page, "track", "no_such_event")
    shopper.said("no_such_event")
    shopper.track(page, "add_to_cart", kaos())
    shopper.wait_until_acknowledged(page)
    assert page.evaluate("document.body.innerHTML") == "<h1>Toko</h1><main><p>Kaos</p></main>"
    assert page.evaluate("document.documentElement.children.length") == 2


@pytest.mark.parametrize("kind", ["mpy", "py"])
def test_an_error_in_the_pages_own_python_shows_no_banner(
    shop: Shop, shopper: Shopper, kind: str
) -> None:
    """PyScript would put a red box before the shoppers; the tracker goes on beside it."""
    script = f'<script type="{kind}">raise ValueError("shop bug")</script>'
    shop.page("/", script)
    page = shopper.context.new_page()
    with page.expect_console_message(lambda message: "shop bug" in message.text):
        shopper.visit("/", page=page)
    shopper.track(page, "add_to_cart", kaos())
    shopper.wait_until_acknowledged(page)
    assert page.locator(".py-error, .mpy-error").count() == 0


def test_nobody_but_relay_and_sdks_is_asked_for_anything(
    shop: Shop, shopper: Shopper, heard: Heard, sandbox: str
) -> None:
    """No asset comes from a third party; the pixels' SDKs are asked for once each."""
    shop.page("/")
    page = shopper.visit("/")
    heard.wait_for("meta", "PageView")
    shopper.wait_until_acknowledged(page)
    urls = [request.url for request in shopper.requests]
    assert {urlsplit(url).netloc for url in urls} == {
        urlsplit(address).netloc for address in (shop.url("/"), shop.relay, sandbox)
    }
    sdks = [urlsplit(url).path for url in urls if "/sdk/" in url]
    assert sorted(sdks) == [
        f"/sandbox/sdk/{name}.js" for name in ("alhena", "commanders_act", "kwai", "meta", "tiktok")
    ]


# What each way to start cannot do without.
NEEDED = {
    "direct": ["page.js", "micropython.mjs", "micropython.wasm", "pixelmirror.romfs"],
    "pyscript": ["core.js", "micropython.mjs", "micropython.wasm", "pixelmirror.tar.gz"],
}


@pytest.mark.parametrize("n", range(4))
def test_an_asset_that_does_not_arrive_harms_nothing(
    shop: Shop, shopper: Shopper, heard: Heard, start: str, n: int
) -> None:
    """One line in the console, no error of the page's; its calls arrive when the shopper leaves."""
    shopper.context.route(f"**/{NEEDED[start][n]}", lambda route: route.abort())
    listen = "<script>addEventListener('unhandledrejection', () => (window.rejected = 1))</script>"
    shop.page("/", listen, tag=shop.tag(attributes=""))
    shop.page("/next", tag="")
    page: Page = shopper.visit("/", ready=False)
    shopper.said("Python could not be started")
    assert page.evaluate("window.rejected") is None
    shopper.call(page, "track", "add_to_cart", kaos())
    shopper.visit("/next", page=page, ready=False)
    heard.wait_for("scalev.meta", "AddToCart")
