"""Tasks to measure with: made by the snapshot that is on the path, the same in every run."""

from __future__ import annotations

import random
from collections.abc import Sequence
from importlib import import_module
from typing import Any

SEED = 20


def make_tasks(n: int) -> list[Any]:
    """Return n tasks of step 2 or later, numbered from 1, with random priorities."""
    new_task = import_module("taskflow.tasks").new_task
    priorities = random.Random(SEED).choices(range(10), k=n)
    return [
        new_task(number, {"title": f"Task {number}", "priority": priority})
        for number, priority in enumerate(priorities, 1)
    ]


def fresh(texts: Sequence[str]) -> list[str]:
    """Return copies, as they come out of a request: other objects, whose hash is not known yet."""
    return [text.encode().decode() for text in texts]


def spread(n: int, wanted: int) -> list[int]:
    """Return `wanted` places from 0 to n-1 in random order, evenly spread, so that a few do."""
    places = [n * (2 * number + 1) // (2 * wanted) for number in range(wanted)]
    random.Random(SEED).shuffle(places)
    return places
