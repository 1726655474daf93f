"""What all tests share: how hard Hypothesis tries, and how an `async def` test is run."""

import asyncio
import inspect
import os
from collections.abc import Awaitable
from io import BytesIO
from typing import Any

import pytest
from hypothesis import settings
from in_process import TOKENS, Client

from taskflow.app import build_app
from taskflow.logs import LogWriter

DEADLINE = 20.0  # seconds; a test that takes as long hangs

# HYPOTHESIS_PROFILE=thorough before a release; on a build server the same examples every time,
# so that what turns red is what was changed.
COMMON: dict[str, Any] = {"deadline": None, "database": None, "report_multiple_bugs": False}
settings.register_profile("dev", max_examples=50, derandomize=False, **COMMON)
settings.register_profile("ci", max_examples=100, derandomize=True, **COMMON)
settings.register_profile("thorough", max_examples=2_000, derandomize=False, **COMMON)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")
)


@pytest.fixture
def client() -> Client:
    """Return a client of a new application, without a socket between them."""
    return Client(build_app(TOKENS, LogWriter(BytesIO())))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine, in an event loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(_watched(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})))
    return True


async def _watched(test: Awaitable[None]) -> None:
    """Await the test; fail if it hangs, or if anything failed or stayed behind unseen."""
    unseen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))
    async with asyncio.timeout(DEADLINE):
        await test
    assert unseen == []
    assert asyncio.all_tasks() == {asyncio.current_task()}
