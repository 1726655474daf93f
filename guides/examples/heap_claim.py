"""Two clients claim at once, with an `await` between look and take, and without one.

PYTHONPATH=step03_heap python3 guides/examples/heap_claim.py
"""

import asyncio

from taskflow.store import Store
from taskflow.tasks import Status


async def careless_claim(store: Store) -> str:
    """Look, let others run, take."""
    task = store.next_ready()
    if task is None:
        return "nothing"
    await asyncio.sleep(0)  # an audit log, a query, a lock: anything that waits
    store.update(task.id, {"status": Status.IN_PROGRESS})
    return task.title


async def claim(store: Store) -> str:
    """Look and take in one step: there is no `await` inside."""
    task = store.claim()
    return "nothing" if task is None else task.title


async def main() -> None:
    """Let two clients claim at once, in either way."""
    for way in (careless_claim, claim):
        store = Store()
        store.create({"title": "Pay the rent", "priority": 9})
        store.create({"title": "Cook", "priority": 8})
        first, second = await asyncio.gather(way(store), way(store))
        print(f"{way.__name__}: client 1 has {first!r}, client 2 has {second!r}")


if __name__ == "__main__":
    asyncio.run(main())
