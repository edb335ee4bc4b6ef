"""What is odd about an event is said to the developer, and sent all the same."""

from pixelmirror.anything import Any
from pixelmirror.doubts import doubts
from tests.unit.fake_page import FakePage
from tests.unit.samples import built, cup, item, params, pixel, site
from tests.unit.shop import Shop

SUMS = site(destinations={"meta": pixel("meta")})


def kinds(event_name: str, settings: Any = SUMS, user: Any = None, **fields: Any) -> list[str]:
    event = built(event_name, **fields)
    if user:
        event["user"] = user
    return [kind for kind, _ in doubts(event, settings)]


def test_c3_an_event_of_nobody_is_a_doubt_where_commanders_act_gets_it() -> None:
    """specs/commanders-act.md C3: neither ID nor e-mail; hashed ones will do."""
    for user, expected in (
        (None, ["nobody"]),
        ({"phone": "+6281234567890", "firstname": "Siti"}, ["nobody"]),
        ({"id": "C-77"}, []),
        ({"email": "siti@example.com"}, []),
        ({"email_sha256": "a" * 64}, []),
        ({"email_md5": "a" * 32}, []),
        ({"id_sha256": "a" * 64}, []),
    ):
        assert kinds("page_view", site(), user) == expected, user
        assert kinds("page_view", SUMS, user) == [], user
    own = {"ours": pixel("commanders_act")}
    assert kinds("page_view", site(destinations=own)) == ["nobody"]


def test_c6_a_value_that_is_not_the_sum_of_its_parts_is_a_doubt() -> None:
    """specs/commanders-act.md C6: their own samples do not add up, so no event is refused."""
    lines = {"items": [item(product={"id": "1", "name": "Mug", "price": 16.0}, quantity=1)]}
    sums = dict(lines, currency="EUR", revenue=16.0, shipping_amount=3.33, tax_amount=3.2)
    for value, expected in (
        (22.53, []),
        (22.54, []),
        (20.33, ["parts", "items"]),
        (19.2, ["parts", "items"]),
    ):
        assert kinds("purchase", value=value, **sums) == expected, value
    refund = dict(sums, items=None)
    assert kinds("refund", value=20.33, **refund) == ["parts"]
    assert kinds("refund", value=22.53, **refund) == []
    assert kinds("begin_checkout", value=20.33, revenue=16.0, currency="EUR", items=lines["items"])


def test_c6_items_that_do_not_add_up_are_a_doubt() -> None:
    """specs/commanders-act.md C6: worth the value, or that less shipping and tax."""
    for name, fields, expected in (
        ("add_to_cart", {}, []),
        ("add_to_cart", {"value": 120000}, []),
        ("add_to_cart", {"value": 120002}, []),
        ("add_to_cart", {"value": 60000}, ["items"]),
        ("add_to_cart", {"value": 110000, "items": [item(discount=5000)]}, []),
        ("view_item", {"value": 60000}, ["items"]),
        ("begin_checkout", {"value": 132000, "shipping_amount": 12000}, []),
        ("purchase", {}, []),
        ("purchase", {"value": 159000, "shipping_amount": 12000}, []),
        ("purchase", {"value": 159000}, ["items"]),
        ("purchase", {"value": 137000, "coupon": "HEMAT"}, []),
        ("refund", {"value": 20000, "items": [cup()]}, []),
        ("add_payment_info", {}, []),
    ):
        assert kinds(name, **fields) == expected, (name, fields)


def test_no_doubt_holds_what_the_shopper_told() -> None:
    """Amounts and names of fields only."""
    event = built("purchase", value=20000, revenue=5000)
    event["user"] = {"phone": "+6281234567890", "firstname": "Siti"}
    assert doubts(event, site()) == [
        (
            "nobody",
            "purchase: Commanders Act wants to know the user's id or email, which identify tells",
        ),
        (
            "parts",
            "purchase: value is 20000, but revenue, shipping_amount and tax_amount are 5000",
        ),
        ("items", "purchase: value is 20000, but its items add up to 147000"),
    ]


def test_each_kind_is_said_once_on_a_page_and_the_event_is_sent() -> None:
    """A warning in the console, no error, and nothing held back."""
    odd = ("track", "add_to_cart", params("add_to_cart", value=1))
    shop = Shop(None, FakePage()).start(("page",), odd, odd)
    assert shop.page.warned == [
        "page_view: Commanders Act wants to know the user's id or email, which identify tells",
        "add_to_cart: value is 1, but its items add up to 120000",
    ]
    assert shop.page.done("say") == []
    shop.page.answer(204)
    assert [event["event_name"] for event in shop.posted()] == ["page_view"] + ["add_to_cart"] * 2
    then = shop.next_page().start(("identify", {"id": 7}), ("page",))
    assert then.page.warned == []


def test_what_is_not_sent_is_not_warned_of() -> None:
    """Without consent nobody gets the event."""
    shop = Shop(site(consent="required")).start(("page",))
    assert shop.page.warned == []
