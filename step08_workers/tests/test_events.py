"""Events: numbered, and no more of them kept than there is room for."""

from taskflow.events import MAX_EVENTS, Events
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
    assert {event.type for event in events.history} == {"task.updated"}


def test_each_kind_of_change_is_an_event() -> None:
    store, events = Store(), Events()
    store.listeners.append(events.changed)
    first = store.create({"title": "first"})
    second = store.create({"title": "second", "dependencies": (first.id,)})
    store.delete(first.id)

    assert [(event.seq, event.type, event.task_id) for event in events.history] == [
        (1, "task.created", first.id),
        (2, "task.created", second.id),
        (3, "task.updated", second.id),
        (4, "task.deleted", first.id),
    ]
