"""Events: numbered, encoded once, and no more of them kept than there is room for."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskflow import events as events_module
from taskflow.events import MAX_EVENTS, Event, Events, current_request
from taskflow.jobs import Job
from taskflow.store import Store


def test_events_follow_the_store_and_the_oldest_give_way() -> None:
    store, events = Store(), Events()
    store.listeners.append(events.changed)
    first = store.create({"title": "first"}).id
    second = store.create({"title": "second", "dependencies": (first,)}).id
    store.delete(first)  # which also changes the second
    for number in range(MAX_EVENTS):
        store.update(second, {"priority": number + 2})

    assert len(events.history) == MAX_EVENTS
    assert [event.seq for event in events.history] == list(range(5, MAX_EVENTS + 5))
    assert {json.loads(event.message)["type"] for event in events.history} == {"task.updated"}


def test_an_event_tells_of_the_task_and_of_the_request() -> None:
    store, events = Store(), Events()
    store.listeners.append(events.changed)
    known = current_request.set("request-1")
    task = store.create({"title": 'Grüße, "Welt"'})
    current_request.reset(known)

    event = events.history[-1]
    told = json.loads(event.message)
    assert told == {
        "type": "task.created",
        "task": json.loads(task.json),
        "seq": 1,
        "requestId": "request-1",
        "timestamp": told["timestamp"],
    }
    assert event.rooms == {"tasks", f"task:{task.id}"}


def test_of_a_deleted_task_an_event_tells_the_id_alone() -> None:
    store, events = Store(), Events()
    store.listeners.append(events.changed)
    task = store.create({"title": "short-lived"})
    store.delete(task.id)

    told = json.loads(events.history[-1].message)
    assert (told["type"], told["task"]) == ("task.deleted", {"id": task.id})


def test_a_delete_first_tells_what_became_of_the_dependents() -> None:
    store, events = Store(), Events()
    store.listeners.append(events.changed)
    first = store.create({"title": "first"}).id
    second = store.create({"title": "second", "dependencies": (first,)}).id
    store.delete(first)

    told = [json.loads(event.message) for event in events.history][-2:]
    assert [(event["type"], event["task"]["id"]) for event in told] == [
        ("task.updated", second),
        ("task.deleted", first),
    ]
    assert told[0]["task"]["dependencies"] == []


# What came since.


@given(st.integers(0, 12), st.integers(-2, 15), st.sampled_from(["right", "wrong", None, 1]))
def test_what_came_since_is_a_slice_of_all_that_happened(
    count: int, since: int, which: object
) -> None:
    """As long as it is kept; else it is not known any more, or not yet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(events_module, "MAX_EVENTS", 5)
        events = Events()
    happened: list[Event] = []
    events.listeners.append(happened.append)
    for number in range(count):
        events.publish("task.updated", {"tasks"}, b'"task":%d' % number)

    found = events.since(since, events.epoch if which == "right" else which)

    is_known = which == "right" and max(0, count - 5) <= since <= count
    assert found == (happened[since:] if is_known else None)


def test_each_life_has_its_epoch() -> None:
    assert Events().epoch != Events().epoch


def test_a_report_that_is_done_is_told_to_its_room() -> None:
    events = Events()
    done, failed, other = Job("report", 0), Job("report", 0), Job("cpu", 1)
    done.finish({"summary": {}}, None)
    failed.finish(None, "the worker died")
    other.finish({"result": 1}, None)
    for job in (done, failed, other):
        events.finished(job)

    told = [json.loads(event.message) for event in events.history]
    assert [(event["type"], event["jobId"], event["seq"]) for event in told] == [
        ("report.completed", done.id, 1),
        ("report.failed", failed.id, 2),
    ]
    assert [event.rooms for event in events.history] == [{"reports"}, {"reports"}]


def test_listeners_are_told_of_what_is_kept_already() -> None:
    """So one that asks for the place is told of the event's own."""
    events = Events()
    places: list[tuple[int, int]] = []
    events.listeners.append(lambda event: places.append((event.seq, events.seq)))
    events.listeners.append(lambda event: places.append((event.seq, events.history[-1].seq)))
    for _ in range(2):
        events.publish("task.updated", {"tasks"}, b'"task":{}')
    assert places == [(1, 1), (1, 1), (2, 2), (2, 2)]
