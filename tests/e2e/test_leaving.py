"""Leaving at once: what was called from the moment the script has arrived is never lost."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.e2e.goods import KAOS, kaos
from tests.e2e.heard import Heard
from tests.e2e.shop import Shop
from tests.e2e.shopper import Shopper
from tests.e2e.waiting import until

CALLS = 20  # of which measured peers lose 10 to 20

# Calls 20 events with IDs that only these tests know, then does `then`.
CALL_AND = """
  for (let i = 0; i < {calls}; i++)
    pixelmirror("track", "add_to_cart", {params}, {{event_id: `{prefix}-${{i}}`}});
  {then}
"""


def calling(prefix: str, then: str) -> str:
    return CALL_AND.format(calls=CALLS, params=json.dumps(kaos()), prefix=prefix, then=then)


def ids(prefix: str) -> list[str]:
    return [f"{prefix}-{i}" for i in range(CALLS)]


def all_stored(heard: Heard, prefix: str) -> None:
    """The relay has all of them, each server copy arrived once."""
    heard.wait_until_delivered(ids(prefix))
    told = [event_id for _, event_id in heard.events("scalev.meta")]
    assert sorted(str(each) for each in told) == sorted(ids(prefix))


def test_before_python_is_up_no_call_is_lost(shop: Shop, shopper: Shopper, heard: Heard) -> None:
    """Inline calls, then another page without the tag: the loader's beacon carries them."""
    shop.page(
        "/",
        f"<script>{calling('early', 'location.href = `/next`')}</script>",
        tag=shop.tag(attributes=""),
    )
    shop.page("/next", tag="")
    page = shopper.visit("/?fbclid=Ab&click_id=K1", ready=False)
    page.wait_for_url("**/next")
    all_stored(heard, "early")
    row = heard.all_of("scalev.meta", "AddToCart")[0]["call"]
    assert row["event_source_url"] == shop.url("/?fbclid=Ab&click_id=K1")
    assert row["user_data"]["fbc"].endswith(".Ab")
    assert len(heard.all_of("scalev.snackvideo", "addToCart")) == CALLS
    assert heard.names("meta") == []


def test_before_python_is_up_the_next_page_catches_the_pixels_up(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """With the tag on the next page each pixel hears each event once, and the relay stores one."""
    shop.page(
        "/",
        f"<script>{calling('caught', 'location.href = `/next`')}</script>",
        tag=shop.tag(attributes=""),
    )
    shop.page("/next")
    page = shopper.visit("/", ready=False)
    page.wait_for_url("**/next")
    shopper.wait_until_ready(page)
    heard.wait_for("meta", "AddToCart", CALLS)
    heard.wait_for("kwai", "addToCart", CALLS)
    heard.wait_for("alhena", "sendCartEvent", CALLS)
    shopper.wait_until_acknowledged(page)
    all_stored(heard, "caught")
    assert [event_id for _, event_id in heard.events("meta")].count("caught-0") == 1
    assert len(heard.all_of("meta", "AddToCart")) == CALLS
    assert len(heard.all_of("kwai", "addToCart")) == CALLS
    assert len(heard.all_of("alhena", "sendCartEvent")) == CALLS
    assert len(heard.all_of("meta", "PageView")) == 2


@pytest.mark.parametrize(
    ("runtime", "has_tag"), [("micropython", False), ("micropython", True), ("pyodide", True)]
)
def test_once_python_is_up_no_call_is_lost(
    shop: Shop, shopper: Shopper, heard: Heard, runtime: str, has_tag: bool
) -> None:
    """20 calls and off in the same turn: all server copies, and no pixel is called again."""
    tag = shop.tag(attributes=f'async data-runtime="{runtime}"')
    prefix = f"late-{runtime}-{has_tag}"
    shop.page("/", tag=tag)
    shop.page("/next", tag=tag if has_tag else "")
    page = shopper.visit("/")
    heard.wait_for("kwai", "page")
    page.evaluate(f"() => {{ {calling(prefix, 'location.href = `/next`')} }}")
    page.wait_for_url("**/next")
    if has_tag:
        shopper.wait_until_ready(page)
        shopper.wait_until_acknowledged(page)
    heard.wait_for("kwai", "addToCart", CALLS)
    all_stored(heard, prefix)
    assert len(heard.all_of("kwai", "addToCart")) == CALLS


CLOSING: dict[str, Callable[[Page], None]] = {
    "closed-by-the-shopper": lambda page: page.close(run_before_unload=True),
    "killed": lambda page: page.close(),
}


@pytest.mark.parametrize("how", CLOSING)
@pytest.mark.parametrize("is_up", [False, True], ids=["before-python", "python-up"])
def test_a_tab_closed_right_after_the_calls_loses_none(
    shop: Shop, shopper: Shopper, heard: Heard, how: str, is_up: bool
) -> None:
    """No page comes after it: what the tab itself gave the browser has to be enough."""
    prefix = f"{how}-{is_up}"
    shop.page("/", tag=shop.tag(attributes=""))
    if not is_up:  # Python will not be up before the tab is closed
        shopper.context.route("**/micropython.mjs", lambda _: None)
    page = shopper.visit("/", ready=is_up)
    page.evaluate(f"() => {{ {calling(prefix, '')} }}")
    CLOSING[how](page)
    all_stored(heard, prefix)


def test_what_a_killed_tab_could_not_send_goes_from_the_next_page(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """Once its lease is over, as a living tab would be told twice otherwise."""
    shop.page("/")
    page = shopper.visit("/")
    shopper.wait_until_acknowledged(page)
    page.evaluate(
        """(params) => localStorage.setItem(
          "pm.toko.call.0199cb23-8a00-7000-8000-0123456789ab",
          JSON.stringify({
            call: {
              uuid: "0199cb23-8a00-7000-8000-0123456789ab", time: Date.now() - 40_000,
              args: ["track", "add_to_cart", params, {event_id: "orphan"}],
              page: {url: location.href, referrer: "", title: ""},
            },
            by: "a page that died", at: Date.now() - 40_000,
          }))""",
        {"items": [KAOS]},
    )
    page = shopper.visit("/", page=page)
    heard.wait_for("meta", "AddToCart")
    shopper.wait_until_acknowledged(page)
    heard.wait_until_delivered(["orphan"])
    assert heard.events("scalev.meta") == [("AddToCart", "orphan")]


def test_a_form_sent_at_once_is_tracked(shop: Shop, shopper: Shopper, heard: Heard) -> None:
    """The call of a submit handler is not lost, and the form is not held up."""
    params = json.dumps(kaos())
    shop.page(
        "/",
        f"<form action=/next data-pm-track=begin_checkout data-pm-params='{params}'>"
        "<button>Checkout</button></form>",
    )
    shop.page("/next", tag="")
    page = shopper.visit("/")
    page.get_by_role("button", name="Checkout").click()
    page.wait_for_url("**/next**")
    (row,) = heard.wait_for("scalev.meta", "InitiateCheckout")
    heard.wait_until_delivered([row["event_id"]])


def test_a_page_that_the_shopper_left_halfway_is_found_on_its_own(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """Three pages in a row, each left before Python is up: every page view arrives once."""
    for n in (1, 2, 3):
        script = f"<script>location.href = '/page{n + 1}'</script>"
        shop.page(f"/page{n}", script, tag=shop.tag(attributes=""))
    shop.page("/page4")
    page = shopper.visit("/page1", ready=False)
    page.wait_for_url("**/page4")
    shopper.wait_until_ready(page)
    heard.wait_for("meta", "PageView", 4)
    shopper.wait_until_acknowledged(page)
    until(lambda: len(heard.all_of("tracify", "pageview")), "tracify heard all", lambda n: n >= 4)
    views = [row["call"]["events"][0]["url"] for row in heard.all_of("tracify", "pageview")]
    assert sorted(views) == [shop.url(f"/page{n}") for n in (1, 2, 3, 4)]
