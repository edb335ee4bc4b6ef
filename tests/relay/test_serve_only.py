"""`pixelmirror serve` is the relay and nothing else: neither the sandbox nor the demo is in it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

# `serve` to the moment when it would listen.
PROGRAM = """
import json, sys
from relay import cli

async def told(app, *_, **__):
    paths = [route.path for route in app.routes]
    print(json.dumps({"paths": paths, "modules": list(sys.modules)}))

cli.serve_app = told
cli.main(sys.argv[1:])
"""

SITE = """
site = "toko"
publishable_key = "pmk_toko"
secret_key = "the-secret-key-of-toko"
origins = ["https://toko.example"]
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The paths of the app that `serve` would run, and the modules that are loaded then."""
    folder = tmp_path_factory.mktemp("serve")
    (folder / "toko.toml").write_text(SITE)
    command = [sys.executable, "-c", PROGRAM, "serve", "toko.toml"]
    paths = {"PYTHONPATH": f"{ROOT}:{ROOT / 'web'}"}
    done = subprocess.run(command, cwd=folder, env=paths, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_serve_has_the_relays_own_routes_only(served: dict[str, Any]) -> None:
    """The contract's; no stand-in for an outside system can be asked anything."""
    own = re.compile(r"/(s/|v1/|v3/stores/|webhooks/midtrans/|healthz$|readyz$|metrics$)")
    assert served["paths"]
    assert [path for path in served["paths"] if not own.match(path)] == []


def test_serve_does_not_even_load_the_sandbox_and_the_demo(served: dict[str, Any]) -> None:
    """Nor what only they and the documents need."""
    others = ("relay.sandbox", "relay.demo", "relay.reference", "tests")
    assert "relay.app" in served["modules"]
    assert [name for name in served["modules"] if name.startswith(others)] == []
