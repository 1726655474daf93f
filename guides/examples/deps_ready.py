"""Follows the counters and the queue of the release while its tasks are done and reopened."""

from deps_release import RELEASE, row, table

from taskflow.store import Store
from taskflow.tasks import Status

DO = {
    "complete": Status.COMPLETED,
    "start": Status.IN_PROGRESS,
    "reopen": Status.PENDING,
}
ACTIONS = (
    "complete notes",
    "complete code",
    "start test",
    "complete docs",
    "complete build",
    "reopen code",
    "complete code",
)


def filled() -> tuple[Store, dict[str, str]]:
    """Return a store with the release in it, and the ids of its tasks by name."""
    store, ids = Store(), dict[str, str]()
    for title, prerequisites in RELEASE.items():
        dependencies = tuple(ids[name] for name in prerequisites)
        ids[title] = store.create({"title": title, "dependencies": dependencies}).id
    return store, ids


def counters() -> None:
    """Print each counter and the ready tasks after each action."""
    store, ids = filled()
    table("", *RELEASE, "ready, in the order of the heap's array")

    def show(action: str) -> None:
        # The counters are the graph's own; a task that waits for nothing has none.
        unfinished = store._graph._unfinished
        cells = []
        for task_id in ids.values():
            status = store.get(task_id).status
            mark = {Status.COMPLETED: " ✓", Status.IN_PROGRESS: " ▶"}.get(status, "")
            cells.append(f"{unfinished.get(task_id, 0)}{mark}")
        row(action, *cells, ", ".join(task.title for task in store.queued()) or "none")

    show("at first")
    for action in ACTIONS:
        verb, _, title = action.partition(" ")
        store.update(ids[title], {"status": DO[verb]})
        show(action)


def picture() -> None:
    """Print the release as a drawing: arrows lead from a prerequisite to what waits for it."""
    store, ids = filled()
    titles = {task_id: title for title, task_id in ids.items()}
    ready = [task.title for task in store.queued()]
    print("flowchart LR")
    for title, task_id in ids.items():
        waits = store._graph._unfinished.get(task_id, 0)
        print(f'    {title}["{title}<br>waits for {waits}"]')
    for title, task_id in ids.items():
        for dependent in store._graph.dependents(task_id):
            print(f"    {title} --> {titles[dependent]}")
    print('    heap[("the heap:<br>ready tasks only")]')
    for title in ready:
        print(f"    {title} -.-> heap")
