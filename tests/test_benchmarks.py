"""What `make bench` writes, and how it judges: nothing here is timed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.bench import run, table
from tests.bench.rows import PAGE, RELAY, Row, Target, at_least, at_most

HEADLINE = Row("start", "ms", [120, 130], [100, 100], "bare", at_most(1.25), is_headline=True)
OTHER = Row("claim", "ms", [3, 3], [2, 2], "few")


def table_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("| ")]


def test_the_readmes_table_is_of_the_run_that_the_whole_table_is_of() -> None:
    """`make bench` writes both; whoever edits one by hand learns it here."""
    _, _, rest = table.README.read_text(encoding="utf-8").partition(table.BEGIN)
    headlines, end, _ = rest.partition(table.END)
    lines = table_lines(headlines)
    assert end, "the README has lost the end of its table"
    assert len(lines) > 2
    assert set(lines) <= set(table_lines(table.WHOLE.read_text(encoding="utf-8")))


def test_a_run_replaces_both_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The README gets the headlines of all sections, and keeps what stands around them."""
    readme, whole = tmp_path / "README.md", tmp_path / "benchmarks.md"
    readme.write_text(f"before\n{table.BEGIN}\n| stale |\n{table.END}\nafter\n")
    monkeypatch.setattr(table, "README", readme)
    monkeypatch.setattr(table, "WHOLE", whole)
    table.write({PAGE: [HEADLINE], RELAY: [OTHER]})
    row = "| start | 125 ms | bare | 100 ms | 1.25 (1.20-1.30) | at most 1.25 times | yes |"
    rows = readme.read_text().splitlines()
    assert (rows[0], rows[-1]) == ("before", "after")
    assert "| stale |" not in rows
    assert row in rows
    assert not [line for line in rows if "claim" in line]
    assert table_lines(whole.read_text())[2] == row
    assert "| claim | 3 ms | few | 2 ms | 1.50 (1.50-1.50) |  |  |" in whole.read_text()


@pytest.mark.parametrize(
    ("target", "ours", "baseline", "is_met"),
    [
        (None, [1], [1], None),
        (at_most(1.25), [1, 1.2, 9], [1, 1, 1], True),
        (at_most(1.25), [1, 1.3, 9], [1, 1, 1], False),
        (at_least(0.5), [50, 60, 1], [100, 100, 100], True),
        (at_least(0.5), [49], [100], False),
        (at_most(20, "difference"), [0.0], [0.0], True),
        (at_most(20, "difference"), [121.0], [100.0], False),
        (at_least(1000, "ours"), [1000], [], True),
        (at_least(1000, "ours"), [1000, 999, 999], [], False),
    ],
)
def test_the_median_is_held_against_the_target(
    target: Target | None, ours: Sequence[float], baseline: Sequence[float], is_met: bool | None
) -> None:
    """One slow round makes no failure, and one fast round no success."""
    assert Row("what", "", ours, baseline, target=target).is_met is is_met


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0312, "0.031"),
        (1.256, "1.26"),
        (8.0, "8"),
        (12.34, "12.3"),
        (118.4, "118"),
        (28400.6, "28,401"),
        (-3.14159, "-3.14"),
    ],
)
def test_numbers_have_three_digits_or_all_before_the_point(value: float, text: str) -> None:
    assert table.number(value) == text


def test_without_a_baseline_there_is_no_ratio() -> None:
    """Nor where the baseline is nothing: requests of a page that makes none."""
    assert Row("what", "", [2]).ratios == []
    assert Row("what", "", [2], [0]).ratios == []


def test_each_benchmark_can_be_asked_for_by_a_name_of_its_own() -> None:
    names = [one.name for one in run.BENCHMARKS]
    assert len(names) == len(set(names))
