"""The tracker's Python in the forms in which a page could get it: bytes, and how soon it is there.

Each form is a ROMFS image that MicroPython mounts. A page that preloads the interpreter and the
image is visited by a browser that knows nothing, until all of the tracker's modules are imported.

`python -m tests.bench.forms FOLDER PORT` serves such pages, FOLDER being laid out as `web/dist`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import brotli
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

import build
import image
from bundle import bundled
from relay.assets import Assets
from stripped import stripped
from tests.bench.rows import PAGE, Benchmark, Row, Run, at_most
from tests.bench.visits import DESKTOP, PHONE, Shopper, browser, tab
from tests.relay.processes import Server, free_port

SHIPPED = "bytecode of a bundle"
FORMS: dict[str, Callable[[build.Files], build.Files]] = {
    "source": lambda modules: modules,
    "stripped source": lambda modules: {name: stripped(modules[name]) for name in modules},
    "bytecode with line numbers": lambda modules: image.compiled(modules, "-O2"),
    "bytecode": image.compiled,
    SHIPPED: lambda modules: image.compiled({image.PACKAGE: bundled(modules)}),
}
MOST_BYTES = 20_000

HTML = """<!doctype html><title>Toko</title>
<link rel="modulepreload" href="{glue}">
<link rel="preload" as="fetch" href="{wasm}" crossorigin>
<link rel="preload" as="fetch" href="{image}" crossorigin>
<script type="module">
import {{ loadMicroPython }} from "{glue}";
const romfs = new Uint8Array(await (await fetch("{image}")).arrayBuffer());
const python = await loadMicroPython({{ url: "{wasm}", romfs }});
const start = performance.now();
python.runPython(`
import pixelmirror
try:
    import pixelmirror.browser
except ImportError: # the bundle has it in one
    pass
`);
window.at = performance.now();
window.imported = window.at - start;
console.info("started");
</script>
"""


def sizes(run: Run) -> Iterator[Row]:
    """Once is enough: the same sources give the same bytes."""
    found = {name: [len(_brotli(made))] for name, made in _images().items()}
    for name, ours in found.items():
        is_shipped = name == SHIPPED
        target = at_most(MOST_BYTES, "ours") if is_shipped else None
        baseline = () if is_shipped else found[SHIPPED]
        against = "" if is_shipped else SHIPPED
        yield Row(f"tracker as {name}, brotli", "bytes", ours, baseline, against, target)


def starting(who: Shopper, run: Run) -> Iterator[Row]:
    """The forms take turns: each round visits a page of each."""
    started: dict[str, list[float]] = {name: [] for name in FORMS}
    imported: dict[str, list[float]] = {name: [] for name in FORMS}
    with _served() as url, browser() as one:
        for _ in run.turns():
            for number, name in enumerate(FORMS):
                with tab(one, who) as shopper:
                    shopper.visit(f"{url}/{number}")
                    started[name].append(shopper.started_ms())
                    imported[name].append(shopper.page.evaluate("window.imported"))
    for what, found in (("all imported", started), ("the import alone", imported)):
        for name in FORMS:
            if name != SHIPPED:
                row = f"tracker as {name}, {what}, {who.name}"
                yield Row(row, "ms", found[name], found[SHIPPED], SHIPPED)


def _images() -> dict[str, bytes]:
    """The image of each form."""
    modules = build.tracker_modules(build.WEB)
    return {name: image.packed(form(modules)) for name, form in FORMS.items()}


def _brotli(content: bytes) -> bytes:
    made: bytes = brotli.compress(content, quality=build.BROTLI_QUALITY)
    return made


@contextmanager
def _served() -> Iterator[str]:
    """The address at which `/0`, `/1`... are pages with the forms, in a process of their own."""
    with tempfile.TemporaryDirectory() as name:
        dist = Path(name)
        entries = {"micropython": Assets().manifest["micropython"]}
        (dist / entries["micropython"]).parent.symlink_to(
            (Assets().dist / entries["micropython"]).parent
        )
        for number, content in enumerate(_images().values()):
            entries[str(number)] = f"{number}/pixelmirror.romfs"
            (dist / str(number)).mkdir()
            (dist / entries[str(number)]).write_bytes(content)
            (dist / f"{entries[str(number)]}.br").write_bytes(_brotli(content))
        (dist / "manifest.json").write_text(json.dumps(entries))
        port = free_port()
        command = [sys.executable, "-m", "tests.bench.forms", name, str(port)]
        server = Server(command, "/ready", dist / "server.log", port)
        try:
            server.start()
            yield server.url
        finally:
            server.close()


def app(dist: Path) -> Starlette:
    assets = Assets(dist)
    glue = assets.url("", "micropython")

    async def page(request: Request) -> Response:
        form = assets.url("", request.path_params["form"])
        wasm = glue.replace(".mjs", ".wasm")
        return HTMLResponse(HTML.format(glue=glue, wasm=wasm, image=form))

    async def ready(request: Request) -> Response:
        return PlainTextResponse("ready")

    return Starlette(
        routes=[
            Route("/ready", ready),
            Route("/assets/{path:path}", assets.endpoint),
            Route("/{form}", page),
        ]
    )


def benchmark(who: Shopper) -> Benchmark:
    return Benchmark(f"forms, {who.name}", PAGE, lambda run: starting(who, run))


BENCHMARKS = [
    Benchmark("forms, bytes", PAGE, sizes),
    *(benchmark(who) for who in (DESKTOP, PHONE)),
]

if __name__ == "__main__":
    uvicorn.run(app(Path(sys.argv[1])), port=int(sys.argv[2]), log_level="warning")
