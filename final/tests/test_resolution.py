"""The search for an order: in portions, between which tasks change."""

import asyncio
import json
from collections.abc import Iterable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskflow import resolution
from taskflow.background import in_background
from taskflow.errors import ResultTooLarge
from taskflow.http import Request
from taskflow.resolution import STEPS
from taskflow.routes import TaskRoutes
from taskflow.store import Store
from taskflow.tasks import Status, Task


def chain(store: Store, count: int) -> list[Task]:
    """Create tasks of which each depends on the one before."""
    tasks: list[Task] = []
    for number in range(count):
        below = tuple(task.id for task in tasks[-1:])
        tasks.append(store.create({"title": f"{number}", "dependencies": below}))
    return tasks


def joined(portions: Iterable[list[Task]]) -> list[Task]:
    return [task for portion in portions for task in portion]


def test_a_long_order_comes_in_short_portions() -> None:
    """So that it never holds up other requests for long, however deep it is."""
    store = Store()
    tasks = chain(store, 5 * STEPS)
    portions = list(store.resolve_in_portions(tasks[-1].id))
    assert joined(portions) == tasks
    assert len(portions) > 5
    assert max(map(len, portions)) <= STEPS


def test_an_order_that_is_too_long_is_refused_before_it_is_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Though a chain is followed to its end before its first task is in the order."""
    store = Store()
    tasks = chain(store, 10 * STEPS)
    monkeypatch.setattr("taskflow.store.MAX_RESOLVED", STEPS // 2)
    with pytest.raises(ResultTooLarge):
        next(store.resolve_in_portions(tasks[-1].id))
    with pytest.raises(ResultTooLarge):
        next(store.resolve_in_portions())


@given(st.data())
def test_the_order_is_that_of_the_tasks_as_they_were_when_it_began(data: st.DataObject) -> None:
    store = Store()
    tasks: list[Task] = []
    for number in range(data.draw(st.integers(1, 6))):
        below = data.draw(st.lists(st.sampled_from(tasks), unique=True)) if tasks else []
        fields = {"title": f"{number}", "dependencies": tuple(task.id for task in below)}
        tasks.append(store.create(fields))
    root = data.draw(st.none() | st.sampled_from(tasks).map(lambda task: task.id))
    expected = store.resolve(root)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resolution, "STEPS", 1)
        found: list[Task] = []
        for portion in store.resolve_in_portions(root):
            found += portion
            change(store, data)

    assert found == expected


def change(store: Store, data: st.DataObject) -> None:
    """Create, change or delete a task."""
    ids = [task.id for task in store.page(99)]
    kind = data.draw(st.sampled_from(["create", "update", "delete"]))
    if kind == "create" or not ids:
        store.create({"title": "new", "dependencies": tuple(ids[-1:])})
    elif kind == "update":
        task_id = data.draw(st.sampled_from(ids))
        store.update(task_id, {"dependencies": (), "status": data.draw(st.sampled_from(Status))})
    else:
        store.delete(data.draw(st.sampled_from(ids)))


def test_a_search_that_ends_early_keeps_nothing() -> None:
    store = Store()
    tasks = chain(store, 2 * STEPS)
    portions = store.resolve_in_portions(tasks[-1].id)
    next(portions)
    assert len(store._resolutions) == 1
    portions.close()
    assert store._resolutions == set()


async def test_other_requests_change_tasks_while_an_order_is_found() -> None:
    """They do not wait for its end, and it does not show what they change."""
    store = Store()
    tasks = chain(store, 5 * STEPS)
    routes = TaskRoutes(store, partial(asyncio.sleep, 0))
    created = 0

    async def create() -> None:
        nonlocal created
        while True:
            store.create({"title": "new"})
            created += 1
            await asyncio.sleep(0)

    async with in_background(create()):
        before = created
        response = await routes.resolve(Request())
        during = created - before

    assert during >= 5
    value = json.loads(b"".join(response.pieces))
    assert value["totalTasksInOrder"] == len(tasks) + before
    assert value["orderedTaskIds"][: len(tasks)] == [task.id for task in tasks]
    assert [task["id"] for task in value["orderedTasks"]] == value["orderedTaskIds"]
