"""The disk under an outbox: how much of it is left, and whether that is enough."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from relay.outbox.sqlite_file import arrivals_path

LEAST_FREE_BYTES = 64 * 1024 * 1024
"""With less than this the relay is not ready: what it takes could soon not be stored."""


class Disk:
    """The disk of the outbox in this file. `usage` tells of a folder, as `shutil.disk_usage`."""

    def __init__(
        self,
        file: Path,
        least_free_bytes: int = LEAST_FREE_BYTES,
        usage: Callable[[Path], Any] = shutil.disk_usage,
    ) -> None:
        self._file = file
        self._least_free_bytes = least_free_bytes
        self._usage = usage

    def free_bytes(self) -> int:
        """What we may still write."""
        return int(self._usage(self._file.parent).free)

    def outbox_bytes(self) -> int:
        """What its files take, the write-ahead logs included."""
        files = [self._file, arrivals_path(self._file)]
        files += [file.with_name(f"{file.name}-wal") for file in files]
        return sum(file.stat().st_size for file in files if file.exists())

    def trouble(self) -> str:
        """What is wrong, in words; empty while all is well."""
        least = self._least_free_bytes
        try:
            free = self.free_bytes()
        except OSError as error:
            return f"the outbox's disk can't be looked at: {error.strerror}"
        if free >= least:
            return ""
        return f"only {free >> 20} MiB are free on the outbox's disk, {least >> 20} MiB are needed"
