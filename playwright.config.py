"""What the end-to-end tests run: which browser, how it is started, and the servers under test.

Tests load this file with `runpy.run_path`. Run by itself it prints the browser's path, or says
how to get one and exits with 1.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# Looked for in this order; CHROMIUM in the environment comes first.
BROWSERS = ["/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome"]

# A shopper's browser: the headless one's own name is a bot's. An argument, as Chromium forgets what
# the protocol told it when it sends a beacon for a page that goes.
USER_AGENT = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Mobile Safari/537.36"
)

BROWSER_ARGS = [
    "--disable-background-networking",  # tests need no host but this one
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--host-resolver-rules=MAP * 127.0.0.1",  # shops of any name, and no way out of this machine
    "--no-first-run",
    f"--user-agent={USER_AGENT}",
    *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
]

VIEWPORT = {"width": 412, "height": 915}  # most shoppers hold a phone

TIMEOUT_MS = 15_000  # of one wait in a test: the machine may be slow and busy

# Chrome DevTools Protocol, `Emulation.setCPUThrottlingRate` and `Network.emulateNetworkConditions`.
SLOW_PHONE = {"cpu_rate": 6, "latency_ms": 150, "download_kbit_s": 1600, "upload_kbit_s": 750}

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Server:
    """A server under test: started by `command`, ready when `ready_url` answers 200."""

    name: str
    command: list[str]
    ready_url: str


def sandbox(port: int) -> Server:
    """The stand-in for every outside system."""
    command = [str(BIN / "python"), "-m", "relay.sandbox", "--port", str(port)]
    return Server("sandbox", command, f"http://127.0.0.1:{port}/sandbox/calls")


def relay(port: int, files: Sequence[Path], data: Path) -> Server:
    """The relay of these site files."""
    command = [str(BIN / "pixelmirror"), "serve", *map(str, files)]
    command += ["--port", str(port), "--data", str(data)]
    return Server("relay", command, f"http://127.0.0.1:{port}/readyz")


def demo(port: int) -> Server:
    """The demo of `make run`: shop, relay and sandbox on one port."""
    command = [str(BIN / "pixelmirror"), "demo", "--port", str(port)]
    return Server("demo", command, f"http://127.0.0.1:{port}/readyz")


def find_browser() -> str | None:
    """The path of a Chromium that is on this machine."""
    wanted = [os.environ["CHROMIUM"]] if os.environ.get("CHROMIUM") else BROWSERS
    return next((found for name in wanted if (found := shutil.which(name))), None)


BROWSER = find_browser()

if __name__ == "__main__":
    if BROWSER is None:
        raise SystemExit(
            "no Chromium found: install one (Debian: apt-get install chromium), "
            "or name one: CHROMIUM=/path/to/chrome"
        )
    print(BROWSER)
