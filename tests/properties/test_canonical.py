"""What is taken at once is taken by the full check too, and read the same: `taken` asserts it."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import event as noted
from hypothesis import given
from hypothesis import strategies as st

from pixelmirror import catalogue
from tests.properties.strategies import ODD_JSON, mutated
from tests.relay.canonical_bodies import EVERY, taken, text
from tests.relay.test_hostile_bodies import MARK, places

BODIES = st.sampled_from(list(EVERY.values()))

# Values at the edge of some type or other.
AMOUNTS = st.one_of(
    st.integers(-1, 10**15 + 1),
    st.floats(-1, 1e15, allow_nan=False),
    st.sampled_from([0, -0.0, 1.0, 1e-4, 0.07, 60000, 60000.5, 1e15, 10**9, 10**12, 10**13]),
)
SHORT = st.text(st.sampled_from(' \t\n\x0b\x0c\x1c\x7f\xa0\u2028a@+0é"\\'), max_size=4)
WORDS = """
idr IDR USD cod awaited F f a@b +6281234567 0812-3456-78 1-2-3-4 1988-03-09 ID
ORD-77-purchase variant
""".split()
WORDS += [length * "é" for length in (200, 201, 2048, 2049, 8192, 8193)]
TEXTS = st.one_of(SHORT, st.text(max_size=6), st.sampled_from(["ab" * 16, "ab" * 32, *WORDS]))
LIKE = {
    int: AMOUNTS,
    float: AMOUNTS,
    str: TEXTS,
    list: st.lists(TEXTS, max_size=2),
    bool: st.booleans(),
}
EDGES = st.one_of(*LIKE.values(), st.sampled_from([None, {}]))
FIELDS = sorted({*catalogue.FIELDS, *catalogue.ITEM, *catalogue.PRODUCT, *catalogue.USER})


def is_taken(raw: bytes) -> bool:
    found = taken(raw) is not None
    noted("taken" if found else "left to the full check")
    return found


@st.composite
def edged(draw: st.DrawFn) -> dict[str, Any]:
    """A body with values at the edge, fields of other events, and fields left out."""
    said: dict[str, Any] = copy.deepcopy(draw(BODIES))
    objects = [said, *_objects(said)]
    for _ in range(draw(st.sampled_from([1, 1, 2, 3]))):
        held = draw(st.sampled_from(objects))
        field = draw(st.sampled_from([*held, draw(st.sampled_from(FIELDS))]))
        likely = LIKE.get(type(held.get(field)), EDGES)
        if draw(st.integers(0, 4)):
            held[field] = draw(st.one_of(likely, EDGES) if draw(st.booleans()) else likely)
        else:
            held.pop(field, None)
    return said


def _objects(held: Any) -> list[dict[str, Any]]:
    found = []
    for value in held.values() if isinstance(held, dict) else held:
        if isinstance(value, dict | list):
            found += [value] if isinstance(value, dict) else []
            found += _objects(value)
    return [one for one in found if one]


@given(edged())
def test_a_body_with_values_at_the_edge_is_taken_by_both_or_left(said: dict[str, Any]) -> None:
    """Whichever way a sender writes its characters."""
    is_taken(text(said).encode())
    is_taken(json.dumps(said).encode())


@given(st.data())
def test_a_body_with_anything_in_it_is_taken_by_both_or_left(data: st.DataObject) -> None:
    said = data.draw(mutated(data.draw(BODIES)))
    is_taken(text(said).encode())


@given(BODIES, ODD_JSON, st.data())
def test_a_body_of_odd_json_is_taken_by_both_or_left(
    said: dict[str, Any], odd: str, data: st.DataObject
) -> None:
    """Keys twice, half characters, endless numbers, at any place."""
    changed: Any = copy.deepcopy(said)
    *above, last = data.draw(st.sampled_from(list(places(changed)))).split(".")
    held = changed
    for key in above:
        held = held[int(key) if isinstance(held, list) else key]
    held[int(last) if isinstance(held, list) else last] = MARK
    is_taken(text(changed).replace(f'"{MARK}"', odd, 1).encode())


@given(BODIES, st.data())
def test_a_body_with_a_piece_of_another_in_it_is_taken_by_both_or_left(
    said: dict[str, Any], data: st.DataObject
) -> None:
    """Cut anywhere: so keys come to stand twice, and texts to begin and end elsewhere."""
    raw, other = text(said).encode(), text(data.draw(BODIES)).encode()
    commas = [i for i in range(len(raw)) if raw[i : i + 1] == b","]
    start, end = data.draw(st.sampled_from(commas)), data.draw(st.sampled_from(commas))
    pieces = other.split(b",")
    piece = b",".join(data.draw(st.lists(st.sampled_from(pieces), max_size=2)))
    middle = b"," + piece if piece else b""
    is_taken(raw[:start] + middle + raw[end if data.draw(st.booleans()) else start :])


@given(BODIES, st.data(), st.binary(max_size=3))
def test_a_body_with_other_bytes_in_it_is_taken_by_both_or_left(
    said: dict[str, Any], data: st.DataObject, wrong: bytes
) -> None:
    raw = text(said).encode()
    at = data.draw(st.integers(0, len(raw)))
    is_taken(raw[:at] + wrong + raw[at + data.draw(st.integers(0, 3)) :])
