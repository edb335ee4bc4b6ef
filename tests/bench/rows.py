"""What a benchmark gives: rows of figures, each round of ours beside a round of its baseline.

def ingest(run: Run) -> Iterator[Row]:
    pairs = [(ours(), bare()) for _ in run.turns()]
    yield Row("requests/s, one event", "/s", *columns(pairs), "a bare Starlette route",
              at_least(0.50), is_headline=True)

BENCHMARKS = [Benchmark("ingest", "In the relay", ingest)]
"""

from __future__ import annotations

import operator
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal

Subject = Literal["ratio", "difference", "ours"]
Measure = Callable[[], float]
Pair = tuple[Measure, Measure]

PAGE, RELAY = "In the page", "In the relay"


@dataclass(frozen=True)
class Target:
    """What is aimed at: a bound on the ratio, on ours less the baseline, or on ours alone."""

    is_most: bool
    bound: float
    of: Subject

    @property
    def words(self) -> str:
        return "at most" if self.is_most else "at least"

    def is_met(self, value: float) -> bool:
        return value <= self.bound if self.is_most else value >= self.bound


def at_most(bound: float, of: Subject = "ratio") -> Target:
    return Target(True, bound, of)


def at_least(bound: float, of: Subject = "ratio") -> Target:
    return Target(False, bound, of)


@dataclass(frozen=True)
class Row:
    """One line of the table. Without a baseline there is no ratio.

    `ours` and `baseline` have a value for each round, the same round's at the same place.
    """

    what: str
    unit: str
    ours: Sequence[float]
    baseline: Sequence[float] = ()
    against: str = ""
    target: Target | None = None
    is_headline: bool = False  # stands in the README too

    @property
    def ratios(self) -> list[float]:
        """Empty where there is no baseline, or where it is nothing."""
        if not all(self.baseline):
            return []
        return [one / other for one, other in zip(self.ours, self.baseline, strict=False)]

    @property
    def is_met(self) -> bool | None:
        """None without a target. The medians count."""
        if self.target is None:
            return None
        subjects: dict[Subject, Callable[[], float]] = {
            "ratio": lambda: statistics.median(self.ratios),
            "difference": lambda: statistics.median(map(operator.sub, self.ours, self.baseline)),
            "ours": lambda: statistics.median(self.ours),
        }
        return self.target.is_met(subjects[self.target.of]())


def columns(pairs: Iterable[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """Ours and the baseline's, from rounds in which they took turns."""
    ours, baseline = zip(*pairs, strict=True)
    return list(ours), list(baseline)


@dataclass
class Run:
    """One benchmark's run: how many rounds, and a place to say how far it is."""

    name: str
    rounds: int

    def turns(self) -> Iterator[int]:
        """The rounds' numbers, each told on stderr."""
        for number in range(self.rounds):
            self.say(f"round {number + 1} of {self.rounds}")
            yield number

    def say(self, words: str) -> None:
        print(f"  {self.name}: {words}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Benchmark:
    """`name` is what the command line takes; `rounds` what it runs unless told otherwise."""

    name: str
    section: str
    measure: Callable[[Run], Iterator[Row]]
    rounds: int = field(default=5, kw_only=True)


def pair(
    what: str,
    against: str,
    benchmark: Callable[[], AbstractContextManager[Pair]],
    section: str = RELAY,
    target: Target | None = None,
) -> Benchmark:
    """A benchmark of two callables that each give the seconds one turn of theirs took."""

    def measure(run: Run) -> Iterator[Row]:
        with benchmark() as (ours, baseline):
            ours(), baseline()  # warm
            pairs = [(ours() * 1000, baseline() * 1000) for _ in run.turns()]
        yield Row(what, "ms", *columns(pairs), against, target)

    return Benchmark(what, section, measure)
