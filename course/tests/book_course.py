"""A whole small course in a temporary directory, for the tests of the book."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from course.book.weave import Woven, weave

PYPROJECT = '[project]\nname = "taskflow-step"\nversion = "1"\n'

HEAP = dedent(
    '''
    """A heap."""

    # Bounds what a client can make us keep.
    MAX_ITEMS = 1_000


    class Heap:
        """The smallest first."""

        limit: int = 3

        def push(self, item: int) -> None:
            """Add an item, O(log n)."""

            self.items.append(item)  # at the end

        @property
        def size(self) -> int:
            return len(self.items)
    '''
).lstrip()

SERVER = dedent(
    '''
    """Answers each GET with an id, a time, the uptime and its own address."""

    import json, signal, sys, time, uuid
    from datetime import datetime, timezone
    from http.server import BaseHTTPRequestHandler, HTTPServer

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    started = time.monotonic()


    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
            answer = {"id": str(uuid.uuid4()), "now": now.replace("+00:00", "Z")}
            answer["uptimeSeconds"] = time.monotonic() - started
            answer["self"] = f"http://localhost:{self.server.server_port}{self.path}"
            body = json.dumps(answer).encode()
            self.send_response(404 if self.path == "/none" else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass


    server = HTTPServer(("127.0.0.1", 0), Handler)
    print(f"Taskflow listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
    '''
).lstrip()

HELPER = dedent(
    """
    import os, sys

    os.environ["PYTHONPATH"] = "step01_http"
    os.execv(sys.executable, [sys.executable, "-m", "taskflow", *sys.argv[3:]])
    """
).lstrip()


class Course:
    """Writes guides into the small course, and makes them."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.put("step01_http/pyproject.toml", PYPROJECT)
        self.put("step01_http/taskflow/__init__.py", "STEP = 1\n")
        self.put("step01_http/taskflow/__main__.py", SERVER)
        self.put("step02_storage/pyproject.toml", PYPROJECT)
        self.put("step02_storage/taskflow/__init__.py", "STEP = 2\n")
        self.put("step02_storage/taskflow/heap.py", HEAP)
        self.put("course/__init__.py", "")
        self.put("course/__main__.py", HELPER)
        self.put("guides/examples/count.py", COUNT)

    def put(self, name: str, text: str) -> Path:
        """Write a file."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def weave(self, *markers: str, name: str = "02-storage.md") -> Woven:
        """Make a guide that consists of these markers."""
        blocks = [f"<!-- [[[cog {marker} ]]] -->\n<!-- [[[end]]] -->\n" for marker in markers]
        return weave(self.put(f"guides/{name}", "".join(blocks)), self.root)

    def made(self, *markers: str) -> str:
        """The text of a guide that must have no errors."""
        woven = self.weave(*markers)
        assert woven.findings == ()
        return woven.new

    def refused(self, marker: str) -> str:
        """The one complaint about a marker."""
        [finding] = self.weave(marker).findings
        return finding.message

    def files(self) -> set[str]:
        """All that is in the tree."""
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*")}


COUNT = dedent(
    """
    import taskflow

    def up_to(limit):
        print(f"| step | {taskflow.STEP} |", *range(limit))
    """
).lstrip()
