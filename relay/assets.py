"""Page assets: PyScript, its interpreters and the tracker, served from files made beforehand.

`web/build.py` names each group's folder by a hash of its contents, so whatever is served here
under one path never changes, and a browser may keep it for ever.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

MEDIA_TYPES = {
    ".gz": "application/gzip",  # the tracker's .tar.gz: PyScript unpacks it, not the browser
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".romfs": "application/octet-stream",  # the tracker as bytecode: only MicroPython reads it
    ".wasm": "application/wasm",  # compiled while it loads only under this type
    ".zip": "application/zip",
}

# Content codings made beforehand, the better one first, and what their files' names end in.
CODINGS = {"br": ".br", "gzip": ".gz"}

HEADERS = {
    "Access-Control-Allow-Origin": "*",  # shop pages import modules from the relay's origin
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}
FOR_EVER = "public, max-age=31536000, immutable"


def web_root() -> Path:
    """The folder with `dist` and `storefront`: in a wheel or in a checkout."""
    in_wheel = Path(__file__).with_name("_web")
    return in_wheel if in_wheel.is_dir() else Path(__file__).parent.parent / "web"


class AssetsMissing(Exception):
    """The page assets have not been made: `python web/build.py` makes them in a checkout."""


@dataclass(frozen=True)
class Asset:
    """One file as pages know it, with its forms by coding: `{"identity": Path, "br": Path}`."""

    media_type: str
    folder: str
    forms: dict[str, Path]


class Assets:
    """The page assets of one `dist` folder, all known at start: nothing else is ever served."""

    def __init__(self, dist: Path | None = None) -> None:
        self.dist = dist or web_root() / "dist"
        try:
            self.manifest: dict[str, str] = json.loads((self.dist / "manifest.json").read_text())
        except FileNotFoundError as error:
            raise AssetsMissing(
                f"no page assets in {self.dist}; in a checkout, run: python web/build.py"
            ) from error
        self._assets = {
            path: asset
            for entry in self.manifest.values()
            for path, asset in _folder_assets(self.dist, entry.split("/")[0])
        }

    def url(self, base: str, group: str) -> str:
        """The URL of a group's entry file, below the relay's public address and path.

        `url("https://t.shop.example/s", "tracker")` is
        `"https://t.shop.example/s/assets/3f0c9a5b7e214d68/pixelmirror.tar.gz"`.
        """
        return f"{base.rstrip('/')}/assets/{self.manifest[group]}"

    async def endpoint(self, request: Request) -> Response:
        """Answers `GET` and `HEAD` of a route ending in `/assets/{path:path}`."""
        path = request.path_params["path"]
        asset = self._assets.get(path)
        if asset is None:
            return _not_found(path)
        coding = preferred_coding(request.headers.get("accept-encoding"), asset.forms)
        file = asset.forms[coding]
        etag = f'"{asset.folder}-{coding}"'
        headers = {**HEADERS, "Cache-Control": FOR_EVER, "ETag": etag}
        if names_etag(request.headers.get("if-none-match", ""), etag):
            return Response(status_code=304, headers=headers)
        try:
            stat_result = file.stat()
        except FileNotFoundError:  # a developer built the assets again under a running relay
            return _not_found(path)
        if coding != "identity":
            headers["Content-Encoding"] = coding
        return FileResponse(
            file, headers=headers, media_type=asset.media_type, stat_result=stat_result
        )


def preferred_coding(accept_encoding: str | None, available: Collection[str]) -> str:
    """The available coding that the client likes best: `"br"`, `"gzip"` or `"identity"`.

    Equal weights go to the smaller form. Identity is also what a client gets that accepts none.
    Source: RFC 9110, section 12.5.3.
    """
    if accept_encoding is None:
        return "identity"
    weights = _weights(accept_encoding)
    offered = [coding for coding in (*CODINGS, "identity") if coding in available]
    # Identity is acceptable without being named, at less weight than anything that is named.
    unnamed = {"identity": 0.0001}
    weight = {
        coding: weights.get(coding, weights.get("*", unnamed.get(coding, 0.0)))
        for coding in offered
    }
    best = max(offered, key=lambda coding: weight[coding])
    return best if weight[best] > 0 else "identity"


def _weights(accept_encoding: str) -> dict[str, float]:
    """Shape: `{"gzip": 1.0, "br": 0.5}` of `gzip, br;q=0.5`. A weight that is no number is 0."""
    weights = {}
    for part in accept_encoding.lower().split(","):
        coding, _, parameter = part.partition(";")
        name, _, value = parameter.partition("=")
        try:
            weight = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            weight = 0.0
        weights[coding.strip()] = weight
    return weights


def names_etag(if_none_match: str, etag: str) -> bool:
    """Whether the client has this form already. Weak comparison: RFC 9110, section 13.1.2."""
    known = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in known or "*" in known


def _folder_assets(dist: Path, folder: str) -> list[tuple[str, Asset]]:
    files = {file.name: file for file in (dist / folder).iterdir()}
    compressed = {
        name + ending for name in files for ending in CODINGS.values() if name + ending in files
    }
    return [
        (f"{folder}/{name}", Asset(MEDIA_TYPES[file.suffix], folder, _forms(name, files)))
        for name, file in files.items()
        if name not in compressed
    ]


def _forms(name: str, files: dict[str, Path]) -> dict[str, Path]:
    found = {coding: files[name + e] for coding, e in CODINGS.items() if name + e in files}
    return {"identity": files[name], **found}


def _not_found(path: str) -> Response:
    message = f"no page asset has the path {path[:100]!r}; the site's script names the current ones"
    return JSONResponse(
        {"error": {"code": "unknown_asset", "message": message}},
        status_code=404,
        headers={**HEADERS, "Cache-Control": "no-store"},
    )
