"""Each test of the page's pure Python runs twice: on CPython, and on MicroPython under Node.

The test files are plain functions with `assert`, in MicroPython's subset themselves. A function
without arguments becomes two tests, `[cpython]` and `[micropython]`; those of MicroPython are run
by one Node process, `micropython.mjs`, when the first of them is due. A file that is about one
interpreter only says so: `INTERPRETERS = ("micropython",)`. Functions that take fixtures run on
CPython alone; the fixture `micropython` tells them what a function returned over there.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DIST = ROOT / "web" / "dist"

BOTH = ("cpython", "micropython")
TIMEOUT_S = 30

# Functions whose return values the two interpreters are compared by.
COMPARED = (("tests.unit.examples", "texts"),)

Answers = dict[tuple[str, str], dict[str, Any]]
ANSWERS = pytest.StashKey[Answers]()


@pytest.fixture(autouse=True)
def interpreter(request: pytest.FixtureRequest) -> str:
    """The interpreter of this test: `"cpython"` or `"micropython"`."""
    name: str = getattr(request, "param", "cpython")
    return name


@pytest.fixture
def micropython(request: pytest.FixtureRequest) -> Callable[[str, str], Any]:
    """What a function of COMPARED returned on MicroPython: `micropython(module, name)`."""

    def returned(module: str, name: str) -> Any:
        answer = _answers(request.session)[module, name]
        if "error" in answer:
            pytest.fail(answer["error"], pytrace=False)
        return answer["value"]

    return returned


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if not metafunc.function.__code__.co_argcount:
        names = getattr(metafunc.module, "INTERPRETERS", BOTH)
        metafunc.parametrize("interpreter", names, indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A test of MicroPython has run already: pass on its traceback, if it has one."""
    if not _is_on_micropython(pyfuncitem):
        return None
    answer = _answers(pyfuncitem.session)[_key(pyfuncitem)]
    if "error" in answer:
        pytest.fail(answer["error"], pytrace=False)
    return True


def _is_on_micropython(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    return callspec is not None and callspec.params.get("interpreter") == "micropython"


def _key(item: pytest.Item) -> tuple[str, str]:
    assert isinstance(item, pytest.Function)
    return f"tests.unit.{item.path.stem}", item.originalname


def _answers(session: pytest.Session) -> Answers:
    """What each of this session's functions did on MicroPython; they run once, all together."""
    if ANSWERS not in session.stash:
        wanted = [_key(item) for item in session.items if _is_on_micropython(item)]
        wanted += [key for key in COMPARED if key not in wanted]
        try:
            answers = _run(wanted)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            answers = [{"error": f"MicroPython did not run: {error}"}] * len(wanted)
        session.stash[ANSWERS] = dict(zip(wanted, answers, strict=True))
    return session.stash[ANSWERS]


def _run(functions: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """`{"value"}` or `{"error": traceback}` of each function, in order."""
    manifest = DIST / "manifest.json"
    assert manifest.exists(), "the page assets are not built: run make build"
    interpreter = DIST / json.loads(manifest.read_text(encoding="utf-8"))["micropython"]
    node = shutil.which("node", path=str(Path(sys.executable).parent)) or "node"
    done = subprocess.run(
        [node, str(HERE / "micropython.mjs"), str(interpreter), str(ROOT)],
        input=json.dumps(functions),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers
