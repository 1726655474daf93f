"""What runs beside the requests: for as long as its block, and not a moment longer."""

import asyncio

import pytest

from taskflow.background import in_background


class Work:
    """Work that goes on for ever, and takes a moment to put its things away."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.tidied = False

    async def run(self) -> None:
        try:
            self.begun.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.tidied = True


async def test_work_runs_beside_the_block_and_is_gone_after_it() -> None:
    work = Work()
    async with in_background(work.run()):
        await work.begun.wait()
        assert not work.tidied
    assert work.tidied


async def test_a_block_that_fails_ends_its_work_and_fails() -> None:
    work = Work()

    async def block() -> None:
        async with in_background(work.run()):
            await work.begun.wait()
            raise KeyError("block")

    with pytest.raises(KeyError, match="block"):
        await block()
    assert work.tidied


async def test_a_block_that_is_cancelled_ends_its_work_and_is_cancelled() -> None:
    work = Work()

    async def block() -> None:
        async with in_background(work.run()):
            await asyncio.Event().wait()

    task = asyncio.create_task(block())
    await work.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.tidied


async def test_work_that_ends_by_itself_does_not_end_the_block() -> None:
    done = asyncio.Event()

    async def short() -> None:
        done.set()

    async with in_background(short()):
        await done.wait()
        await asyncio.sleep(0)


async def test_work_that_fails_is_not_forgotten() -> None:
    failed = asyncio.Event()

    async def fail() -> None:
        failed.set()
        raise KeyError("work")

    async def block() -> None:
        async with in_background(fail()):
            await failed.wait()

    with pytest.raises(KeyError, match="work"):
        await block()


async def test_a_block_that_never_waits_lets_its_work_begin_all_the_same() -> None:
    """Or what the work has promised to do at its end would not be done."""
    work = Work()
    async with in_background(work.run()):
        pass
    assert work.tidied
