"""The benchmarks (`make bench`): each as a ratio against a baseline measured in the same run.

Rounds of ours and of the baseline take turns, so that a machine that slows down slows both; the
median ratio is quoted, with the smallest and largest beside it. A run of everything writes the
table into docs/benchmarks.md and its headlines into the README.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import backlog, delivery, forms, ingest, pages, relay, table
from tests.bench.rows import Benchmark, Row, Run, pair

# In the table's order.
BENCHMARKS: list[Benchmark] = [
    *pages.BENCHMARKS,
    *forms.BENCHMARKS,
    *ingest.BENCHMARKS,
    *delivery.BENCHMARKS,
    *backlog.BENCHMARKS,
    *(pair(*one) for one in relay.BENCHMARKS),
]

ATTEMPTS = 2


def measured(one: Benchmark, rounds: int | None) -> list[Row]:
    """The benchmark's rows, each printed as soon as it is known."""
    rows = []
    for row in one.measure(Run(one.name, rounds or one.rounds)):
        print(table.line(row), flush=True)
        rows.append(row)
    return rows


def attempted(one: Benchmark, rounds: int | None) -> list[Row] | None:
    """The same, from a second run where the first broke; None where that broke too."""
    for _ in range(ATTEMPTS):
        try:
            return measured(one, rounds)
        except Exception:  # a machine has hiccups, and the other benchmarks are worth an answer
            traceback.print_exc()
    return None


def main() -> int:
    """1 when a benchmark could not be run; the documents are as they were then."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="only benchmarks in whose name one of these is")
    parser.add_argument("--list", action="store_true", help="print the names and end")
    parser.add_argument("--rounds", type=int, help="of each benchmark, instead of its own number")
    asked = parser.parse_args()
    chosen = [
        one
        for one in BENCHMARKS
        if not asked.words or any(word in one.name for word in asked.words)
    ]
    if asked.list or not chosen:
        print("\n".join(one.name for one in chosen) or "no such benchmark")
        return 0 if chosen else 2
    start = time.monotonic()
    sections: dict[str, list[Row]] = {}
    failed = []
    for one in chosen:
        rows = attempted(one, asked.rounds)
        if rows is None:
            failed.append(one.name)
        else:
            sections.setdefault(one.section, []).extend(rows)
    print(f"{len(chosen)} benchmarks in {time.monotonic() - start:.0f} s", file=sys.stderr)
    if failed:
        print(f"could not be run: {', '.join(failed)}", file=sys.stderr)
        return 1
    if not asked.words and not asked.rounds:
        table.write(sections)
    return 0


if __name__ == "__main__":
    sys.exit(main())
