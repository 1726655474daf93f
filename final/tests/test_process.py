"""What the process needs of its system."""

import asyncio
import gc
import sys
from collections.abc import Iterator
from weakref import ref

import pytest

from taskflow.process import THRESHOLDS, calm_collector, new_event_loop
from taskflow.store import Store


@pytest.mark.skipif(sys.platform == "win32", reason="there is no uvloop")
@pytest.mark.parametrize(("tls", "package"), [(False, "uvloop"), (True, "asyncio")])
def test_the_event_loop_is_the_fast_one_unless_there_is_tls(tls: bool, package: str) -> None:
    with asyncio.Runner(loop_factory=lambda: new_event_loop(tls)) as runner:
        assert type(runner.get_loop()).__module__.split(".")[0] == package


@pytest.fixture
def _calm() -> Iterator[None]:
    """Calm the collector as the server does."""
    threshold = gc.get_threshold()
    callbacks = list(gc.callbacks)
    try:
        calm_collector()
        yield
    finally:
        gc.callbacks[:] = callbacks
        gc.unfreeze()
        gc.set_threshold(*threshold)


class Cycle:
    """An object that refers to itself, so that only the collector can free it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.mark.usefixtures("_calm")
def test_the_collector_leaves_alone_what_exists_before_the_first_request() -> None:
    assert gc.get_threshold() == THRESHOLDS
    assert gc.get_freeze_count() > 10_000


@pytest.mark.usefixtures("_calm")
def test_a_young_cycle_is_freed_while_tasks_are_created() -> None:
    store = Store()
    garbage = ref(Cycle())

    for number in range(THRESHOLDS[0]):
        store.create({"title": f"task {number}"})

    assert garbage() is None


@pytest.mark.usefixtures("_calm")
def test_a_cycle_that_became_garbage_late_is_freed_by_a_collection_of_the_old_generation() -> None:
    cycle = Cycle()
    garbage = ref(cycle)
    gc.collect(1)
    del cycle
    gc.collect(1)
    assert garbage() is not None

    gc.collect()

    assert garbage() is None


@pytest.mark.usefixtures("_calm")
def test_no_collection_searches_tasks_again_that_have_survived_two() -> None:
    """Otherwise the pauses would grow with the store."""
    store = Store()
    searched = []

    def count(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            generations = range(info["generation"] + 1)
            searched.append(sum(len(gc.get_objects(generation)) for generation in generations))

    gc.callbacks.append(count)
    for number in range(30_000):
        store.create({"title": f"task {number}"})

    young, middle, _ = THRESHOLDS
    assert len(gc.get_objects(2)) < young
    assert max(searched) < 2 * young * (middle + 1)
