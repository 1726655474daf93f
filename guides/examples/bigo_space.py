"""What a structure costs in memory: bytes for each of n tasks, by `tracemalloc`.

Works beside step 4. The tasks are there before the count begins, so what a structure costs is
what it adds to them.
"""

import sys
import tracemalloc
from collections import OrderedDict, deque
from collections.abc import Callable

from taskflow.dependencies import DependencyGraph
from taskflow.heap import PriorityHeap
from taskflow.store import CreationOrder
from taskflow.tasks import Change, Task, new_task

N = 30_000


def tasks_of(n: int) -> list[Task]:
    """Return n tasks, each but the first waiting for the one before it."""
    made: list[Task] = []
    for number in range(1, n + 1):
        before = (made[-1].id,) if made else ()
        fields = {"title": f"task {number}", "priority": number % 10, "dependencies": before}
        made.append(new_task(number, fields))
    return made


def heap_of(tasks: list[Task]) -> PriorityHeap:
    """Return a heap of these tasks, by the key that the store gives them."""
    heap = PriorityHeap()
    for task in tasks:
        heap.push(task.id, (task.priority, -task.number))
    return heap


def order_of(tasks: list[Task]) -> CreationOrder:
    """Return the order of creation of these tasks."""
    order = CreationOrder()
    for task in tasks:
        order.add(task)
    return order


def graph_of(tasks: list[Task]) -> DependencyGraph:
    """Return the graph of these tasks."""
    graph = DependencyGraph()
    for task in tasks:
        graph.apply(Change(None, task))
    return graph


def last_thousand(tasks: list[Task]) -> deque[Task]:
    """Return a history that forgets."""
    return deque(tasks, maxlen=1_000)


STRUCTURES: dict[str, Callable[[list[Task]], object]] = {
    "list of tasks (step 1)": list,
    "deque of tasks, no limit": deque,
    "dict from id to task (step 2)": lambda tasks: {task.id: task for task in tasks},
    "`OrderedDict` from id to task (step 7)": lambda tasks: OrderedDict(
        (task.id, task) for task in tasks
    ),
    "`CreationOrder` (step 2)": order_of,
    "`PriorityHeap` with its index (step 3)": heap_of,
    "`DependencyGraph`, one edge a task (step 4)": graph_of,
}


def added(make: Callable[[list[Task]], object], tasks: list[Task]) -> int:
    """Return how many bytes are held, when something was made of tasks, that were not before."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    made = make(tasks)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made is not None
    return after - before


def each() -> None:
    """Print the bytes for each task of every structure."""
    tasks = tasks_of(N)
    print("| structure | bytes for each task |")
    print("| --- | ---: |")
    whole = added(lambda _: tasks_of(N), tasks)
    print(f"| the tasks themselves, with their JSON | ≈ {round(whole / N, -2):,.0f} |")
    for name, make in STRUCTURES.items():
        print(f"| {name} | {rounded(added(make, tasks) / N)} |")


def rounded(number: float) -> str:
    """Return about how many: versions of Python differ a little."""
    return f"≈ {round(number, 0 if number < 10 else -1):,.0f}"


def bounded() -> None:
    """Print the bytes of a deque without and with a limit."""
    print("| tasks that came | deque | deque with `maxlen=1000` |")
    print("| ---: | ---: | ---: |")
    for n in (1_000, 10_000, 100_000):
        numbers = list(range(n))
        free, held = sys.getsizeof(deque(numbers)), sys.getsizeof(deque(numbers, maxlen=1_000))
        print(f"| {n:,} | {free:,} bytes | {held:,} bytes |")
