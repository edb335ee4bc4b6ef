"""A shopper as Meta knows one (specs/meta.md section 5; specs/alusio.md sections 3 and 4)."""

from hashlib import sha256
from typing import Any

import pytest

from relay.identity.meta import FIELDS, Countries, hashed_user_data

# specs/meta.md section 7: key, input, normalised, SHA-256, and the shopper's country.
VECTORS = [
    (
        "em",
        "  Dewi.Lestari+Promo@Example.COM \t",
        "dewi.lestari+promo@example.com",
        "a331698d5700f7bb50dc0d1ee195c1d14d28aa2c52dc0eeca46b4a512ace4f30",
        "id",
    ),
    (
        "em",
        "SITI@toko.example",
        "siti@toko.example",
        "4320997dde26a372566fbae6938926b36996b927f236fa61d6ca48e94313c843",
        "id",
    ),
    (
        "ph",
        "+62 (812) 3456-7890",
        "6281234567890",
        "dd752605096029a73495a91862983963e1947a834a4300808074185af10bb725",
        "id",
    ),
    (
        "ph",
        "0062 812-3456-7890",
        "6281234567890",
        "dd752605096029a73495a91862983963e1947a834a4300808074185af10bb725",
        "id",
    ),
    (
        "ph",
        "+1 (415) 555.0134",
        "14155550134",
        "e4df23eae17fd7b23181d75ca8503ed89f92dc8e84c26f8c5aab970a950d48b3",
        "id",
    ),
    (
        "fn",
        "  Anne-Marie ",
        "annemarie",
        "67495eb5715de43c26f7c18b25cc7f62a7540236516bd59d5162a6f743598083",
        "id",
    ),
    (
        "fn",
        "Jos\u00e9",
        "jos\u00e9",
        "d994e1d001886fe5b45b1267bd1fa2b752ac50742579bd3dad7b2a2aa0ed6866",
        "id",
    ),
    (
        "ln",
        "O'Neill Jr.",
        "oneilljr",
        "1550d2b85479e5ddc9e9a9dc5954f3bf8d7374346ad2062fb651948c64926125",
        "id",
    ),
    (
        "ln",
        " van der Berg",
        "vanderberg",
        "aad607ca3121d5d843c2cd64e8c73c2a24fa3a4cb890ed8d40a1efa8af7a14d5",
        "id",
    ),
    (
        "db",
        "1988-03-09",
        "19880309",
        "2d3723267b4c49fa386268e860bd6744f48fc711bb069f10e34946722002bd49",
        "id",
    ),
    (
        "ge",
        " Female ",
        "f",
        "252f10c83610ebca1a059c0bae8255eba2f95be4d1d7bcfa89d7248a82d9f111",
        "id",
    ),
    (
        "ct",
        "St. Louis",
        "stlouis",
        "8ba24bdf99947996f3000259be455de791b06fcc0e802ce05031030df1ee8ea3",
        "us",
    ),
    (
        "ct",
        "Jakarta Selatan",
        "jakartaselatan",
        "cbbdd67afe7769ef5c217e5ffb72ce10ae8b9765010f41ac1adcb647c93a9df2",
        "id",
    ),
    (
        "ct",
        " S\u00e3o Paulo ",
        "sopaulo",
        "4a287883aa51936209f313e4c62d9b38b41b7df896dfdff33b98dc1a86607668",
        "br",
    ),
    (
        "st",
        "New York",
        "ny",
        "1b06e2003f8420d6fa42badd8f77ec0f706b976b7a48b13c567dc5a559681683",
        "us",
    ),
    (
        "st",
        "Jawa Barat",
        "jawabarat",
        "fcaac6f40a81c78e143ea76d9cbe960adbe1485d9b315562084c27684188eab5",
        "id",
    ),
    (
        "zp",
        " 94035-1234 ",
        "94035",
        "1794327a4d443904421f5ca1f3d72d0a62ba2f0770d80755ec2220fc0efb052e",
        "us",
    ),
    (
        "zp",
        "01310-200",
        "01310",
        "cba5aecb8b3505d2221a198a401d3ecc88a02990b5d2863c50c4ded91a978fb5",
        "br",
    ),
    (
        "zp",
        "M1 1AE",
        "m11ae",
        "1dc694c2070e697769fb959b50671d76cafd430d8ca191fbdd0affcaea344ac5",
        "gb",
    ),
    (
        "country",
        " ID ",
        "id",
        "a56145270ce6b3bebd1dd012b73948677dd618d496488bc608a3cb43ce3547dd",
        "id",
    ),
    (
        "external_id",
        " Cust 0042-AbC ",
        "cust0042-abc",
        "3e460ca9ba69c2a2d37cec933f81e84aef606b4b5924904554503a177b3f88d2",
        "id",
    ),
    (
        "external_id",
        "CUST-0042",
        "cust-0042",
        "04f18369b9f09f7908b299d2535b6d99d3df2e17e8f953553f269e38ed7281d8",
        "id",
    ),
    # specs/alusio.md section 4. The name is `Siti Aminah`; the shop tells its first word.
    (
        "em",
        " Siti@Example.com ",
        "siti@example.com",
        "3684a581ce82ee39a1541130095759584e4c574d3db3e88b193256c20fae9747",
        "id",
    ),
    (
        "ph",
        "0812-3456-7890",
        "6281234567890",
        "dd752605096029a73495a91862983963e1947a834a4300808074185af10bb725",
        "id",
    ),
    (
        "ph",
        "+62 812 3456 7890",
        "6281234567890",
        "dd752605096029a73495a91862983963e1947a834a4300808074185af10bb725",
        "id",
    ),
    (
        "fn",
        "Siti Aminah".split()[0],
        "siti",
        "a7ad5342de24cf9ad849a41b9a265274ebc803807f9ff6734bd7e9c031e7b042",
        "id",
    ),
    (
        "country",
        "id",
        "id",
        "a56145270ce6b3bebd1dd012b73948677dd618d496488bc608a3cb43ce3547dd",
        "id",
    ),
    (
        "em",
        "John_Smith@gmail.com",
        "john_smith@gmail.com",
        "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f",
        "id",
    ),
    (
        "fn",
        "Mary",
        "mary",
        "6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec",
        "id",
    ),
]


@pytest.mark.parametrize(("key", "told", "normal", "hashed", "country"), VECTORS)
def test_meta_5_alusio_s6_the_vectors(
    key: str, told: str, normal: str, hashed: str, country: str
) -> None:
    """meta 7, alusio 4: each value normalised, then hashed as UTF-8."""
    field, form = FIELDS[key]
    assert form(told, Countries("id", country)) == normal
    assert sha256(normal.encode()).hexdigest() == hashed
    user = {"country": country, field: told}
    assert hashed_user_data(user, "id")[key] == [hashed]


# meta 7 and alusio 4: what other integrations make of a value, and Meta does not expect.
NOT_OURS = [
    ({"state": "Jawa Barat"}, "3702fc1866630796050c50e9c829bd32fde7cc4c883f28e3e4ca430307c485b0"),
    (
        {"phone": "0812 3456 7890"},
        "62397bbd6a8c9ae53bc914a6017300eb6b13af5be20e4cc9ad2dc3d61ecb24cd",
    ),
]


@pytest.mark.parametrize(("user", "hashed"), NOT_OURS)
def test_meta_7_alusio_4_what_must_not_be_used(user: dict[str, str], hashed: str) -> None:
    """The parameter builder's two letters of any state; a phone number with its `+`."""
    assert [hashed] not in hashed_user_data(user, "id").values()


DROPPED = [
    {"email": ""},
    {"email": "   "},
    {"email": "not-an-email"},
    {"email": "siti@localhost"},
    {"email": "siti @toko.example"},
    {"phone": "12"},
    {"phone": "9123 4567"},
    {"firstname": " "},
    {"lastname": "'-."},
    {"gender": "x"},
    {"birthdate": "9.3.1988"},
    {"birthdate": "19880309"},
    {"birthdate": "1988-02-30"},
    {"birthdate": "1988-W10-3"},
    {"city": "1234"},
    {"city": "\u6771\u4eac"},
    {"state": "-"},
    {"zipcode": "-123"},
    {"id": " "},
]


@pytest.mark.parametrize("user", DROPPED)
def test_meta_5_what_cannot_be_one_is_left_out(user: dict[str, str]) -> None:
    """meta 5, meta 7's "drop": no key, and never the hash of nothing."""
    assert set(hashed_user_data(user, "id")) == {"country"}


NORMAL: list[tuple[str, str, str, Any]] = [
    # A letter in one piece or in two looks the same, and is hashed the same.
    ("fn", "Jose\u0301", "id", "jos\u00e9"),
    ("ct", "Sa\u0303o Paulo", "br", "sopaulo"),
    ("fn", "\u041c\u0430\u0440\u0438\u044f", "id", "\u043c\u0430\u0440\u0438\u044f"),
    ("ge", "M", "id", "m"),
    ("ge", "male", "id", "m"),
    # States have codes in the United States and in Canada alone.
    ("st", "NY", "us", "ny"),
    ("st", "Qu\u00e9bec", "ca", "qc"),
    ("st", "British Columbia", "ca", "bc"),
    ("st", "District of Columbia", "us", "dc"),
    ("st", "New York", "id", "newyork"),
    ("zp", "940351234", "us", "94035"),
    ("zp", "940351234", "id", "940351234"),
    ("zp", "40111", "id", "40111"),
    ("db", " 1988-03-09 ", "id", "19880309"),
]


@pytest.mark.parametrize(("key", "told", "country", "expected"), NORMAL)
def test_meta_5_normal_forms(key: str, told: str, country: str, expected: str) -> None:
    """meta 5: the cases that no vector covers."""
    assert FIELDS[key][1](told, Countries("id", country)) == expected


ID = "a56145270ce6b3bebd1dd012b73948677dd618d496488bc608a3cb43ce3547dd"

COUNTRIES: list[tuple[dict[str, str], str, str]] = [
    ({}, "id", "id"),
    ({}, "my", "my"),
    ({"country": "SG"}, "id", "sg"),
    ({"country": "Singapura"}, "id", "id"),
]


@pytest.mark.parametrize(("user", "shop", "expected"), COUNTRIES)
def test_alusio_s8_the_country_is_always_there(
    user: dict[str, str], shop: str, expected: str
) -> None:
    """alusio S8: the shop's, unless the shopper's is told by its two letters."""
    assert hashed_user_data(user, shop) == {"country": [sha256(expected.encode()).hexdigest()]}


def test_alusio_s8_what_was_not_told_has_no_key() -> None:
    """alusio S8, L12: no e-mail, phone, name or last name is made up."""
    assert set(hashed_user_data({"firstname": "Siti"}, "id")) == {"fn", "country"}
    assert hashed_user_data({}, "id") == {"country": [ID]}


TOLD_HASHED = {
    "em": "email",
    "ph": "phone",
    "fn": "firstname",
    "ln": "lastname",
    "ge": "gender",
    "db": "birthdate",
    "ct": "city",
    "st": "state",
    "zp": "zipcode",
    "country": "country",
    "external_id": "id",
}


@pytest.mark.parametrize(("key", "field"), TOLD_HASHED.items())
def test_meta_5_a_hash_that_the_shop_made_is_passed_on(key: str, field: str) -> None:
    """meta 5: as SHA-256, in a list; an MD5 is not used."""
    user = {f"{field}_sha256": "a" * 64, f"{field}_md5": "b" * 32}
    assert hashed_user_data(user, "id") == {"country": [ID], key: ["a" * 64]}
    assert set(hashed_user_data({f"{field}_md5": "b" * 32}, "id")) == {"country"}


def test_meta_5_the_phones_default_country_is_the_shops() -> None:
    """DESIGN 5.2: not that of the address to which the goods go."""
    told = {"phone": "0812-3456-7890", "country": "sg"}
    assert hashed_user_data(told, "id")["ph"] == [
        "dd752605096029a73495a91862983963e1947a834a4300808074185af10bb725"
    ]
