"""`python -m benchmarks.worker SUBJECT CASE QUICK`: one case, measured in this process.

The rows go to stdout as JSON. The cycle collector is off from the start, as it is in `timeit`:
when it happens to run depends on what was made before, and it would charge one contestant for the
garbage of the set-up.
"""

from __future__ import annotations

import gc
import json
import sys
from importlib import import_module

from benchmarks.cases import Case, Subject


def main(name: str, case: str, quick: str) -> None:
    """Measure, and print the rows."""
    gc.disable()
    subject: Subject = import_module(f"benchmarks.{name}")
    print(json.dumps(subject.measure(Case(**json.loads(case)), bool(json.loads(quick)))))


if __name__ == "__main__":
    main(*sys.argv[1:])
