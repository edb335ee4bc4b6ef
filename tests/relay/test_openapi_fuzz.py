"""Whatever is asked by `docs/openapi.json`, or against it: the answer is one that it knows.

`make soak` asks for longer, and something else each time.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.relay.openapi_fuzz import TOKO, fuzz, labels
from tests.relay.relay_stage import Stage, stage


@pytest.fixture(scope="module")
def toko(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A shop with all that a site file can have."""
    with stage(tmp_path_factory.mktemp("relay"), TOKO) as one:
        yield one


@pytest.mark.parametrize("label", labels())
def test_every_answer_is_in_the_document(toko: Stage, label: str) -> None:
    """Status, media type, body and headers; and never an error of ours."""
    toko.seconds += 1000  # who guessed too often may guess again
    fuzz(toko, label, 20)
