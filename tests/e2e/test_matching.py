"""Advanced matching: what Meta's and TikTok's SDKs are told of the shopper, and when."""

import json

import pytest

from tests.e2e.goods import kaos
from tests.e2e.heard import Heard
from tests.e2e.shop import Shop
from tests.e2e.shopper import Shopper
from tests.e2e.site_files import META

SITI = {"id": "C-77", "email": " SITI@toko.example ", "phone": "+6281234567890"}
PLAIN = ("siti@", "SITI@", "6281234567890", "C-77")

# specs/meta.md 7 and tiktok.md 7; the two have own forms of the phone number and the ID.
EMAIL = "4320997dde26a372566fbae6938926b36996b927f236fa61d6ca48e94313c843"
FOR_META = {
    "em": EMAIL,
    "ph": "dd752605096029a73495a91862983963e1947a834a4300808074185af10bb725",
    "external_id": "b07d67e691201384ef70fd40dbdff650ea5f30cbecb37128fa6692cffca534f2",
}
FOR_TIKTOK = {
    "sha256_email": EMAIL,
    "sha256_phone_number": "62397bbd6a8c9ae53bc914a6017300eb6b13af5be20e4cc9ad2dc3d61ecb24cd",
    "external_id": "40fd5c25602295b01ebb05c30374cba70069fb8cdeb77457589c7d0a17eaedae",
}
EARLY = """<script>
window.pixelmirror=window.pixelmirror||function(){(pixelmirror.q=pixelmirror.q||[])
.push([Date.now()].concat([].slice.call(arguments)))};
pixelmirror("identify", %s);
</script>"""


def in_short(heard: Heard, system: str) -> list[list[object]]:
    """The calls that tell of the shopper whole, the others by their name."""
    rows = [row for row in heard.calls(system) if row["call"][0] != "load"]
    told = ("init", "identify")
    return [row["call"] if row["call"][0] in told else [row["event_name"]] for row in rows]


def assert_nothing_plain(heard: Heard) -> None:
    for system in ("meta", "tiktok"):
        text = json.dumps([row["call"] for row in heard.calls(system)])
        assert [word for word in PLAIN if word in text] == [], text


@pytest.mark.parametrize("site", ["toko", "matching"])
def test_who_is_known_early_is_told_at_once_where_the_site_asks(
    shop: Shop, shopper: Shopper, heard: Heard, site: str
) -> None:
    """By hashes, in Meta's one `init` for each pixel and TikTok's one `identify`; else nobody."""
    shop.page("/", tag=EARLY % json.dumps(SITI) + shop.tag(site))
    page = shopper.visit("/")
    shopper.track(page, "add_to_cart", kaos())
    heard.wait_for("meta", "AddToCart", 2 if site == "matching" else 1)
    heard.wait_for("tiktok", "AddToCart")
    shopper.wait_until_acknowledged(page)
    inits = [call for call in in_short(heard, "meta") if call[0] == "init"]
    named = [call for call in in_short(heard, "tiktok") if call[0] == "identify"]
    if site == "toko":
        assert (inits, named) == ([["init", META]], [])
    else:
        assert inits == [["init", META, FOR_META], ["init", "9876543210", FOR_META]]
        assert named == [["identify", FOR_TIKTOK]]
    assert heard.refused() == []
    assert_nothing_plain(heard)


def test_who_becomes_known_later_is_told_before_the_next_event(
    shop: Shop, shopper: Shopper, heard: Heard
) -> None:
    """Meta's SDK takes a second `init` that brings user data where there was none, and no third."""
    shop.page("/", tag=shop.tag("matching"))
    page = shopper.visit("/")
    shopper.call(page, "identify", SITI)
    shopper.track(page, "view_item", kaos())
    shopper.call(page, "identify", {"email": "budi@toko.example"})
    shopper.track(page, "add_to_cart", kaos())
    heard.wait_for("meta", "AddToCart", 2)
    heard.wait_for("tiktok", "AddToCart")
    shopper.wait_until_acknowledged(page)
    both = [META, "9876543210"]
    assert in_short(heard, "meta") == [
        *(["init", one] for one in both),
        *[["PageView"]] * 2,
        *(["init", one, FOR_META] for one in both),
        *[["ViewContent"]] * 2,
        *[["AddToCart"]] * 2,
    ]
    told = in_short(heard, "tiktok")
    assert told[:3] == [["Pageview"], ["identify", FOR_TIKTOK], ["ViewContent"]]
    assert [call[0] for call in told[3:]] == ["identify", "AddToCart"]
    assert heard.refused() == []
    assert_nothing_plain(heard)
