"""The catalogue: which system knows which event under which name, and what each event needs."""

from pixelmirror import catalogue
from pixelmirror.check import CHECKS

# Event, Meta (specs/meta.md 2), TikTok (specs/tiktok.md 2), Kwai (specs/kwai.md 2), Tracify,
# Alhena (specs/alhena.md 1). Commanders Act's names are ours (specs/commanders-act.md 2).
NAMES = (
    ("page_view", "PageView", "Pageview", "page", "pageview", None),
    ("view_item", "ViewContent", "ViewContent", "contentView", "productview", None),
    ("add_to_cart", "AddToCart", "AddToCart", "addToCart", "addtocart", "sendCartEvent"),
    ("remove_from_cart", "RemoveFromCart", "RemoveFromCart", None, None, "sendCartEvent"),
    ("view_cart", "ViewCart", "ViewCart", None, None, None),
    ("begin_checkout", "InitiateCheckout", "InitiateCheckout", "initiatedCheckout", None, None),
    ("add_payment_info", "AddPaymentInfo", "AddPaymentInfo", "addPaymentInfo", None, None),
    ("add_shipping_info", "AddShippingInfo", "AddShippingInfo", None, None, None),
    ("add_to_wishlist", "AddToWishlist", "AddToWishlist", "addToWishlist", None, None),
    ("generate_lead", "Lead", "Lead", "formSubmit", "conversion", None),
    ("login", "Login", "Login", None, None, None),
    ("purchase", "Purchase", "CompletePayment", "purchase", "purchase", "sendCheckoutEvent"),
    ("refund", "Refund", "Refund", None, None, None),
    ("search", "Search", "Search", "search", None, None),
    ("select_content", "SelectContent", "SelectContent", None, None, None),
    ("select_item", "SelectItem", "SelectItem", None, None, None),
    ("sign_up", "CompleteRegistration", "CompleteRegistration", "completeRegistration", None, None),
    ("subscribe", "Subscribe", "Subscribe", "subscribe", "conversion", None),
    ("view_item_list", "ViewItemList", "ViewItemList", None, None, None),
)
SYSTEMS = ("meta", "tiktok", "kwai", "tracify", "alhena")


def test_each_system_gets_its_own_name_of_each_event() -> None:
    """Each system gets its own name of an event; one that has none is not sent it."""
    assert sorted(catalogue.EVENTS) == sorted([row[0] for row in NAMES])
    for row in NAMES:
        event_name = row[0]
        for system, expected in zip(SYSTEMS, row[1:]):  # noqa: B905 (MicroPython: no strict)
            found = catalogue.own_name(event_name, system)
            assert found == expected, (event_name, system, found, expected)
        assert catalogue.own_name(event_name, "commanders_act") == event_name, row


def test_r32_tiktoks_default_name_of_a_purchase_is_complete_payment() -> None:
    """scalev R32: TikTok's default purchase name is `CompletePayment`."""
    assert catalogue.own_name("purchase", "tiktok") == "CompletePayment"


def test_r33_the_site_files_own_names_go_first() -> None:
    """scalev R32, R33: names set in the site file replace ours, for one event and system only."""
    own = {"purchase": "placeOrder", "view_cart": "Cart"}
    assert catalogue.own_name("purchase", "kwai", own) == "placeOrder"
    assert catalogue.own_name("view_cart", "kwai", own) == "Cart"
    assert catalogue.own_name("add_to_cart", "kwai", own) == "addToCart"
    assert catalogue.own_name("purchase", "kwai", {}) == "purchase"


def test_a_custom_event_keeps_its_name_where_any_name_is_taken() -> None:
    """Meta, TikTok and Commanders Act take custom names; Kwai, Tracify and Alhena don't."""
    for system, expected in (
        ("meta", "quiz_done"),
        ("tiktok", "quiz_done"),
        ("commanders_act", "quiz_done"),
        ("kwai", None),
        ("tracify", None),
        ("alhena", None),
    ):
        assert catalogue.own_name("quiz_done", system) == expected, system


def test_the_nearest_known_word_is_found() -> None:
    """ "Did you mean" names the most similar known word, and nothing when none is near."""
    known = list(catalogue.EVENTS)
    for word, expected in (
        ("page_vie", "page_view"),
        ("add_to_card", "add_to_cart"),
        ("addToCart", "add_to_cart"),
        ("AddToCart", "add_to_cart"),
        ("purchas", "purchase"),
        ("Purchase", "purchase"),
        ("pageview", "page_view"),
        ("viewitem", "view_item"),
        ("begin-checkout", "begin_checkout"),
        ("remove_cart", "remove_from_cart"),
        ("", None),
        ("x", None),
        ("zzzzzzzzzzzz", None),
    ):
        found = catalogue.nearest(word, known)
        assert found == expected, (word, found, expected)


def test_nearness_is_letters_added_left_out_or_changed() -> None:
    """Fewest changes win, at most half of the word's letters; of two as near, the first by name."""
    for word, known, expected in (
        ("xcart", ["aacart", "cart"], "cart"),
        ("ad", ["ac", "ab"], "ab"),
        ("abcd", ["abxy"], "abxy"),
        ("abcd", ["axyz"], None),
        ("abc", ["axy"], None),
        ("cart", ["carts", "xxrts"], "carts"),
    ):
        found = catalogue.nearest(word, known)
        assert found == expected, (word, known, found)


def test_a_word_far_too_long_has_no_nearest_one() -> None:
    """A name of half a megabyte is not measured against the catalogue: it would take minutes."""
    assert catalogue.nearest("add_to_cart" * 50000, list(catalogue.EVENTS)) is None


def test_each_field_has_a_kind_that_can_be_checked() -> None:
    """Each field of the catalogue is of a kind there is a check for, or names its values."""
    for fields in (catalogue.FIELDS, catalogue.ITEM, catalogue.PRODUCT, catalogue.USER):
        for field in fields:
            kind = fields[field]
            assert isinstance(kind, tuple) or kind in CHECKS, (field, kind)


def test_what_an_event_needs_and_may_have_are_known_fields() -> None:
    """Each event's required and optional fields are fields of the catalogue, none of them twice."""
    for name in catalogue.EVENTS:
        row = catalogue.EVENTS[name]
        fields = list(row["required"] + row["optional"])
        assert len(fields) == len(set(fields)), name
        for field in fields + list(row.get("defaults", {})):
            assert field in catalogue.FIELDS, (name, field)


def test_each_event_requires_what_commanders_act_requires() -> None:
    """specs/commanders-act.md section 2: the required fields, less `user`, which we add."""
    for name, required in (
        ("page_view", "page_type"),
        ("view_item", "currency items revenue value"),
        ("add_to_cart", "currency items value"),
        ("remove_from_cart", "items"),
        ("view_cart", "items"),
        ("begin_checkout", "currency items revenue value"),
        ("add_payment_info", "payment_method"),
        ("purchase", "currency id items payment_method revenue status type value"),
    ):
        found = " ".join(sorted(catalogue.EVENTS[name]["required"]))
        assert found == required, (name, found)
