"""The benchmarks (`make bench`): each as a ratio against a baseline measured in the same run.

Rounds of ours and of the baseline take turns, so that a machine that slows down slows both; the
median ratio is quoted, with the smallest and largest beside it. A run of everything writes the
table into docs/benchmarks.md and its headlines into the README.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import traceback
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import table
from tests.bench.rows import Benchmark, Row, Run, pair

MODULES = ["pages", "ingest", "delivery", "backlog", "relay", "forms"]


def found() -> list[Benchmark]:
    """All benchmarks, in the table's order."""
    modules = [
        importlib.import_module(f"tests.bench.{name}")
        for name in MODULES
        if Path(__file__).with_name(f"{name}.py").exists()
    ]
    return [benchmark(one) for module in modules for one in getattr(module, "BENCHMARKS", [])]


def benchmark(one: Any) -> Benchmark:
    """A benchmark of two callables is given as (name, baseline's name, context manager)."""
    return one if isinstance(one, Benchmark) else pair(*one)


def line(row: Row) -> str:
    what, ours, against, baseline, ratio, target, met = table.cells(row)
    notes = [f"against {against}" if against else "", f"{target}: {met}" if target else ""]
    rest = "; ".join(filter(None, notes))
    first = f"{what:<58}{ours:>14}{baseline:>14}  {ratio}".rstrip()
    return f"{first}\n    {rest}" if rest else first


def measured(one: Benchmark, rounds: int | None) -> list[Row]:
    """The benchmark's rows, each printed as soon as it is known."""
    rows = []
    for row in one.measure(Run(one.name, rounds or one.rounds)):
        print(line(row), flush=True)
        rows.append(row)
    return rows


def main() -> int:
    """1 when a benchmark could not be run; the documents are as they were then."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="only benchmarks in whose name one of these is")
    parser.add_argument("--list", action="store_true", help="print the names and end")
    parser.add_argument("--rounds", type=int, help="of each benchmark, instead of its own number")
    asked = parser.parse_args()
    chosen = [
        one for one in found() if not asked.words or any(word in one.name for word in asked.words)
    ]
    if asked.list or not chosen:
        print("\n".join(one.name for one in chosen) or "no such benchmark")
        return 0 if chosen else 2
    start = time.monotonic()
    sections: dict[str, list[Row]] = {}
    failed = []
    for one in chosen:
        try:
            sections.setdefault(one.section, []).extend(measured(one, asked.rounds))
        except Exception:  # the others are still worth an answer
            traceback.print_exc()
            failed.append(one.name)
    print(f"{len(chosen)} benchmarks in {time.monotonic() - start:.0f} s", file=sys.stderr)
    if failed:
        print(f"could not be run: {', '.join(failed)}", file=sys.stderr)
        return 1
    if not asked.words and not asked.rounds:
        table.write(sections)
    return 0


if __name__ == "__main__":
    sys.exit(main())
