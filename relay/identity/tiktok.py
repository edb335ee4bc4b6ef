"""A shopper as TikTok knows one: each field normalised by TikTok's rules, then hashed.

Source: specs/tiktok.md section 5, the column "Implement". Name, address and postcode are not sent:
no source confirms their form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from relay.identity import digest, normal_email, phone_e164


def hashed_user(user: Mapping[str, str], shop_country: str) -> dict[str, str]:
    """The hashed fields of `user`: `{"phone": "62397bbd..."}`; what is missing is left out.

    A phone is hashed with its `+`, so its hash is never Meta's.
    """
    found = {}
    for key, (field, normal) in FIELDS.items():
        if hashed := digest(user, field, normal, shop_country):
            found[key] = hashed
    return found


def _email(text: str, _: str) -> str | None:
    return normal_email(text) if "@" in text else None


def _external_id(text: str, _: str) -> str:
    return text.strip()


# TikTok's key -> the user's field, and its normal form: empty or None where there is none.
FIELDS: dict[str, tuple[str, Callable[[str, str], str | None]]] = {
    "email": ("email", _email),
    "phone": ("phone", phone_e164),
    "external_id": ("id", _external_id),
}
