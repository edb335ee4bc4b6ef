"""Personal data in the form in which a system is given it."""

from hashlib import sha256

import pytest

from relay.identity import anonymise, digest, normal_email, phone_digits, phone_e164, sha256_hex

# specs/tracify.md section 3: raw, SHA-256, anonymised.
VECTORS = [
    (
        "jane.doe@example.com",
        "86e0b9e56c17cc4d12387e1949b85053fbe73bc3ce5a1188713a9d300cc6133d",
        "c0a1fad9b778e61a5b65528e34d2ec4fad44958743087b53b0e67e1c0da6cf89",
    ),
    (
        "203.0.113.7",
        "fec52565aa0cf18f57d7cf5b3ac728503b8992d2d6f7d46da1d1201090902b02",
        "c6286e821f5fe4eb13c80fe600b8d372ddbdecc06bb04d00f369eced71012b44",
    ),
    (
        "Mozilla/5.0",
        "1066b48224bb188ceb955605f4fcff98893be2688d7e965afb04d36d17e7f0d7",
        "fe3fa8b7cb726fc1507885122d8bc5dcb7bfbf0f17f08d8f4dd588bc810c929b",
    ),
    (
        "203.0.113.7|Mozilla/5.0",
        "e71837e3cd723943da9bb07f05d094b8954e6b7fbf71510963851af63d139ca3",
        "c6bb2c9dc2eb96b0a6d9bb0eca7cd30e7526501be5e4514ea369a8f9725bdfa3",
    ),
    (
        "192.168.1.1|Mozilla/5.0",
        "9ae0fbed4c865c17680a6a90cdcbbe6902693742116a241174af379a3ceba712",
        "6fa4c6102d82c29727f536f606dfa1780df4b188846ff70042cdafbcee84a404",
    ),
    (
        "2001:db8::1",
        "5afd19e856d1c18d17d600dfd2b5f534992333985e126c2a951047102c1ed536",
        "a5719773f4aa3572abfa03e17a80ba1286501f9c33d144554ff73df05ceb323e",
    ),
    (
        "Jane.Doe@Example.com",
        "734134e6f19eeaf4130d9630c2affa910e8c110d11c1e15ffbe018c2966143af",
        "90ebbfc7927ed8668bc37f3dc4c94906d542aaaddcbcb23dc49ff45258f349d6",
    ),
]


@pytest.mark.parametrize(("raw", "first", "anonymised"), VECTORS)
def test_tracifys_vectors(raw: str, first: str, anonymised: str) -> None:
    """tracify.md section 2: the first hash less its last 5 characters is hashed once more."""
    assert sha256(raw.encode()).hexdigest() == first
    assert sha256(first[:59].encode()).hexdigest() == anonymised
    assert anonymise(raw) == anonymised


def test_half_a_surrogate_pair_is_anonymised_too() -> None:
    """A user agent cut in the middle of a character, as JSON can carry it, stops no event."""
    assert len(anonymise("Mozilla \ud83d")) == 64


@pytest.mark.parametrize("email", ["Jane.Doe@Example.com", "  jane.doe@example.com\n"])
def test_t9_an_email_is_trimmed_and_lower_case(email: str) -> None:
    """tracify T9: so that it has one hash, however it was typed."""
    assert normal_email(email) == "jane.doe@example.com"


PHONES = [
    ("+6281234567890", "id", "6281234567890"),
    ("+62 812-3456-7890", "id", "6281234567890"),
    ("(+62) 812 3456 7890", "id", "6281234567890"),
    ("+62 (0)812 3456 7890", "id", "6281234567890"),
    ("6281234567890", "id", "6281234567890"),
    ("006281234567890", "id", "6281234567890"),
    ("0812-3456-7890", "id", "6281234567890"),
    ("81234567890", "id", "6281234567890"),
    ("021 5551234", "id", "62215551234"),
    ("0812.3456.7890 ext 5", "id", "6281234567890"),
    ("WA 0812-3456-7890", "id", "6281234567890"),
    ("+620812-3456-7890", "id", "6281234567890"),
    # Another country's number in an Indonesian shop, and the other way round.
    ("+65 9123 4567", "id", "6591234567"),
    ("0065 9123 4567", "id", "6591234567"),
    ("1 (415) 555.0134", "id", "14155550134"),
    ("+6281234567890", "sg", "6281234567890"),
    ("6281234567890", "sg", "6281234567890"),
    # At home where no 0 is dialled.
    ("9123 4567", "sg", "6591234567"),
    ("(415) 555-0134", "us", "14155550134"),
    # Whose country code can't be known, or what is no number.
    ("9123 4567", "id", None),
    ("0812-3456-7890", "sg", None),
    ("0812-3456-7890", "xx", None),
    ("812345678901", "sg", None),
    ("+999 12345678", "id", None),
    ("0812", "id", None),
    ("+62 812", "id", None),
    ("+6281234567890123", "id", None),
    ("+62 +62 812 3456 7890", "id", None),
    ("tanya admin", "id", None),
    ("+", "id", None),
    ("", "id", None),
]


@pytest.mark.parametrize(("phone", "country", "expected"), PHONES)
def test_a_phone_number_has_its_calling_code(
    phone: str, country: str, expected: str | None
) -> None:
    """meta 5, tiktok 5, 002's samples: a code is put in front where only one can be meant."""
    assert phone_digits(phone, country) == expected
    assert phone_e164(phone, country) == (expected and f"+{expected}")


# --- hashes ---

HASH = "4320997dde26a372566fbae6938926b36996b927f236fa61d6ca48e94313c843"
OTHER = "a" * 64

DIGESTS: list[tuple[dict[str, str], str | None]] = [
    ({"email": " SITI@toko.example "}, HASH),
    ({"email": "siti@toko.example", "email_sha256": OTHER}, HASH),
    ({"email_sha256": OTHER}, OTHER),
    ({"email": "", "email_sha256": OTHER}, OTHER),
    ({"email": " ", "email_sha256": OTHER}, OTHER),
    ({"email": f" {HASH.upper()} "}, HASH),
    ({"email": "b" * 32}, sha256_hex("b" * 32)),  # as long as an MD5, but may be any ID
    ({"email_md5": "b" * 32}, None),
    ({"email": "  "}, None),
    ({"email": ""}, None),
    ({}, None),
]


@pytest.mark.parametrize(("user", "expected"), DIGESTS)
def test_what_is_plain_is_hashed_and_what_is_hashed_is_passed_on(
    user: dict[str, str], expected: str | None
) -> None:
    """meta 5, tiktok 5: 64 hexadecimal characters are a hash already; nothing is never hashed."""
    assert digest(user, "email", lambda text, _: normal_email(text), None) == expected


def test_half_a_surrogate_pair_is_hashed_too() -> None:
    """A name cut in the middle of a character stops no event."""
    assert sha256_hex("\ud83d") == sha256_hex("?")
