"""Step 4: tasks depend on tasks: the field, missing ones, and cycles."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from .api import Api, Task, ids
from .test_step03_queue import check_order

UNKNOWN = str(uuid.UUID(int=0))


def on(*tasks: Task) -> dict[str, Any]:
    """The field that makes a task depend on these."""
    return {"dependencies": ids(tasks)}


def chain(api: Api, length: int) -> list[Task]:
    """Tasks of which each depends on the one before."""
    tasks = [api.create(title="first")]
    for number in range(1, length):
        tasks.append(api.create(title=f"task {number}", **on(tasks[-1])))
    return tasks


def check_unchanged(api: Api, tasks: list[Task]) -> None:
    assert api.tasks() == tasks


# The field


def test_a_task_has_no_dependencies_unless_told(api: Api) -> None:
    assert api.create()["dependencies"] == []
    assert api.create(dependencies=[])["dependencies"] == []


def test_dependencies_come_back_in_the_order_given(api: Api) -> None:
    first, second, third = api.create_all([{}, {}, {}])
    task = api.create(**on(third, first, second))
    assert task["dependencies"] == ids([third, first, second])
    assert api.read(task) == task


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_dependencies_are_replaced_by_a_change(api: Api, method: str) -> None:
    first, second, third = api.create_all([{}, {}, {}])
    task = api.create(**on(first, second))
    api.tick(task)
    for wanted in (on(second, third), on(), on(first)):
        changed = api.ask(method, f"/tasks/{task['id']}", value=wanted).expect(200).json()
        assert changed == {**task, **wanted, "updatedAt": changed["updatedAt"]}
        assert changed["updatedAt"] > task["updatedAt"]
        assert api.read(task) == changed


def test_dependencies_are_compared_without_regard_to_case(api: Api) -> None:
    """And come back in lower case."""
    first = api.create()
    upper = first["id"].upper()
    second = api.create(dependencies=[upper])
    assert second["dependencies"] == [first["id"]]
    order = api.ask("GET", f"/tasks/{second['id'].upper()}/resolve").expect(200).json()
    assert order["orderedTaskIds"] == ids([first, second])
    answer = api.ask("PATCH", f"/tasks/{upper}", value={"dependencies": [second["id"].upper()]})
    api.refused(answer, "CYCLE_DETECTED")
    answer = api.ask("POST", "/tasks", value={"title": "a", "dependencies": [upper, first["id"]]})
    api.refused(answer, "VALIDATION_ERROR", "dependencies")


def test_a_change_of_another_field_keeps_the_dependencies(api: Api) -> None:
    first = api.create()
    task = api.create(**on(first))
    assert api.change(task, title="renamed")["dependencies"] == [first["id"]]


def test_the_same_dependencies_are_no_change(api: Api) -> None:
    first, second = api.create_all([{}, {}])
    task = api.create(**on(first, second))
    api.tick(task)
    assert api.change(task, **on(first, second)) == task
    assert api.read(task) == task


@pytest.mark.parametrize(
    "value", [None, "", UNKNOWN, 1, True, {}, {"0": UNKNOWN}, [1], [None], [[]], [{}], [True]]
)
def test_dependencies_are_a_list_of_texts(empty: Api, value: Any) -> None:
    task = empty.create()
    answer = empty.ask("POST", "/tasks", value={"title": "a", "dependencies": value})
    empty.refused(answer, "VALIDATION_ERROR", "dependencies")
    answer = empty.ask("PATCH", f"/tasks/{task['id']}", value={"dependencies": value})
    empty.refused(answer, "VALIDATION_ERROR", "dependencies")
    check_unchanged(empty, [task])


def test_a_repeated_dependency_is_refused(empty: Api) -> None:
    first, second = tasks = empty.create_all([{}, {}])
    answer = empty.ask("POST", "/tasks", value={"title": "a", **on(first, second, first)})
    empty.refused(answer, "VALIDATION_ERROR", "dependencies")
    answer = empty.ask("PATCH", f"/tasks/{second['id']}", value=on(first, first))
    empty.refused(answer, "VALIDATION_ERROR", "dependencies")
    check_unchanged(empty, tasks)


def test_1_000_dependencies_are_taken_and_1_001_refused(empty: Api) -> None:
    tasks = empty.create_all([{}] * 1_001)
    task = empty.create(**on(*tasks[:1_000]))
    assert task["dependencies"] == ids(tasks[:1_000])
    answer = empty.ask("POST", "/tasks", value={"title": "a", **on(*tasks)})
    empty.refused(answer, "VALIDATION_ERROR", "dependencies")


# Missing tasks


@pytest.mark.parametrize("missing", ["", "nonsense", "..", "a\x00b", "x" * 1000])
def test_what_is_no_id_cannot_be_depended_on(empty: Api, missing: str) -> None:
    task = empty.create()
    value = {"title": "a", "dependencies": [task["id"], missing]}
    empty.ask("POST", "/tasks", value=value).expect(422)
    check_unchanged(empty, [task])


def test_a_missing_dependency_is_named_and_nothing_is_created(empty: Api) -> None:
    task = empty.create()
    value = {"title": "a", "dependencies": [task["id"], UNKNOWN]}
    answer = empty.ask("POST", "/tasks", value=value)
    empty.refused(answer, "MISSING_DEPENDENCY", missingTaskId=UNKNOWN)
    check_unchanged(empty, [task])
    check_order(empty, task)


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_missing_dependency_is_named_and_nothing_is_changed(empty: Api, method: str) -> None:
    first, task = tasks = empty.create_all([{}, {}])
    value = {"title": "new", "priority": 9, "dependencies": [first["id"], UNKNOWN]}
    answer = empty.ask(method, f"/tasks/{task['id']}", value=value)
    empty.refused(answer, "MISSING_DEPENDENCY", missingTaskId=UNKNOWN)
    check_unchanged(empty, tasks)
    check_order(empty, *tasks)


def test_a_deleted_task_is_missing(api: Api) -> None:
    task = api.create()
    api.delete(task)
    answer = api.ask("POST", "/tasks", value={"title": "a", **on(task)})
    api.refused(answer, "MISSING_DEPENDENCY", missingTaskId=task["id"])


# Cycles


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_task_cannot_depend_on_itself(empty: Api, method: str) -> None:
    task = empty.create()
    answer = empty.ask(method, f"/tasks/{task['id']}", value={"title": "new", **on(task)})
    empty.refused(answer, "CYCLE_DETECTED", cyclePath=ids([task, task]))
    check_unchanged(empty, [task])
    check_order(empty, task)


@pytest.mark.parametrize("length", [2, 3, 5, 300])
def test_a_change_that_would_close_a_cycle_changes_nothing(empty: Api, length: int) -> None:
    tasks = chain(empty, length)
    first, last = tasks[0], tasks[-1]
    value = {"title": "new", "priority": 9, **on(last)}
    answer = empty.ask("PATCH", f"/tasks/{first['id']}", value=value)
    empty.refused(answer, "CYCLE_DETECTED")
    check_unchanged(empty, tasks)
    check_order(empty, first)
    # The same edge is welcome once the way back is gone.
    empty.change(tasks[1], dependencies=[])
    empty.change(first, dependencies=[last["id"]] if length > 2 else [])


def test_a_cycle_is_found_behind_good_dependencies(empty: Api) -> None:
    first, _, third = tasks = chain(empty, 3)
    other = empty.create()
    answer = empty.ask("PATCH", f"/tasks/{first['id']}", value=on(other, third))
    empty.refused(answer, "CYCLE_DETECTED")
    check_unchanged(empty, [*tasks, other])


def test_two_ways_to_one_task_are_no_cycle(api: Api) -> None:
    top = api.create()
    left, right = api.create(**on(top)), api.create(**on(top))
    bottom = api.create(**on(left, right))
    assert api.change(bottom, **on(left, right, top))["dependencies"] == ids([left, right, top])


def test_replaced_dependencies_do_not_count_for_a_cycle(api: Api) -> None:
    first, second = chain(api, 2)
    api.change(second, dependencies=[])
    assert api.change(first, **on(second))["dependencies"] == [second["id"]]
