"""Writes the reference into the repository: `python -m relay.reference`."""

from __future__ import annotations

from pathlib import Path

from relay.reference import documents

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Every document is what the catalogue says now."""
    for path, text in documents().items():
        (ROOT / path).parent.mkdir(exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
