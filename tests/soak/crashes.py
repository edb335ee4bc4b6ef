"""Kills a relay under load again and again, fills its disk and sets its clock back, for so long.

    python tests/soak/crashes.py --seconds 120 --seed 7

Every few kills it lets the relay finish, and looks whether every acknowledged event has reached
every destination, and none twice where a repeat counts twice. The first that does not hold ends the
run with exit 1 and the seed that shows it again.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.relay.ordeal import Ordeal, check

KILLS = 8
"""Before each look at what must hold."""


def main() -> None:
    """Prints the seed of each ordeal before it, and how its events ended after it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311
    options = parser.parse_args()
    until_s = time.monotonic() + options.seconds
    every = Counter[str]()
    seed = options.seed
    while not every or time.monotonic() < until_s:
        print(f"seed {seed}: ", end="", flush=True)
        with (
            tempfile.TemporaryDirectory(prefix="soak-crashes-") as folder,
            Ordeal(Path(folder), seed, pages=4) as ordeal,
        ):
            kills = 0
            while kills == 0 or (kills < KILLS and time.monotonic() < until_s):
                ordeal.round()
                kills += 1
            ends = {"kills": kills, **check(ordeal)}
        print(", ".join(f"{count} {name}" for name, count in ends.items()), flush=True)
        every.update(ends)
        seed += 1
    print("all: " + ", ".join(f"{count} {name}" for name, count in every.items()))


if __name__ == "__main__":
    main()
