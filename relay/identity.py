"""Personal data in the form in which a system is given it: normalised, anonymised. Pure."""

from __future__ import annotations

from hashlib import sha256

CALLING_CODES = {"id": "62"}
"""Country -> its calling code, for countries whose numbers start with 0 at home."""

MOBILE_STARTS = {"id": "8"}
"""How a mobile number starts when its 0 is left away, as many shoppers do."""

# E.164: 15 digits at most. Shorter than 8 is no number that can be called from abroad.
SHORTEST, LONGEST = 8, 15


def phone_digits(phone: str, country: str) -> str | None:
    """The number with its country code, digits only; None when that code can't be known.

    `+62 812-3456-7890`, `0062812...`, `62812...`, `0812...` and `812...` are all `6281234567890`
    for `country` "id", the shop's. A wrong code would match a stranger, so none is guessed.
    """
    digits = "".join(character for character in phone if character in "0123456789")
    is_international = phone.lstrip(" (").startswith("+")
    if not is_international and digits.startswith("00"):
        digits, is_international = digits[2:], True
    code = CALLING_CODES.get(country)
    if code is not None:
        if not is_international and digits.startswith(("0", MOBILE_STARTS[country])):
            digits = code + digits.removeprefix("0")
        elif digits.startswith(code + "0"):  # +62 (0)812...
            digits = code + digits.removeprefix(code + "0")
    has_code = is_international or (code is not None and digits.startswith(code))
    return digits if has_code and SHORTEST <= len(digits) <= LONGEST else None


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
