"""A relay and a sandbox as processes of their own, and waiting for what they do."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx

ROOT = Path(__file__).parents[2]
DEADLINE_S = 25.0
LOOK_EVERY_S = 0.03

Seen = TypeVar("Seen")


def until(look: Callable[[], Seen], what: str, is_it: Callable[[Seen], object] = bool) -> Seen:
    """What was seen when it held; fails with what was last seen when the deadline is over."""
    deadline = time.monotonic() + DEADLINE_S
    between_looks = threading.Event()
    while not is_it(seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {DEADLINE_S:g} s: {what}; last seen: {seen!r}")
        between_looks.wait(LOOK_EVERY_S)
    return seen


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class Server:
    """A program that serves on a port of its own; its output is in `log`."""

    def __init__(self, command: list[str], ready_path: str, log: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.log = log
        self._command = command
        self._ready_path = ready_path
        self._process: subprocess.Popen[bytes] | None = None
        self._http = httpx.Client(base_url=self.url, trust_env=False)

    def start(self) -> None:
        """It is ready."""
        self.spawn()
        self.is_up()

    def spawn(self) -> None:
        """It begins."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, cwd=ROOT, stdout=log, stderr=log)

    def is_up(self) -> None:
        """It is ready, or this fails."""
        until(self._is_ready, f"{self._command} is ready")

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()
        try:
            return self._http.get(self._ready_path).status_code == 200
        except httpx.TransportError:
            return False

    def hears(self, number: signal.Signals) -> None:
        """It is told so."""
        assert self._process is not None
        self._process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code, once this signal has ended it."""
        self.hears(number)
        assert self._process is not None
        code = self._process.wait(DEADLINE_S)
        self._process = None
        self._http.close()
        self._http = httpx.Client(base_url=self.url, trust_env=False)
        return code

    def close(self) -> None:
        """It is gone, however the test ended."""
        if self._process is not None:
            self.end(signal.SIGKILL)
        self._http.close()

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        return self._http.request(method, path, **request)


class SandboxProcess(Server):
    """`python -m relay.sandbox`."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        port = port or free_port()
        command = [sys.executable, "-m", "relay.sandbox", "--port", str(port)]
        super().__init__(command, "/sandbox/calls", folder / f"sandbox-{port}.log", port)

    def behave(self, system: str, do: str, **how: Any) -> None:
        body = {"system": system, "do": do, **how}
        self.ask("POST", "/sandbox/behaviour", json=body).raise_for_status()

    def calls(self, system: str, event_id: str = "") -> list[dict[str, Any]]:
        """What this system was given that names this event anywhere, in order."""
        rows = self.ask("GET", "/sandbox/calls").json()["calls"]
        return [
            row for row in rows if row["system"] == system and event_id in json.dumps(row["call"])
        ]


class RelayProcess(Server):
    """`pixelmirror serve` of one site file, on an outbox below the file's folder."""

    def __init__(self, file: Path, key: str, origin: str, *options: str) -> None:
        port = free_port()
        command = [
            str(Path(sys.executable).with_name("pixelmirror")),
            "serve",
            str(file),
            "--port",
            str(port),
            "--data",
            str(file.parent / f"var-{file.stem}"),
            *options,
        ]
        super().__init__(command, "/readyz", file.with_suffix(".log"), port)
        self.site = file.stem
        self._key = {"Authorization": f"Bearer {key}"}
        self._origin = origin

    def post(self, *events: dict[str, Any], **headers: str) -> None:
        """A page has sent these, and the relay has said 204."""
        body = {"sent_at": int(time.time() * 1000), "events": list(events)}
        usual = {"Origin": self._origin, "Content-Type": "text/plain"}
        answer = self.ask(
            "POST", f"/s/{self.site}", content=json.dumps(body), headers=usual | headers
        )
        assert answer.status_code == 204, answer.text

    def rows(self, **query: Any) -> list[dict[str, Any]]:
        """The deliveries."""
        query = {"limit": 1000, **query}
        answer = self.ask("GET", "/v1/deliveries", params=query, headers=self._key)
        rows: list[dict[str, Any]] = answer.raise_for_status().json()["deliveries"]
        return rows

    def settled(self, count: int, **query: Any) -> list[dict[str, Any]]:
        """So many deliveries, none of which waits any more."""

        def is_it(rows: list[dict[str, Any]]) -> bool:
            return len(rows) == count and all(row["state"] != "waiting" for row in rows)

        return until(lambda: self.rows(**query), f"{count} deliveries of {query} are over", is_it)
