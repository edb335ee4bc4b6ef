"""A shopper as Meta knows one: each field normalised by Meta's rules, then hashed.

Source: specs/meta.md section 5, the column "Implement".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from string import punctuation
from typing import NamedTuple

from relay.identity import digest, normal_email, phone_digits, sha256_hex

EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
COUNTRY = re.compile(r"[a-z]{2}")
NO_PUNCTUATION = str.maketrans("", "", punctuation)

GENDERS = {"f": "f", "female": "f", "m": "m", "male": "m"}

US_ZIP_LENGTH = 5

# Countries whose states Meta wants as codes: names as `_letters` leaves them, each with its code.
STATES = {
    "us": (
        "alabama al alaska ak americansamoa as arizona az arkansas ar california ca colorado co "
        "connecticut ct delaware de districtofcolumbia dc florida fl georgia ga guam gu hawaii hi "
        "idaho id illinois il indiana in iowa ia kansas ks kentucky ky louisiana la maine me "
        "maryland md massachusetts ma michigan mi minnesota mn mississippi ms missouri mo "
        "montana mt nebraska ne nevada nv newhampshire nh newjersey nj newmexico nm newyork ny "
        "northcarolina nc northdakota nd northernmarianaislands mp ohio oh oklahoma ok oregon or "
        "pennsylvania pa puertorico pr rhodeisland ri southcarolina sc southdakota sd "
        "tennessee tn texas tx utah ut vermont vt virginia va virginislands vi washington wa "
        "westvirginia wv wisconsin wi wyoming wy"
    ),
    "ca": (
        "alberta ab britishcolumbia bc manitoba mb newbrunswick nb newfoundlandandlabrador nl "
        "northwestterritories nt novascotia ns nunavut nu ontario on princeedwardisland pe "
        "quebec qc québec qc saskatchewan sk yukon yt"
    ),
}
STATE_CODES = {
    country: dict(zip(names.split()[::2], names.split()[1::2], strict=True))
    for country, names in STATES.items()
}


class Countries(NamedTuple):
    """Two lower-case letters each; the shopper's is the shop's until told."""

    shop: str
    shopper: str


def hashed_user_data(user: Mapping[str, str], shop_country: str) -> dict[str, list[str]]:
    """The hashed fields of `user_data`: `{"em": ["4320997d..."], "country": ["a56145..."]}`.

    What is missing or unusable is left out, but for the country: that is the shop's then
    (alusio S8).
    """
    countries = Countries(shop_country, _country(user.get("country", "")) or shop_country)
    found = {"country": [sha256_hex(shop_country)]}
    for key, (field, normal) in FIELDS.items():
        if hashed := digest(user, field, normal, countries):
            found[key] = [hashed]
    return found


def _email(text: str, _: Countries) -> str | None:
    address = normal_email(text)
    return address if EMAIL.fullmatch(address) else None


def _phone(text: str, countries: Countries) -> str | None:
    return phone_digits(text, countries.shop)


def _letters(text: str, _: Countries | None = None) -> str:
    """Composed first, so that names that look the same hash the same."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(composed.lower().translate(NO_PUNCTUATION).split())


def _gender(text: str, _: Countries) -> str | None:
    return GENDERS.get(text.strip().lower())


def _birthdate(text: str, _: Countries) -> str | None:
    """`19880309` of `1988-03-09`; in any other form, day and month would be guesses."""
    text = text.strip()
    try:
        is_date = bool(ISO_DATE.fullmatch(text) and date.fromisoformat(text))
    except ValueError:  # the thirtieth of February
        is_date = False
    return text.replace("-", "") if is_date else None


def _city(text: str, _: Countries) -> str | None:
    name = "".join(letter for letter in _letters(text) if letter.isascii() and letter.isalnum())
    return name if name[:1].isalpha() else None


def _state(text: str, countries: Countries) -> str:
    name = _letters(text)
    return STATE_CODES.get(countries.shopper, {}).get(name, name)


def _zipcode(text: str, countries: Countries) -> str:
    code = "".join(text.lower().split()).partition("-")[0]
    return code[:US_ZIP_LENGTH] if countries.shopper == "us" else code


def _country(text: str, _: Countries | None = None) -> str | None:
    """ISO 3166-1 alpha-2."""
    code = text.strip().lower()
    return code if COUNTRY.fullmatch(code) else None


def _external_id(text: str, _: Countries) -> str:
    return "".join(text.lower().split())


# Meta's key -> the user's field, and its normal form: empty or None where there is none.
FIELDS: dict[str, tuple[str, Callable[[str, Countries], str | None]]] = {
    "em": ("email", _email),
    "ph": ("phone", _phone),
    "fn": ("firstname", _letters),
    "ln": ("lastname", _letters),
    "ge": ("gender", _gender),
    "db": ("birthdate", _birthdate),
    "ct": ("city", _city),
    "st": ("state", _state),
    "zp": ("zipcode", _zipcode),
    "country": ("country", _country),
    "external_id": ("id", _external_id),
}
