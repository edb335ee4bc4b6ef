"""The checkout form: what the shop asks of a buyer, and what it says when an answer is no good."""

import re
from typing import NamedTuple


class Field(NamedTuple):
    """One input. `hint` is what the shop says when the answer does not match `pattern`."""

    name: str
    label: str
    type: str
    autocomplete: str
    pattern: str
    hint: str


class PaymentMethod(NamedTuple):
    """One way to pay; `value` is Commanders Act's word for it."""

    value: str
    label: str
    note: str


_NAME = r"\S.{0,59}"
_EMAIL = r"[^@\s]{1,64}@[^@\s]{1,180}\.[^@\s]{2,60}"
_PHONE = r"(\+?62|0)8[0-9]{7,11}"

FIELDS = (
    Field("firstname", "First name", "text", "given-name", _NAME, "Your first name, please."),
    Field("lastname", "Last name", "text", "family-name", _NAME, "Your last name, please."),
    Field("email", "E-mail", "email", "email", _EMAIL, "This is not an e-mail address."),
    Field("phone", "Phone", "tel", "tel", _PHONE, "A mobile number, please: 0812 3456 7890."),
    Field("city", "City", "text", "address-level2", _NAME, "Where shall we send it?"),
)

PAYMENT_METHODS = (
    PaymentMethod("online_payment_system", "E-wallet or QRIS", "GoPay, OVO, DANA, ShopeePay"),
    PaymentMethod("by_bank_transfer_in_advance", "Bank transfer", "BCA, Mandiri, BNI, BRI"),
    PaymentMethod("card", "Card", "Visa, Mastercard, JCB"),
    PaymentMethod("cod", "Cash on delivery", "Pay the courier"),
)

# Orders of these mail domains are kept, but marked; no ad system hears of them (scalev R63).
SPAM_DOMAINS = ("spam.example", "mailinator.com")


def read_buyer(form: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The buyer, trimmed, the phone in international form; and by field what is wrong with it.

    Shape: ({"firstname": "Siti", ..., "phone": "+6281234567890"}, {"city": "Where shall ..."}).
    """
    buyer = {field.name: form.get(field.name, "").strip() for field in FIELDS}
    buyer["phone"] = re.sub(r"[\s().-]", "", buyer["phone"])
    errors = {f.name: f.hint for f in FIELDS if not re.fullmatch(f.pattern, buyer[f.name])}
    if "phone" not in errors:
        buyer["phone"] = re.sub(r"^(\+?62|0)", "+62", buyer["phone"])
    if form.get("payment_method") not in [method.value for method in PAYMENT_METHODS]:
        errors["payment_method"] = "How would you like to pay?"
    return buyer, errors


def is_probably_spam(email: str) -> bool:
    return email.lower().rpartition("@")[2] in SPAM_DOMAINS
