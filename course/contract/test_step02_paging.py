"""Step 2: the list of tasks comes in pages."""

from __future__ import annotations

import pytest

from .api import Api, Task, ids, next_page


def numbered(api: Api, count: int) -> list[Task]:
    return api.create_all([{"title": f"task {number}"} for number in range(count)])


def test_an_empty_store_is_one_empty_page(empty: Api) -> None:
    page = empty.ask("GET", "/tasks").expect(200)
    assert page.json() == []
    assert page.field("link") is None


@pytest.mark.parametrize("limit", [1, 7, 10, 25, 26, 10_000])
def test_links_lead_through_all_tasks_in_order_of_creation(empty: Api, limit: int) -> None:
    """The last page has no link, also when it is full."""
    tasks = numbered(empty, 25)
    pages: list[list[Task]] = [page.json() for page in empty.pages(f"/tasks?limit={limit}")]
    assert [task for page_of in pages for task in page_of] == tasks
    assert [len(page_of) for page_of in pages[:-1]] == [limit] * (len(pages) - 1)
    assert 0 < len(pages[-1]) <= limit


def test_a_page_has_1_000_tasks_unless_told_otherwise(empty: Api) -> None:
    tasks = numbered(empty, 1_005)
    first = empty.ask("GET", "/tasks").expect(200)
    assert first.json() == tasks[:1000]
    following = next_page(first)
    assert following is not None
    last = empty.ask("GET", following).expect(200)
    assert last.json() == tasks[1000:]
    assert last.field("link") is None


def test_a_page_begins_after_the_named_task(empty: Api) -> None:
    tasks = numbered(empty, 5)
    assert empty.ask("GET", f"/tasks?after={tasks[1]['id']}").expect(200).json() == tasks[2:]
    page = empty.ask("GET", f"/tasks?limit=2&after={tasks[0]['id']}").expect(200)
    assert page.json() == tasks[1:3]
    end = empty.ask("GET", f"/tasks?after={tasks[-1]['id']}").expect(200)
    assert end.json() == []
    assert end.field("link") is None


def test_a_status_selects_tasks_and_pages_keep_to_it(empty: Api) -> None:
    statuses = ["pending", "in-progress", "completed"]
    tasks = empty.create_all([{"status": statuses[number % 3]} for number in range(21)])
    for at, status in enumerate(statuses):
        assert empty.tasks(f"/tasks?status={status}") == tasks[at::3]
        assert empty.tasks(f"/tasks?status={status}&limit=3") == tasks[at::3]
    full = empty.ask("GET", "/tasks?status=completed&limit=7").expect(200)
    assert full.json() == tasks[2::3]
    assert full.field("link") is None


def test_the_status_is_the_one_of_now(empty: Api) -> None:
    first, second = numbered(empty, 2)
    empty.change(first, status="completed")
    assert ids(empty.tasks("/tasks?status=completed")) == ids([first])
    assert ids(empty.tasks("/tasks?status=pending")) == ids([second])


def test_deleting_between_pages_neither_loses_nor_repeats_a_task(empty: Api) -> None:
    """Pages go on after a task, not after a number of tasks."""
    tasks = numbered(empty, 40)
    seen: list[Task] = []
    deleted: list[Task] = []
    for page in empty.pages("/tasks?limit=7"):
        seen += page.json()
        ahead = tasks[len(seen) + len(deleted) + 2 :][:1]
        empty.delete(seen[-2], *ahead)  # one that was seen, and one that was not yet
        deleted += ahead
    assert seen == [task for task in tasks if task not in deleted]


def test_a_link_stays_good_when_the_tasks_of_its_page_are_deleted(empty: Api) -> None:
    first, second, third = numbered(empty, 3)
    page = empty.ask("GET", f"/tasks?limit=1&after={first['id'].upper()}").expect(200)
    following = next_page(page)
    assert page.json() == [second]
    assert following is not None
    empty.delete(first, second)
    assert empty.ask("GET", following).expect(200).json() == [third]


def test_tasks_created_between_pages_come_at_the_end(empty: Api) -> None:
    tasks = numbered(empty, 5)
    first = empty.ask("GET", "/tasks?limit=3").expect(200)
    tasks.append(empty.create(title="late", priority=1000))
    following = next_page(first)
    assert following is not None
    assert first.json() + empty.tasks(following) == tasks


def test_changes_between_pages_do_not_move_a_task(empty: Api) -> None:
    tasks = numbered(empty, 6)
    first = empty.ask("GET", "/tasks?limit=3").expect(200)
    empty.change(tasks[0], priority=10)
    empty.change(tasks[5], priority=10)
    following = next_page(first)
    assert following is not None
    assert ids(empty.tasks(following)) == ids(tasks[3:])


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=10001", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("limit=abc", "limit"),
        ("limit=1.5", "limit"),
        ("limit=1e2", "limit"),
        ("limit=0x10", "limit"),
        ("limit=1_0", "limit"),
        ("limit=5&limit=5", "limit"),
        ("limit=5&limi%74=6", "limit"),
        ("cursor=-1", "cursor"),
        ("cursor=abc", "cursor"),
        ("cursor=1.5", "cursor"),
        ("cursor=1&cursor=1", "cursor"),
        ("status=done", "status"),
        ("status=Pending", "status"),
        ("status=pending&status=completed", "status"),
    ],
)
def test_a_known_parameter_out_of_range_or_repeated_is_refused(
    api: Api, query: str, name: str
) -> None:
    api.refused(api.ask("GET", f"/tasks?{query}"), "VALIDATION_ERROR")


def test_a_repeated_after_is_refused(api: Api) -> None:
    task = api.create()
    query = f"after={task['id']}&after={task['id']}"
    api.refused(api.ask("GET", f"/tasks?{query}"), "VALIDATION_ERROR")


def test_a_page_cannot_begin_at_two_places(api: Api) -> None:
    answer = api.ask("GET", f"/tasks?after={api.create()['id']}&cursor=1")
    api.refused(answer, "VALIDATION_ERROR")


def test_unknown_parameters_beside_known_ones_are_ignored(empty: Api) -> None:
    tasks = numbered(empty, 3)
    page = empty.ask("GET", "/tasks?colour=red&limit=2&colour=blue&Limit=1").expect(200)
    assert page.json() == tasks[:2]


def test_head_tells_the_link_and_the_length_of_a_page(empty: Api) -> None:
    numbered(empty, 3)
    head, get = empty.ask("HEAD", "/tasks?limit=2"), empty.ask("GET", "/tasks?limit=2")
    assert head.field("link") == get.field("link") is not None
    assert head.field("content-length") == get.field("content-length")
