"""Each test of the page's pure Python runs on CPython, and twice on MicroPython under Node.

The test files are plain functions with `assert`, in MicroPython's subset themselves. A function
without arguments becomes three tests: `[cpython]`, `[micropython]` and `[image]`, which is
MicroPython with the tracker as pages get it: bundled, as bytecode, in an image. Those of
MicroPython are run by one Node process each, `micropython.mjs`, when the first of them is due. A
file that is about one interpreter only says so: `INTERPRETERS = ("micropython",)`. Functions that
take fixtures run on CPython alone; the fixture `micropython` tells them what a function returned
over there.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import build
import image
from bundle import bundled

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DIST = ROOT / "web" / "dist"

UNDER_NODE = ("micropython", "image")
ALL = ("cpython", *UNDER_NODE)
TIMEOUT_S = 30

# Functions whose return values the two interpreters are compared by.
COMPARED = (("tests.unit.examples", "texts"),)

Answers = dict[tuple[str, str], dict[str, Any]]
ANSWERS = pytest.StashKey[dict[str, Answers]]()


@pytest.fixture(autouse=True)
def interpreter(request: pytest.FixtureRequest) -> str:
    """The interpreter of this test: one of ALL."""
    name: str = getattr(request, "param", "cpython")
    return name


@pytest.fixture(params=UNDER_NODE)
def micropython(request: pytest.FixtureRequest) -> Callable[[str, str], Any]:
    """What a function of COMPARED returned on MicroPython: `micropython(module, name)`."""

    def returned(module: str, name: str) -> Any:
        answer = _answers(request.session, request.param)[module, name]
        if "error" in answer:
            pytest.fail(answer["error"], pytrace=False)
        return answer["value"]

    return returned


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if not metafunc.function.__code__.co_argcount:
        names = getattr(metafunc.module, "INTERPRETERS", ALL)
        metafunc.parametrize("interpreter", names, indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A test of MicroPython has run already: pass on its traceback, if it has one."""
    interpreter = _interpreter(pyfuncitem)
    if interpreter not in UNDER_NODE:
        return None
    answer = _answers(pyfuncitem.session, interpreter)[_key(pyfuncitem)]
    if "error" in answer:
        pytest.fail(answer["error"], pytrace=False)
    return True


def _interpreter(item: pytest.Item) -> object:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("interpreter") if callspec is not None else None


def _key(item: pytest.Item) -> tuple[str, str]:
    assert isinstance(item, pytest.Function)
    return f"tests.unit.{item.path.stem}", item.originalname


def _answers(session: pytest.Session, interpreter: str) -> Answers:
    """What each of this session's functions did there; they run once, all together."""
    found = session.stash.setdefault(ANSWERS, {})
    if interpreter not in found:
        wanted = [_key(item) for item in session.items if _interpreter(item) == interpreter]
        wanted += [key for key in COMPARED if key not in wanted]
        try:
            answers = _run(interpreter, wanted)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            answers = [{"error": f"MicroPython did not run: {error}"}] * len(wanted)
        found[interpreter] = dict(zip(wanted, answers, strict=True))
    return found[interpreter]


def _run(interpreter: str, functions: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """`{"value"}` or `{"error": traceback}` of each function, in order."""
    manifest = DIST / "manifest.json"
    assert manifest.exists(), "the page assets are not built: run make build"
    runtime = DIST / json.loads(manifest.read_text(encoding="utf-8"))["micropython"]
    node = shutil.which("node", path=str(Path(sys.executable).parent)) or "node"
    with tempfile.TemporaryDirectory() as folder:
        command = [node, str(HERE / "micropython.mjs"), str(runtime), str(ROOT)]
        if interpreter == "image":
            file = Path(folder) / "pixelmirror.romfs"
            file.write_bytes(_open_image())
            command.append(str(file))
        done = subprocess.run(
            command,
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


def _open_image() -> bytes:
    """The image that pages get, but that tests can import its modules by their names."""
    modules = build.tracker_modules(build.WEB)
    only_for_annotations = "pixelmirror/anything.py"
    open_ones = {
        image.PACKAGE: bundled(modules, is_open=True),
        only_for_annotations: modules[only_for_annotations],
    }
    return image.packed(image.compiled(open_ones))
