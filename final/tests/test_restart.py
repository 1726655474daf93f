"""A server over HTTP, beside a plain list: restarts and kills, at any moment, change nothing."""

import json
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Any

from as_process import Running
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

INDEX = st.integers(0, 9)
STATUSES = st.sampled_from(["pending", "in-progress", "completed"])
PRIORITIES = st.integers(-2, 2)
TITLES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)


class RestartMachine(RuleBasedStateMachine):
    """What has been answered is what the model holds, and what the server shows ever after."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.server = Running(self.folder)
        self.model: list[dict[str, Any]] = []  # as the last answer showed them, by creation

    def teardown(self) -> None:
        try:
            self.restart(signal.SIGKILL)
            self.the_server_shows_what_it_has_answered()
        finally:
            self.server.end(signal.SIGKILL)
            shutil.rmtree(self.folder)

    def some(self, indexes: list[int]) -> list[str]:
        """Return some ids without repeats."""
        return list(dict.fromkeys(self.model[index % len(self.model)]["id"] for index in indexes))

    def ready(self) -> list[dict[str, Any]]:
        """Return what is ready, the most urgent first, by looking at all."""
        done = {task["id"] for task in self.model if task["status"] == "completed"}
        pending = [task for task in self.model if task["status"] == "pending"]
        free = [task for task in pending if done.issuperset(task["dependencies"])]
        return sorted(free, key=lambda task: -int(task["priority"]))  # a stable sort

    def change(self, index: int, fields: dict[str, Any]) -> None:
        before = self.model[index]
        status, body = self.server.ask("PATCH", f"/tasks/{before['id']}", fields)
        if status == 409:
            return  # it would have closed a cycle
        assert status == 200, body
        after = json.loads(body)
        assert after | {"updatedAt": None} == before | fields | {"updatedAt": None}
        assert (after["updatedAt"] > before["updatedAt"]) == (after != before)
        self.model[index] = after

    @rule(number=st.sampled_from([signal.SIGTERM, signal.SIGKILL]))
    def restart(self, number: signal.Signals) -> None:
        status = self.server.end(number)
        assert status == (0 if number == signal.SIGTERM else -number)
        self.server = Running(self.folder)

    @rule(priority=PRIORITIES, title=TITLES, data=st.data())
    def create(self, priority: int, title: str, data: st.DataObject) -> None:
        wanted = data.draw(st.lists(INDEX, max_size=2)) if self.model else []
        fields = {"title": f"x{title}x", "priority": priority}
        status, body = self.server.ask(
            "POST", "/tasks", fields | {"dependencies": self.some(wanted)}
        )
        assert status == 201, body
        self.model.append(json.loads(body))

    @precondition(lambda self: self.model)
    @rule(index=INDEX, status=STATUSES, priority=PRIORITIES)
    def update(self, index: int, status: str, priority: int) -> None:
        self.change(index % len(self.model), {"status": status, "priority": priority})

    @precondition(lambda self: self.model)
    @rule(index=INDEX, wanted=st.lists(INDEX, max_size=2))
    def depend(self, index: int, wanted: list[int]) -> None:
        self.change(index % len(self.model), {"dependencies": self.some(wanted)})

    @precondition(lambda self: self.model)
    @rule(index=INDEX)
    def delete(self, index: int) -> None:
        gone = self.model.pop(index % len(self.model))
        assert self.server.ask("DELETE", f"/tasks/{gone['id']}") == (204, b"")
        for place, task in enumerate(self.model):
            if gone["id"] in task["dependencies"]:
                self.model[place] = after = self.server.shown(f"/tasks/{task['id']}")
                assert gone["id"] not in after["dependencies"]
                assert after["updatedAt"] > task["updatedAt"]

    @rule()
    def claim(self) -> None:
        expected = self.ready()
        status, body = self.server.ask("POST", "/tasks/claim")
        assert status == (200 if expected else 204)
        if expected:
            task = json.loads(body)
            assert task["id"] == expected[0]["id"]
            assert task["status"] == "in-progress"
            self.model[self.model.index(expected[0])] = task

    @rule(priorities=st.lists(PRIORITIES, min_size=1, max_size=3))
    def import_tasks(self, priorities: list[int]) -> None:
        lines = [json.dumps({"title": "i", "priority": priority}) for priority in priorities]
        status, body = self.server.ask("POST", "/tasks/import", "\n".join(lines).encode())
        assert (status, json.loads(body)["created"]) == (200, len(lines))
        self.model += self.server.shown("/tasks")[len(self.model) :]

    @invariant()
    def the_server_shows_what_it_has_answered(self) -> None:
        assert self.server.shown("/tasks") == self.model
        expected = self.ready()
        queue = [task["id"] for task in self.server.shown("/tasks/queue")]
        assert sorted(queue) == sorted(task["id"] for task in expected)
        assert queue[:1] == [task["id"] for task in expected[:1]]


TestRestart = RestartMachine.TestCase
TestRestart.settings = settings(max_examples=5, stateful_step_count=12)
