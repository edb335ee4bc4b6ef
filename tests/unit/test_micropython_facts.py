"""What the page's code takes for granted of MicroPython: an update that changes it shows here.

Each fact was measured on the interpreter that PyScript pins. Those it has in common with CPython
are in test_python_facts.py.
"""

import json
import sys
import time
from collections import OrderedDict

from pixelmirror.anything import Any, Function

INTERPRETERS = ("micropython",)

WORDS = "event_id event_name event_time page params user visitor_id attribution consent".split(" ")


def raised(function: Function, *arguments: Any, **options: Any) -> str | None:
    """The name of what the call raises."""
    try:
        function(*arguments, **options)
    except Exception as error:
        return type(error).__name__
    return None


def test_dicts_have_no_order() -> None:
    """Dicts and what json.loads returns are in no order, so ordered things are lists here."""
    found = dict.fromkeys(WORDS, 1)
    assert sorted(found) == sorted(WORDS)
    assert list(found) != WORDS, "dicts are ordered now: PIXELS could be a plain dict"


def test_an_ordered_dict_keeps_its_order() -> None:
    """`PIXELS` is an OrderedDict: the order of firing; json.dumps keeps it too."""
    found = OrderedDict([(word, 1) for word in WORDS])
    assert list(found) == WORDS
    assert json.dumps(found) == "{" + ", ".join(['"' + word + '": 1' for word in WORDS]) + "}"


def test_true_is_no_int() -> None:
    """On CPython it is one: checks of numbers ask for bool explicitly, so that both agree."""
    assert not isinstance(True, int)
    assert isinstance(True, bool)


def test_json_writes_text_raw_and_rubbish_without_complaint() -> None:
    """Non-ASCII is written raw; NaN, infinity and sets are no JSON and raise nothing."""
    assert json.dumps("é日\U0001f600") == '"é日\U0001f600"'
    assert json.dumps(float("nan")) == "nan"
    assert json.dumps(float("inf")) == "inf"
    assert raised(json.dumps, {1, 2}) is None
    assert raised(json.dumps, {}, sort_keys=True) == "TypeError"


def test_bad_json_is_a_value_error() -> None:
    """`browser._parsed` catches ValueError; there is no JSONDecodeError."""
    for text in ("", "{", "NaN", "undefined", "{'a': 1}"):
        assert raised(json.loads, text) == "ValueError", text
    assert not hasattr(json, "JSONDecodeError")


def test_only_ascii_changes_its_case() -> None:
    """`lower()` and `upper()` change ASCII only: personal data is normalised in the relay."""
    assert "É".lower() == "É"
    assert "é".upper() == "é"


def test_only_ascii_spaces_are_stripped() -> None:
    """CPython strips more: the checks name the characters (`check.SPACE`)."""
    assert "\xa0x\xa0".strip() == "\xa0x\xa0"


def test_whole_numbers_wrap_at_the_border_and_json_text_does_not() -> None:
    """pyscript-notes 4: an integer of 2^31 or more is wrapped by JavaScript's border, silently."""
    import js

    assert js.Number("2147483647") == 2147483647
    assert js.Number("3000000000") == -1294967296, "no longer wrapped"
    for value in (3000000000, 1760000000000, 2**53 - 1, 0.07, 22.53, "日\U0001f600"):
        there = js.JSON.parse(json.dumps([value]))
        assert json.loads(js.JSON.stringify(there)) == [value], value


def test_cents_reach_javascript_exactly() -> None:
    """json.dumps writes some decimals with 17 digits; JavaScript reads the same number there."""
    import js

    cents = [i / 100 for i in range(0, 100000, 7)]
    back = json.loads(js.JSON.stringify(js.JSON.parse(json.dumps(cents))))
    assert back == cents
    assert js.JSON.stringify(js.JSON.parse(json.dumps([0.07, 8.12]))) == "[0.07,8.12]"


def test_undefined_is_neither_none_nor_false() -> None:
    """pyscript-notes 6: what may be undefined crosses as JSON text, where it is absent."""
    import js

    assert js.undefined is not None
    assert bool(js.undefined)
    assert getattr(js, "pixelmirror", None) is None


def test_the_interpreter_is_known_by_its_name() -> None:
    """`pixelmirror.IN_PAGE` and `browser.start` ask by these."""
    assert sys.platform == "webassembly"
    assert sys.implementation.name == "micropython"


def test_the_clock_has_milliseconds() -> None:
    """`Page.now_ms` takes the time from Python; JavaScript's would wrap."""
    assert isinstance(time.time(), float)
    assert time.time() > 1.7e9
