"""Step 4: an order of work in which each task comes after all that it depends on."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from .api import Api, Task, ids
from .test_step04_dependencies import chain, on

UNKNOWN = str(uuid.UUID(int=0))


def resolve(api: Api, scope: Task | None = None) -> list[str]:
    """The ids in the order that the server gives, once its whole answer has been checked."""
    path = "/tasks/resolve" if scope is None else f"/tasks/{scope['id']}/resolve"
    order: dict[str, Any] = api.ask("GET", path).expect(200).json()
    assert set(order) == {
        "scope",
        "scopedTaskId",
        "totalTasksInOrder",
        "orderedTaskIds",
        "orderedTasks",
    }
    assert order["scope"] == ("all" if scope is None else "task")
    assert order["scopedTaskId"] == (None if scope is None else scope["id"])
    tasks: list[Task] = order["orderedTasks"]
    assert order["orderedTaskIds"] == ids(tasks)
    assert order["totalTasksInOrder"] == len(tasks)
    check_order_of_work(tasks)
    return ids(tasks)


def check_order_of_work(tasks: Sequence[Task]) -> None:
    done: set[str] = set()
    for task in tasks:
        missing = set(task["dependencies"]) - done
        assert not missing, f"{task['id']} comes before {missing}, on which it depends"
        assert task["id"] not in done, f"{task['id']} comes twice"
        done.add(task["id"])


def test_an_empty_store_has_an_empty_order(empty: Api) -> None:
    assert empty.ask("GET", "/tasks/resolve").expect(200).json() == {
        "scope": "all",
        "scopedTaskId": None,
        "totalTasksInOrder": 0,
        "orderedTaskIds": [],
        "orderedTasks": [],
    }


def test_tasks_come_after_those_they_depend_on(empty: Api) -> None:
    """Against the order of creation, in any status, with tasks as they are now."""
    last, middle, first = tasks = empty.create_all([{}, {"status": "completed"}, {}])
    empty.change(middle, **on(first))
    empty.change(last, **on(middle))
    assert resolve(empty) == ids([first, middle, last])
    order = empty.ask("GET", "/tasks/resolve").json()["orderedTasks"]
    assert order == [empty.read(task) for task in reversed(tasks)]


def test_every_task_is_in_the_order_once(empty: Api) -> None:
    tasks = empty.create_all([{}] * 30)
    for at in range(30):
        later = {tasks[(at * 7 + step) % 30]["id"] for step in (1, 3, 8)}
        wanted = [task["id"] for task in tasks[at + 1 :] if task["id"] in later]
        empty.change(tasks[at], dependencies=wanted)
    assert sorted(resolve(empty)) == sorted(ids(tasks))


def test_one_task_is_resolved_with_all_below_it_and_nothing_else(empty: Api) -> None:
    top = empty.create()
    left, right = empty.create(**on(top)), empty.create(**on(top))
    bottom = empty.create(**on(left, right))
    empty.create(**on(bottom))
    empty.create()
    assert resolve(empty, top) == ids([top])
    assert resolve(empty, left) == ids([top, left])
    order = resolve(empty, bottom)
    assert sorted(order) == sorted(ids([top, left, right, bottom]))
    assert order[-1] == bottom["id"]


@pytest.mark.parametrize("task_id", [UNKNOWN, "nonsense"])
def test_an_unknown_task_cannot_be_resolved(api: Api, task_id: str) -> None:
    api.refused(api.ask("GET", f"/tasks/{task_id}/resolve"), "TASK_NOT_FOUND")


def test_a_deleted_task_is_not_in_the_order(empty: Api) -> None:
    first, second, third = chain(empty, 3)
    empty.delete(second)
    assert sorted(resolve(empty)) == sorted(ids([first, third]))
    assert resolve(empty, third) == ids([third])


def test_a_wide_diamond_is_resolved_and_unblocked_at_once(empty: Api) -> None:
    top = empty.create()
    middle = empty.create_all([on(top)] * 500)
    bottom = empty.create(**on(*middle))
    order = resolve(empty, bottom)
    assert order[0] == top["id"]
    assert order[-1] == bottom["id"]
    assert sorted(order[1:-1]) == sorted(ids(middle))
    assert empty.ask("GET", "/tasks/queue").expect(200).json() == [top]
    empty.change(top, status="completed")
    assert len(empty.ask("GET", "/tasks/queue").expect(200).json()) == 500


def test_a_long_chain_is_no_matter_of_recursion(empty: Api) -> None:
    """Python gives up at 1,000 calls within calls; a chain may be longer."""
    connection = empty.connect()
    order: list[str] = []
    for _ in range(3_000):
        value = {"title": "link", "dependencies": order[-1:]}
        connection.send(empty.request("POST", "/tasks", value=value))
        order.append(connection.answer("POST").expect(201).json()["id"])
    first, last = {"id": order[0]}, {"id": order[-1]}
    assert resolve(empty) == order
    assert resolve(empty, last) == order
    answer = empty.ask("PATCH", f"/tasks/{first['id']}", value=on(last))
    empty.refused(answer, "CYCLE_DETECTED")
    empty.delete({"id": order[1_500]})
    assert resolve(empty, last) == order[1_501:]
    empty.change(first, **on(last))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/tasks/resolve"),
        ("DELETE", "/tasks/resolve"),
        ("PATCH", "/tasks/resolve"),
        ("POST", f"/tasks/{UNKNOWN}/resolve"),
    ],
)
def test_an_order_can_only_be_read(api: Api, method: str, path: str) -> None:
    """`resolve` is not taken for the id of a task."""
    answer = api.ask(method, path)
    api.refused(answer, "METHOD_NOT_ALLOWED")
    assert answer.options("allow") == {"GET", "HEAD", "OPTIONS"}


def test_head_asks_for_an_order_too(empty: Api) -> None:
    task = empty.create()
    for path in ("/tasks/resolve", f"/tasks/{task['id']}/resolve"):
        head, get = empty.ask("HEAD", path).expect(200), empty.ask("GET", path).expect(200)
        assert head.field("content-length") == get.field("content-length")


@pytest.mark.slow
def test_an_order_of_more_than_100_000_tasks_is_refused(empty: Api) -> None:
    for _ in range(10):
        empty.create_all([{}] * 10_000)
    assert len(resolve(empty)) == 100_000
    last = empty.create()
    empty.refused(empty.ask("GET", "/tasks/resolve"), "RESULT_TOO_LARGE")
    assert resolve(empty, last) == ids([last])
