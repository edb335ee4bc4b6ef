"""A shopper as TikTok knows one (specs/tiktok.md section 5)."""

from hashlib import sha256

import pytest

from relay.identity.meta import hashed_user_data
from relay.identity.tiktok import FIELDS, hashed_user

# specs/tiktok.md section 7: field, input, normalised, SHA-256.
VECTORS = [
    (
        "email",
        " Budi.Santoso@Example.ORG ",
        "budi.santoso@example.org",
        "ca1535fdeb51abea390d7bd6885fb9c0315402369e1ad7cfa9ecea85bb297007",
    ),
    (
        "email",
        "RINA+tt@Example.com\n",
        "rina+tt@example.com",
        "7ecba682adee469eb207ff761e6e9dce4fbd5d606ce74c308a65d18c0830c092",
    ),
    (
        "email",
        "alice_abc@gmail.com",
        "alice_abc@gmail.com",
        "848a771458438fc2ec420560d769fb9b9b86851ee338ec56517baabd79d3bb4f",
    ),
    (
        "phone",
        "+62 812-3456-7890",
        "+6281234567890",
        "62397bbd6a8c9ae53bc914a6017300eb6b13af5be20e4cc9ad2dc3d61ecb24cd",
    ),
    (
        "phone",
        "62 (812) 3456 7890",
        "+6281234567890",
        "62397bbd6a8c9ae53bc914a6017300eb6b13af5be20e4cc9ad2dc3d61ecb24cd",
    ),
    (
        "phone",
        "0062 812 3456 7890",
        "+6281234567890",
        "62397bbd6a8c9ae53bc914a6017300eb6b13af5be20e4cc9ad2dc3d61ecb24cd",
    ),
    (
        "phone",
        "0812-3456-7890",
        "+6281234567890",
        "62397bbd6a8c9ae53bc914a6017300eb6b13af5be20e4cc9ad2dc3d61ecb24cd",
    ),
    (
        "phone",
        "+1 213 373 4253",
        "+12133734253",
        "9f7ec22d72092cd3c0b58726ed9c2d91b92e51a3f29837508fb2948bb22dd2fd",
    ),
    (
        "external_id",
        " user_123 ",
        "user_123",
        "80fba0ae1c48e3978e43e4efc365e14e12ea0c830ba8ba5b9a2dafc7e3f2ab8b",
    ),
    (
        "external_id",
        "CUST-0042",
        "CUST-0042",
        "66d619f6d5afd99b369b11f3a8000689b064ad248eadb78fb16b05fdb348690b",
    ),
    (
        "external_id",
        "70031",
        "70031",
        "f4e767a3ba47fc3f3d713823e90e1a5b12f3a2c15c26e88006bf03d6844f91b1",
    ),
]


@pytest.mark.parametrize(("key", "told", "normal", "hashed"), VECTORS)
def test_tiktok_5_the_vectors(key: str, told: str, normal: str, hashed: str) -> None:
    """tiktok 7: each value normalised, then hashed as UTF-8."""
    field, form = FIELDS[key]
    assert form(told, "id") == normal
    assert sha256(normal.encode()).hexdigest() == hashed
    assert hashed_user({field: told}, "id") == {key: hashed}


# specs/tiktok.md section 7: what some integrations send and no source confirms.
NOT_OURS = [
    ("id", "CUST-0042", "04f18369b9f09f7908b299d2535b6d99d3df2e17e8f953553f269e38ed7281d8"),
    (
        "firstname",
        " Siti Aminah ",
        "611567ed522ac9020c15013759b36e7ddc2499c791d33ea32348a9e2ff4d8958",
    ),
    (
        "firstname",
        " Siti Aminah ",
        "5d6c2f3530f79acca33b6ee4a7cb61fd0de8f539d80884a8a3fcd4bef502f3da",
    ),
    ("lastname", "O'Neill", "4897794243f02aab17572801e8e9629de1efcf107bcc8671f97aeb3d565b3d68"),
    ("zipcode", " 12190 ", "1a29cb216b6e4e040bb1b3cefd9aabd234672de9853d5ef12e4b7127fc1f1607"),
    ("zipcode", "SW1A 1AA", "830e1d4b9838bab1f5c2acdb23e0b502ff13a9832c4632e8d67a1d43d3b7f614"),
]


@pytest.mark.parametrize(("field", "told", "hashed"), NOT_OURS)
def test_tiktok_5_what_is_unverified_is_not_sent(field: str, told: str, hashed: str) -> None:
    """tiktok 5: no name, no address, no postcode, and no customer number in lower case."""
    assert hashed not in hashed_user({field: told}, "id").values()
    assert set(hashed_user({field: told}, "id")) <= {"external_id"}


DROPPED = [
    {"email": ""},
    {"email": "  "},
    {"email": "no-at-sign"},
    {"phone": "12"},
    {"phone": "9123 4567"},
    {"id": " "},
    {"email_md5": "b" * 32},
    {},
]


@pytest.mark.parametrize("user", DROPPED)
def test_tiktok_5_what_cannot_be_one_is_left_out(user: dict[str, str]) -> None:
    """tiktok 5, tiktok 7's "drop": no key, and never the hash of nothing."""
    assert hashed_user(user, "id") == {}


def test_tiktok_5_a_hash_is_passed_on() -> None:
    """tiktok 5: in lower case, as the shop made it."""
    user = {"email_sha256": "a" * 64, "phone_sha256": "b" * 64, "id": "C" * 64}
    assert hashed_user(user, "id") == {
        "email": "a" * 64,
        "phone": "b" * 64,
        "external_id": "c" * 64,
    }


def test_tiktok_5_a_phones_hash_is_never_metas() -> None:
    """tiktok 5: the two differ by the `+`, so the same number has two hashes."""
    user = {"phone": "0812-3456-7890"}
    assert hashed_user(user, "id")["phone"] not in hashed_user_data(user, "id")["ph"]
