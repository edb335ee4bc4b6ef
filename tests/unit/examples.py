"""What the two interpreters are compared by: events, pixel calls, bodies and refusals as JSON text.

Text that is not ASCII, amounts of 2^31 and more, decimals, keys in adverse order.
"""

import json

from pixelmirror import attribution, catalogue, event, event_id, scalev
from pixelmirror.anything import Any
from pixelmirror.check import EventError
from pixelmirror.pixels import PIXELS
from tests.unit.direct_shop import PROVIDERS, route
from tests.unit.fake_page import FakePage
from tests.unit.samples import NOW_MS, URL, built, cup, item, params, pixel, site
from tests.unit.shop import Shop

ODD = "Açaí ☕ 日本 \U0001f600 \"'\\/ \u2028 \x01 & <b>"

PARAMS: Any = (
    ("view_item", {"items": [item(product={"price": "3000000000.00", "name": ODD, "id": 2**40})]}),
    ("view_cart", {"items": [item(quantity=10**9 - 1, price=5, note=ODD), cup(discount="0.4")]}),
    (
        "view_cart",
        {"currency": "USD", "items": [item(product={"id": "c", "name": "c", "price": 0.07})]},
    ),
    ("add_payment_info", {"payment_method": "cod", "value": 22.53 - 3.33, "currency": "EUR"}),
    (
        "purchase",
        {"id": ODD, "value": 9007199254740, "coupon": ODD, "zz": [None, True, {"y": 0.1}]},
    ),
    ("quiz_done", {"z": 1, "a": {"z": 1, "a": [1, 2.5, -3]}, "m": 10**14, "e": [], "o": {}}),
)

WRONG: Any = (
    ("add_to_card", {}),
    ("add_to_cart", {}),
    ("add_to_cart", {"items": [{"id": True}]}),
    ("add_to_cart", {"items": [item(quantity=1.5)]}),
    ("view_cart", params("view_cart", value="150.000")),
    ("view_cart", params("view_cart", value=-0.5)),
    ("view_cart", params("view_cart", value=True)),
    ("view_cart", params("view_cart", coupon=["x"])),
    ("view_cart", params("view_cart", coupon=ODD * 100)),
    ("purchase", params("purchase", status="Paid")),
    ("purchase", params("purchase", is_probably_spam=1)),
    ("select_item", {"items": [item(), cup()]}),
)

URLS = (
    "https://toko.example/?fbclid=Ab.C_d&click_id=a%2Fb%3Dc%26d&ttclid=%F0%9F%98%80",
    "https://toko.example/?fbclid=%zz&click_id=__CALLBACK__&ttclid=+x%20y+",
)


def texts() -> list[list[str]]:
    """`[[name, JSON text]]`, in one order on both interpreters."""
    found = [["event " + name, json.dumps(built(name))] for name in sorted(catalogue.EVENTS)]
    for name, fields in PARAMS:
        one = built(name, **fields)
        found.append(["params of " + name, json.dumps(one)])
        for kind in PIXELS:
            own = catalogue.own_name(name, kind)
            if own:
                heard = {"ids": ["other"], "page_view": False}
                steps = PIXELS[kind].calls(one, own, pixel(kind), heard)
                found.append([kind + "'s calls of " + name, json.dumps(steps)])
        for provider in PROVIDERS:
            texts = json.dumps(_scalev(one, provider))
            found.append(["Scalev's body for " + provider + " of " + name, texts])
    for name, fields in WRONG:
        found.append(["refusal of " + name, json.dumps(_refusal(name, fields))])
    cents = [event.money(i / 100, "USD") for i in range(0, 200000, 37)]
    found.append(["cents", json.dumps(cents)])
    for url in URLS:
        query = attribution.parse_query(url)
        found.append(
            ["cookies of " + url, json.dumps(attribution.capture(query, {}, NOW_MS, 1, 7))]
        )
    found.append(["encoded", json.dumps(attribution.encode(ODD))])
    found.append(["uuid", json.dumps(event_id.uuid7(NOW_MS, bytes(range(10))))])
    found.append(["body", json.dumps(_body())])
    return found


def _scalev(one: Any, provider: str) -> Any:
    """What Scalev is posted of the event, or why nothing."""
    urls = {"event_source_url": URL, "referrer_url": ""}
    told = dict(one, attribution={"kwai_click_id": ODD}, user={"lastname": ODD, "id": "7"})
    one_route = route(provider)
    return scalev.skips(told, one_route, urls) or scalev.body(told, one_route, urls, "0812")


def _refusal(name: str, fields: Any) -> list[str]:
    try:
        event.check_params(event.check_name(name), fields, "IDR")
    except EventError as error:
        return [error.field, error.message]
    return []


def _body() -> Any:
    """The request of a whole page."""
    page = FakePage(None, "page-1", URL + "?fbclid=AbC-1")
    shop = Shop(site(), page)
    shop.start(
        ("identify", {"id": 77, "email": "siti@example.com", "lastname": ODD}),
        ("track", "purchase", params("purchase", coupon=ODD)),
    )
    return page.done("post")
