"""Each kind of the catalogue's fields, as the page, the declarations and the schema have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pixelmirror.catalogue import CURRENCIES
from pixelmirror.check import HASH_LENGTHS, ITEMS_LIMIT, TEXT_LIMIT

Schema = dict[str, Any]

NOT_BLANK = r"[^ \t\n\r\v\f]"
TEXT: Schema = {"type": "string", "maxLength": TEXT_LIMIT, "pattern": NOT_BLANK}
ID: Schema = {"anyOf": [TEXT, {"type": "integer"}]}
NUMBER = {"type": "number", "minimum": 0, "exclusiveMaximum": 1e15}
DIGITS = r"^[0-9]{1,14}(\.([0-9]{1,2}|[0-9]{4,14}))?$"


@dataclass(frozen=True)
class Kind:
    """`words`: what a value is; `type`: in TypeScript; `schema`: in JSON Schema.

    `alias`: the name that the declarations give the type, if they give it one.
    """

    words: str
    type: str
    schema: Schema
    alias: str = ""


KINDS = {
    "amount": Kind(
        "A number of 0 or more, or a text that can be read in one way only: `147000.00`, but not "
        "`150.000`. Rupiah are sent whole.",
        "number | string",
        {"anyOf": [NUMBER, {"type": "string", "pattern": DIGITS}]},
        "Amount",
    ),
    "count": Kind(
        "A whole number of 0 or more, or its digits.",
        "number | string",
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": 10**9 - 1},
                {"type": "string", "pattern": "^[0-9]{1,9}$"},
            ]
        },
        "Count",
    ),
    "country": Kind(
        "A code of ISO 3166-1, 2 or 3 letters.",
        "string",
        {"type": "string", "pattern": "^([A-Za-z]{2}|[A-Za-z]{3})$"},
        "Country",
    ),
    "currency": Kind(
        "A three-letter code of ISO 4217.",
        "string",
        {"type": "string", "enum": CURRENCIES},
        "Currency",
    ),
    "date": Kind(
        "A date as `YYYY-MM-DD`.",
        "string",
        {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
        "IsoDate",
    ),
    "email": Kind(
        "An e-mail address: `name@domain`.",
        "string",
        {"type": "string", "maxLength": TEXT_LIMIT, "pattern": r"^[^@\s]+@[^@\s]+$"},
        "Email",
    ),
    "flag": Kind("`true` or `false`.", "boolean", {"type": "boolean"}),
    "id": Kind("A text or a whole number.", "string | number", ID, "Id"),
    "items": Kind(
        f"A list of 1 to {ITEMS_LIMIT} items.",
        "readonly Item[]",
        {
            "type": "array",
            "minItems": 1,
            "maxItems": ITEMS_LIMIT,
            "items": {"$ref": "#/$defs/item"},
        },
    ),
    "phone": Kind(
        "A telephone number, best with its country code: `+628123456789`.",
        "string",
        {
            "type": "string",
            "maxLength": TEXT_LIMIT,
            "pattern": "^([^0-9]*[0-9]){5,20}[^0-9]*$",
        },
        "Phone",
    ),
    "product": Kind("A product.", "Product", {"$ref": "#/$defs/product"}),
    "quantity": Kind(
        "A whole number of 1 or more, or its digits.",
        "number | string",
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 10**9 - 1},
                {"type": "string", "pattern": "^0{0,9}[1-9][0-9]{0,8}$"},
            ]
        },
        "Quantity",
    ),
    "text": Kind(f"A text of 1 to {TEXT_LIMIT} characters, not blank.", "string", TEXT),
    "texts": Kind(
        "A list of texts or whole numbers.",
        "readonly Id[]",
        {"type": "array", "items": {"$ref": "#/$defs/id"}},
    ),
}

HASHES = {
    algorithm: {"type": "string", "pattern": f"^[0-9a-fA-F]{{{length}}}$"}
    for algorithm, length in HASH_LENGTHS.items()
}
