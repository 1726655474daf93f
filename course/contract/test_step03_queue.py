"""Step 3: the queue: the most urgent ready task first, ties in order of creation."""

from __future__ import annotations

import random
from typing import Any

import pytest

from .api import Api, Task, ids, task_of

LOOKING = pytest.mark.parametrize("path", ["/tasks/next", "/tasks/peek"])
"""Two names for one question."""


def queue(api: Api) -> list[Task]:
    """The heap's array. Whatever its shape, no task is more urgent than its parent."""
    tasks = api.ask("GET", "/tasks/queue").expect(200).json()
    age = {task_id: at for at, task_id in enumerate(ids(api.tasks()))}
    urgency = [(-task["priority"], age[task["id"]]) for task in tasks]
    for at in range(1, len(tasks)):
        parent = (at - 1) // 2
        assert urgency[parent] < urgency[at], f"{tasks[parent]} is above {tasks[at]}"
    return list(tasks)


def claim(api: Api) -> Task:
    return task_of(api.ask("POST", "/tasks/claim").expect(200))


def claim_all(api: Api) -> list[str]:
    """Claim until nothing is left; the ids in the order in which they came."""
    claimed: list[str] = []
    connection = api.connect()
    while True:
        connection.send(api.request("POST", "/tasks/claim"))
        answer = connection.answer("POST")
        if answer.status == 204:
            return claimed
        task_id = answer.expect(200).json()["id"]
        assert task_id not in claimed, f"{task_id} was claimed twice"
        claimed.append(task_id)


def check_order(api: Api, *tasks: Task) -> None:
    """These tasks are in the queue, most urgent first, and no others."""
    assert {task["id"] for task in queue(api)} == set(ids(tasks))
    assert claim_all(api) == ids(tasks)


# Looking


@LOOKING
def test_an_empty_queue_says_so(empty: Api, path: str) -> None:
    assert empty.ask("GET", path).expect(200).json() == {"message": "Queue is empty"}
    empty.create(status="completed")
    empty.create(status="in-progress")
    assert empty.ask("GET", path).expect(200).json() == {"message": "Queue is empty"}
    assert queue(empty) == []


@LOOKING
def test_the_most_urgent_task_is_shown_and_stays(empty: Api, path: str) -> None:
    empty.create(priority=1)
    urgent = empty.create(priority=5)
    empty.create(priority=3)
    for _ in range(2):
        assert empty.ask("GET", path).expect(200).json() == urgent
    assert empty.read(urgent) == urgent
    assert len(queue(empty)) == 3


@LOOKING
def test_negative_priorities_are_below_zero(empty: Api, path: str) -> None:
    empty.create(priority=-1_000_000_000)
    least = empty.create(priority=-5)
    assert empty.ask("GET", path).expect(200).json() == least
    zero = empty.create(priority=0)
    assert empty.ask("GET", path).expect(200).json() == zero


def test_the_queue_is_the_array_of_a_heap_root_first(empty: Api) -> None:
    priorities = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9]
    tasks = empty.create_all([{"priority": priority} for priority in priorities])
    array = queue(empty)
    assert array[0] == tasks[5] == empty.ask("GET", "/tasks/next").json()
    assert sorted(array, key=str) == sorted(tasks, key=str)


def test_only_pending_tasks_are_in_the_queue(empty: Api) -> None:
    pending = empty.create(priority=1)
    empty.create(priority=2, status="in-progress")
    empty.create(priority=3, status="completed")
    check_order(empty, pending)


@pytest.mark.parametrize("target", ["/tasks/next", "/tasks/peek", "/tasks/queue"])
def test_head_asks_for_the_queue_too(empty: Api, target: str) -> None:
    empty.create()
    head, get = empty.ask("HEAD", target).expect(200), empty.ask("GET", target).expect(200)
    assert head.field("content-length") == get.field("content-length")


def test_unknown_parameters_are_ignored_here_too(empty: Api) -> None:
    empty.create_all([{}, {}, {}])
    assert len(empty.ask("GET", "/tasks/queue?colour=red").expect(200).json()) == 3


def test_the_queue_can_be_limited_to_its_beginning(empty: Api) -> None:
    """And the number of all ready tasks is in a header."""
    empty.create_all([{"priority": priority} for priority in (3, 9, 1, 7)])
    empty.create(status="completed")
    whole = empty.ask("GET", "/tasks/queue").expect(200)
    for limit in (1, 2, 4, 10_000):
        answer = empty.ask("GET", f"/tasks/queue?limit={limit}").expect(200)
        assert answer.json() == whole.json()[:limit]
        assert answer.field("x-total-count") == "4"


def test_the_queue_shows_1_000_tasks_unless_told_otherwise(empty: Api) -> None:
    empty.create_all([{} for _ in range(1_001)])
    answer = empty.ask("GET", "/tasks/queue").expect(200)
    assert len(answer.json()) == 1_000
    assert answer.field("x-total-count") == "1001"


@pytest.mark.parametrize("query", ["limit=0", "limit=10001", "limit=a", "limit=1&limit=1"])
def test_a_limit_out_of_range_or_repeated_is_refused_here_too(api: Api, query: str) -> None:
    api.refused(api.ask("GET", f"/tasks/queue?{query}"), "VALIDATION_ERROR")


# Claiming


def test_a_claim_takes_the_most_urgent_task(empty: Api) -> None:
    tasks = empty.create_all([{"priority": 1}, {"priority": 5}])
    empty.tick(tasks[1])
    claimed = claim(empty)
    assert claimed == {**tasks[1], "status": "in-progress", "updatedAt": claimed["updatedAt"]}
    assert claimed["updatedAt"] > tasks[1]["updatedAt"]
    assert empty.read(claimed) == claimed
    assert queue(empty) == [tasks[0]]


def test_a_claim_of_nothing_is_204(empty: Api) -> None:
    """Which has no body: the next answer follows at once."""
    connection = empty.say(empty.request("POST", "/tasks/claim") + empty.request("GET", "/health"))
    connection.answer("POST").expect(204)
    connection.answer().expect(200)


@pytest.mark.parametrize(
    ("fields", "body"),
    [([], b"{}"), ([], b"not JSON"), (["Content-Type: text/plain"], b"hello"), ([], b"")],
)
def test_a_claim_ignores_a_small_body(empty: Api, fields: list[str], body: bytes) -> None:
    task = empty.create()
    request = empty.request("POST", "/tasks/claim", *fields, body=body)
    connection = empty.say(request + empty.request("GET", "/health"))
    assert connection.answer("POST").expect(200).json()["id"] == task["id"]
    connection.answer().expect(200)


def test_a_page_of_another_origin_cannot_claim(empty: Api) -> None:
    task = empty.create()
    answer = empty.ask("POST", "/tasks/claim", "Origin: http://evil.example")
    empty.refused(answer, "FORBIDDEN_ORIGIN")
    assert empty.read(task) == task


def test_claims_come_by_priority_and_then_by_age(empty: Api) -> None:
    low, high, middle, second_high, second_low = empty.create_all(
        [{"priority": priority} for priority in (1, 9, 5, 9, 1)]
    )
    assert claim_all(empty) == ids([high, second_high, middle, low, second_low])


def test_two_claims_never_get_the_same_task(empty: Api) -> None:
    """20 clients ask at once, each four times, for 60 tasks."""
    tasks = empty.create_all([{"priority": number % 4} for number in range(60)])
    clients = [empty.connect() for _ in range(20)]
    for client in clients:
        client.send(empty.request("POST", "/tasks/claim") * 4)
    answers = [client.answer("POST") for client in clients for _ in range(4)]
    claimed = [answer.json()["id"] for answer in answers if answer.status == 200]
    assert sorted(claimed) == sorted(ids(tasks))
    assert [answer.status for answer in answers].count(204) == 20


# Changes move a task


def test_a_new_priority_moves_a_task(empty: Api) -> None:
    first, second, third = empty.create_all([{"priority": p} for p in (3, 2, 1)])
    empty.change(third, priority=10)
    empty.change(first, priority=0)
    check_order(empty, third, second, first)


def test_a_change_of_other_fields_does_not_move_a_task(empty: Api) -> None:
    tasks = empty.create_all([{}, {}, {}])
    empty.change(tasks[0], title="renamed", description="again")
    check_order(empty, *tasks)
    for task in tasks:
        assert empty.read(task)["status"] == "in-progress"


def test_ties_keep_the_order_of_creation_after_a_priority_went_and_came_back(empty: Api) -> None:
    tasks = empty.create_all([{"priority": 5}] * 4)
    empty.change(tasks[1], priority=9)
    empty.change(tasks[0], priority=1)
    empty.change(tasks[0], priority=5)
    empty.change(tasks[1], priority=5)
    check_order(empty, *tasks)


@pytest.mark.parametrize("status", ["in-progress", "completed"])
def test_a_task_that_is_no_longer_pending_leaves_the_queue(empty: Api, status: str) -> None:
    first, second, third = empty.create_all([{"priority": p} for p in (3, 2, 1)])
    empty.change(second, status=status)
    check_order(empty, first, third)


@pytest.mark.parametrize("status", ["in-progress", "completed"])
def test_a_reopened_task_comes_back_to_its_old_place(empty: Api, status: str) -> None:
    tasks = empty.create_all([{}, {}, {}])
    empty.change(tasks[0], status=status)
    empty.change(tasks[0], status="pending")
    check_order(empty, *tasks)


def test_a_claimed_task_can_be_given_back(empty: Api) -> None:
    tasks = empty.create_all([{}, {}])
    claimed = claim(empty)
    empty.change(claimed, status="pending")
    check_order(empty, *tasks)


@pytest.mark.parametrize("at", [0, 1, 4])
def test_a_deleted_task_leaves_the_queue(empty: Api, at: int) -> None:
    tasks = empty.create_all([{"priority": -number} for number in range(5)])
    empty.delete(tasks.pop(at))
    check_order(empty, *tasks)


def test_a_change_of_priority_outside_the_queue_counts_on_return(empty: Api) -> None:
    first, second = empty.create_all([{"priority": 2}, {"priority": 1, "status": "completed"}])
    empty.change(second, priority=7)
    assert queue(empty) == [first]
    empty.change(second, status="pending")
    check_order(empty, second, first)


# Many changes, and a simple model beside them


@pytest.mark.parametrize("seed", range(3))
def test_the_queue_agrees_with_a_sorted_list(empty: Api, seed: int) -> None:
    chance = random.Random(seed)
    tasks = empty.create_all([{"priority": chance.randint(-3, 3)} for _ in range(60)])
    model = {task["id"]: task for task in tasks}  # in order of creation
    requests: list[tuple[str, str, Any]] = []
    for _ in range(300):
        task_id = chance.choice(list(model))
        if chance.random() < 0.05:
            del model[task_id]
            requests.append(("DELETE", f"/tasks/{task_id}", None))
            continue
        status = chance.choice(["pending", "pending", "in-progress", "completed"])
        fields = {"priority": chance.randint(-3, 3), "status": status}
        model[task_id] = {**model[task_id], **fields}
        requests.append(("PATCH", f"/tasks/{task_id}", fields))
    for answer in empty.ask_all(requests):
        assert answer.status in (200, 204)
    ready = [task for task in model.values() if task["status"] == "pending"]
    check_order(empty, *sorted(ready, key=lambda task: -task["priority"]))


# Paths


@pytest.mark.parametrize("path", ["/tasks/next", "/tasks/peek", "/tasks/queue"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_literal_path_is_not_taken_for_a_task(api: Api, method: str, path: str) -> None:
    answer = api.ask(method, path)
    api.refused(answer, "METHOD_NOT_ALLOWED")
    assert answer.options("allow") == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_a_claim_is_a_post(api: Api, method: str) -> None:
    answer = api.ask(method, "/tasks/claim")
    api.refused(answer, "METHOD_NOT_ALLOWED")
    assert answer.options("allow") == {"POST", "OPTIONS"}
