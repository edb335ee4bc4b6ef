"""The benchmarks (`make bench`): each as a ratio against a baseline measured in the same run.

Rounds of ours and of the baseline take turns, so that a machine that slows down slows both; the
median ratio is quoted, with the smallest and largest beside it.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import backlog, pages, relay

ROUNDS = 5
BENCHMARKS = [*relay.BENCHMARKS, *backlog.BENCHMARKS, *pages.BENCHMARKS]

Measure = Callable[[], float]


def main() -> None:
    """Prints a row for each benchmark: seconds of ours and of the baseline, and their ratio."""
    print(f"{'what':<58}{'ours':>10}{'baseline':>10}{'ratio':>8}  {'min-max':>12}")
    for name, baseline_name, benchmark in BENCHMARKS:
        with benchmark() as (ours, baseline):
            ours(), baseline()  # warm
            pairs = [(ours(), baseline()) for _ in range(ROUNDS)]
        ratios = [one / other for one, other in pairs]
        mine = statistics.median(one for one, _ in pairs)
        other = statistics.median(other for _, other in pairs)
        spread = f"{min(ratios):.2f}-{max(ratios):.2f}"
        print(
            f"{name:<58}{mine * 1000:>8.1f}ms{other * 1000:>8.1f}ms"
            f"{statistics.median(ratios):>8.2f}  {spread:>12}"
        )
        print(f"    against {baseline_name}")
    for line in backlog.memory():
        print(line)


if __name__ == "__main__":
    main()
