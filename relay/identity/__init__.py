"""Personal data in the form in which a system is given it: normalised, hashed. Pure.

Here is what several systems share; a system with rules of its own has a module beside this one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import TypeVar

from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    format_number,
    is_possible_number,
    is_valid_number,
    parse,
)

# E.164 allows 15 digits; fewer than 8 are no number that can be called from abroad.
FEWEST, MOST = 8, 15

ABROAD, AT_HOME = re.compile(r"\D*00"), re.compile(r"\D*0")
"""How a number starts that is dialled from abroad with its calling code, and at home without."""


def phone_e164(phone: str, country: str) -> str | None:
    """The number with `+` and its calling code; None when that code can't be known.

    `+62 812-3456-7890`, `0062812...`, `62812...`, `0812...` and `812...` are all `+6281234567890`
    for `country` "id", the shop's. A wrong code would match a stranger, so bare digits must be a
    valid number, in that country or else with a `+` in front. Source: meta 5, tiktok 5, alusio 3.
    """
    phone = ABROAD.sub("+", phone, count=1) if ABROAD.match(phone) else phone
    if "+" in phone:
        number = _parsed(phone, country)
    elif AT_HOME.match(phone):
        number = _parsed(phone, country, is_possible_number)
    else:
        number = _parsed(phone, country, is_valid_number)
        number = number or _parsed(f"+{phone}", country, is_valid_number)
    e164: str = format_number(number, PhoneNumberFormat.E164) if number else ""
    return e164 if FEWEST <= len(e164) - 1 <= MOST else None


def _parsed(
    phone: str, country: str, is_one: Callable[[PhoneNumber], bool] | None = None
) -> PhoneNumber | None:
    try:
        number = parse(phone, country.upper())
    except NumberParseException:
        return None
    return number if is_one is None or is_one(number) else None


def phone_digits(phone: str, country: str) -> str | None:
    """The number as `phone_e164` has it, without the `+`: `6281234567890`."""
    e164 = phone_e164(phone, country)
    return e164.removeprefix("+") if e164 else None


def normal_email(email: str) -> str:
    """The address as systems match it: trimmed, lower case (tracify T9)."""
    return email.strip().lower()


# --- hashes ---

HASHED = re.compile(r"[0-9a-f]{64}")

Where = TypeVar("Where")


def digest(
    user: Mapping[str, str], field: str, normal: Callable[[str, Where], str | None], where: Where
) -> str | None:
    """The SHA-256 of one of the user's fields, 64 hexadecimal characters; None without one.

    Of what `normal(value, where)` makes of it, never of nothing. What is a hash already stays one,
    in lower case; a hash that the shop made itself (`email_sha256`) counts where nothing plain
    does. Source: meta 5, tiktok 5.
    """
    told = user.get(field)
    hashed = _hash(told, normal, where) if told else None
    return hashed or user.get(f"{field}_sha256")


REMEMBERED = 4096
"""Fields, of some 500 shoppers: what one does comes in several events, for several systems."""


@lru_cache(REMEMBERED)
def _hash(told: str, normal: Callable[[str, Where], str | None], where: Where) -> str | None:
    told = told.strip()
    if HASHED.fullmatch(told.lower()):
        return told.lower()
    plain = normal(told, where)
    return sha256_hex(plain) if plain else None


def sha256_hex(plain: str) -> str:
    """SHA-256 over UTF-8, lower-case hexadecimal; half a surrogate pair counts as `?`."""
    return sha256(plain.encode(errors="replace")).hexdigest()


ANONYMISED_CUT = 5


def anonymise(value: str) -> str:
    """Tracify's irreversible form of an identifier: 64 hexadecimal characters.

    SHA-256 of the first hash's hexadecimal text less its last 5 characters. Source: tracify.md
    section 2, 003.
    """
    return sha256_hex(sha256_hex(value)[:-ANONYMISED_CUT])
