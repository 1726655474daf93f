"""Step 4: tasks depend on tasks: the field, missing ones, cycles, and who is ready."""

from __future__ import annotations

import random
import uuid
from typing import Any

import pytest

from .api import Api, Task, ids
from .test_step03_queue import check_order, claim_all, queue

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


# Who is ready


def test_only_ready_tasks_are_served(empty: Api) -> None:
    first = empty.create(priority=1)
    blocked = empty.create(priority=100, **on(first))
    assert empty.ask("GET", "/tasks/next").expect(200).json() == first
    assert empty.ask("GET", "/tasks/peek").expect(200).json() == first
    check_order(empty, first)
    assert empty.read(blocked) == blocked


def test_work_in_progress_is_not_finished(empty: Api) -> None:
    first = empty.create(status="in-progress")
    empty.create(**on(first))
    assert queue(empty) == []
    assert empty.ask("GET", "/tasks/next").json() == {"message": "Queue is empty"}
    empty.ask("POST", "/tasks/claim").expect(204)


def test_a_task_is_ready_when_the_last_of_its_prerequisites_is_completed(empty: Api) -> None:
    prerequisites = empty.create_all([{"status": "in-progress"}] * 3)
    task = empty.create(**on(*prerequisites))
    for prerequisite in prerequisites:
        assert queue(empty) == []
        empty.change(prerequisite, status="completed")
    assert queue(empty) == [task]


def test_a_task_whose_prerequisites_are_completed_begins_ready(empty: Api) -> None:
    done = empty.create(status="completed")
    task = empty.create(**on(done))
    check_order(empty, task)


def test_a_change_of_dependencies_blocks_and_unblocks(empty: Api) -> None:
    first, task = empty.create_all([{"status": "in-progress"}, {}])
    assert ids(queue(empty)) == [task["id"]]
    empty.change(task, **on(first))
    assert queue(empty) == []
    empty.change(task, dependencies=[])
    assert ids(queue(empty)) == [task["id"]]


def test_a_priority_changed_while_blocked_counts_when_ready(empty: Api) -> None:
    first, other = empty.create_all([{"status": "in-progress"}, {"priority": 5}])
    task = empty.create(priority=1, **on(first))
    empty.change(task, priority=9)
    assert queue(empty) == [other]
    empty.change(first, status="completed")
    check_order(empty, task, other)


def test_unblocked_tasks_keep_the_order_of_creation(empty: Api) -> None:
    first = empty.create(status="in-progress")
    blocked = empty.create(**on(first))
    free = empty.create()
    empty.change(first, status="completed")
    check_order(empty, blocked, free)


def test_finishing_does_not_change_the_dependents(empty: Api) -> None:
    first = empty.create()
    task = empty.create(**on(first))
    empty.tick(task)
    empty.change(first, status="completed")
    assert empty.read(task) == task


@pytest.mark.parametrize("status", ["pending", "in-progress"])
def test_reopening_a_prerequisite_blocks_pending_dependents_only(empty: Api, status: str) -> None:
    first = empty.create(status="completed", priority=-1)
    pending, *others = dependents = empty.create_all(
        [{"status": s, **on(first)} for s in ("pending", "in-progress", "completed")]
    )
    assert queue(empty) == [pending]
    empty.tick(dependents[-1])
    first = empty.change(first, status=status)
    check_unchanged(empty, [first, *dependents])
    assert pending["id"] not in ids(queue(empty))
    empty.change(first, status="completed")
    assert queue(empty) == [pending]
    assert [empty.read(task) for task in others] == others


def test_only_direct_prerequisites_count(empty: Api) -> None:
    """Reopening far below does not block a task whose own prerequisite is completed."""
    far = empty.create(status="completed")
    near = empty.create(status="completed", **on(far))
    task = empty.create(**on(near))
    empty.change(far, status="in-progress")
    check_order(empty, task)


@pytest.mark.parametrize("status", ["in-progress", "completed"])
def test_a_blocked_task_may_take_any_status(empty: Api, status: str) -> None:
    first = empty.create(status="in-progress")
    blocked = empty.create(**on(first))
    assert empty.change(blocked, status=status)["status"] == status
    assert empty.change(blocked, status="pending")["status"] == "pending"
    assert queue(empty) == []


def test_a_task_reopened_when_ready_comes_back(empty: Api) -> None:
    first = empty.create(status="in-progress")
    task = empty.create(status="completed", **on(first))
    empty.change(task, status="pending")
    assert queue(empty) == []
    empty.change(first, status="completed")
    assert ids(queue(empty)) == [task["id"]]


# Deleting


def test_deleting_a_prerequisite_drops_the_edge_and_unblocks(empty: Api) -> None:
    first, second = empty.create_all([{}, {"status": "completed"}])
    dependents = empty.create_all(
        [on(first), on(second, first), {"status": "completed", **on(first)}]
    )
    empty.tick(dependents[-1])
    empty.delete(first)
    wanted: list[list[str]] = [[], [second["id"]], []]
    for task, dependencies in zip(dependents, wanted, strict=True):
        now = empty.read(task)
        assert now == {**task, "dependencies": dependencies, "updatedAt": now["updatedAt"]}
        assert now["updatedAt"] > task["updatedAt"]
    check_order(empty, *dependents[:2])


def test_deleting_one_of_two_prerequisites_leaves_the_other(empty: Api) -> None:
    first, second = empty.create_all([{}, {"status": "in-progress"}])
    task = empty.create(**on(first, second))
    empty.delete(first)
    assert empty.read(task)["dependencies"] == [second["id"]]
    assert queue(empty) == []
    empty.change(second, status="completed")
    assert ids(queue(empty)) == [task["id"]]


def test_deleting_a_dependent_leaves_its_prerequisites_alone(empty: Api) -> None:
    first = empty.create()
    second = empty.create(**on(first))
    empty.delete(second)
    check_unchanged(empty, [first])
    empty.change(first, status="completed")
    empty.change(first, status="pending")
    check_order(empty, first)


def test_deleting_breaks_the_way_of_a_cycle(empty: Api) -> None:
    first, second, third = chain(empty, 3)
    empty.delete(second)
    assert empty.change(first, **on(third))["dependencies"] == [third["id"]]


# Many changes, and a simple model beside them


def model_ready(model: dict[str, Task]) -> list[Task]:
    """By the definition: pending, and every prerequisite completed. Most urgent first."""
    ready = [
        task
        for task in model.values()
        if task["status"] == "pending"
        and all(model[other]["status"] == "completed" for other in task["dependencies"])
    ]
    return sorted(ready, key=lambda task: -task["priority"])


def model_reaches(model: dict[str, Task], start: str, goal: str) -> bool:
    """Whether a task depends on another, by whatever way, or is the same."""
    return start == goal or any(
        model_reaches(model, other, goal) for other in model[start]["dependencies"]
    )


def random_change(chance: random.Random, model: dict[str, Task]) -> tuple[str, str, Any, int]:
    """One request and its status; the model is changed as the server must be."""
    task_id = chance.choice(list(model))
    path = f"/tasks/{task_id}"
    if chance.random() < 0.05:
        del model[task_id]
        for task in model.values():
            task["dependencies"] = [other for other in task["dependencies"] if other != task_id]
        return "DELETE", path, None, 204
    fields: Task = {"status": chance.choice(["pending", "pending", "in-progress", "completed"])}
    if chance.random() < 0.5:
        fields["dependencies"] = chance.sample(list(model), k=chance.randint(0, 3))
        if any(model_reaches(model, other, task_id) for other in fields["dependencies"]):
            return "PATCH", path, fields, 409
    model[task_id].update(fields)
    return "PATCH", path, fields, 200


@pytest.mark.parametrize("seed", range(4))
def test_readiness_agrees_with_its_definition(empty: Api, seed: int) -> None:
    chance = random.Random(seed)
    tasks = empty.create_all([{"priority": chance.randint(0, 3)} for _ in range(25)])
    model = {task["id"]: task for task in tasks}
    for _ in range(10):
        steps = [random_change(chance, model) for _ in range(15)]
        answers = empty.ask_all([(method, path, value) for method, path, value, _ in steps])
        assert [answer.status for answer in answers] == [status for *_, status in steps]
        assert {task["id"] for task in queue(empty)} == set(ids(model_ready(model)))
        edges = {task["id"]: task["dependencies"] for task in empty.tasks()}
        assert edges == {task_id: task["dependencies"] for task_id, task in model.items()}
    assert claim_all(empty) == ids(model_ready(model))
