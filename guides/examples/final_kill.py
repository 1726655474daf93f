"""Kills a server while clients write, and counts what it had promised and does not have."""

import json
import threading
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory

from final_server import ADMIN, running

KILLS = 5
WRITERS = 8
ENOUGH = 200  # tasks that are acknowledged before a kill
HEADERS = {"Authorization": f"Bearer {ADMIN}", "Content-Type": "application/json"}


def write(port: int, acknowledged: list[str], made: threading.Semaphore) -> None:
    """Create tasks until the server is gone; note those that were answered with 201."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        try:
            while True:
                connection.request("POST", "/tasks", '{"title": "Wash"}', HEADERS)
                answer = connection.getresponse()
                body = json.loads(answer.read())
                assert answer.status == 201
                acknowledged.append(body["id"])
                made.release()
        except (OSError, HTTPException, ValueError):
            pass  # it was killed, maybe in the middle of an answer


def stored(port: int) -> set[str]:
    """Return the ids of all tasks; each line has to be a whole task."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", "/tasks/stream.ndjson", headers=HEADERS)
        tasks = map(json.loads, connection.getresponse().read().splitlines())
        return {task["id"] for task in tasks if task["title"] == "Wash"}


def main() -> None:
    """Kill, start again, compare; five times on the same file."""
    acknowledged: list[str] = []
    with TemporaryDirectory() as folder:
        data = str(Path(folder, "tasks.db"))
        for _ in range(KILLS):
            made = threading.Semaphore(0)
            with running("--data", data) as (port, process):
                threads = [
                    threading.Thread(target=write, args=(port, acknowledged, made))
                    for _ in range(WRITERS)
                ]
                for thread in threads:
                    thread.start()
                for _ in range(ENOUGH):
                    made.acquire()
                process.kill()  # SIGKILL
                for thread in threads:
                    thread.join()
        with running("--data", data) as (port, process):
            lost = set(acknowledged) - stored(port)
    assert len(acknowledged) >= KILLS * ENOUGH
    print(f"{KILLS} kills, at least {KILLS * ENOUGH:,} tasks acknowledged")
    print(f"acknowledged and not there: {len(lost)}")


if __name__ == "__main__":
    main()
