"""Who the shopper is, as a pixel is told in the page (specs/meta.md 1, 5; specs/tiktok.md 1, 5)."""

from pixelmirror.anything import Any
from pixelmirror.pixels import meta, tiktok

SITI = "4320997dde26a372566fbae6938926b36996b927f236fa61d6ca48e94313c843"
PHONE = "+6281234567890"
META_PHONE = "dd752605096029a73495a91862983963e1947a834a4300808074185af10bb725"
TIKTOK_PHONE = "62397bbd6a8c9ae53bc914a6017300eb6b13af5be20e4cc9ad2dc3d61ecb24cd"
BUDI = "ca1535fdeb51abea390d7bd6885fb9c0315402369e1ad7cfa9ecea85bb297007"
INDONESIA = "a56145270ce6b3bebd1dd012b73948677dd618d496488bc608a3cb43ce3547dd"

# User -> what Meta's `init` is told. The hashes are those of specs/meta.md 7.
META: Any = (
    ({"email": " SITI@toko.example "}, {"em": SITI}),
    ({"phone": PHONE}, {"ph": META_PHONE}),
    (
        {"firstname": "  Anne-Marie "},
        {"fn": "67495eb5715de43c26f7c18b25cc7f62a7540236516bd59d5162a6f743598083"},
    ),
    (
        {"lastname": "O'Neill Jr."},
        {"ln": "1550d2b85479e5ddc9e9a9dc5954f3bf8d7374346ad2062fb651948c64926125"},
    ),
    (
        {"birthdate": "1988-03-09"},
        {"db": "2d3723267b4c49fa386268e860bd6744f48fc711bb069f10e34946722002bd49"},
    ),
    (
        {"gender": "f"},
        {"ge": "252f10c83610ebca1a059c0bae8255eba2f95be4d1d7bcfa89d7248a82d9f111"},
    ),
    (
        {"city": "Jakarta Selatan"},
        {"ct": "cbbdd67afe7769ef5c217e5ffb72ce10ae8b9765010f41ac1adcb647c93a9df2"},
    ),
    ({"country": "ID"}, {"country": INDONESIA}),
    (
        {"id": " Cust 0042-AbC "},
        {"external_id": "3e460ca9ba69c2a2d37cec933f81e84aef606b4b5924904554503a177b3f88d2"},
    ),
)

# User -> what TikTok's `identify` is told. The hashes are those of specs/tiktok.md 7.
TIKTOK: Any = (
    ({"email": " Budi.Santoso@Example.ORG "}, {"sha256_email": BUDI}),
    ({"phone": PHONE}, {"sha256_phone_number": TIKTOK_PHONE}),
    (
        {"id": " CUST-0042 "},
        {"external_id": "66d619f6d5afd99b369b11f3a8000689b064ad248eadb78fb16b05fdb348690b"},
    ),
    # No source confirms these.
    ({"firstname": "Siti", "lastname": "A", "city": "Bogor", "zipcode": "16111"}, {}),
)

# What only the relay can normalise, and what is nothing.
LEFT_OUT: Any = (
    {"email": "s\u00efti@toko.example"},
    {"email": "no-at-sign"},
    {"email": " "},
    {"phone": "081234567890"},
    {"phone": "6281234567890"},
    {"phone": "+62 812-3456-7890"},
    {"phone": "+62081234567890"},
    {"phone": "+7 8121234567"},
    {"phone": "+78121234567"},
    {"phone": "+1234567"},
    {"phone": "+1234567890123456"},
    {"firstname": "Jos\u00e9"},
    {"lastname": "-"},
    {"city": "S\u00e3o Paulo"},
    {"city": "7"},
    {"birthdate": "1999-02-29"},
    {"birthdate": "0000-01-01"},
    {"birthdate": "1999-13-01"},
    {"state": "Jawa Barat"},  # whose country is not told
    {"zipcode": "16111"},
    {},
)


def test_meta_1_what_init_is_told_are_hashes_of_the_normal_forms() -> None:
    """meta.md 1: the keys of advanced matching, normalised by section 5, as SHA-256."""
    for user, told in META:
        assert meta.user_data(user) == told, (user, meta.user_data(user))


def test_tiktok_1_what_identify_is_told_are_the_pre_hashed_keys() -> None:
    """tiktok.md 1: `sha256_email`, `sha256_phone_number`, `external_id`, and no more."""
    for user, told in TIKTOK:
        assert tiktok.user_data(user) == told, (user, tiktok.user_data(user))


def test_what_the_page_can_not_normalise_is_left_out() -> None:
    """A hash of another form would match nobody, or a stranger."""
    for user in LEFT_OUT:
        assert meta.user_data(user) == {}, user
        if "email" not in user or user["email"] != "no-at-sign":
            assert tiktok.user_data(user) == {}, user


def test_a_state_and_a_postcode_are_told_with_their_country() -> None:
    """meta.md 5: both are written as their country writes them; a name of a state needs a list."""
    for user, keys in (
        ({"country": "ID", "state": "Jawa Barat", "zipcode": "16111"}, ["country", "st", "zp"]),
        ({"country": "US", "state": "New York"}, ["country"]),
        ({"country": "US", "state": "NY"}, ["country", "st"]),
        ({"country": "IDN", "state": "Jawa Barat", "zipcode": "16111"}, []),
    ):
        assert sorted(meta.user_data(user)) == keys, (user, meta.user_data(user))


def test_a_hash_of_the_shops_own_counts_where_nothing_plain_does() -> None:
    """DESIGN 5.4: `email_sha256` passes as it is; so does a value that is a hash already."""
    for user in ({"email_sha256": SITI}, {"email": SITI.upper()}):
        assert meta.user_data(user) == {"em": SITI}, user
        assert tiktok.user_data(user) == {"sha256_email": SITI}, user
    both = {"email": "siti@toko.example", "email_sha256": BUDI}
    assert meta.user_data(both) == {"em": SITI}
    assert meta.user_data({"phone": "0812345678", "phone_sha256": BUDI}) == {"ph": BUDI}
    assert meta.user_data({"email_md5": "d41d8cd98f00b204e9800998ecf8427e"}) == {}
