"""A relay process that is killed, as by a power cut: it gets no chance to tidy up."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


async def killed_after(lines: int, script: str, path: Path) -> list[str]:
    """What this script said before it was killed, at least so many lines."""
    return await asyncio.to_thread(_run_and_kill, lines, script, path)


def _run_and_kill(lines: int, script: str, path: Path) -> list[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, cwd=ROOT, text=True
    )
    assert process.stdout is not None
    said = [process.stdout.readline().strip() for _ in range(lines)]
    process.kill()
    said += process.stdout.read().split("\n")[:-1]
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    return said
