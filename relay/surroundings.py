"""What delivery is given from outside: time, chance, where it counts, a turn on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from relay.metrics import Metrics
from relay.slices import Slices

Wait = Callable[[asyncio.Event, float], Awaitable[None]]
"""Returns when the event is set or so many seconds have passed."""


@dataclass(frozen=True)
class Surroundings:
    """The same for all workers.

    `now_ms` is the date; `clock_ms` only passes, and nobody sets it back.
    """

    now_ms: Callable[[], int]
    clock_ms: Callable[[], int]
    chance: Callable[[], float]
    wait: Wait
    metrics: Metrics
    slices: Slices
