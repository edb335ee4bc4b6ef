"""`web/bundle.py`: a package that became one module does what the package did."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import build
from bundle import bundled
from short import short_names

Package = dict[str, str]

# Each package's `found()` is asked for, of the modules and of the bundle.
PACKAGES: list[tuple[str, Package]] = [
    (
        "a name out of another module",
        {
            "__init__": "from .a import one as two\ndef found():\n    return two()",
            "a": "WORDS = 'ab'\ndef one():\n    return WORDS",
        },
    ),
    (
        "two modules have one name",
        {
            "__init__": "from . import a, b\ndef found():\n    return [a.same(), b.same()]",
            "a": "def same():\n    return 1",
            "b": "from .a import same as other\ndef same():\n    return other() + 1",
        },
    ),
    (
        "a name that was imported from where it was imported",
        {
            "__init__": "from .b import one\nfrom . import b\ndef found():\n    return one, b.one",
            "a": "one = 1",
            "b": "from .a import one",
        },
    ),
    (
        "a module as a value",
        {
            "__init__": "from .p import ALL\ndef found():\n    return [m.f(2) for m in ALL]",
            "p/__init__": "from . import x, y\nALL = [x, y]",
            "p/x": "from ..a import K\n_K = K\ndef f(n):\n    return n + _K",
            "p/y": "from ..a import K\ndef f(n):\n    return n * K",
            "a": "K = 10",
        },
    ),
    (
        "a local name hides a global one",
        {
            "__init__": """
from . import a
from .a import b, c
def found():
    def inner(a, c=c):
        b = a + 1
        return [a, b, c, [b for b in (7,)], (lambda c: c)(8)]
    return [a.b, b, inner(5), [a for a in (a.b, c)]]
""",
            "a": "b = 1\nc = 2",
        },
    ),
    (
        "a class has names of its own",
        {
            "__init__": """
from .a import LIMIT, Base
class Own(Base):
    LIMIT = 7
    less = 6
    more = less * 2
    def limits(self):
        return [LIMIT, self.LIMIT, self.more, self.base()]
def found():
    return Own().limits()
""",
            "a": "LIMIT = 5\nclass Base:\n    def base(self):\n        return LIMIT",
        },
    ),
    (
        "arguments that are named in a call keep their names",
        {
            "__init__": "from .a import f\ndef found():\n    return f(1, second=2, **{'k': 3})",
            "a": "def f(first, second, **rest):\n    return [first, second, sorted(rest)]",
        },
    ),
    (
        "functions in functions, an error's name, nonlocal",
        {
            "__init__": """
from .a import counter
def found():
    count = counter(3)
    return [count(1), count(2), count(None)]
""",
            "a": """
def counter(total, error=0):
    def add(number):
        nonlocal total
        try:
            total += number
        except TypeError as error:
            return type(error).__name__
        return total
    return add
""",
        },
    ),
    (
        "modules that import only for annotations, and modules from outside",
        {
            "__init__": "import json\nfrom .a import a\ndef found():\n    return json.loads(a)",
            "a": "import json as j\nfrom .any import Any\na: Any = j.dumps([1])",
            "any": "if False:\n    from typing import Any\nelse:\n    Any = object",
        },
    ),
    (
        "what the package does last, it does last",
        {
            "__init__": "log = []\ndef found():\n    return log\nif log == []:\n"
            "    from . import a\n    a.begin(log)",
            "a": "def begin(log):\n    log.append('begun')",
        },
    ),
]


def sources(package: Package) -> dict[str, bytes]:
    return {f"pack/{name}.py": (text + "\n").encode() for name, text in package.items()}


@pytest.fixture
def nothing_imported() -> Iterator[None]:
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "pack"]:
        del sys.modules[name]


@pytest.mark.usefixtures("nothing_imported")
@pytest.mark.parametrize(
    ("what", "package"), PACKAGES, ids=[what.replace(" ", "-") for what, _ in PACKAGES]
)
def test_a_bundle_does_what_its_modules_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, package: Package
) -> None:
    for path, source in sources(package).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(source)
    monkeypatch.syspath_prepend(tmp_path)
    import pack  # type: ignore[import-not-found]

    text = bundled(sources(package)).decode()
    there: dict[str, Any] = {"__name__": "pack"}
    exec(compile(text, "bundle", "exec"), there)  # noqa: S102, our own text
    assert there["found"]() == pack.found(), f"{what}:\n{text}"
    assert "from ." not in text


REFUSED = [
    ("a module inside a function", {"__init__": "def f():\n    from . import a", "a": ""}),
    ("`global`", {"__init__": "def f():\n    global a", "a": ""}),
    ("async def", {"__init__": "async def f():\n    pass"}),
    ("a name of two places", {"__init__": "from .a import b\nclass C:\n    b = b", "a": "b = 1"}),
    ("asks for a.none", {"__init__": "from . import a\nb = a.none", "a": ""}),
]


@pytest.mark.parametrize(("what", "package"), REFUSED)
def test_what_a_bundle_can_not_do_ends_the_build(what: str, package: Package) -> None:
    with pytest.raises(SystemExit, match="web: "):
        bundled(sources(package))


def test_the_order_of_the_files_does_not_show() -> None:
    """A file system gives them in any."""
    modules = build.tracker_modules(build.WEB)
    shuffled = list(modules.items())
    random.Random(1).shuffle(shuffled)  # noqa: S311, no secret
    assert bundled(dict(shuffled)) == bundled(modules)


def test_short_names_are_no_words_of_pythons() -> None:
    names = [name for name, _ in zip(short_names({"b"}), range(3000), strict=False)]
    assert names[:2] == ["a", "c"]
    assert len(set(names)) == len(names)
    assert not {"as", "if", "in", "is", "or", "id"} & set(names)
