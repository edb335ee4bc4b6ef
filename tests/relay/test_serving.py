"""What a process that serves does with its memory (relay.serving)."""

from __future__ import annotations

import subprocess
import sys

from relay.serving import GARBAGE_AFTER
from tests.relay.processes import ROOT

# Tells of its memory before and while it serves, and ends itself.
SERVES = """
import asyncio, gc, os, signal
from relay.serving import serve_app

async def app(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    asyncio.get_running_loop().call_later(0, look)
    await receive()
    await send({"type": "lifespan.shutdown.complete"})

def look():
    if gc.get_freeze_count():
        print(gc.get_freeze_count() > 10_000, *gc.get_threshold())
        os.kill(os.getpid(), signal.SIGTERM)
    else:
        asyncio.get_running_loop().call_later(0.01, look)

print(gc.get_freeze_count())
asyncio.run(serve_app(app, "127.0.0.1", 0, stop_within_s=2))
"""


def test_what_is_loaded_at_the_start_is_no_garbage() -> None:
    """So nobody looks for any in it, and in what requests hold only now and then."""
    ended = subprocess.run(
        [sys.executable, "-c", SERVES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=25,
    )
    assert ended.stdout.split() == ["0", "True", *map(str, GARBAGE_AFTER)]
