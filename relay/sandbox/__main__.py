"""The sandbox on a port of its own: `python -m relay.sandbox --port 8701`."""

from __future__ import annotations

import argparse

import uvicorn

from relay.sandbox import create_sandbox


def main() -> None:
    """Serves until it is told to stop."""
    options = argparse.ArgumentParser(prog="python -m relay.sandbox", description=__doc__)
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", default=8701, type=int)
    chosen = options.parse_args()
    uvicorn.run(create_sandbox(), host=chosen.host, port=chosen.port, access_log=False)


if __name__ == "__main__":
    main()
