"""A value as a person writes it in JavaScript."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

WIDTH = 92

NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


def literal(value: Any, indent: str = "", taken: int = 0) -> str:
    """The value's text, broken into lines where it would not fit beside the `taken` characters.

    `literal({"id": 1})`: `{ id: 1 }`.
    """
    flat = _flat(value)
    if len(indent) + taken + len(flat) <= WIDTH or not isinstance(value, Mapping | list):
        return flat
    inner = indent + "  "
    if isinstance(value, list):
        rows = [literal(each, inner, 1) for each in value]
        return "\n".join(["[", *(f"{inner}{row}," for row in rows), f"{indent}]"])
    rows = [f"{_key(key)}: {literal(value[key], inner, len(key) + 3)}" for key in value]
    return "\n".join(["{", *(f"{inner}{row}," for row in rows), f"{indent}}}"])


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)}: {_flat(value[key])}" for key in value) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flat, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _key(key: str) -> str:
    return key if NAME.fullmatch(key) else json.dumps(key)
