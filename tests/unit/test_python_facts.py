"""What the page's code takes for granted of every Python it runs on."""

import json

from pixelmirror.anything import Any
from pixelmirror.check import EventError


class Keeper:
    """For what methods look like."""

    def __init__(self) -> None:
        self.items: list[int] = []

    def keep(self, value: int) -> None:
        self.items.append(value)

    def last(self, *words: Any) -> Any:
        return words

    def each(self) -> Any:
        for value in self.items:
            yield value, -value


def test_bytes_and_numbers() -> None:
    """UUIDs and percent-encoding: to_bytes, fromhex, hex, bytearray."""
    assert (2**40).to_bytes(6, "big") == b"\x01\x00\x00\x00\x00\x00"
    assert bytes.fromhex("00ff7e") == b"\x00\xff\x7e"
    assert bytes.fromhex("  ") == b"", "spaces are read over: decode() looks at the length"
    assert bytes([1, 255]).hex() == "01ff"
    assert hex(9) == "0x9"
    assert int("ffffffffffff", 16) == 2**48 - 1
    value = bytearray(b"\x00\x01")
    value[1] = value[1] & 0x0F | 0x70
    value.extend(b"x" + "é".encode())
    assert bytes(value) == b"\x00\x71x\xc3\xa9"
    for wrong in ("4", "zz", "+1", " 4"):
        try:
            bytes.fromhex(wrong)
        except ValueError:
            continue
        raise AssertionError(wrong)


def test_text_that_is_no_utf8_is_a_unicode_or_value_error() -> None:
    """`decode()` catches these two."""
    for wrong in (b"\xff", b"\xc3(", b"\xe9"):
        try:
            wrong.decode()
        except (ValueError, UnicodeError):
            continue
        raise AssertionError(wrong)


def test_texts() -> None:
    """Each method of str that the code uses, in the form in which it uses it."""
    assert "a=b=c".partition("=") == ("a", "=", "b=c")
    assert "a".partition("=") == ("a", "", "")
    assert "email_sha256".rpartition("_") == ("email", "_", "sha256")
    assert "id".rpartition("_") == ("", "", "id")
    assert "fb.1.2.a.b".split(".", 3) == ["fb", "1", "2", "a.b"]
    assert "".split("&") == [""]
    assert "\x0b x\t".strip(" \t\n\r\x0b\x0c") == "x"
    assert "trackCustom".replace("track", "trackSingle") == "trackSingleCustom"
    assert "a.b".count(".") == 1
    assert "params.id".rfind(".") == 6
    assert "abc".rfind(".") == -1
    assert "__X__".startswith("__")
    assert "__X__".endswith("__")
    assert len("\U0001f600") == 1, "characters, not bytes or UTF-16 units"
    assert ["aB".lower(), "aB".upper()] == ["ab", "AB"]
    assert ("abc"[:2], "abc"[-2:], "abc"[9:]) == ("ab", "bc", "")
    head, *rest = "a%20b%".split("%")
    assert (head, rest) == ("a", ["20b", ""])


def test_numbers() -> None:
    """Integers are unlimited, floats are doubles, and both are read from text exactly."""
    assert 3000000000 * 3 == 9000000000
    assert str(10**20) == "1" + "0" * 20
    assert float(" 147000.00 ") == 147000
    assert int(" 2 ") == 2
    assert int(147000.5 + 0.5) == 147001
    assert repr(round(0.1 + 0.2, 4)) == "0.3"
    assert repr(round(22.53 - 3.33 - 3.2, 4)) == "16.0"
    assert not 0 <= float("nan") < 1
    assert not 0 <= float("inf") < 1e15
    assert not 0 <= 10**400 < 1e15
    assert [str(value) for value in (True, False, None)] == ["True", "False", "None"]


def test_json() -> None:
    """Tuples are lists, keys are texts, control characters are escaped, large numbers are exact."""
    assert json.loads(json.dumps(("a", (1, None)))) == ["a", [1, None]]
    assert json.loads(json.dumps({1: True})) == {"1": True}
    assert json.dumps('a"\n\x01') == '"a\\"\\n\\u0001"'
    assert json.dumps([1, 2.5]) == "[1, 2.5]"
    assert json.dumps({}) == "{}", "the mirror takes the last character off its head"
    assert json.loads("[3000000000, 1760000000000, 0.07]") == [3000000000, 1760000000000, 0.07]
    assert isinstance(json.loads("147000.00"), float)
    assert isinstance(json.loads("147000"), int)
    assert json.loads("1e400") == float("inf"), "the checks refuse it"


def test_dicts_and_lists() -> None:
    """Merging, defaults and slices as the code uses them."""
    assert dict({"a": 1}, a=2, b=3) == {"a": 2, "b": 3}
    found: dict[str, int] = {}
    assert found.setdefault("a", 1) == 1
    assert found.pop("b", None) is None
    assert (["x"] * 3)[-200:] == ["x"] * 3
    assert [1, 2, 3][max(0, -5) :] == [1, 2, 3]
    assert sorted([(2, "a"), (1, "b"), (1, "a")]) == [(1, "a"), (1, "b"), (2, "a")]
    pairs = [("b", {"at": 1}), ("a", {"at": 1}), ("c", {"at": 0})]
    pairs.sort(key=lambda pair: (pair[1]["at"], pair[0]))
    assert [name for name, _ in pairs] == ["c", "a", "b"]


def test_functions_and_classes() -> None:
    """Callbacks are kept by name, bound methods too; generators, errors and inheritance work."""
    keeper = Keeper()
    keep = keeper.keep
    assert keep.__name__ == "keep"
    words: list[Any] = ["page"]
    assert keeper.last(*(words + [None] * 3)[:3]) == ("page", None, None)
    keep(5)
    assert list(keeper.each()) == [(5, -5)]
    error = EventError("params.id", "id is required")
    assert str(error) == "id is required"
    assert (error.field, error.message) == ("params.id", "id is required")
    assert repr(KeyError("price")).startswith("KeyError('price'")
