"""The table of a whole run: docs/benchmarks.md, and the headlines of it in the README."""

from __future__ import annotations

import os
import platform
import re
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.bench.rows import Row, Target

ROOT = Path(__file__).parents[2]
WHOLE = ROOT / "docs" / "benchmarks.md"
README = ROOT / "README.md"
BEGIN, END = "<!-- benchmarks: written by make bench -->", "<!-- end of benchmarks -->"

HEAD = """# Benchmarks

Written by `make bench`. Ours and what it is compared with took turns in one run; the figures are
medians, the ratio the median of the rounds' ratios with the smallest and the largest beside it.
Read the ratios: the rest is this machine's ({machine}).
[tests/bench/README.md](../tests/bench/README.md) says how each row is measured.
"""
COLUMNS = ["what", "ours", "against", "baseline", "ratio (min-max)", "target", "met"]


def cells(row: Row) -> list[str]:
    """A row as the table shows it, a text for each of COLUMNS."""
    ratio = ""
    if row.ratios:
        low, middle, high = (f(row.ratios) for f in (min, statistics.median, max))
        ratio = f"{number(middle)} ({number(low)}-{number(high)})"
    return [
        row.what,
        amount(row.ours, row.unit),
        row.against,
        amount(row.baseline, row.unit),
        ratio,
        aim(row.target, row.unit),
        {None: "", True: "yes", False: "no"}[row.is_met],
    ]


def line(row: Row) -> str:
    """The same for a terminal."""
    what, ours, against, baseline, ratio, target, met = cells(row)
    notes = [f"against {against}" if against else "", f"{target}: {met}" if target else ""]
    rest = "; ".join(filter(None, notes))
    first = f"{what:<58}{ours:>14}{baseline:>14}  {ratio}".rstrip()
    return f"{first}\n    {rest}" if rest else first


def number(value: float) -> str:
    """Three digits, or all before the point: `0.123`, `4.56`, `118`, `28,400`; a count as it is."""
    size = abs(value)
    places = next((n for bound, n in ((100, 0), (10, 1), (1, 2)) if size >= bound), 3)
    return f"{value:,.{0 if value == int(value) else places}f}"


def amount(values: Sequence[float], unit: str) -> str:
    if not values:
        return ""
    return f"{number(statistics.median(values))} {unit}".rstrip()


def aim(target: Target | None, unit: str) -> str:
    """`at most 1.25 times`, `at most 20 ms more`, `at least 1,000`."""
    if target is None:
        return ""
    bound = f"{target.bound:,g}"
    if target.of == "ratio":
        return f"{target.words} {bound} times"
    after = " more" if target.of == "difference" else ""
    return f"{target.words} {bound} {unit}".rstrip() + after


def machine() -> str:
    """`2 cores of an Intel Xeon, Linux, CPython 3.13`."""
    info = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", info.read_text()) if info.exists() else []
    processor = names[0] if names else platform.processor() or platform.machine()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{os.cpu_count()} cores, {processor}, {platform.system()}, {python}"


def markdown(rows: Iterable[Row]) -> str:
    lines = [COLUMNS, ["---"] * len(COLUMNS), *map(cells, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def whole(sections: dict[str, list[Row]]) -> str:
    """The text of docs/benchmarks.md. `sections`: the rows by the heading they stand under."""
    parts = [f"\n## {heading}\n\n{markdown(rows)}" for heading, rows in sections.items()]
    return HEAD.format(machine=machine()) + "".join(parts)


def headlines(sections: dict[str, list[Row]]) -> str:
    """What stands in the README between the two comments."""
    return markdown(row for rows in sections.values() for row in rows if row.is_headline)


def write(sections: dict[str, list[Row]]) -> None:
    """Both documents hold these rows now."""
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    text = f"{before}{BEGIN}\n{headlines(sections)}{END}{after}"
    WHOLE.write_text(whole(sections), encoding="utf-8")
    README.write_text(text, encoding="utf-8")
