"""What the process needs of its system."""

import asyncio
import gc
import sys

import pytest

from taskflow.process import YOUNG_OBJECTS, calm_collector, new_event_loop


@pytest.mark.skipif(sys.platform == "win32", reason="there is no uvloop")
@pytest.mark.parametrize(("tls", "package"), [(False, "uvloop"), (True, "asyncio")])
def test_the_event_loop_is_the_fast_one_unless_there_is_tls(tls: bool, package: str) -> None:
    with asyncio.Runner(loop_factory=lambda: new_event_loop(tls)) as runner:
        assert type(runner.get_loop()).__module__.split(".")[0] == package


def test_the_collector_leaves_what_is_there_alone_and_looks_less_often() -> None:
    threshold = gc.get_threshold()
    try:
        calm_collector()

        assert gc.get_threshold() == (YOUNG_OBJECTS, *threshold[1:])
        assert gc.get_freeze_count() > YOUNG_OBJECTS
    finally:
        gc.unfreeze()
        gc.set_threshold(*threshold)
