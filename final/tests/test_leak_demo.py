"""The leak demo: a list that only grows, beside a cache that cannot."""

import tracemalloc

import pytest

from taskflow import leak_demo
from taskflow.errors import ValidationError
from taskflow.leak_demo import CACHE_ENTRIES, LeakDemo


def test_a_leak_stops_exactly_at_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leak_demo, "MAX_LEAK_BYTES", 1_000)
    demo = LeakDemo()
    demo.leak(9, 100)
    with pytest.raises(ValidationError, match=r"^count: would leak more than 1000 bytes"):
        demo.leak(1, 101)
    assert (demo.leaked_bytes, len(demo.leaked)) == (900, 9)
    demo.leak(1, 100)
    with pytest.raises(ValidationError):
        demo.leak(1, 1)

    assert sum(map(len, demo.leaked)) == demo.leaked_bytes == 1_000
    demo.clear()
    assert (demo.leaked_bytes, demo.leaked) == (0, [])
    demo.leak(10, 100)


def test_at_most_256_mib_leak() -> None:
    assert leak_demo.MAX_LEAK_BYTES == 256 * 1024 * 1024
    demo = LeakDemo()
    with pytest.raises(ValidationError):
        demo.leak(257, 1024 * 1024)
    assert demo.leaked == []


def test_what_is_kept_in_the_cache_has_its_bound() -> None:
    demo = LeakDemo()
    for _ in range(3):
        demo.keep(CACHE_ENTRIES + 50, 10)
        assert len(demo.cache) == CACHE_ENTRIES
    demo.clear()
    assert len(demo.cache) == 0


def test_leaked_memory_comes_back_when_it_is_let_go() -> None:
    demo = LeakDemo()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        demo.leak(100, 10_000)
        assert tracemalloc.get_traced_memory()[0] - before >= 1_000_000
        demo.clear()
        assert tracemalloc.get_traced_memory()[0] - before < 10_000
    finally:
        tracemalloc.stop()
