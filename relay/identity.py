"""Personal data in the form in which a system is given it: normalised, anonymised. Pure."""

from __future__ import annotations

from hashlib import sha256

NATIONAL = {"id": ("62", ("0", "8"))}
"""Country -> its calling code, and how its numbers start without it: with the 0 that is dialled
at home, or with the first digit of a mobile number where that 0 is left away too."""

# E.164 allows 15 digits; fewer than 8 are no number that can be called from abroad.
FEWEST, MOST = 8, 15


def phone_digits(phone: str, country: str) -> str | None:
    """The number with its calling code, digits only; None when that code can't be known.

    `+62 812-3456-7890`, `0062812...`, `62812...`, `0812...` and `812...` are all `6281234567890`
    for `country` "id", the shop's. A wrong code would match a stranger, so none is guessed.
    """
    digits = "".join(character for character in phone if character in "0123456789")
    has_code = phone.lstrip(" (").startswith("+")
    if not has_code and digits.startswith("00"):
        digits, has_code = digits[2:], True
    if country in NATIONAL:
        code, starts = NATIONAL[country]
        if not has_code and digits.startswith(starts):
            digits = code + digits
        if digits.startswith(code):
            digits, has_code = code + digits.removeprefix(code).removeprefix("0"), True
    return digits if has_code and FEWEST <= len(digits) <= MOST else None


def normal_email(email: str) -> str:
    """The address as systems match it: trimmed, lower case (tracify T9)."""
    return email.strip().lower()


ANONYMISED_CUT = 5


def anonymise(value: str) -> str:
    """Tracify's irreversible form of an identifier: 64 hexadecimal characters.

    SHA-256 of the first hash's hexadecimal text less its last 5 characters. Source: tracify.md
    section 2, 003.
    """
    first = sha256(value.encode(errors="replace")).hexdigest()
    return sha256(first[:-ANONYMISED_CUT].encode("ascii")).hexdigest()
