"""The task: what its fields may hold, and that it never changes."""

import json
from dataclasses import FrozenInstanceError
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskflow.errors import ValidationError
from taskflow.tasks import (
    CHECKS,
    MAX_DEPENDENCIES,
    MAX_DESCRIPTION,
    MAX_PRIORITY,
    MAX_TITLE,
    Change,
    Status,
    changed,
    check_fields,
    check_status,
    new_task,
)

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=3), SCALARS)

# What a field may hold.


def is_valid(name: str, value: object) -> bool:
    """Say what the contract says, as plainly as possible."""
    match name, value:
        case "title", str():
            return 1 <= len(value.strip()) <= 200 and "\0" not in value.strip()
        case "description", str():
            return len(value) <= 10_000 and "\0" not in value
        case "status", str():
            return value in {"pending", "in-progress", "completed"}
        case "priority", bool():
            return False
        case "priority", int():
            return -(10**9) <= value <= 10**9
        case "dependencies", list():
            texts = [item.lower() for item in value if isinstance(item, str)]
            return len(texts) == len(value) == len(set(texts)) <= 1_000
    return False


@given(st.sampled_from([*CHECKS, "id"]), VALUES | st.sampled_from([*Status]))
def test_a_field_is_taken_or_named(name: str, value: object) -> None:
    if is_valid(name, value):
        assert list(check_fields({name: value})) == [name]
    else:
        with pytest.raises(ValidationError, match=f"^{name}: "):
            check_fields({name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", "x"),
        ("title", "ä" * MAX_TITLE),
        ("description", ""),
        ("description", "x" * MAX_DESCRIPTION),
        ("status", "in-progress"),
        ("priority", 0),
        ("priority", MAX_PRIORITY),
        ("priority", -MAX_PRIORITY),
    ],
)
def test_a_value_within_its_bounds_is_taken_as_it_is(name: str, value: object) -> None:
    assert check_fields({name: value}) == {name: value}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", ""),
        ("title", " \t\n\u3000"),
        ("title", "x" * (MAX_TITLE + 1)),
        ("title", "a\0b"),
        ("title", None),
        ("title", 1),
        ("title", ["x"]),
        ("description", None),
        ("description", "x" * (MAX_DESCRIPTION + 1)),
        ("description", "\0"),
        ("status", "Pending"),
        ("status", "done"),
        ("status", ""),
        ("status", None),
        ("status", 1),
        ("status", "x" * 1_000),
        ("priority", True),
        ("priority", 1.0),
        ("priority", "1"),
        ("priority", None),
        ("priority", MAX_PRIORITY + 1),
        ("priority", -MAX_PRIORITY - 1),
        ("id", "a00f3a1e-1111-4111-8111-111111111111"),
        ("createdAt", "2026-01-31T12:00:00.000Z"),
        ("updatedAt", "2026-01-31T12:00:00.000Z"),
        ("created_at", "2026-01-31T12:00:00.000Z"),
        ("number", 1),
        ("json", ""),
        ("Title", "x"),
    ],
)
def test_a_bad_value_or_an_unknown_field_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(ValidationError, match=f"^{name}: "):
        check_fields({"description": "good", name: value})


def test_a_title_is_trimmed_before_it_is_measured() -> None:
    spaces = " " * MAX_TITLE
    assert check_fields({"title": f"{spaces}two words\n"}) == {"title": "two words"}
    assert check_fields({"title": spaces + "x" * MAX_TITLE}) == {"title": "x" * MAX_TITLE}


def test_a_required_field_that_is_missing_is_named() -> None:
    with pytest.raises(ValidationError, match=r"^title: is required"):
        check_fields({"priority": 1}, required=("title",))
    assert check_fields({}) == {}


def test_the_name_of_an_unknown_field_is_shown_in_part() -> None:
    with pytest.raises(ValidationError) as caught:
        check_fields({"x" * 10_000: 1})
    assert len(str(caught.value)) < 200


def test_a_status_is_checked_on_its_own_too() -> None:
    assert check_status("status", "completed") is Status.COMPLETED
    with pytest.raises(ValidationError, match=r"pending, in-progress, completed"):
        check_status("status", "finished")


# Dependencies.


@pytest.mark.parametrize("ids", [[], ["a"], ["b", "a"], [str(n) for n in range(MAX_DEPENDENCIES)]])
def test_dependencies_keep_their_order(ids: list[str]) -> None:
    assert check_fields({"dependencies": ids}) == {"dependencies": tuple(ids)}


def test_dependencies_are_held_in_lower_case() -> None:
    assert check_fields({"dependencies": ["A1", "b2"]}) == {"dependencies": ("a1", "b2")}


@pytest.mark.parametrize(
    "value",
    [
        None,
        "a",
        {"a": 1},
        [1],
        ["a", None],
        [["a"]],
        ["a", "b", "a"],
        ["a", "A"],
        [str(n) for n in range(MAX_DEPENDENCIES + 1)],
    ],
)
def test_dependencies_are_a_bounded_list_of_ids_without_repeats(value: object) -> None:
    with pytest.raises(ValidationError, match=r"^dependencies: "):
        check_fields({"dependencies": value})


# The task.


def test_a_new_task_has_an_id_of_its_own_and_one_time() -> None:
    first, second = new_task(1, {"title": "first"}), new_task(2, {"title": "second"})

    assert UUID(first.id) != UUID(second.id)
    assert (first.number, second.number) == (1, 2)
    assert first.created_at == first.updated_at
    assert (first.description, first.status, first.priority) == ("", Status.PENDING, 1)
    assert first.dependencies == ()


def test_a_task_is_sent_with_all_its_fields() -> None:
    fields: dict[str, Any] = {
        "title": "Ä title",
        "description": 'with "quotes"',
        "status": "in-progress",
        "priority": -7,
        "dependencies": ["b", "a"],
    }
    task = new_task(1, check_fields(fields))

    times = {"createdAt": task.created_at, "updatedAt": task.updated_at}
    assert json.loads(task.json) == {"id": task.id, **fields, **times}
    assert list(json.loads(task.json)) == ["id", *fields, *times]
    assert "Ä title".encode() in task.json


def test_a_task_is_encoded_once() -> None:
    task = new_task(1, {"title": "x"})
    assert task.json is task.json


def test_a_task_cannot_change() -> None:
    task = new_task(1, {"title": "x"})
    with pytest.raises(FrozenInstanceError):
        task.title = "y"  # type: ignore[misc]


def test_a_change_makes_the_next_version() -> None:
    task = new_task(7, {"title": "before", "priority": 3})

    after = changed(task, {"title": "after", "status": Status.COMPLETED})

    assert task.title == "before"
    assert (after.id, after.number, after.created_at) == (task.id, 7, task.created_at)
    assert (after.title, after.status, after.priority) == ("after", Status.COMPLETED, 3)
    assert after.updated_at > task.updated_at
    assert json.loads(after.json)["title"] == "after"


def test_a_change_knows_its_task() -> None:
    task = new_task(1, {"title": "x"})
    later = changed(task, {"priority": 2})

    assert Change(None, task).task_id == task.id
    assert Change(task, later).task_id == task.id
    assert Change(task, None).task_id == task.id
