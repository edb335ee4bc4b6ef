"""Counters and histograms that cost next to nothing to add to: plain numbers, read by Prometheus.

`prometheus_client`'s own take a lock and look up their labels at each step, as they may be used by
many threads; these belong to the event loop's thread, where they are read too.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

Labels = tuple[str | int, ...]


class Tally(Collector):
    """Counts, by labels."""

    def __init__(self, name: str, about: str, labels: Sequence[str]) -> None:
        self._family = (name, about, labels)
        self._counts: dict[Labels, int] = {}

    def add(self, labels: Labels, count: int = 1) -> None:
        """So many more; 0 makes the series."""
        self._counts[labels] = self._counts.get(labels, 0) + count

    def describe(self) -> Iterator[Metric]:
        name, about, labels = self._family
        yield CounterMetricFamily(name, about, labels=labels)

    def collect(self) -> Iterator[Metric]:
        name, about, labels = self._family
        family = CounterMetricFamily(name, about, labels=labels)
        for each, count in self._counts.items():
            family.add_metric(list(map(str, each)), count)
        yield family


class Durations(Collector):
    """How long things took, by labels, in buckets up to these seconds."""

    def __init__(
        self, name: str, about: str, labels: Sequence[str], buckets_s: Sequence[float]
    ) -> None:
        self._family = (name, about, labels)
        self._buckets_s = buckets_s
        self._names = [*map(floatToGoString, buckets_s), "+Inf"]
        self._series: dict[Labels, list[float]] = {}  # a count for each bucket, and the sum

    def add(self, labels: Labels, seconds: float) -> None:
        """One more."""
        series = self._series.get(labels)
        if series is None:
            series = self._series[labels] = [0] * (len(self._names) + 1)
        series[bisect_left(self._buckets_s, seconds)] += 1
        series[-1] += seconds

    def describe(self) -> Iterator[Metric]:
        name, about, labels = self._family
        yield HistogramMetricFamily(name, about, labels=labels)

    def collect(self) -> Iterator[Metric]:
        name, about, labels = self._family
        family = HistogramMetricFamily(name, about, labels=labels)
        for each, (*counts, total) in self._series.items():
            buckets = list(zip(self._names, accumulate(counts), strict=True))
            family.add_metric(list(map(str, each)), buckets, total)
        yield family
