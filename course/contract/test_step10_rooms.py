"""Step 10: events: what is told, to whom, in which order, and once more to one who was away."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from .api import Api, Task
from .conftest import Launch
from .live import Listener, Message, listen, numbers, tasks_of
from .test_step08_reports import start_report

EVERYTHING = ("tasks", "reports")
"""Who is in these rooms is told every number."""


def room(task: Task) -> str:
    return f"task:{task['id']}"


def rising(listener: Listener, events: list[Message]) -> bool:
    """Whether the numbers go on from where the client came in, each higher by one."""
    first = listener.ready["seq"] + 1
    return numbers(events) == list(range(first, first + len(events)))


# What is told


def test_what_happens_to_a_task_is_told(api: Api) -> None:
    listener = listen(api, *EVERYTHING)
    task = api.create(title="Grüße, 世界 😀", description='"\n\\', priority=7)
    later = api.change(task, title="b")
    api.delete(task)
    events = listener.told("task.created", "task.updated", "task.deleted")
    assert tasks_of(events) == [task, later, {"id": task["id"]}]
    assert rising(listener, events)
    listener.quiet()


def test_an_event_says_on_whose_behalf(api: Api) -> None:
    """By the id of the request, whether the client gave it or not."""
    listener = listen(api)
    answers = [api.ask("POST", "/tasks", "X-Request-Id: mine-1", value={"title": "a"}).expect(201)]
    path = answers[0].field("location") or ""
    answers.append(api.ask("PATCH", path, value={"title": "b"}).expect(200))
    answers.append(api.ask("PUT", path, "X-Request-Id: mine-2", value={"title": "c"}).expect(200))
    answers.append(api.ask("DELETE", path, "X-Request-Id: not good").expect(204))
    told = listener.told("task.created", "task.updated", "task.updated", "task.deleted")
    assert [event["requestId"] for event in told] == [api.request_id(answer) for answer in answers]
    assert told[0]["requestId"] == "mine-1"


def test_requests_on_one_connection_are_told_apart(api: Api) -> None:
    """Pipelined ones too."""
    listener = listen(api)
    posts = [
        api.request("POST", "/tasks", f"X-Request-Id: id-{number}", value={"title": str(number)})
        for number in range(20)
    ]
    connection = api.say(b"".join(posts))
    for _ in posts:
        connection.answer("POST").expect(201)
    told = listener.told(*["task.created"] * 20)
    assert [event["requestId"] for event in told] == [f"id-{number}" for number in range(20)]
    assert [task["title"] for task in tasks_of(told)] == [str(number) for number in range(20)]


def test_a_claim_is_an_update(empty: Api) -> None:
    task = empty.create()
    listener = listen(empty, *EVERYTHING)
    claimed = empty.ask("POST", "/tasks/claim").expect(200).json()
    empty.ask("POST", "/tasks/claim").expect(204)
    [event] = listener.told("task.updated")
    assert event["task"] == claimed
    assert (claimed["id"], claimed["status"]) == (task["id"], "in-progress")
    listener.quiet()


def test_a_delete_tells_of_all_that_lost_an_edge(api: Api) -> None:
    first, other = api.create(), api.create()
    dependents = [api.create(dependencies=[other["id"], first["id"]]) for _ in range(3)]
    api.create(dependencies=[other["id"]])
    listener = listen(api, *EVERYTHING)
    api.delete(first)
    events = [listener.message() for _ in range(4)]
    assert rising(listener, events)
    kinds = {event["task"]["id"]: event["type"] for event in events}
    assert kinds == {first["id"]: "task.deleted"} | {
        dependent["id"]: "task.updated" for dependent in dependents
    }
    changed = {task["id"]: task for task in tasks_of(events)}
    for dependent in dependents:
        assert changed[dependent["id"]] == api.read(dependent)
        assert changed[dependent["id"]]["dependencies"] == [other["id"]]
    listener.quiet()


def test_what_changes_nothing_is_not_told(api: Api) -> None:
    """Nor what is refused, nor what only reads."""
    task = api.create(title="a", priority=5)
    listener = listen(api, *EVERYTHING)
    for fields in ({}, {"title": "a"}, {"title": " a "}, {"priority": 5, "status": "pending"}):
        assert api.change(task, **fields) == task
    path = f"/tasks/{task['id']}"
    api.ask("PATCH", path, value={"priority": "high"}).expect(422)
    api.ask("PATCH", path, value={"dependencies": [task["id"]]}).expect(409)
    api.ask("POST", "/tasks", value={"title": ""}).expect(422)
    api.ask("DELETE", f"/tasks/{uuid4()}").expect(404)
    api.ask("DELETE", path, "Origin: null").expect(403)
    api.ask("GET", "/tasks").expect(200)
    listener.quiet()
    assert listen(api).ready["seq"] == listener.ready["seq"]


def test_each_line_of_an_import_is_told(api: Api) -> None:
    """Those that failed are not."""
    listener = listen(api, *EVERYTHING)
    first = str(uuid4())
    lines: list[dict[str, object]] = [
        {"title": "one", "id": first},
        {"title": ""},
        {"title": "two", "dependencies": [first]},
        {"title": "one again", "id": first},
    ]
    body = "\n".join(map(json.dumps, lines)).encode()
    fields = ("Content-Type: application/x-ndjson", "X-Request-Id: import-1")
    result = api.ask("POST", "/tasks/import", *fields, body=body).expect(200).json()
    assert (result["created"], result["failedCount"]) == (2, 2)
    events = listener.told("task.created", "task.created")
    assert rising(listener, events)
    assert [task["title"] for task in tasks_of(events)] == ["one", "two"]
    assert [event["requestId"] for event in events] == ["import-1"] * 2
    for task in tasks_of(events):
        assert api.read(task) == task
    listener.quiet()


def test_a_report_is_told_to_those_in_its_room(api: Api) -> None:
    here, there = listen(api, "reports"), listen(api, "tasks")
    job = start_report(api).rpartition("/")[2]
    [event] = here.told("report.completed")
    assert event["jobId"] == job
    path = f"/tasks/reports/{job}"
    assert api.ask("GET", path).expect(200).json()["status"] == "completed"
    there.quiet()
    api.create()
    there.told("task.created")
    here.quiet()


def test_other_jobs_are_no_reports(api: Api) -> None:
    """The demo's are not told, though they run in the same workers."""
    listener = listen(api, "reports")
    api.ask("GET", "/demo/cpu/worker/run?iterations=1").expect(200)
    listener.quiet()


# Rooms


def test_a_task_has_a_room_of_its_own(api: Api) -> None:
    task, other = api.create(), api.create()
    listener = listen(api, room(task))
    api.change(other, title="not told")
    api.create()
    later = api.change(task, title="told")
    api.delete(other, task)
    events = listener.told("task.updated", "task.deleted")
    assert tasks_of(events) == [later, {"id": task["id"]}]
    listener.quiet()


def test_a_room_may_be_waited_in_for_a_task_to_come(api: Api) -> None:
    """An import gives ids, and a deleted task can so come back."""
    task_id = str(uuid4())
    listener = listen(api, f"task:{task_id}")
    body = json.dumps({"title": "here at last", "id": task_id}).encode()
    fields = ("Content-Type: application/x-ndjson",)
    api.ask("POST", "/tasks/import", *fields, body=body).expect(200)
    [event] = listener.told("task.created")
    assert event["task"]["id"] == task_id


def test_who_is_in_both_rooms_is_told_once(api: Api) -> None:
    task = api.create()
    listener = listen(api, "tasks", room(task), "reports")
    api.change(task, title="b")
    api.delete(task)
    assert rising(listener, listener.told("task.updated", "task.deleted"))
    listener.quiet()


def test_all_are_told_the_same(api: Api) -> None:
    """A user too."""
    listeners = [listen(api) for _ in range(10)]
    task = api.create()
    told = [listener.told("task.created") for listener in listeners]
    assert told == [told[0]] * 10
    assert tasks_of(told[0]) == [task]


def test_a_user_listens_like_an_admin(user: Api, api: Api) -> None:
    listener = listen(user, *EVERYTHING)
    task = api.create()
    assert tasks_of(listener.told("task.created")) == [task]


def test_a_subscription_replaces_the_one_before(api: Api) -> None:
    task = api.create()
    listener = listen(api)
    assert listener.subscribe(room(task)) == [room(task)]
    api.create()
    listener.quiet()
    assert listener.subscribe("reports") == ["reports"]
    api.change(task, title="not told")
    listener.quiet()
    assert listener.subscribe("tasks", room(task)) == ["tasks", room(task)]
    api.change(task, title="told")
    listener.told("task.updated")
    listener.quiet()


def test_no_rooms_means_tasks(api: Api) -> None:
    listener = listen(api, "reports")
    assert listener.subscribe() == ["tasks"]
    api.create()
    listener.told("task.created")
    listener.quiet()


def test_a_client_may_be_in_100_rooms(api: Api) -> None:
    tasks = api.create_all([{}] * 99)
    listener = listen(api, "reports", *map(room, tasks))
    for task in (tasks[0], tasks[50], tasks[98]):
        later = api.change(task, title="b")
        assert tasks_of(listener.told("task.updated")) == [later]
    listener.quiet()


def test_rooms_are_the_matter_of_one_client(api: Api) -> None:
    first, second = listen(api), listen(api)
    first.subscribe("reports")
    api.create()
    second.told("task.created")
    first.quiet()


def test_the_id_in_a_room_is_compared_without_regard_to_case(api: Api) -> None:
    """And confirmed in lower case."""
    task = api.create()
    listener = listen(api)
    listener.say({"type": "subscribe", "rooms": [f"task:{task['id'].upper()}"]})
    assert listener.message()["subscribedRooms"] == [room(task)]
    api.change(task, title="b")
    listener.told("task.updated")


SOME_ID = str(uuid4())


@pytest.mark.parametrize(
    "rooms",
    [
        [f"task:{uuid4()}" for _ in range(101)],
        ["tasks"] * 101,
        ["Tasks"],
        ["tasks "],
        ["tasks\n"],
        [" tasks"],
        [""],
        ["*"],
        ["task"],
        ["task:"],
        ["task:*"],
        ["task:1"],
        [f"task:{SOME_ID[:-1]}"],
        [f"task:{SOME_ID}0"],
        [f"task:{SOME_ID} "],
        [f"task:{SOME_ID}\n"],
        [f"task:{SOME_ID[:-1]}g"],
        [f"TASK:{SOME_ID}"],
        [f"tasks:{SOME_ID}"],
        [SOME_ID],
        [f"report:{SOME_ID}"],
        ["tasks", "unknown"],
        [None],
        [1],
        [True],
        [["tasks"]],
        [{"room": "tasks"}],
        ["tasks", None],
    ],
    ids=lambda rooms: str(rooms)[:40],
)
def test_a_room_that_there_is_not_is_refused_and_nothing_changes(
    api: Api, rooms: list[object]
) -> None:
    """Not even for the good rooms in the same list; and nothing is replayed."""
    task = api.create()
    listener = listen(api, room(task))
    api.change(task, title="b")
    listener.told("task.updated")
    for place in ({}, listener.place):
        listener.say({"type": "subscribe", "rooms": rooms, **place})
        listener.refused("INVALID_ROOM")
    api.create()
    listener.quiet()
    api.change(task, title="c")
    listener.told("task.updated")


# What was missed


def test_what_was_missed_is_told_again(api: Api) -> None:
    """Exactly as it was told the first time, in order, and then what is new."""
    witness = listen(api, *EVERYTHING)
    task = api.create()
    api.change(task, title="b")
    api.delete(task)
    other = api.create()
    first = witness.told("task.created", "task.updated", "task.deleted", "task.created")
    for missed in range(5):
        listener = listen(api)
        seq = witness.ready["seq"] + 4 - missed
        listener.subscribe("tasks", since=seq, epoch=listener.ready["epoch"])
        assert [listener.message() for _ in range(missed)] == first[4 - missed :]
        listener.quiet()
    last = listen(api)
    last.subscribe("tasks", **witness.place)
    later = api.change(other, title="c")
    assert [last.message() for _ in range(4)] == first
    assert tasks_of(last.told("task.updated")) == [later]
    last.quiet()


def test_only_what_its_rooms_were_told_is_told_again(api: Api) -> None:
    task = api.create()
    witness = listen(api, "tasks", "reports")
    api.create()
    changed = api.change(task, title="b")
    start_report(api)
    events = [witness.message() for _ in range(3)]
    assert {event["type"] for event in events} >= {"report.completed", "task.updated"}
    listener = listen(api)
    listener.subscribe(room(task), **witness.place)
    assert tasks_of(listener.told("task.updated")) == [changed]
    listener.quiet()
    listener.subscribe("reports", **witness.place)
    listener.told("report.completed")
    listener.quiet()
    listener.subscribe("tasks", room(task), **witness.place)
    assert len(listener.told("task.created", "task.updated")) == 2
    listener.quiet()


def test_who_missed_nothing_is_told_nothing(api: Api) -> None:
    listener = listen(api)
    listener.subscribe("tasks", **listener.place)
    listener.quiet()
    listener.subscribe("tasks", since=None, epoch=listener.ready["epoch"])
    listener.quiet()


def gap(listener: Listener, **place: object) -> None:
    """What is missing is not known: the client learns where it is now, and goes on from there."""
    listener.subscribe("tasks", "reports", **place)
    message = listener.message()
    now = {name: message[name] for name in ("type", "epoch", "seq")}
    expected = {"type": "history.gap", "epoch": listener.ready["epoch"]}
    assert now == {**expected, "seq": listener.ready["seq"]}
    listener.quiet()


def test_another_life_of_the_server_is_a_gap(api: Api) -> None:
    api.create()
    listener = listen(api)
    seq = listener.ready["seq"]
    gap(listener, since=seq, epoch=str(uuid4()))
    gap(listener, since=seq - 1, epoch=listener.ready["epoch"].upper() + " ")
    gap(listener, since=seq)
    others: list[object] = [None, 1, [], {}, ""]
    for epoch in others:
        gap(listener, since=seq, epoch=epoch)


def test_a_number_that_was_not_given_yet_is_a_gap(api: Api) -> None:
    listener = listen(api)
    for since in (listener.ready["seq"] + 1, 10**50, -1):
        gap(listener, since=since, epoch=listener.ready["epoch"])


def test_behind_a_gap_events_are_told(api: Api) -> None:
    listener = listen(api)
    gap(listener, since=10**9, epoch=listener.ready["epoch"])
    task = api.create()
    assert tasks_of(listener.told("task.created")) == [task]


def test_what_is_too_long_ago_is_a_gap(launch: Launch) -> None:
    """The history is bounded; what it holds is told again, and one more is a gap."""
    api, _ = launch()
    first = listen(api)
    assert first.ready["seq"] == 0
    limit = api.ask("GET", "/tasks/system/memory").expect(200).json()["bounded"]["events"]["limit"]
    task = api.create()
    requests = [
        ("PATCH", f"/tasks/{task['id']}", {"priority": number}) for number in range(2, limit + 2)
    ]
    for answer in api.ask_all(requests):
        answer.expect(200)
    gap(listen(api), since=0, epoch=first.ready["epoch"])
    listener = listen(api)
    listener.subscribe("tasks", since=1, epoch=first.ready["epoch"])
    events = listener.told(*["task.updated"] * limit)
    assert numbers(events) == list(range(2, limit + 2))
    assert [event["priority"] for event in tasks_of(events)] == list(range(2, limit + 2))
    listener.quiet()
    assert numbers([first.message() for _ in range(limit + 1)]) == list(range(1, limit + 2))


def test_numbers_begin_anew_with_another_epoch(launch: Launch) -> None:
    """One who knows a number of the life before is not told what it cannot have missed."""
    places: list[Message] = []
    for _ in range(2):
        api, process = launch()
        for place in places:
            gap(listen(api), **place)
        api.create()
        listener = listen(api)
        assert listener.ready["seq"] == 1
        places.append(listener.place)
        process.stop()
        assert listener.closed() == 1001
    assert places[0]["epoch"] != places[1]["epoch"]
