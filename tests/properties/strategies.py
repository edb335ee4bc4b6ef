"""What may come in: any JSON, right bodies with wrong values anywhere in them, odd texts."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from pixelmirror.check import EventError
from relay.refusals import Refusal
from tests.relay.test_hostile_bodies import RAW, VALUES, places

# Numbers that are too large, too precise or the wrong way round; what a text can be taken for.
NUMBERS = st.one_of(
    st.integers(),
    st.integers(10**12, 10**13),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([2**31, 2**53, 2**64, 10**400, -0.0, 1e-308, 1e308, 0.1 + 0.2]),
)
WORDS = """
{order_id} {event_name} %00 % %zz ../.. __CALLBACK__ null NaN fb.1.1.x fb..1. 1e3 0x10 1_000
150.000 1,5 +62 a@b @ http://[ https://a:b@c:0/ javascript:alert(1) add_to_cart purchase meta
https://toko.example/?fbclid=x scalev.meta granted denied 1,3
"""
SPACES = ["", " ", "\0", "a\r\nSet-Cookie: a=b", "\u2028", "\ufeff", "\uff11"]
ODD_TEXTS = st.sampled_from([*WORDS.split(), *SPACES, "é" * 300, "x" * 3000])
TEXTS = st.one_of(st.text(), ODD_TEXTS)
KEYS = TEXTS.map(lambda text: text[:20])
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=8,
)
HOSTILE = st.one_of(JSON, st.sampled_from(list(VALUES.values())).map(copy.deepcopy))
JSON_TEXTS = st.sampled_from(list(RAW.values()))

# JSON as others write it, not always soundly: text by text, with keys that stand twice.
PIECES = r"""
a b é " { ], \" \\ \/ \t \u \x \u0061 \u0022 \u005c \u00e9 \u0000 \ud83d \ude00 \uD83D\uDE00 \u+0061
"""
ODD_TEXT = st.lists(st.sampled_from([*PIECES.split(), *SPACES]), max_size=4).map(
    lambda pieces: f'"{"".join(pieces)}"'
)
ODD_NUMBER = st.sampled_from(
    [
        *"0 -0 -0.0 1e2 1E+2 1e400 1e-400 01 1. .5 0.1 5e-324 NaN 9007199254740993".split(),
        *("123456789.123456789012345678", str(2**64), str(10**30), "9" * 4301),
    ]
)
ODD_KEY = st.one_of(st.sampled_from(['"a"', '"b"', r'"\u0061"', '""']), ODD_TEXT)
ODD_JSON = st.recursive(
    st.one_of(ODD_TEXT, ODD_NUMBER, st.sampled_from(["true", "null", ""])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda rows: f"[{','.join(rows)}]"),
        st.lists(st.tuples(ODD_KEY, inner), max_size=3).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
        ),
    ),
    max_leaves=8,
)


def refusal_of(read: Callable[..., Any], *given: Any, **named: Any) -> tuple[Any, str, str | None]:
    """What comes of reading, or else the refusal's code and the path of what is wrong."""
    try:
        return read(*given, **named), "", None
    except Refusal as refusal:
        return None, refusal.code, refusal.field
    except EventError as error:
        return None, "event_error", error.field


def mutated(body: dict[str, Any], most: int = 3) -> st.SearchStrategy[dict[str, Any]]:
    """The body with up to so many values replaced by others, left out or said under odd keys."""
    every = list(places(body))

    @st.composite
    def made(draw: st.DrawFn) -> dict[str, Any]:
        changed = copy.deepcopy(body)
        for place in draw(st.lists(st.sampled_from(every), max_size=most)):
            _change(draw, changed, place)
        return changed

    return made()


def _change(draw: st.DrawFn, body: dict[str, Any], place: str) -> None:
    """One place of the body is another; nothing, where an earlier change has taken it away."""
    held: Any = body
    *above, last = place.split(".")
    for key in above:
        held = _inner(held, key)
    what = draw(st.sampled_from(["replace", "replace", "leave out", "add"]))
    if isinstance(held, list) and last.isdigit() and int(last) < len(held):
        held[int(last)] = draw(HOSTILE)
    elif isinstance(held, dict) and what == "leave out":
        held.pop(last, None)
    elif isinstance(held, dict):
        held[last if what == "replace" else draw(TEXTS)] = draw(HOSTILE)


def _inner(held: Any, key: str) -> Any:
    if isinstance(held, dict):
        return held.get(key)
    if isinstance(held, list) and key.isdigit() and int(key) < len(held):
        return held[int(key)]
    return None
