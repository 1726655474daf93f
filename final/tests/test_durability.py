"""What has been acknowledged is there after a kill, in processes that are really killed."""

import json
import random
import signal
import threading
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest
from as_process import Running, ask, refused, running

from taskflow.database import Database
from taskflow.tasks import Change, new_task

KILLS = 5
WRITERS = 8
FAMILIES = 20  # that are made between two kills, at least


@dataclass
class Writer:
    """A client that makes families of tasks, and notes what it was promised.

    Of each family it creates a parent and two children, changes one child, and deletes the parent,
    by which both children lose their edge: three rows that must change together.
    """

    name: str
    whole: dict[str, Any] = field(default_factory=dict)  # by id: what the last answer showed
    maybe: dict[str, Any] = field(default_factory=dict)  # by id: what was asked for, unanswered
    unknown: set[str] = field(default_factory=set)  # titles that were asked for, unanswered
    deleted: set[str] = field(default_factory=set)
    parents: dict[str, tuple[str, str]] = field(default_factory=dict)  # with their two children

    def work(self, connection: HTTPConnection, made: threading.Semaphore) -> None:
        """Make families until the server is gone."""
        with closing(connection):
            try:
                while True:
                    self._make_family(connection)
                    made.release()
            except (OSError, HTTPException):
                pass  # it was killed

    def _make_family(self, connection: HTTPConnection) -> None:
        title = f"{self.name} {len(self.whole)}"
        parent = self._create(connection, title=f"{title} parent")
        edge = [parent["id"]]
        children = [
            self._create(connection, title=f"{title} {name}", dependencies=edge) for name in "ab"
        ]
        self.parents[parent["id"]] = children[0]["id"], children[1]["id"]
        self.maybe[children[0]["id"]] = {"description": title}
        self._note(ask(connection, "PATCH", f"/tasks/{children[0]['id']}", {"description": title}))
        self.maybe[parent["id"]] = None
        status, _ = ask(connection, "DELETE", f"/tasks/{parent['id']}")
        assert status == 204
        self.deleted.add(parent["id"])
        del self.maybe[parent["id"]]

    def _create(self, connection: HTTPConnection, **fields: Any) -> Any:
        self.unknown.add(fields["title"])
        task = self._note(ask(connection, "POST", "/tasks", fields))
        self.unknown.remove(fields["title"])
        return task

    def _note(self, answer: tuple[int, bytes]) -> Any:
        status, body = answer
        assert status in (200, 201), body
        task = json.loads(body)
        self.maybe.pop(task["id"], None)
        self.whole[task["id"]] = task
        return task

    def check(self, tasks: dict[str, Any]) -> set[str]:
        """Compare with what is there after the kill; return the ids that are accounted for."""
        for task_id, promised in self.whole.items():
            task = tasks.get(task_id)
            if task is None:
                assert task_id in self.deleted or task_id in self.maybe, promised
                continue
            assert task_id not in self.deleted
            for name in "title", "createdAt", "priority", "status":
                assert task[name] == promised[name]
            wanted = self.maybe.get(task_id) or {}
            assert task["description"] in (
                promised["description"],
                wanted.get("description", promised["description"]),
            )
        for parent, children in self.parents.items():  # all three or none
            edges = {tuple(tasks[child]["dependencies"]) for child in children}
            assert edges == {(parent,) if parent in tasks else ()}
        return {
            task_id
            for task_id, task in tasks.items()
            if task_id in self.whole or task["title"] in self.unknown
        }


def everything(server: Running) -> dict[str, Any]:
    """Return all tasks by their ids."""
    status, body = server.ask("GET", "/tasks/stream.ndjson")
    assert status == 200
    tasks = [json.loads(line) for line in body.splitlines()]
    return {task["id"]: task for task in tasks}


def test_a_kill_loses_nothing_that_was_acknowledged_and_leaves_nothing_half(tmp_path: Path) -> None:
    writers: list[Writer] = []
    for kill in range(KILLS + 1):
        with running(tmp_path) as server:
            tasks = everything(server)
            assert set(tasks) == set().union(*(writer.check(tasks) for writer in writers))
            if kill == KILLS:
                break
            made = threading.Semaphore(0)
            threads = []
            for number in range(WRITERS):
                writers.append(writer := Writer(f"{kill}.{number}"))
                arguments = server.connect(), made
                threads.append(threading.Thread(target=writer.work, args=arguments))
                threads[-1].start()
            for _ in range(random.randint(FAMILIES, 2 * FAMILIES)):
                assert made.acquire(timeout=20)
            assert server.end(signal.SIGKILL) == -signal.SIGKILL
            for thread in threads:
                thread.join()
    assert sum(len(writer.deleted) for writer in writers) >= KILLS * FAMILIES


def test_a_stop_stores_what_is_on_its_way(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        writer, made = Writer("a"), threading.Semaphore(0)
        thread = threading.Thread(target=writer.work, args=(server.connect(), made))
        thread.start()
        for _ in range(3):
            assert made.acquire(timeout=20)
        assert server.end(signal.SIGTERM) == 0
        thread.join()
    assert not (tmp_path / "taskflow.db-wal").exists()
    with running(tmp_path) as server:
        tasks = everything(server)
        assert writer.check(tasks) == set(tasks)


def test_a_second_server_on_the_same_file_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        why = refused(tmp_path, "--data", "taskflow.db")
        assert why == "cannot use taskflow.db: another program is using it"
        status, _ = server.ask("POST", "/tasks", {"title": "x"})
        assert status == 201
        with running(tmp_path, "--data", ":memory:") as other:
            assert other.shown("/tasks") == []
    with running(tmp_path) as server:
        assert len(server.shown("/tasks")) == 1


@pytest.mark.parametrize("damage", ["cut off", "not JSON", "no database"])
def test_a_damaged_file_is_one_line_and_status_2(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "tasks.db"
    with closing(Database(path)) as database:
        tasks = [new_task(number, {"title": "x"}) for number in range(1, 100)]
        database.write([Change(None, task) for task in tasks])
        if damage == "not JSON":
            database._connection.execute("UPDATE tasks SET json = x'7b' WHERE number = 50")
    if damage == "cut off":
        path.write_bytes(path.read_bytes()[:9_000])
    if damage == "no database":
        path.write_bytes(b"# my notes\n")
    before = path.read_bytes()

    assert refused(tmp_path, "--data", "tasks.db").startswith("tasks.db is damaged")

    assert path.read_bytes() == before


def test_a_folder_that_is_not_there_is_one_line_and_status_2(tmp_path: Path) -> None:
    why = refused(tmp_path, "--data", "nowhere/tasks.db")
    assert why == "cannot use nowhere/tasks.db: No such file or directory"


# Backup and restore.


def test_a_backup_that_is_restored_is_the_same_bytes(tmp_path: Path) -> None:
    with running(tmp_path, "--data", "old.db") as server:

        def created(**fields: Any) -> str:
            status, body = server.ask("POST", "/tasks", fields)
            assert status == 201, body
            return str(json.loads(body)["id"])

        ids = [created(title=f"task {number}", priority=number % 3) for number in range(250)]
        created(title='ü "\\ \u2028 𝄞', description="a\nb", dependencies=ids[:3])
        for number in range(0, 200, 10):  # some wait for what stands further down
            status, _ = server.ask(
                "PATCH", f"/tasks/{ids[number]}", {"dependencies": [ids[number + 45], ids[249]]}
            )
            assert status == 200
        assert server.ask("PATCH", f"/tasks/{ids[249]}", {"status": "completed"})[0] == 200
        assert server.ask("POST", "/tasks/claim")[0] == 200
        assert server.ask("DELETE", f"/tasks/{ids[45]}")[0] == 204
        _, backup = server.ask("GET", "/tasks/stream.ndjson")
        queue = {task["id"] for task in server.shown("/tasks/queue")}
        following = server.shown("/tasks/next")
    assert len(backup.splitlines()) == 250

    with running(tmp_path, "--data", "new.db") as server:
        status, body = server.ask("POST", "/tasks/import", backup)
        assert (status, json.loads(body)["created"]) == (200, 250)
        assert server.ask("GET", "/tasks/stream.ndjson") == (200, backup)
        server.end(signal.SIGKILL)
    with running(tmp_path, "--data", "new.db") as server:
        assert server.ask("GET", "/tasks/stream.ndjson") == (200, backup)
        assert {task["id"] for task in server.shown("/tasks/queue")} == queue
        assert server.shown("/tasks/next") == following
