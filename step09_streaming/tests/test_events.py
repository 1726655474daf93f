"""Events: numbered, encoded once, and no more of them kept than have room."""

import json

from taskflow.events import MAX_EVENTS, Events, current_request
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
