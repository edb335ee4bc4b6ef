"""Counters and histograms of ours (relay.tallies): Prometheus sees no difference."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from relay.tallies import Durations, Tally

STEPS = [(("toko", "meta"), 3), (("batik", "x"), 0), (("toko", "meta"), 1), (('"\n\\', ""), 2)]
BUCKETS_S = (0.001, 0.25, 1.0, 3600.0)
SECONDS = [0, 0.001, 0.0011, 0.2, 0.25, 1.0, 3599.9, 3600, 4000]


def test_counts_read_as_those_of_the_library() -> None:
    """Each series as it was made, in the order in which they were; 0 makes one too."""
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    tally = Tally("events", "Events", ("site", "destination"))
    ours.register(tally)
    counter = Counter("events", "Events", ("site", "destination"), registry=theirs)
    for labels, count in STEPS:
        tally.add(labels, count)
        counter.labels(*labels).inc(count)
    assert generate_latest(ours) == generate_latest(theirs)
    assert b'"toko"} 4.0\n' in generate_latest(ours)


def test_durations_read_as_those_of_the_library() -> None:
    """A bucket holds all that is not longer than it; the last one holds everything."""
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    durations = Durations("request_seconds", "Requests", ("route",), BUCKETS_S)
    ours.register(durations)
    histogram = Histogram(
        "request_seconds", "Requests", ("route",), registry=theirs, buckets=BUCKETS_S
    )
    for seconds in SECONDS:
        for route in ("/s/{site}", "none"):
            durations.add((route,), seconds)
            histogram.labels(route).observe(seconds)
    assert generate_latest(ours) == generate_latest(theirs)
    assert b'le="+Inf",route="none"} 9.0\n' in generate_latest(ours)


def test_nothing_counted_is_nothing_but_its_head() -> None:
    """A name is taken once in a registry, counted or not."""
    registry = CollectorRegistry()
    registry.register(Tally("events", "Events", ()))
    assert generate_latest(registry) == (
        b"# HELP events_total Events\n# TYPE events_total counter\n"
    )
