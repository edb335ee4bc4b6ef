"""When a line is written (relay.lines): soon, and not each by itself."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Iterator

import pytest

from relay.lines import Lines


class Stream(io.StringIO):
    """What was written, each time."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []
        self._is_written = asyncio.Event()

    def write(self, text: str) -> int:
        self.writes.append(text)
        self._is_written.set()
        return len(text)

    async def next(self) -> str:
        """The next write."""
        async with asyncio.timeout(10):
            await self._is_written.wait()
        self._is_written.clear()
        return self.writes[-1]


@pytest.fixture
def stream() -> Stream:
    return Stream()


@pytest.fixture
def log(stream: Stream) -> Iterator[logging.Logger]:
    """A logger whose lines go there."""
    logger = logging.Logger("test", logging.DEBUG)
    logger.addHandler(Lines(stream))
    yield logger
    logger.handlers[0].close()


def test_the_lines_of_a_moment_are_one_write(stream: Stream, log: logging.Logger) -> None:
    """In their order; those of the next moment are the next one."""

    async def main() -> None:
        for words in ("one", "two", "three"):
            log.info(words)
        assert stream.writes == []
        assert await stream.next() == "one\ntwo\nthree\n"
        log.info("four")
        assert await stream.next() == "four\n"
        assert len(stream.writes) == 2

    asyncio.run(main())


@pytest.mark.parametrize("level", [logging.WARNING, logging.ERROR])
def test_a_warning_is_written_at_once(stream: Stream, log: logging.Logger, level: int) -> None:
    """Behind what was told before it: the process may end right after it."""

    async def main() -> None:
        log.info("before")
        log.log(level, "ended at once")
        assert stream.writes == ["before\nended at once\n"]

    asyncio.run(main())


def test_where_no_loop_runs_a_line_is_written_at_once(stream: Stream, log: logging.Logger) -> None:
    """Also where one has run, and has ended before it wrote what it should."""

    async def main() -> None:
        log.info("last")

    log.info("first")
    assert stream.writes == ["first\n"]
    asyncio.run(main())
    log.info("after it")
    assert stream.writes[1:] == ["last\nafter it\n"]


def test_another_thread_may_log_too(stream: Stream, log: logging.Logger) -> None:
    """The outbox's, say: nothing is lost, and nothing is torn."""
    threads, lines = 4, 500

    async def main() -> None:
        def say(thread: int) -> None:
            for line in range(lines):
                log.log(logging.INFO if line % 7 else logging.WARNING, "%s %s", thread, line)

        await asyncio.gather(*(asyncio.to_thread(say, thread) for thread in range(threads)))

    asyncio.run(main())
    log.handlers[0].flush()
    found = "".join(stream.writes).splitlines()
    assert sorted(found) == sorted(f"{t} {n}" for t in range(threads) for n in range(lines))
    assert [line for line in found if line.startswith("0 ")] == [f"0 {n}" for n in range(lines)]
