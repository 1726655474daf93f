"""A release of seven tasks over HTTP: who is ready, the order, a cycle that is refused.

    python3 -m course demo dependencies

The release is the one of guide 4, `guides/examples/deps_release.py`.
"""

import sys
from itertools import pairwise
from typing import Any

from deps_release import RELEASE, release
from stage import Client, perform, told


class Release:
    """The seven tasks on a server, called by their titles."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.ids: dict[str, str] = {}
        for title, prerequisites in RELEASE.items():
            dependencies = [self.ids[name] for name in prerequisites]
            task = {"title": title, "dependencies": dependencies}
            self.ids[title] = client.change("POST", "/tasks", task)["id"]

    def ready(self) -> list[str]:
        """Return the titles of the tasks in the heap, in the order of their creation."""
        titles = {task["title"] for task in self.client.get("/tasks/queue")}
        return [title for title in self.ids if title in titles]

    def prerequisites(self, title: str) -> list[str]:
        """Return what a task waits for, as the server has it."""
        wanted = self.client.get(f"/tasks/{self.ids[title]}")["dependencies"]
        return [title for title, task_id in self.ids.items() if task_id in wanted]


def show_tasks(tasks: Release) -> None:
    """Print each task, what it waits for, and whether it can be worked on."""
    print("Seven tasks")
    ready = tasks.ready()
    for title in tasks.ids:
        waits_for = ", ".join(tasks.prerequisites(title)) or "nothing"
        print(f"  {title:<9}waits for {waits_for:<24}{'ready' if title in ready else ''}".rstrip())
    told(ready == ["code", "notes"], "what waits for nothing is ready, and nothing else")


def show_order(tasks: Release) -> None:
    """Print the tasks, each after all that it waits for."""
    order = [task["title"] for task in tasks.client.get("/tasks/resolve")["orderedTasks"]]
    print(f"\nIn order: {', '.join(order)}")
    told(sorted(order) == sorted(RELEASE), "the order has all tasks")
    for title, prerequisites in RELEASE.items():
        behind = all(order.index(name) < order.index(title) for name in prerequisites)
        told(behind, f"{title} stands behind all that it waits for")


def show_cycle(tasks: Release) -> None:
    """Try to make the first task wait for the last, and print what the server says to that.

    An answer carries the path from step 6 on. Here it comes from the graph of this step, which
    has the same seven tasks; the server confirms each edge of it.
    """
    wanted = {"dependencies": [tasks.ids["publish"]]}
    status, answer = tasks.client.ask("PATCH", f"/tasks/{tasks.ids['code']}", wanted)
    print("\nNow code shall wait for publish")
    print(f"  {status}: {answer['error']}")
    told(status == 409, "a change that would close a cycle is refused with 409")
    path = release().find_cycle("code", ["publish"]) or []
    print(f"  {' → '.join(path)}")
    told(path[:2] == ["code", "publish"] and path[-1] == "code", "the path is a ring")
    for title, prerequisite in pairwise(path[1:]):
        told(prerequisite in tasks.prerequisites(title), f"{title} waits for {prerequisite}")
    told(tasks.prerequisites("code") == [], "a refused change changes nothing")
    print("  code waits for nothing, as before")


def show_work(tasks: Release) -> None:
    """Claim and complete until there is nothing left, and print what each task makes ready."""
    print("\nClaim, complete, and see who becomes ready")
    done = list[str]()
    while (task := claimed(tasks.client)) is not None:
        title, waiting = task["title"], tasks.ready()
        told(set(RELEASE[title]) <= set(done), f"{title} is not handed out too early")
        tasks.client.change("PATCH", f"/tasks/{task['id']}", {"status": "completed"})
        done.append(title)
        new = ", ".join(name for name in tasks.ready() if name not in waiting)
        print(f"  {title:<9}→ {new or 'nobody'}")
    told(sorted(done) == sorted(RELEASE), "each task is handed out once")
    print("\nAs told: all seven are done, each after all that it waited for.")


def claimed(client: Client) -> Any:
    """Return the task to work on next, None when there is none."""
    return client.change("POST", "/tasks/claim")


def show(address: str) -> None:
    """Show all, one after the other."""
    client = Client(address)
    tasks = Release(client)
    for part in (show_tasks, show_order, show_cycle, show_work):
        part(tasks)
    client.close()


if __name__ == "__main__":
    perform(show, sys.argv[1])
