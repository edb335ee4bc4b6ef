"""Asks a relay all that `docs/openapi.json` allows, and more, for so long; each time something new.

    python tests/soak/fuzz_http.py --seconds 120

Every answer has to be one that the document knows, and none an error of ours. The first that is not
ends the run, with the shortest request that gets it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.relay.openapi_fuzz import TOKO, fuzz, labels
from tests.relay.relay_stage import stage

EXAMPLES = 100
"""Of each operation, right ones and wrong ones, before the next has its turn."""


def main() -> None:
    """Prints how often it was round."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=120)
    until_s = time.monotonic() + parser.parse_args().seconds
    rounds = 0
    with (
        tempfile.TemporaryDirectory(prefix="fuzz-http-") as folder,
        stage(Path(folder), TOKO) as one,
    ):
        while time.monotonic() < until_s:
            for label in labels():
                if time.monotonic() >= until_s:
                    break
                one.seconds += 1000  # who guessed too often may guess again
                fuzz(one, label, EXAMPLES, is_random=True)
            rounds += 1
    print(f"fuzz_http: {rounds} rounds of {len(labels())} operations, each answer in the document")


if __name__ == "__main__":
    main()
