"""What a page posts to Scalev itself: which events, in which bodies, beside pixels and mirror."""

from pixelmirror.anything import Any
from tests.unit.direct_shop import BASE, KEY, LANDING, PROVIDERS, DirectShop, route, table
from tests.unit.fake_page import FakePage
from tests.unit.samples import URL, cup, item, params

ADD = ("track", "add_to_cart", params("add_to_cart"))
PURCHASE = ("track", "purchase", params("purchase"))
USER = ("identify", {"id": "C-77", "email": "siti@example.com", "phone": "0812-3456-7890"})
PAGE = {"event_source_url": LANDING}


def shared(shop: Any) -> list[Any]:
    """What the mirrored events say of what the page posts itself, by event name."""
    while shop.page.request:
        shop.page.answer(204)
    return [(event["event_name"], event.get("direct")) for event in shop.posted()]


# --- requests ---


def test_r1_to_r4_each_provider_is_posted_its_copy_with_the_publishable_key() -> None:
    """scalev R1, R3, R4: three routes, the key's header, JSON both ways."""
    shop = DirectShop().start(ADD)
    found = [[url, headers] for url, headers, _ in shop.page.done("send")]
    headers = {
        "X-Scalev-Storefront-Api-Key": KEY,
        "Accept": "application/json",
        "Content-Type": "application/json",
    }
    assert found == [[BASE + provider + "/events", headers] for provider in PROVIDERS], found


def test_r8_the_pixel_is_called_before_the_server_copy_goes() -> None:
    """scalev R8: written ahead first, then the pixel, the mirror, and Scalev itself."""
    shop = DirectShop().start()
    before = len(shop.page.did)
    shop.call(*ADD)
    verbs = [step[0] for step in shop.page.did[before:] if step[0] != "write"]
    assert verbs == ["call", "post", "send", "send", "send"], verbs
    assert [step[0] for step in shop.page.did[before : before + 4]] == ["write"] * 4


def test_r60_d8_the_three_go_at_once_and_none_waits_for_another() -> None:
    """scalev R60, D8: concurrently; one that fails cancels none."""
    shop = DirectShop().start(ADD)
    assert shop.under_way() == list(PROVIDERS)
    shop.answer("meta", 400)
    assert shop.under_way() == ["tiktok", "snackvideo"]
    shop.call(*ADD)
    shop.answer("tiktok", 204)
    assert [len(shop.bodies(provider)) for provider in PROVIDERS] == [2, 2, 1]
    shop.answer_all()
    assert [len(shop.bodies(provider)) for provider in PROVIDERS] == [2, 2, 2]


# --- bodies ---

ROWS: Any = {"variants": [{"variant_unique_id": "variant_a1", "quantity": 2}]}
BODIES: Any = {
    "meta": {
        "user_data": {
            "country": "id",
            "fbc": "fb.1.1760000000000.AbC-1",
            "fbp": "fb.1.1760000000000.9999999999",
            "em": "siti@example.com",
            "ph": "081234567890",
            "external_id": "C-77",
        },
        "events": [
            {
                "event_id": "add_to_cart_page-1-2",
                "event_name": "AddToCart",
                "parameters": {
                    "content_ids": ["variant_a1"],
                    "content_type": "product",
                    "contents": [{"id": "variant_a1", "quantity": 2, "item_price": 60000}],
                    "content_name": "Kaos",
                    "value": 120000,
                    "currency": "IDR",
                    "num_items": 2,
                },
            }
        ],
    },
    "tiktok": {
        "user": {
            "ttclid": "E.C.P.x",
            "email": "siti@example.com",
            "phone": "081234567890",
            "external_id": "C-77",
        },
        "events": [
            {
                "event_id": "add_to_cart_page-1-2",
                "event": "AddToCart",
                "parameters": {
                    "content_id": "variant_a1",
                    "content_type": "product",
                    "contents": [{"content_id": "variant_a1", "quantity": 2, "price": 60000}],
                    "value": 120000,
                    "currency": "IDR",
                },
            }
        ],
    },
    "snackvideo": {
        "click_id": "kw-9f",
        "events": [
            {
                "event_name": "addToCart",
                "properties": {
                    "content_type": "product",
                    "content_name": "Kaos",
                    "currency": "IDR",
                    "value": 120000,
                    "quantity": 2,
                    "price": 60000,
                },
            }
        ],
    },
}


def test_r51_to_r62_the_bodies_are_those_of_the_relay() -> None:
    """scalev R35, R42-R45, R51-R62; but for the phone, whose digits go as they were given (R62)."""
    shop = DirectShop().start(USER, ADD)
    for provider in PROVIDERS:
        [body] = shop.bodies(provider)
        assert body == dict(BODIES[provider], **PAGE, **ROWS), (provider, body)


def test_r36_r37_r41_bundles_stand_in_a_list_of_their_own() -> None:
    """scalev R36: `bundle_price_option_unique_id` and quantity, beside the variants."""
    bundle = item(id="bundle_price_option_b7", kind="bundle_price_option", quantity=1)
    shop = DirectShop().start(("track", "add_to_cart", {"items": [bundle, cup()]}))
    for provider in PROVIDERS:
        [body] = shop.bodies(provider)
        assert body["bundle_price_options"] == [
            {"bundle_price_option_unique_id": "bundle_price_option_b7", "quantity": 1}
        ]
        assert body["variants"] == [{"variant_unique_id": "variant_b2", "quantity": 1}]


def test_r54_r56_the_page_tells_neither_address_nor_user_agent() -> None:
    """scalev R54, R56: Scalev reads both from the request, which is the shopper's own."""
    shop = DirectShop().start(USER, ADD)
    assert "user_agent" not in shop.bodies("tiktok")[0]["user"]
    assert "client_user_agent" not in shop.bodies("meta")[0]["user_data"]


def test_r51_r64_d11_what_is_no_http_url_is_left_out() -> None:
    """scalev R51, R64, D11: of a page from a file TikTok gets nothing, as it requires the URL."""
    shop = DirectShop(page=FakePage(None, "page-1", "file:///toko.html?click_id=kw-9f")).start(ADD)
    assert [len(shop.bodies(provider)) for provider in PROVIDERS] == [1, 0, 1]
    assert "event_source_url" not in shop.bodies("meta")[0]
    assert shared(shop) == [("add_to_cart", ["scalev.meta", "scalev.snackvideo"])]


def test_r46_r47_pixel_and_copies_share_name_and_id() -> None:
    """scalev R46, R47: one ID, the same names; and the relay is told who else sends it."""
    shop = DirectShop().start()
    event_id = shop.call(*ADD)
    _, name, _, options = shop.fired("meta")[0][0][1]
    [meta] = shop.bodies("meta")[0]["events"]
    [tiktok] = shop.bodies("tiktok")[0]["events"]
    assert (name, options["eventID"]) == (meta["event_name"], meta["event_id"])
    assert tiktok["event_id"] == meta["event_id"] == event_id
    assert shared(shop) == [("add_to_cart", ["scalev." + provider for provider in PROVIDERS])]


def test_r49_an_orders_ids_are_made_by_its_names() -> None:
    """scalev R49: `{order}-{the provider's own name}-FORM`, also under a name of the shop's."""
    names = {"tiktok": {"purchase": "Buy"}}
    routes = [route(provider, event_names=names.get(provider, {})) for provider in PROVIDERS]
    shop = DirectShop(table(routes)).start(PURCHASE)
    assert shop.bodies("meta")[0]["events"][0]["event_id"] == "ORD-77-Purchase-FORM"
    assert shop.bodies("tiktok")[0]["events"][0]["event_id"] == "ORD-77-Buy-FORM"
    assert "event_id" not in shop.bodies("snackvideo")[0]["events"][0]


# --- which events ---

EVERY = ["scalev.meta", "scalev.tiktok", "scalev.snackvideo"]


def only(destinations: list[str]) -> Any:
    return ("track", "add_to_cart", params("add_to_cart"), {"destinations": destinations})


ONLY_PURCHASE = [route(provider, events=["purchase"]) for provider in PROVIDERS]
VIEWS = [route("meta", requested=["page_view"]), route("tiktok")]
WHICH: Any = (
    # the table, the call, what the page posts
    (table(), ADD, EVERY),
    (table(), only(["scalev"]), EVERY),
    (table(), only(["scalev.meta", "meta"]), ["scalev.meta"]),
    (table(), only(["meta"]), []),
    (table(ONLY_PURCHASE), ADD, []),
    (table(ONLY_PURCHASE), PURCHASE, EVERY),
    (table([route("tiktok")]), ADD, ["scalev.tiktok"]),
    (table(), ("page",), []),  # D9
    (table(VIEWS), ("page",), ["scalev.meta"]),
    (table(), ("track", "quiz_done"), ["scalev.meta", "scalev.tiktok"]),  # R33
    (table(waits_for_payment=["purchase"]), PURCHASE, []),  # R31
    (table(waits_for_payment=["purchase"]), ADD, EVERY),
)


def test_the_page_posts_what_the_site_file_and_the_call_say() -> None:
    """DESIGN 5.2, scalev R31, R33, D9; the mirrored event names just what is posted."""
    for one, call, expected in WHICH:
        shop = DirectShop(one).start(call)
        found = ["scalev." + provider for provider in PROVIDERS if shop.bodies(provider)]
        assert found == expected, (call, found)
        assert shared(shop) == [(shop.posted()[0]["event_name"], expected or None)], call


def test_r58_without_a_click_id_snackvideo_gets_nothing() -> None:
    """scalev R58: Meta and TikTok get the event all the same."""
    shop = DirectShop(page=FakePage(None, "page-1", URL)).start(ADD)
    assert [len(shop.bodies(provider)) for provider in PROVIDERS] == [1, 1, 0]


def test_r63_a_spam_order_is_posted_to_nobody() -> None:
    """scalev R63."""
    shop = DirectShop().start(("track", "purchase", params("purchase", is_probably_spam=True)))
    assert shop.page.done("send") == []
    assert shop.page.browser.copies == {}


def test_r30_an_order_is_posted_once() -> None:
    """scalev R30, R49: whatever is reloaded."""
    shop = DirectShop().start(PURCHASE)
    shop.call(*PURCHASE)
    shop.answer_all()
    then = shop.then().start(PURCHASE)
    assert then.page.done("send") == []
    assert [len(shop.bodies(provider)) for provider in PROVIDERS] == [1, 1, 1]


def test_of_a_relayed_table_the_page_posts_nothing() -> None:
    """Without `transport = "direct"` the page knows of no route, and says so to nobody."""
    shop = DirectShop(direct={}).start(ADD)
    assert shop.page.done("send") == []
    assert shared(shop) == [("add_to_cart", None)]


# --- consent ---


def test_without_consent_nothing_is_posted() -> None:
    """DESIGN 5.3: awaited, denied, a category short, or Global Privacy Control."""
    private = FakePage(None, "page-1", LANDING)
    private.is_private = True
    for shop, given in (
        (DirectShop(consent="required"), None),
        (DirectShop(), "denied"),
        (DirectShop(table(categories=["3"])), ["1"]),
        (DirectShop(page=private), "granted"),
    ):
        shop.start(("consent", given), ADD) if given else shop.start(ADD)
        assert shop.page.done("send") == [], given
        assert shop.page.browser.copies == {}, given


def test_consent_given_later_posts_what_waited() -> None:
    """DESIGN 5.3: in order, under the IDs of when it was called."""
    shop = DirectShop(consent="required").start(ADD)
    shop.call("consent", "granted")
    assert shop.bodies("meta")[0]["events"][0]["event_id"] == "add_to_cart_page-1-1"


def test_withdrawn_consent_forgets_what_waits() -> None:
    """DESIGN 5.3: also what is under way and would go again, and what an earlier page left."""
    for given, kept in (("denied", []), (["1"], [])):
        first = DirectShop(table(categories=["3"])).start(ADD)
        first.tracker.leave()
        shop = first.then("page-2").start(ADD, ADD)
        shop.call("consent", given)
        assert shop.kept() == kept, given
        shop.tracker.leave()
        assert shop.kept() == kept, "also of what is under way"
        for provider in PROVIDERS:
            shop.answer(provider, 503)
        while shop.page.timers:
            shop.page.ring()
        shop.tracker.leave()
        assert shop.page.browser.copies == {}, given
        assert shop.said() == [], "nothing of it goes again"
