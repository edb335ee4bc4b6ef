"""What the tag costs a page, from its first byte to its ten-thousandth event."""

from __future__ import annotations

from tests.bench import page_bytes, page_calls, page_load, page_start, page_thread

BENCHMARKS = [
    *page_start.BENCHMARKS,
    *page_bytes.BENCHMARKS,
    *page_thread.BENCHMARKS,
    *page_calls.BENCHMARKS,
    *page_load.BENCHMARKS,
]
