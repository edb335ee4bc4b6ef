"""The shopper as a pixel may be told of him: normalised as the relay does it, then hashed. Pure.

For every value that both take, page and relay make the same hash; what only the relay can
normalise is left out here. MicroPython's `lower()` knows ASCII alone, so a name, a city or an
address with other letters would get a hash that matches nobody, and which calling code a number
without `+` has, only the relay's phone numbers know.
Source: specs/meta.md 5, specs/tiktok.md 5.
"""

import hashlib

from .anything import Any
from .check import HASH_LENGTHS, SPACE

HEXADECIMAL = "0123456789abcdef"
DIGITS = "0123456789"
LETTERS = "abcdefghijklmnopqrstuvwxyz"

# Where a number's calling code has one digit, or two; all others have three.
ONE_DIGIT = ("1", "7")
TWO_DIGITS = (
    "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 "
    "65 66 81 82 84 86 90 91 92 93 94 95 98"
).split(" ")
FEWEST, MOST = 8, 15
# A digit after the calling code by which home calls begin: 8 where the Soviet Union's rule holds.
AT_HOME = "01"
EIGHT_AT_HOME = ("7", "370", "375", "993")

US_ZIP_LENGTH = 5
CODED_STATES = ("us", "ca")  # whose states are told by their two letters
MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def hashed(user: dict, fields: Any) -> dict:
    """`{"em": "4320997d..."}` of `(("em", "email", normal), ...)`; what can't be told is missing.

    `normal(text, user)` gives a field's normal form, empty for none. A hash that the shop made
    itself (`email_sha256`) counts where nothing plain does, and what is one already stays one.
    """
    found = {}
    for key, field, normal in fields:
        told = user.get(field, "").strip(SPACE)
        if is_hash(told.lower()):
            found[key] = told.lower()
            continue
        plain = normal(told, user) if _is_plain(told) else ""
        if plain:
            found[key] = hashlib.sha256(plain.encode()).digest().hex()
        elif field + "_sha256" in user:
            found[key] = user[field + "_sha256"]
    return found


def is_hash(text: str) -> bool:
    return len(text) == HASH_LENGTHS["sha256"] and _has_only(text, HEXADECIMAL)


def email(text: str, _: dict) -> str:
    """An address with one `@`."""
    return text.lower() if "@" in text else ""


def full_email(text: str, _: dict) -> str:
    """An address that looks like `x@y.z`."""
    name, _at, host = text.lower().partition("@")
    is_one = name and "." in host[1:-1] and "@" not in host and " " not in text
    return name + "@" + host if is_one else ""


def phone(text: str, _: dict) -> str:
    """`+6281234567890`, given like that; without what home calls begin with."""
    digits = text[1:]
    if text[:1] != "+" or not _has_only(digits, DIGITS) or not FEWEST <= len(digits) <= MOST:
        return ""
    length = 1 if digits[0] in ONE_DIGIT else 2 if digits[:2] in TWO_DIGITS else 3
    code, following = digits[:length], digits[length]
    is_from_home = following in AT_HOME or (following == "8" and code in EIGHT_AT_HOME)
    return "" if is_from_home else text


def phone_digits(text: str, user: dict) -> str:
    return phone(text, user)[1:]


def letters(text: str, _: dict) -> str:
    """Lower case, without spaces and punctuation."""
    return "".join([c for c in text.lower() if c in LETTERS or c in DIGITS])


def city(text: str, user: dict) -> str:
    name = letters(text, user)
    return name if name[:1] and name[0] in LETTERS else ""


def state(text: str, user: dict) -> str:
    """By its letters, where its country is told; of the United States and Canada as a code."""
    name, where = letters(text, user), country(user.get("country", ""), user)
    return name if where and (len(name) == 2 or where not in CODED_STATES) else ""


def zipcode(text: str, user: dict) -> str:
    """Without spaces, up to a `-`, where its country is told; American ones have five digits."""
    where = country(user.get("country", ""), user)
    code = text.lower().replace(" ", "").split("-")[0] if where else ""
    return code[:US_ZIP_LENGTH] if where == "us" else code


def country(text: str, _: dict) -> str:
    """Two letters."""
    code = text.strip(SPACE).lower()
    return code if len(code) == 2 and _has_only(code, LETTERS) else ""


def gender(text: str, _: dict) -> str:
    return text if text in ("f", "m") else ""


def birthdate(text: str, _: dict) -> str:
    """`19880309` of `1988-03-09`."""
    parts = text.split("-")
    if [len(part) for part in parts] != [4, 2, 2] or not _has_only("".join(parts), DIGITS):
        return ""
    year, month, day = [int(part) for part in parts]
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    is_date = year and 1 <= month <= 12 and 1 <= day <= MONTH_DAYS[month - 1]
    return "".join(parts) if is_date and (is_leap or (month, day) != (2, 29)) else ""


def as_told(text: str, _: dict) -> str:
    return text


def compact(text: str, _: dict) -> str:
    """Lower case, without spaces."""
    return text.lower().replace(" ", "")


def _is_plain(text: str) -> bool:
    """Printable ASCII only: what both interpreters and the relay read alike."""
    return bool(text) and not [c for c in text if not " " <= c <= "~"]


def _has_only(text: str, allowed: str) -> bool:
    return bool(text) and not [c for c in text if c not in allowed]
