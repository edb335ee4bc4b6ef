"""What `playwright.config.py` says, for the fixtures and their helpers."""

import runpy
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[2]
CONFIG: dict[str, Any] = runpy.run_path(str(REPO / "playwright.config.py"))
TIMEOUT_S: float = CONFIG["TIMEOUT_MS"] / 1000
