"""What is wrong with a JSON value, told by tables of checks.

A check takes a value and the path to it and returns its faults, none when the value is right.
`record` and `list_of` put checks together, so that a vendor's body is one table.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

Path = tuple[str | int, ...]


class Fault(NamedTuple):
    """One thing that is wrong: where, in words, and of which kind.

    `kind` is `missing`, `type`, `value`, or a name of the vendor's module (`unhashed`), which picks
    the vendor's error code by it.
    """

    path: Path
    words: str
    kind: str


Check = Callable[[Any, Path], list[Fault]]


def anything(value: Any, path: Path) -> list[Fault]:
    return []


def string(value: Any, path: Path) -> list[Fault]:
    return [] if isinstance(value, str) else [Fault(path, "must be a string", "type")]


def text(value: Any, path: Path) -> list[Fault]:
    """A string that is not empty."""
    if not isinstance(value, str):
        return [Fault(path, "must be a string", "type")]
    return [] if value else [Fault(path, "must not be empty", "value")]


def number(value: Any, path: Path) -> list[Fault]:
    """A finite number. JSON's `1e999` reads as infinity, and a boolean is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return [Fault(path, "must be a number", "type")]
    return []


def integer(value: Any, path: Path) -> list[Fault]:
    if isinstance(value, bool) or not isinstance(value, int):
        return [Fault(path, "must be an integer", "type")]
    return []


def boolean(value: Any, path: Path) -> list[Fault]:
    return [] if isinstance(value, bool) else [Fault(path, "must be a boolean", "type")]


def ip_address(value: Any, path: Path) -> list[Fault]:
    """An IPv4 or IPv6 address as plain text."""
    try:
        ipaddress.ip_address(value if isinstance(value, str) else "")
    except ValueError:
        return [Fault(path, "must be an IPv4 or IPv6 address", "value")]
    return []


def at_least(least: int, check: Check = integer) -> Check:
    def checked(value: Any, path: Path) -> list[Fault]:
        faults = check(value, path)
        if not faults and value < least:
            return [Fault(path, f"must be at least {least}", "value")]
        return faults

    return checked


def between(least: int, most: int, check: Check) -> Check:
    def checked(value: Any, path: Path) -> list[Fault]:
        faults = check(value, path)
        if not faults and not least <= value <= most:
            return [Fault(path, f"must be from {least} to {most}", "value")]
        return faults

    return checked


def matching(pattern: str, words: str, kind: str = "value") -> Check:
    """A string of which the whole matches `pattern`."""
    compiled = re.compile(pattern, re.ASCII)

    def checked(value: Any, path: Path) -> list[Fault]:
        if not isinstance(value, str):
            return [Fault(path, "must be a string", "type")]
        return [] if compiled.fullmatch(value) else [Fault(path, words, kind)]

    return checked


def one_of(options: Iterable[Any]) -> Check:
    """One of the options, of the same type: `1` is neither `True` nor `"1"`."""
    allowed = tuple(options)
    words = "must be " + " or ".join(repr(option) for option in allowed)
    types = {type(option) for option in allowed}

    def checked(value: Any, path: Path) -> list[Fault]:
        if type(value) not in types:
            return [Fault(path, words, "type")]
        return [] if value in allowed else [Fault(path, words, "value")]

    return checked


def either(first: Check, second: Check) -> Check:
    """What one of two checks passes; else the faults of the one whose type the value has."""

    def checked(value: Any, path: Path) -> list[Fault]:
        faults, others = first(value, path), second(value, path)
        if not faults or not others:
            return []
        return others if faults[0].kind == "type" and others[0].kind != "type" else faults

    return checked


def list_of(check: Check, least: int = 0, most: int | None = None) -> Check:
    def checked(value: Any, path: Path) -> list[Fault]:
        if not isinstance(value, list):
            return [Fault(path, "must be a list", "type")]
        if len(value) < least:
            return [Fault(path, f"must hold at least {least}", "size")]
        if most is not None and len(value) > most:
            return [Fault(path, f"must hold at most {most}", "size")]
        return [fault for i, each in enumerate(value) for fault in check(each, (*path, i))]

    return checked


def record(
    required: Mapping[str, Check] | None = None,
    optional: Mapping[str, Check] | None = None,
    *,
    closed: bool = False,
) -> Check:
    """An object with these keys; `closed` allows no others."""
    must = dict(required or {})
    may = {**must, **(optional or {})}

    def checked(value: Any, path: Path) -> list[Fault]:
        if not isinstance(value, dict):
            return [Fault(path, "must be an object", "type")]
        faults = [Fault((*path, k), "is missing", "missing") for k in must if k not in value]
        for key, held in value.items():
            if key in may:
                faults += may[key](held, (*path, key))
            elif closed:
                faults.append(Fault((*path, key), "is not allowed", "value"))
        return faults

    return checked


currency = matching(r"[A-Z]{3}", "must be three capital letters (ISO 4217)")
url = matching(r"https?://[^\s/]\S*", "must be an http or https URL")
sha256 = matching(r"[0-9a-f]{64}", "must be a SHA-256 in lower-case hex", "unhashed")
uuid = matching(
    r"(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "must be a UUID"
)


def dotted(path: Path) -> str:
    """The path as text: `data.0.user_data.em`."""
    return ".".join(str(part) for part in path) or "body"
