"""Step 4: only ready tasks are served: pending, with every prerequisite completed."""

from __future__ import annotations

import random
from typing import Any

import pytest

from .api import Api, Task, ids
from .test_step03_queue import check_order, claim_all, queue
from .test_step04_dependencies import chain, check_unchanged, on

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
