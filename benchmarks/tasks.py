"""Tasks to measure with: made by the snapshot that is on the path, the same in every run."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any
from uuid import UUID

SEED = 20


def make_tasks(n: int) -> list[Any]:
    """Return n tasks of step 2 or later, numbered from 1, with random priorities."""
    new_task = import_module("taskflow.tasks").new_task
    priorities = random.Random(SEED).choices(range(10), k=n)
    return [
        new_task(number, {"title": f"Task {number}", "priority": priority})
        for number, priority in enumerate(priorities, 1)
    ]


def task_lines(n: int) -> Iterator[bytes]:
    """Yield n whole tasks as lines of JSON, as step 9 and later import them.

    Half of them wait for two others, as in `store_http`.
    """
    numbers = random.Random(SEED)
    ids: list[str] = []
    for number in range(n):
        task_id = str(UUID(int=numbers.getrandbits(128), version=4))
        task = {
            "id": task_id,
            "title": f"Task {number}",
            "description": "Inside and outside",
            "status": "pending",
            "priority": numbers.randrange(10),
            "dependencies": numbers.sample(ids[-100:], 2) if number % 2 and number > 2 else [],
            "createdAt": "2026-01-31T12:00:00.000Z",
            "updatedAt": "2026-01-31T12:00:00.000Z",
        }
        ids.append(task_id)
        yield json.dumps(task).encode() + b"\n"


def fresh(texts: Sequence[str]) -> list[str]:
    """Return copies, as they come out of a request: other objects, whose hash is not known yet."""
    return [text.encode().decode() for text in texts]


def spread(n: int, wanted: int) -> list[int]:
    """Return `wanted` places from 0 to n-1 in random order, evenly spread, so that a few do."""
    places = [n * (2 * number + 1) // (2 * wanted) for number in range(wanted)]
    random.Random(SEED).shuffle(places)
    return places
