"""What the page hashes for a pixel is what the relay hashes for the server copy, or nothing."""

from typing import Any

import phonenumbers
import pytest

from pixelmirror.pixels import meta, tiktok
from relay.identity.meta import FIELDS as META_FIELDS
from relay.identity.meta import hashed_user_data
from relay.identity.tiktok import FIELDS as TIKTOK_FIELDS
from relay.identity.tiktok import hashed_user
from tests.relay.test_identity_meta import VECTORS as META_VECTORS
from tests.relay.test_identity_tiktok import VECTORS as TIKTOK_VECTORS

PAGE_KEYS = {"email": "sha256_email", "phone": "sha256_phone_number", "external_id": "external_id"}

ODD = [
    {"email": "a@b@c.d"},
    {"email": "a b@c.de"},
    {"email": "a@.d"},
    {"email": "a@b."},
    {"firstname": "Anne\tMarie"},
    {"firstname": "x_~`|y 9"},
    {"lastname": "\u0130nan"},
    {"city": "'s-Hertogenbosch"},
    {"birthdate": "2000-02-29"},
    {"birthdate": "1900-02-29"},
    {"zipcode": "12345-6789", "country": "US"},
    {"zipcode": "12190 ", "country": "ID"},
    {"state": "D.K.I. Jakarta", "country": "id"},
    {"state": "Qu\u00e9bec", "country": "CA"},
    {"state": "Quebec", "country": "CA"},
    {"phone": "+62081234567890"},
    {"phone": "+5215512345678"},
    {"phone": "+88121234567"},
    {"id": "A 1\u00a0b"},
    {"id": "\x1cA1"},
]


def assert_alike(user: dict[str, Any]) -> int:
    """How many hashes the page makes; each is the relay's."""
    for_meta, for_tiktok = hashed_user_data(user, "id"), hashed_user(user, "id")
    in_meta, in_tiktok = meta.user_data(user), tiktok.user_data(user)
    for key, told in in_meta.items():
        assert for_meta[key] == [told], (key, user)
    for key, own in PAGE_KEYS.items():
        if own in in_tiktok:
            assert for_tiktok[key] == in_tiktok[own], (key, user)
    return len(in_meta) + len(in_tiktok)


def test_the_specs_vectors_are_hashed_alike() -> None:
    """Both specs' vectors, with the country that each goes with; most of them the page takes."""
    taken = 0
    for key, told, _normal, _hash, country in META_VECTORS:
        taken += assert_alike({"country": country, META_FIELDS[key][0]: told}) > 1
    for key, told, _normal, _hash in TIKTOK_VECTORS:
        taken += assert_alike({TIKTOK_FIELDS[key][0]: told}) > 0
    assert taken >= 20, taken


@pytest.mark.parametrize("user", ODD)
def test_odd_values_are_hashed_alike_or_left_out(user: dict[str, Any]) -> None:
    """A value on which the two would differ is one that the page leaves out."""
    assert_alike(user)


def test_the_numbers_of_every_country_are_hashed_alike_or_left_out() -> None:
    """The library's example of each kind of number in each country, in E.164."""
    taken = 0
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in range(12):
            number = phonenumbers.example_number_for_type(region, kind)
            if number is not None:
                e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
                taken += assert_alike({"phone": e164}) > 0
    assert taken > 1000, taken
