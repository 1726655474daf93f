"""A server in a process of its own, and requests to it from outside the browser."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

ADMIN = "secret-admin-123"  # the example tokens
USER = "secret-user-123"
PATIENCE = 20.0  # seconds; never waited out when all is well


@dataclass(slots=True)
class RunningServer:
    """A server that can be stopped and started again on the same port."""

    folder: Path
    data: str = ":memory:"
    port: int = 0
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Where the board is."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and return when it listens."""
        options = ["--demos", "--data", self.data, "--port", str(self.port), "--grace", "1"]
        with (self.folder / "server.log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "taskflow", *options],
                cwd=self.folder,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("Taskflow listening on"), (self.folder / "server.log").read_text()
        self.port = int(line.rsplit(":", 1)[1])

    def stop(self) -> None:
        """Stop, and return when it is gone."""
        if self.process is None:
            return
        self.process.terminate()
        with self.process:  # closes the pipe
            self.process.wait(PATIENCE)
        self.process = None

    def ask(self, method: str, path: str, value: object = None, token: str = ADMIN) -> Any:
        """Return what the JSON of the answer says, None if it has no body."""
        body = None if value is None else json.dumps(value).encode()
        return self.send(method, path, body, "application/json", token)

    def send(
        self, method: str, path: str, body: bytes | None, content_type: str, token: str = ADMIN
    ) -> Any:
        """The same for a body that is bytes already."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": content_type}
        request = Request(self.url + path, body, headers, method=method)
        with urlopen(request, timeout=PATIENCE) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def create(self, title: str, **fields: object) -> str:
        """Create a task; return its id."""
        task_id = self.ask("POST", "/tasks", {"title": title, **fields})["id"]
        assert isinstance(task_id, str)
        return task_id

    def clear(self) -> None:
        """Delete all tasks."""
        for task in self.ask("GET", "/tasks"):
            self.ask("DELETE", f"/tasks/{task['id']}")

    def fill(self, count: int, start: int = 0) -> None:
        """Create many tasks at once."""
        lines = [
            json.dumps({"title": f"Task {number}", "priority": number % 100})
            for number in range(start, start + count)
        ]
        text = "\n".join(lines).encode()
        report = self.send("POST", "/tasks/import", text, "application/x-ndjson")
        assert report["created"] == count
