"""Advanced matching: who the shopper is, told to pixels where the site file asks."""

from pixelmirror.anything import Any
from tests.unit.fake_page import FakePage
from tests.unit.samples import params, pixel, site
from tests.unit.shop import Shop

ADD = ("track", "add_to_cart", params("add_to_cart"))
SITI = {"email": "SITI@toko.example"}
BUDI = {"email": "budi.santoso@example.org"}
SITI_HASH = "4320997dde26a372566fbae6938926b36996b927f236fa61d6ca48e94313c843"
BUDI_HASH = "ca1535fdeb51abea390d7bd6885fb9c0315402369e1ad7cfa9ecea85bb297007"


def asking(kind: str, **settings: Any) -> Any:
    return site(destinations={kind: pixel(kind, advanced_matching=True)}, **settings)


def shown(shop: Any, kind: str) -> list[Any]:
    """The calls in short: `["init", told]`, `["identify", told]`, the names of events."""
    found: list[Any] = []
    for steps in shop.calls(kind):
        verb, words = steps[0] if kind == "meta" else steps[-1]
        if verb == "fbq":
            verb, words = words[0], words[1:]
        if verb in ("init", "identify"):
            found.append([verb])
            found[-1].extend(words)
        elif verb != "load":
            found.append(words[0] if words else verb)
    return found


def test_nobody_is_told_where_the_site_does_not_ask() -> None:
    """Off by default: no user data in `init`, no `identify`."""
    shop = Shop().start(("identify", SITI), ("page",), ADD)
    shop.call("identify", BUDI)
    shop.call(*ADD)
    assert shown(shop, "meta")[0] == ["init", "meta-1"]
    text = repr(shop.calls("meta") + shop.calls("tiktok"))
    for secret in (SITI_HASH, BUDI_HASH, "SITI", "santoso", "identify"):
        assert secret not in text, secret


def test_meta_1_who_is_known_at_set_up_is_in_the_one_init() -> None:
    """meta.md 1: only `init` takes user data, so early calls are looked through for it."""
    shop = Shop(asking("meta")).start(("page",), ("identify", SITI), ("identify", {"id": 7}), ADD)
    told = shown(shop, "meta")[0][2]
    assert sorted(told) == ["em", "external_id"], told
    assert told["em"] == SITI_HASH, told
    assert [call for call in shown(shop, "meta") if call[0] == "init"] == [["init", "meta-1", told]]
    assert shown(shop, "meta")[1:] == ["PageView", "AddToCart"]


def test_meta_is_told_once_of_who_becomes_known_later() -> None:
    """Meta takes a second `init` only while it has no user data; a third would be a duplicate."""
    shop = Shop(asking("meta")).start(("page",))
    shop.call("identify", SITI)
    shop.call(*ADD)
    shop.call("identify", BUDI)
    shop.call(*ADD)
    assert shown(shop, "meta") == [
        ["init", "meta-1"],
        "PageView",
        ["init", "meta-1", {"em": SITI_HASH}],
        "AddToCart",
        "AddToCart",
    ], shown(shop, "meta")


def test_a_pixel_of_the_pages_own_is_not_told() -> None:
    """DESIGN 5.3: what the page has initialised is never initialised again."""
    page = FakePage()
    page.own["meta"] = {"ids": ["meta-1"], "page_view": False}
    shop = Shop(asking("meta"), page).start(("identify", SITI), ADD)
    shop.call("identify", BUDI)
    shop.call(*ADD)
    assert shown(shop, "meta") == ["AddToCart", "AddToCart"], shown(shop, "meta")


def test_who_logs_out_early_is_not_told() -> None:
    """After `reset`, and after `identify` with null, nobody is known; an error tells nobody."""
    for calls in (
        (("identify", SITI), ("reset",)),
        (("identify", SITI), ("identify", None)),
        (("identify", {"mail": "siti@toko.example"}),),
        (("consent", "denied"), ("identify", SITI)),
    ):
        shop = Shop(asking("meta")).start(*calls)
        assert shown(shop, "meta") == [["init", "meta-1"]], (calls, shown(shop, "meta"))


def test_who_has_logged_out_before_consent_is_not_told() -> None:
    """A pixel that is set up late goes by who is known then, not by who was known early."""
    for settings, consent in (
        (asking("meta", consent="required"), "granted"),
        (
            site(destinations={"meta": pixel("meta", advanced_matching=True, categories=["3"])}),
            ["3"],
        ),
    ):
        shop = Shop(settings)
        if consent == ["3"]:
            shop.page.browser.jar["_pm_consent"] = "1"
            shop = shop.next_page()
        shop.start(("identify", SITI))
        assert shop.calls("meta") == [], consent
        shop.call("reset")
        shop.call("consent", consent)
        assert shown(shop, "meta") == [["init", "meta-1"]], (consent, shown(shop, "meta"))


def test_tiktok_1_identify_comes_before_the_events_it_enriches() -> None:
    """tiktok.md 1: once for each user, before the `track`; later users replace earlier ones."""
    shop = Shop(asking("tiktok")).start(("page",), ("identify", SITI), ADD, ADD)
    shop.call("identify", BUDI)
    shop.call(*ADD)
    assert shown(shop, "tiktok") == [
        "page",
        ["identify", {"sha256_email": SITI_HASH}],
        "AddToCart",
        "AddToCart",
        ["identify", {"sha256_email": BUDI_HASH}],
        "AddToCart",
    ], shown(shop, "tiktok")


def test_others_pixels_are_not_told() -> None:
    """tiktok.md 1: `ttq.instance(id).identify` for ours where the page has another's pixel."""
    page = FakePage()
    page.own["tiktok"] = {"ids": ["other"], "page_view": False}
    shop = Shop(asking("tiktok"), page).start(("identify", SITI), ADD)
    told = [["ttq"], ["instance", ["tiktok-1"]], ["identify", [{"sha256_email": SITI_HASH}]]]
    assert told in shop.calls("tiktok"), shop.calls("tiktok")
    assert [steps for steps in shop.calls("tiktok") if steps[1][0] == "identify"] == []


def test_nobody_is_told_before_consent_or_after_a_refusal() -> None:
    """DESIGN 5.3: `required`: nothing leaves; on consent, the first `init` has who is known."""
    for kind, expected in (
        ("meta", [["init", "meta-1", {"em": SITI_HASH}], "AddToCart"]),
        ("tiktok", [["identify", {"sha256_email": SITI_HASH}], "AddToCart"]),
    ):
        shop = Shop(asking(kind, consent="required")).start(("identify", SITI), ADD)
        assert shop.calls(kind) == []
        shop.call("consent", "granted")
        assert shown(shop, kind) == expected, shown(shop, kind)
        shop.call("consent", "denied")
        shop.call("identify", BUDI)
        shop.call(*ADD)
        assert shown(shop, kind) == expected, shown(shop, kind)


def test_nothing_personal_is_said() -> None:
    """A pixel that throws is said in the console without what it was told."""
    for kind, name in (("meta", "fbq"), ("tiktok", "ttq")):
        page = FakePage()
        page.throwing = [name]
        shop = Shop(asking(kind), page).start(("identify", SITI), ADD)
        said = repr(shop.page.done("say"))
        assert "failed" in said, kind
        assert "siti" not in said.lower(), said
        assert SITI_HASH not in said, said
