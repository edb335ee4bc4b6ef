"""Servers under test as processes that a test can stop and start again."""

import socket
import subprocess
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.settings import REPO
from tests.e2e.waiting import until


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class Process:
    """One server of `playwright.config.py`, its output in a log file."""

    def __init__(self, server: Any, log: Path) -> None:
        self.server = server
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        """It is ready."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.server.command, cwd=REPO, stdout=log, stderr=subprocess.STDOUT
            )
        until(self._is_ready, f"{self.server.name} is ready, see {self.log}")

    def stop(self) -> None:
        """It has ended by itself, as a service is stopped."""
        if self._process is None:
            return
        assert self._process.poll() is None, f"{self.server.name} died: {self.log.read_text()}"
        self._process.terminate()
        self._process.wait(20)
        self._process = None

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"{self.server.name} ended: {self.log.read_text()}"
        try:
            return httpx.get(self.server.ready_url).status_code == 200
        except httpx.TransportError:
            return False
