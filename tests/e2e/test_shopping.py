"""A shopper's way from the ad to the thank-you page, and what every system hears of it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.conftest import shoppers
from tests.e2e.goods import KAOS, PAKET, kaos
from tests.e2e.heard import Heard, Row
from tests.e2e.processes import Process
from tests.e2e.shop import Shop
from tests.e2e.shopper import Shopper

LANDING = "/?utm_source=fb&utm_campaign=raya&fbclid=Fb.C_d&ttclid=E.C.P.x&click_id=kw-9f"
BUYER = {
    "id": "C-77",
    "email": "Siti@Example.com",
    "phone": "0812-3456-7890",
    "firstname": "Siti",
    "lastname": "Rahma",
    "city": "Bandung",
    "state": "Jawa Barat",
}
ORDER = {
    "id": "ORD-77",
    "value": "228000.00",
    "shipping_amount": 18000,
    "payment_method": "online_payment_system",
    "items": [KAOS, PAKET],
}

# The way after the landing: page -> the events called there, with their params.
WAY: list[tuple[str, list[tuple[str, Any]]]] = [
    ("/", []),
    (
        "/p/kaos",
        [
            ("view_item", kaos(quantity=1)),
            ("add_to_cart", kaos(cart_quantity=3)),
            ("remove_from_cart", kaos(quantity=1, cart_quantity=2)),
            ("view_cart", kaos()),
        ],
    ),
    (
        "/checkout",
        [
            ("begin_checkout", {"items": [KAOS, PAKET]}),
            ("add_payment_info", {"payment_method": "cod", "items": [KAOS, PAKET]}),
            ("purchase", ORDER),
        ],
    ),
    ("/thanks", []),
]
PAGE_LOADS = len(WAY) + 2  # the thank-you page is loaded again, and once more in a second tab
THANKS = "<script>pixelmirror('track', 'purchase', {order})</script>"

# What each system hears of it: its own names, in the order of the way. Page views come on top.
HEARD = {
    "meta": "ViewContent AddToCart RemoveFromCart ViewCart InitiateCheckout AddPaymentInfo "
    "Purchase",
    "tiktok": "ViewContent AddToCart RemoveFromCart ViewCart InitiateCheckout AddPaymentInfo "
    "CompletePayment",
    "kwai": "contentView addToCart initiatedCheckout addPaymentInfo purchase",
    "commanders_act": "view_item add_to_cart remove_from_cart view_cart begin_checkout "
    "add_payment_info purchase",
    "alhena": "sendCartEvent sendCartEvent sendCheckoutEvent",
    "scalev.meta": "ViewContent AddToCart RemoveFromCart ViewCart InitiateCheckout AddPaymentInfo "
    "Purchase",
    "scalev.tiktok": "ViewContent AddToCart RemoveFromCart ViewCart InitiateCheckout "
    "AddPaymentInfo CompletePayment",
    "scalev.snackvideo": "contentView addToCart initiatedCheckout addPaymentInfo purchase",
    "tracify": "productview addtocart purchase",
}
PAGE_VIEWS = {
    "meta": "PageView",
    "tiktok": "Pageview",
    "kwai": "page",
    "commanders_act": "page_view",
    "tracify": "pageview",
}


@dataclass(frozen=True)
class Way:
    """What was seen of one shopper's way."""

    event_ids: dict[str, str]
    calls: list[Row]
    cookies: dict[str, str]

    def of(self, system: str) -> list[Row]:
        side = "server" if "." in system or system == "tracify" else "pixel"
        return [
            row
            for row in self.calls
            if (row["system"], row["side"]) == (system, side) and row["event_name"]
        ]

    def names(self, system: str) -> list[str]:
        """Without the page views."""
        names = [row["event_name"] for row in self.of(system)]
        return [name for name in names if name != PAGE_VIEWS.get(system)]

    def call(self, system: str, name: str) -> Any:
        """What the system was given for its one event of this name."""
        (row,) = [row for row in self.of(system) if row["event_name"] == name]
        return row["call"]


@pytest.fixture(scope="module", params=["micropython", "pyodide"])
def way(
    request: pytest.FixtureRequest,
    browser: Browser,
    the_shop: Shop,
    the_heard: Heard,
    relay_process: Process,
) -> Iterator[Way]:
    runtime: str = request.param
    order_id = f"ORD-77{runtime[0]}"  # the relay knows an order again, whoever sends it
    tag = the_shop.tag(attributes=f'data-runtime="{runtime}"')
    for path, _ in WAY:
        the_shop.page(path, tag=tag)
    the_shop.page("/thanks", THANKS.format(order=json.dumps({**ORDER, "id": order_id})), tag=tag)
    the_heard.begin()
    with shoppers(browser, the_shop) as new_shopper:
        yield _walk(new_shopper(), the_heard, runtime, order_id)
    the_shop.clear()


def _walk(shopper: Shopper, heard: Heard, runtime: str, order_id: str) -> Way:
    event_ids: dict[str, str] = {}
    page: Page | None = None
    for n, (path, events) in enumerate(WAY, start=1):
        page = shopper.visit(LANDING if path == "/" else path, page=page)
        assert page.evaluate("pixelmirror._.runtime") == runtime
        for name, params in events:
            if name == "purchase":
                shopper.call(page, "identify", BUYER)
                params = {**params, "id": order_id}
            event_ids[name] = shopper.track(page, name, params)
        heard.wait_for("commanders_act", "page_view", n)
        for name, _ in events:
            heard.wait_for("commanders_act", name)
        shopper.wait_until_acknowledged(page)
    assert page
    page.reload()
    shopper.wait_until_ready(page)
    shopper.visit("/thanks")
    heard.wait_for("commanders_act", "page_view", PAGE_LOADS)
    for system, names in HEARD.items():
        for name in names.split():
            heard.wait_for(system, name)
    for system, name in PAGE_VIEWS.items():
        heard.wait_for(system, name, PAGE_LOADS)
    shopper.wait_until_acknowledged(page)
    heard.wait_until_delivered(list(event_ids.values()))
    cookies = {name: cookie["value"] for name, cookie in shopper.cookies().items()}
    return Way(event_ids, heard.calls(), cookies)


@pytest.mark.parametrize("system", HEARD)
def test_each_system_hears_each_event_of_the_way_once(way: Way, system: str) -> None:
    """Every pixel is called once for each action, and each server copy arrives once."""
    expected = HEARD[system].split()
    if "." in system or system == "tracify":  # copies overtake each other on their way
        assert sorted(way.names(system)) == sorted(expected)
    else:
        assert way.names(system) == expected


def test_each_page_load_is_one_page_view_in_each_system_that_knows_one(way: Way) -> None:
    """The tag sends the page view by itself; Scalev's copies of it are on request (scalev D9)."""
    counts = {
        system: len([row for row in way.of(system) if row["event_name"] == name])
        for system, name in PAGE_VIEWS.items()
    }
    assert counts == dict.fromkeys(PAGE_VIEWS, PAGE_LOADS)
    assert "PageView" not in way.names("scalev.meta")


def test_no_system_refuses_anything(way: Way) -> None:
    """The sandbox holds each call and each body against the vendor's contract."""
    assert [row for row in way.calls if not row["accepted"]] == []


@pytest.mark.parametrize("system", ["meta", "tiktok"])
def test_r46_r47_pixel_and_server_copy_have_one_name_and_one_id(way: Way, system: str) -> None:
    """The vendor keeps one of the two by these (scalev R46, R47)."""
    pixel = [
        (row["event_name"], row["event_id"])
        for row in way.of(system)
        if row["event_name"] != PAGE_VIEWS[system]
    ]
    server = [(row["event_name"], row["event_id"]) for row in way.of(f"scalev.{system}")]
    assert sorted(server) == sorted(pixel)
    assert len({event_id for _, event_id in pixel}) == len(pixel)


def test_event_ids_are_the_same_in_every_system(way: Way) -> None:
    """An interaction has one ID in all of them: `{event name}_{UUID version 7}` (DESIGN 5.4)."""
    added = way.event_ids["add_to_cart"]
    assert re.fullmatch(
        r"add_to_cart_[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", added
    )
    told = {
        row["event_id"]
        for row in way.calls
        if row["event_name"] in ("AddToCart", "addToCart", "add_to_cart", "addtocart")
    }
    assert told == {added, None}  # Kwai, SnackVideo and Tracify take none


def test_r49_each_system_is_given_its_own_id_of_an_order(way: Way) -> None:
    """`{order ID}-{the system's own name}-FORM`, in pixel and server copy alike (scalev R49)."""
    order_id = way.event_ids["purchase"].removesuffix("-purchase")
    told = {
        (row["system"], row["event_id"])
        for row in way.calls
        if row["event_name"] in ("Purchase", "CompletePayment", "purchase") and row["event_id"]
    }
    assert told == {
        ("meta", f"{order_id}-Purchase-FORM"),
        ("scalev.meta", f"{order_id}-Purchase-FORM"),
        ("tiktok", f"{order_id}-CompletePayment-FORM"),
        ("scalev.tiktok", f"{order_id}-CompletePayment-FORM"),
        ("commanders_act", f"{order_id}-purchase-FORM"),
    }


def test_r50_snackvideo_gets_the_click_id_and_no_event_id(way: Way) -> None:
    """Its API refuses an event ID, and takes nothing without a click ID (scalev R50, R58, R59)."""
    bodies = [row["call"] for row in way.of("scalev.snackvideo")]
    assert {body["click_id"] for body in bodies} == {"kw-9f"}
    assert {key for body in bodies for event in body["events"] for key in event} == {
        "event_name",
        "properties",
    }


ADDED = {
    "meta": {
        "content_ids": ["variant_a1"],
        "content_type": "product",
        "contents": [{"id": "variant_a1", "quantity": 2, "item_price": 60000}],
        "num_items": 2,
        "content_name": "Kaos",
        "content_category": "Apparel",
        "value": 120000,
        "currency": "IDR",
    },
    "tiktok": {
        "content_id": "variant_a1",
        "content_type": "product",
        "contents": [{"content_id": "variant_a1", "quantity": 2, "price": 60000}],
        "value": 120000,
        "currency": "IDR",
    },
    "kwai": {
        "content_type": "product",
        "quantity": 2,
        "content_name": "Kaos",
        "content_category": "Apparel",
        "price": 60000,
        "value": 120000,
        "currency": "IDR",
    },
}


def test_r42_to_r44_pixels_get_their_own_parameters(way: Way) -> None:
    """Each pixel is called as its vendor documents it (scalev R42, R43, R44, R60)."""
    event_id = way.event_ids["add_to_cart"]
    assert way.call("meta", "AddToCart") == [
        "track",
        "AddToCart",
        ADDED["meta"],
        {"eventID": event_id},
    ]
    assert way.call("tiktok", "AddToCart") == [
        "track",
        "AddToCart",
        ADDED["tiktok"],
        {"event_id": event_id},
    ]
    assert way.call("kwai", "addToCart") == ["track", "addToCart", ADDED["kwai"]]
    assert way.call("commanders_act", "add_to_cart") == [
        "trigger",
        "add_to_cart",
        {
            "items": [KAOS],
            "value": 120000,
            "currency": "IDR",
            "integrations": {"facebook": {"event_id": event_id}},
        },
        {"siteId": "1234", "sourceKey": "source", "eventId": event_id},
    ]


def test_a5_alhena_hears_of_the_cart_as_it_is_after_the_action(way: Way) -> None:
    """`quantity` is the one in the cart afterwards, and the type tells grown from new (A5)."""
    told = [row["call"][1] for row in way.of("alhena")][:2]
    line = {"productId": "p1", "productName": "Kaos", "value": 60000, "currency": "IDR"}
    assert told == [
        {**line, "type": "QUANTITY_INCREASED", "quantity": 3},
        {**line, "type": "QUANTITY_DECREASED", "quantity": 2},
    ]


def test_server_copies_carry_what_the_pixel_was_given(way: Way) -> None:
    """The provider sees one event, not two that differ."""
    for system, name, key in (
        ("meta", "AddToCart", "parameters"),
        ("tiktok", "AddToCart", "parameters"),
    ):
        (event,) = way.call(f"scalev.{system}", name)["events"]
        assert event[key] == ADDED[system]
    (event,) = way.call("scalev.snackvideo", "addToCart")["events"]
    assert event["properties"] == ADDED["kwai"]


def test_r51_to_r62_a_purchase_reaches_scalev_whole(way: Way, the_shop: Shop) -> None:
    """URLs, items by kind, attribution and the buyer's data in plain text (scalev R35-R62)."""
    body = way.call("scalev.meta", "Purchase")
    (event,) = body.pop("events")
    assert event["parameters"]["value"] == 228000
    assert event["parameters"]["num_items"] == 3
    assert event["parameters"]["content_ids"] == ["variant_a1", "bundle_price_option_b7"]
    assert body == {
        "event_source_url": the_shop.url("/checkout"),
        "user_data": {
            "country": "id",
            "fbc": way.cookies["_fbc"],
            "fbp": way.cookies["_fbp"],
            "em": "Siti@Example.com",
            "ph": "6281234567890",
            "fn": "Siti",
            "ln": "Rahma",
            "ct": "Bandung",
            "st": "Jawa Barat",
            "external_id": "C-77",
        },
        "variants": [{"variant_unique_id": "variant_a1", "quantity": 2}],
        "bundle_price_options": [
            {"bundle_price_option_unique_id": "bundle_price_option_b7", "quantity": 1}
        ],
    }
    user = way.call("scalev.tiktok", "CompletePayment")["user"]
    assert user["ttclid"] == "E.C.P.x"
    assert user["ttp"] == way.cookies["_ttp"]


def test_tracify_hears_of_the_landing_with_its_campaign(way: Way) -> None:
    """The page view of the landing starts a session, by the utm parameters of its URL (T8)."""
    views = [row["call"]["events"][0] for row in way.of("tracify")]
    (landing,) = [view for view in views if LANDING in view["url"]]
    assert landing["data"]["utm_campaign"] == "raya"
    order = way.call("tracify", "purchase")["events"][0]["data"]
    assert (order["amount"], order["currency"]) == ("228000.00", "IDR")
