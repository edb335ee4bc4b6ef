"""Waiting on conditions: the one place where a test waits for what is outside the browser."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from tests.e2e.settings import TIMEOUT_S

Seen = TypeVar("Seen")

LOOK_EVERY_S = 0.02


def until(
    look: Callable[[], Seen],
    what: str,
    is_it: Callable[[Seen], object] = bool,
    timeout_s: float = TIMEOUT_S,
) -> Seen:
    """What `look` returned when `is_it` held of it; else fails with `what` and the last look."""
    deadline = time.monotonic() + timeout_s
    between_looks = threading.Event()
    while not is_it(seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:g} s: {what}; last seen: {seen!r}")
        between_looks.wait(LOOK_EVERY_S)
    return seen
