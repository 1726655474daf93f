"""What all tests share: how hard Hypothesis tries, and how an `async def` test is run."""

import asyncio
import inspect
import os
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from typing import Any

import pytest
from hypothesis import settings
from in_process import Client, new_client

from taskflow.process import new_event_loop

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
def client() -> AbstractAsyncContextManager[Client]:
    """Return what gives a test its client of a new application, without a socket between them."""
    return new_client()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine, in an event loop of its own, and of the server's kind."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    tls = pyfuncitem.get_closest_marker("tls") is not None
    with asyncio.Runner(loop_factory=partial(new_event_loop, tls)) as runner:
        runner.run(_watched(pyfuncitem.obj, arguments))
    return True


async def _watched(test: Callable[..., Awaitable[None]], arguments: dict[str, Any]) -> None:
    """Await the test; fail if it hangs, or if anything failed or stayed behind unseen.

    An argument that is a context manager is entered here, in the loop that the test runs in.
    """
    unseen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))
    async with asyncio.timeout(DEADLINE), AsyncExitStack() as stack:
        for name, argument in arguments.items():
            if isinstance(argument, AbstractAsyncContextManager):
                arguments[name] = await stack.enter_async_context(argument)
        await test(**arguments)
    assert unseen == []
    assert asyncio.all_tasks() == {asyncio.current_task()}
