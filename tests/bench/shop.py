"""A shop on one origin and its relay on another, as processes of their own.

The relay is `pixelmirror serve` of a site with five pixels and seven destinations that have server
copies. Nobody listens where those are sent, and the pixels' SDKs are the page's own: stand-ins
that note what they are told.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from relay.assets import Assets
from tests.relay.processes import RelayProcess, Server, free_port

LOG = 4000  # characters of what the relay said last, where a benchmark fails
KEY = "the-secret-key-of-the-bench"

# Five pixels in the page; server copies for seven, and of one event for one more that is counted.
COUNTED = "view_item"
OWN_SDK = {"sdk_url": ""}
DESTINATIONS: dict[str, dict[str, object]] = {
    "meta": {"mode": "both", "pixel_ids": ["1"], "access_token": "t1", **OWN_SDK},
    "meta_two": {"kind": "meta", "mode": "server", "pixel_ids": ["2"], "access_token": "t2"},
    "meta_three": {"kind": "meta", "mode": "server", "pixel_ids": ["3"], "access_token": "t3"},
    "tiktok": {"mode": "both", "pixel_ids": ["C1"], "access_token": "t4", **OWN_SDK},
    "tiktok_two": {"kind": "tiktok", "mode": "server", "pixel_ids": ["C2"], "access_token": "t5"},
    "kwai": {"mode": "both", "pixel_ids": ["1"], "access_token": "t6", **OWN_SDK},
    "tracify": {"customer_site_id": "5f0c9c52-7f0e-4c55-9a7a-2f2c8b6d1e10", "token": "t7"},
    "counted": {
        "kind": "meta",
        "mode": "server",
        "pixel_ids": ["4"],
        "access_token": "t8",
        "events": [COUNTED],
    },
    "commanders_act": {"site_id": "3311", "source_key": "t9", **OWN_SDK},
    "alhena": {"company_key": "c1", **OWN_SDK},
}

PRODUCT = "<li><img alt='' width=90 height=90><h2>Kaos Polos {n}</h2><p>Rp 60.000</p></li>"

# What every page has: the stand-ins of five SDKs, and `started`, the moment that is waited for.
PAGE = """<!doctype html><html lang="id"><meta charset="utf-8"><title>Toko</title>
<script>
const counts = window.counts = {{ fbq: 0, ttq: 0, kwaiq: 0, cact: 0, trackAlhenaEvent: 0 }};
window.started = () => {{ window.at ??= performance.now(); console.info("started"); }};
window.fbq = (...words) => {{
  counts.fbq++;
  if (!window.at && words.includes("AddToCart")) started();
}};
for (const name of ["cact", "trackAlhenaEvent"]) window[name] = () => {{ counts[name]++; }};
for (const name of ["ttq", "kwaiq"]) {{
  const queue = window[name] = {{}};
  queue.track = queue.page = queue.load = queue.identify = () => {{ counts[name]++; }};
  queue.instance = () => queue;
}}
</script>
{head}<h1>Toko</h1><ul>{products}</ul>{body}</html>
"""

TAG = '<script async src="{relay}/s/bench.js"{attributes}></script>\n'

ITEM = {"id": "variant_a1", "quantity": 2, "product": {"id": "p1", "name": "Kaos", "price": 60000}}

# The README's snippet, and a call before anything of ours has come.
EARLY = """<script>
window.pixelmirror = window.pixelmirror || function () {
  (pixelmirror.q = pixelmirror.q || []).push([Date.now()].concat([].slice.call(arguments)));
};
pixelmirror("on", "sent", (event, result) => {
  if (event.event_name !== "add_to_cart" || window.isSent) return;
  window.isSent = true;
  console.info("sent " + result.relay);
});
pixelmirror("track", "add_to_cart", { items: [ITEM] });
</script>
""".replace("ITEM", json.dumps(ITEM))

# The least that Python in a page can be: the interpreter, its two files found at the first byte.
BARE_HEAD = """<link rel="modulepreload" href="{glue}">
<link rel="preload" as="fetch" href="{wasm}" crossorigin>
"""
BARE = """<script type="module">
import {{ loadMicroPython }} from "{glue}";
const interpreter = await loadMicroPython({{ url: "{wasm}" }});
interpreter.runPython("import js; js.started()");
interpreter.runPython("def empty(): pass\\njs.empty = empty");
</script>
"""

# The same found by a script of the shop's, as every tag is, one journey later; and started, as ours
# is, when the page has painted and has nothing to do.
BY_TAG = '<script async src="/boot.js"></script>\n'
BOOT = """for (const [rel, href] of [["modulepreload", "{glue}"], ["preload", "{wasm}"]]) {{
  const link = Object.assign(document.createElement("link"), {{ rel, href, crossOrigin: "" }});
  if (rel === "preload") link.as = "fetch";
  document.head.append(link);
}}
import("{glue}").then(async ({{ loadMicroPython }}) => {{
  await new Promise(requestAnimationFrame);
  await scheduler.postTask(() => {{}}, {{ priority: "background" }});
  const interpreter = await loadMicroPython({{ url: "{wasm}" }});
  interpreter.runPython("import js; js.started()");
}});
"""

WAYS = {
    "tag": "",
    "core": ' data-start="pyscript"',
    "pyodide": ' data-runtime="pyodide"',
}


@dataclass(frozen=True)
class Shop:
    """`page("tag")` is a page with the tag; `core` and `pyodide` start otherwise, `bare` and
    `by_tag` boot MicroPython alone, `plain` has nothing."""

    url: str
    relay: RelayProcess

    def page(self, name: str) -> str:
        return f"{self.url}/{name}.html"


@contextmanager
def open_shop() -> Iterator[Shop]:
    """Both run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        site = folder / "bench.toml"
        site.write_text(_site(url, f"http://127.0.0.1:{free_port()}"))
        files = folder / "shop"
        files.mkdir()
        shop = Server(
            [
                *(sys.executable, "-m", "http.server", str(port), "--protocol", "HTTP/1.1"),
                *("--bind", "127.0.0.1", "--directory", str(files)),
            ],
            "/plain.html",
            folder / "shop.log",
            port,
        )
        relay = RelayProcess(site, KEY, url)
        for file, text in _files(relay.url).items():
            (files / file).write_text(text)
        try:
            relay.start()
            shop.start()
            yield Shop(url, relay)
        except BaseException:
            print(relay.log.read_text()[-LOG:], file=sys.stderr)
            raise
        finally:
            shop.close()
            relay.close()


def _site(shop: str, nobody: str) -> str:
    """The site file."""
    lines = [
        'site = "bench"',
        'publishable_key = "pmk_bench"',
        f'secret_key = "{KEY}"',
        f'origins = ["{shop}"]',
        "rate_limit = 0",
    ]
    for name, table in DESTINATIONS.items():
        where = (
            {} if OWN_SDK.items() <= table.items() and "mode" not in table else {"base_url": nobody}
        )
        lines.append(f"[destinations.{name}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in {**table, **where}.items()]
    return "\n".join(lines)


def _files(relay: str) -> dict[str, str]:
    glue = Assets().url(f"{relay}/s", "micropython")
    where = {"glue": glue, "wasm": glue.replace(".mjs", ".wasm")}
    parts = {
        "plain": ("", ""),
        "bare": (BARE_HEAD.format(**where), BARE.format(**where)),
        "by_tag": (BY_TAG, ""),
        **{
            name: (TAG.format(relay=relay, attributes=attributes), EARLY)
            for name, attributes in WAYS.items()
        },
    }
    products = "".join(PRODUCT.format(n=n) for n in range(24))
    pages = {
        f"{name}.html": PAGE.format(head=head, body=body, products=products)
        for name, (head, body) in parts.items()
    }
    return {**pages, "boot.js": BOOT.format(**where)}
