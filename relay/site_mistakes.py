"""What is wrong with a site file, in words that a shop owner understands.

A value is never repeated: it may be a secret.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, ValidationError

Problem = tuple[str, str]
"""A key of the file (`destinations.meta.pixel_ids[0]`) and what is wrong with it."""

# pydantic's types of error -> our words. Where a field has words of its own, it raises them.
WORDS = {
    "bool_type": "must be true or false, without quotes",
    "dict_type": "must be a table",
    "greater_than_equal": "must be {ge} or more",
    "int_type": "must be a whole number, without quotes",
    "list_type": "must be a list: [...]",
    "literal_error": "must be {expected}",
    "missing": "is required",
    "model_type": "must be a table",
    "string_too_short": "must have {min_length} characters or more",
    "string_type": "must be a text in quotes",
    "too_short": "must not be empty",
    "value_error": "{error}",
}


class Mistake(NamedTuple):
    """One mistake of one file."""

    file: str
    key: str
    reason: str


class SiteError(Exception):
    """Site files that cannot be used: `mistakes` holds all that is wrong, the text a line each."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(": ".join(mistake) for mistake in mistakes))
        self.mistakes = list(mistakes)


def mistakes(file: str, problems: Iterable[Problem]) -> list[Mistake]:
    """The mistakes of a file, one for each key: what follows from the first is no news."""
    first: dict[str, str] = {}
    for key, reason in problems:
        first.setdefault(key, reason)
    return [Mistake(file, key, reason) for key, reason in first.items()]


def in_words(error: ValidationError, prefix: str, model: type[BaseModel]) -> list[Problem]:
    """What pydantic found in a table; `prefix` is the table's key with a dot, or empty."""
    found = []
    for detail in error.errors(include_url=False, include_input=False):
        # "[key]": pydantic's mark for a key that is wrong, rather than its value.
        place = tuple(part for part in detail["loc"] if part != "[key]")
        if detail["type"] == "extra_forbidden":
            reason = unknown("key", str(place[-1]), _keys(model, place[:-1]))
        else:
            reason = WORDS[detail["type"]].format(**detail.get("ctx", {}))
        found.append((prefix + _key(place), reason))
    return found


def unknown(what: str, word: str, known: Iterable[str]) -> str:
    """That the word is none of those known, and the nearest or all of them."""
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    return f"unknown {what} {word!r}, {hint}"


def _key(place: Sequence[str | int]) -> str:
    """`event_names.view_item` and `origins[0]`, as the file has it."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return "".join(parts).removeprefix(".")


def _keys(model: type[BaseModel], place: Sequence[str | int]) -> list[str]:
    """The keys of the table at this place of the model."""
    for part in place:
        kinds: tuple[Any, ...] = get_args(model.model_fields[str(part)].annotation)
        model = next(kind for kind in kinds if issubclass(kind, BaseModel))
    return list(model.model_fields)
