"""Lines on their way to the log: those of a moment go out in one write, a warning at once.

A write for each of ten thousand requests a second is a fifth of what they cost. Entries that differ
only in some values are put into words once, and later lines are filled in.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Hashable, Sequence
from typing import TextIO

WITHIN_S = 0.05

Place = str | float
"""What stands in an entry for a value that differs: nothing else in it may look like that."""


class Lines(logging.StreamHandler[TextIO]):
    """Writes what is logged within 50 ms; at once a warning, and where no event loop runs."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._waiting: deque[str] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None  # that will write them
        self.known: dict[Hashable, str] = {}  # what `learn` gave

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.add(self.format(record), is_urgent=record.levelno >= logging.WARNING)
        except Exception:
            self.handleError(record)

    def learn(self, kind: Hashable, entry: logging.LogRecord, places: Sequence[Place]) -> str:
        """The line of this kind of entry, to be filled in with `%`: `%s` stands in its places."""
        template = self.format(entry).replace("%", "%%")
        for place in places:
            template = template.replace(str(place), "%s")
        self.known[kind] = template
        return template

    def add(self, line: str, *, is_urgent: bool = False) -> None:
        """The line is written, or will be."""
        self._waiting.append(line + self.terminator)
        if self._loop is None or self._loop.is_closed():
            is_urgent = is_urgent or not self._is_put_off()
        if is_urgent:
            self.flush()

    def _is_put_off(self) -> bool:
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            return False
        self._loop.call_later(WITHIN_S, self.flush)
        return True

    def flush(self) -> None:
        """Nothing waits any more."""
        self.acquire()
        try:
            self._loop = None
            text = "".join([self._waiting.popleft() for _ in range(len(self._waiting))])
            if text:
                self.stream.write(text)
            super().flush()
        finally:
            self.release()
