"""What pages load by the site's name: the loader with its public settings, the PyScript config.

Only what a page needs and everyone may read is in here; keys and tokens never are, but for the
publishable key of a Scalev store to which the page posts itself.
"""

from __future__ import annotations

import json
from typing import Any

from pixelmirror import data_layer
from pixelmirror.pixels import PIXELS
from relay import __version__
from relay.assets import Assets
from relay.checkout import COPIES
from relay.destinations.scalev import route
from relay.site import CommandersActTable, DestinationTable, Site

# The groups of page assets that web/loader.js and web/page load by themselves.
ASSETS = ("page", "micropython", "image", "pyscript", "tracker", "pyodide")

HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Cache-Control": "public, max-age=300, stale-while-revalidate=86400",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}


# Stands for the relay's public address until a request tells it.
BASE = "{relay's address}"


class SitePages:
    """The files of one site, made once; only the relay's public address is put in later.

    `base` is that address with the path: `//t.shop.example/s` (the page's own scheme) or
    `https://t.shop.example/s`.
    """

    def __init__(self, site: Site, assets: Assets) -> None:
        self.site = site
        self.assets = assets
        self._loader = self._make_loader()
        self._config = json.dumps(
            {
                "files": self._files(),
                "js_modules": {"main": {f"{BASE}/{site.site}.js": "pixelmirror_loader"}},
            },
            indent=2,
        )
        # Whoever does not bring an interpreter would get one from a CDN.
        pyodide = {"interpreter": assets.url(BASE, "pyodide")}
        files = {**self._files(), assets.url(BASE, "client"): "./*"}
        self._client_config = json.dumps({**pyodide, "files": files}, indent=2)

    def loader(self, base: str) -> str:
        """`GET /s/{site}.js`: web/loader.js, minified, with the site's settings."""
        return self._loader.replace(BASE, base)

    def pyscript_config(self, base: str) -> str:
        """`GET /s/{site}/pyscript.json`: `import pixelmirror` works in a page's own PyScript."""
        return self._config.replace(BASE, base)

    def client_config(self, base: str) -> str:
        """`GET /s/{site}/client.json`: `pixelmirror.client` works in a page's PyScript, Pyodide."""
        return self._client_config.replace(BASE, base)

    def _make_loader(self) -> str:
        settings = json.dumps(self._settings(), separators=(",", ":")).replace("</", "<\\/")
        source = (self.assets.dist / self.assets.manifest["loader"]).read_text(encoding="utf-8")
        return source.replace("SETTINGS", settings)

    def _settings(self) -> dict[str, Any]:
        """The public settings, as the loader and the tracker read them."""
        return {
            "site": self.site.site,
            "version": __version__,
            "relay": f"{BASE}/{self.site.site}",
            "currency": self.site.currency,
            "consent": self.site.consent,
            "cookie_domain": self.site.cookie_domain,
            "custom_events": self.site.custom_events,
            "data_layer": list(data_layer.EVENTS) if self.site.data_layer else [],
            "has_alhena": any(one.kind == "alhena" for one in self.site.destinations.values()),
            "destinations": {
                name: self._pixel(table)
                for name, table in self.site.destinations.items()
                if table.has_pixel
            },
            **self._direct(),
            "assets": self._assets(),
        }

    def _assets(self) -> dict[str, str]:
        """Where the page finds each of its files; the tracker's image is the one it needs."""
        groups = {name: name for name in ASSETS}
        if self.site.posted_by_pages():
            groups["image"] = "direct_image"
        return {name: self.assets.url(BASE, group) for name, group in groups.items()}

    def _direct(self) -> dict[str, Any]:
        """What the page needs to post to Scalev itself, its publishable key too; mostly nothing."""
        waits = list(COPIES) if self.site.purchase_on == "paid" else []
        tables = {
            name: {
                "api_key": table.api_key,
                "categories": table.categories,
                "waits_for_payment": waits,
                "routes": [route(self.site, table, one) for one in dict.fromkeys(table.providers)],
            }
            for name, table in self.site.posted_by_pages().items()
        }
        return {"direct": tables} if tables else {}

    def _pixel(self, table: DestinationTable) -> dict[str, Any]:
        """What the page may know of one destination."""
        module = PIXELS[table.kind]
        urls = list(module.SDK_URLS) if table.sdk_url is None else [table.sdk_url]
        pixel: dict[str, Any] = {
            "kind": table.kind,
            # An empty sdk_url: the page loads the SDK itself, so its stub is not ours to make.
            "stub": table.sdk_url != "",
            "sdk_urls": [url for url in urls if url],
            "event_names": table.event_names,
            "categories": table.categories,
            "order_event_id": self.site.order_event_id,
        }
        if isinstance(table, CommandersActTable):
            pixel["site_id"] = table.site_id
            pixel["source_key"] = table.source_key
            pixel["meta_event_names"] = self.site.names_of("meta")
        elif hasattr(table, "pixel_ids"):
            pixel["pixel_ids"] = table.pixel_ids
        if getattr(table, "advanced_matching", False):
            pixel["advanced_matching"] = True
        return pixel

    def _files(self) -> dict[str, str]:
        return {self.assets.url(BASE, "tracker"): "./*"}
