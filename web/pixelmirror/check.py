"""One check for each kind of field in the catalogue: value and path in, normalised value out.

An error names the field by its path and says why; personal data is never repeated in it.
"""

from . import catalogue
from .anything import Any

TEXT_LIMIT = 2048
ITEMS_LIMIT = 500
HASH_LENGTHS = {"md5": 32, "sha256": 64}
CURRENCIES = set(catalogue.CURRENCIES)
SPACE = " \t\n\r\x0b\x0c"  # what MicroPython's strip() takes for it; CPython's takes more


class EventError(Exception):
    """A field that is wrong: `field` is its path (`params.items[0].id`), `str(error)` says why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


def check_kind(kind: str | tuple, value: object, path: str) -> Any:
    """The value as the catalogue's kind has it, or EventError."""
    check = CHECKS.get(kind)
    return check(value, path) if check else _check_one_of(kind, value, path)


def check_fields(fields: dict, value: dict, path: str) -> dict:
    """Each of the value's fields as its kind has it, those beyond `fields` as they are.

    Raises EventError, of several that are wrong for the first by name; only then are the names
    sorted and their paths made, which takes longer than all the checks.
    """
    try:
        return _checked(fields, value, value, "")
    except EventError:
        return _checked(fields, value, sorted(value), path + ".")


def _checked(fields: dict, value: dict, names: Any, path: str) -> dict:
    checked = {}
    for field in names:
        one = value[field]
        if one is None:
            continue
        kind = fields.get(field)
        if kind is None:
            check_plain(one, path + field)
            checked[field] = one
            continue
        check = CHECKS.get(kind)  # and no call of check_kind: this is what takes most of the time
        checked[field] = (
            check(one, path + field) if check else _check_one_of(kind, one, path + field)
        )
    return checked


def _check_one_of(kind: Any, value: object, path: str) -> str:
    if not isinstance(value, str) or value not in kind:
        raise EventError(path, _last(path) + " must be one of " + ", ".join(kind) + _got(value))
    return value


def _check_text(value: object, path: str) -> str:
    if not isinstance(value, str) or not value.strip(SPACE) or len(value) > TEXT_LIMIT:
        limit = str(TEXT_LIMIT)
        raise EventError(
            path, _last(path) + " must be a text of 1 to " + limit + " characters" + _got(value)
        )
    return value


def _check_id(value: object, path: str) -> str:
    if isinstance(value, str):
        text = value.strip(SPACE)
        if text and len(value) <= TEXT_LIMIT:
            return text
    elif isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return _check_text(value, path)


def _check_texts(value: object, path: str) -> list:
    if not isinstance(value, list):
        raise EventError(path, _last(path) + " must be a list of texts" + _got(value))
    return [_check_id(text, path + "[" + str(i) + "]") for i, text in enumerate(value)]


def _check_flag(value: object, path: str) -> bool:
    if not isinstance(value, bool):
        raise EventError(path, _last(path) + " must be true or false" + _got(value))
    return value


def _check_currency(value: object, path: str) -> str:
    text = value if isinstance(value, str) else ""
    if text not in CURRENCIES:
        text = text.strip(SPACE).upper()
    if text not in CURRENCIES:
        message = _last(path) + " must be a three-letter ISO 4217 code"
        raise EventError(path, message + _got(value))
    return text


def _check_country(value: object, path: str) -> str:
    text = value.strip(SPACE) if isinstance(value, str) else ""
    if len(text) not in (2, 3) or [c for c in text if not ("a" <= c <= "z" or "A" <= c <= "Z")]:
        message = _last(path) + " must be an ISO 3166-1 code of 2 or 3 letters"
        raise EventError(path, message + _got(value))
    return text


def _check_amount(value: object, path: str) -> float:
    """A number, or a text that can be read in one way only.

    `150.000` can't: it may be 150 or 150 thousand.
    """
    if type(value) is int and 0 <= value < 10**15:
        return value
    number = value
    if isinstance(value, str):
        whole, dot, decimals = value.strip(SPACE).partition(".")
        plain = _are_digits(whole) and (not dot or (_are_digits(decimals) and len(decimals) != 3))
        number = float(value) if plain else None
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 <= number < 1e15:
        message = _last(path) + " must be a number of 0 or more, or a text such as '147000.00'"
        raise EventError(path, message + _got(value))
    return int(number) if number == int(number) else number


def _check_count(value: object, path: str) -> int:
    if type(value) is int and 0 <= value < 10**9:
        return value
    if isinstance(value, str) and len(value) < 20 and _are_digits(value.strip(SPACE)):
        value = int(value)
    if isinstance(value, float) and value == value and abs(value) < 1e9 and value == int(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**9:
        raise EventError(path, _last(path) + " must be a whole number of 0 or more" + _got(value))
    return value


def _check_quantity(value: object, path: str) -> int:
    number = _check_count(value, path)
    if number < 1:
        raise EventError(path, _last(path) + " must be 1 or more" + _got(value))
    return number


def _check_items(value: object, path: str) -> list:
    if not isinstance(value, list) or not 1 <= len(value) <= ITEMS_LIMIT:
        limit = str(ITEMS_LIMIT)
        raise EventError(path, "items must be a list of 1 to " + limit + " items" + _got(value))
    return [_check_item(item, path + "[" + str(i) + "]") for i, item in enumerate(value)]


def _check_item(value: object, path: str) -> dict:
    if not isinstance(value, dict):
        raise EventError(path, "an item must be an object" + _got(value))
    item = check_fields(catalogue.ITEM, value, path)
    if "id" not in item:
        raise EventError(path + ".id", "id is required in each item")
    # `name` and `price` on the item are a shorthand for its product's (DESIGN 3).
    product = item.setdefault("product", {})
    for field in ("name", "price"):
        if field in item:
            product.setdefault(field, item.pop(field))
    product.setdefault("id", item["id"])
    for field in catalogue.PRODUCT_REQUIRED:
        if field not in product:
            raise EventError(path + ".product." + field, field + " is required in each product")
    if item.get("discount", 0) > product["price"]:
        raise EventError(path + ".discount", "discount must not be more than the product's price")
    return item


def _check_product(value: object, path: str) -> dict:
    if not isinstance(value, dict):
        raise EventError(path, "a product must be an object" + _got(value))
    return check_fields(catalogue.PRODUCT, value, path)


def check_plain(value: object, path: str, depth: int = 0) -> None:
    """A field beyond the catalogue may hold any JSON value of modest depth."""
    if depth > 4:
        raise EventError(path, _last(path) + " is nested too deeply")
    if isinstance(value, dict):
        for key in value:
            check_plain(value[key], path + "." + str(key), depth + 1)
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            check_plain(inner, path + "[" + str(i) + "]", depth + 1)
    elif isinstance(value, float) and not abs(value) < 1e300:
        raise EventError(path, _last(path) + " must be a finite number")
    elif isinstance(value, str) and len(value) > TEXT_LIMIT:
        limit = str(TEXT_LIMIT)
        raise EventError(path, _last(path) + " must have at most " + limit + " characters")


def _check_email(value: object, path: str) -> str:
    text = _check_text(value, path).strip(SPACE)
    name, _, domain = text.partition("@")
    if not name or not domain or "@" in domain or " " in text:
        raise EventError(path, "email must look like name@domain")
    return text


def _check_phone(value: object, path: str) -> str:
    text = _check_id(value, path)
    if not 5 <= len([c for c in text if "0" <= c <= "9"]) <= 20:
        raise EventError(path, "phone must hold 5 to 20 digits, best with country code: +62...")
    return text


def _check_date(value: object, path: str) -> str:
    text = value if isinstance(value, str) else ""
    parts = text.split("-")
    if [len(part) for part in parts] != [4, 2, 2] or not _are_digits("".join(parts)):
        raise EventError(path, _last(path) + " must be a date YYYY-MM-DD" + _got(value))
    return text


def check_hash(value: object, algorithm: str, path: str) -> str:
    text = value.strip(SPACE).lower() if isinstance(value, str) else ""
    length = HASH_LENGTHS[algorithm]
    if len(text) != length or [c for c in text if c not in "0123456789abcdef"]:
        message = _last(path) + " must be " + str(length) + " hexadecimal characters"
        raise EventError(path, message)
    return text


CHECKS: dict = {
    "amount": _check_amount,
    "count": _check_count,
    "country": _check_country,
    "currency": _check_currency,
    "date": _check_date,
    "email": _check_email,
    "flag": _check_flag,
    "id": _check_id,
    "items": _check_items,
    "phone": _check_phone,
    "product": _check_product,
    "quantity": _check_quantity,
    "text": _check_text,
    "texts": _check_texts,
}


def _are_digits(text: str) -> bool:
    return bool(text) and not [c for c in text if not "0" <= c <= "9"]


def _last(path: str) -> str:
    return path[path.rfind(".") + 1 :]


def _got(value: object) -> str:
    return ", got " + shown(value)


def shown(value: object) -> str:
    """A value for an error text: short, and never what may be an e-mail address."""
    if isinstance(value, str):
        if "@" in value:
            return "a text with an @"
        return "'" + (value if len(value) <= 40 else value[:40] + "...") + "'"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list of " + str(len(value))
    return {"None": "null", "True": "true", "False": "false"}.get(str(value), str(value)[:40])
