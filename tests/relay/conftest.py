"""The stage that tests of the relay's routes ask, and an outbox for those that await."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from relay.outbox.sqlite import SqliteOutbox
from tests.relay.relay_stage import BATIK, Stage, site, stage


@pytest.fixture
def toko(tmp_path: Path) -> Iterator[Stage]:
    """A relay of the shops `toko` and `batik`, its outbox empty."""
    with stage(tmp_path, site(), site(BATIK)) as one:
        yield one


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The same for a whole module, for what leaves nothing behind."""
    with stage(tmp_path_factory.mktemp("relay"), site(), site(BATIK)) as one:
        yield one


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An outbox's file that is not there yet, nor its folder."""
    return tmp_path / "var" / "outbox.db"


@pytest.fixture
async def outbox(path: Path) -> AsyncIterator[SqliteOutbox]:
    """It, open."""
    async with await SqliteOutbox.open(path) as one:
        yield one


@pytest.fixture
def anyio_backend() -> str:
    """The relay runs on asyncio alone."""
    return "asyncio"
