"""`python -m course.typecheck`: mypy, once per package.

All snapshots call their package `taskflow`, so mypy must never see two of them
in one run. Each run gets its own cache, in the folder given on the command
line (tox gives one of its own), so nothing is left in the tree. A demo is
checked beside the step that it shows.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from course import processes
from course.demo import DEMOS, EXAMPLES, FOLDER, Demo
from course.snapshots import find, present

OTHERS = ("course", "benchmarks")


def main(root: Path, cache: Path) -> int:
    """Check every snapshot and the course itself; 0 when all are clean."""
    runs = [(snapshot.path, ".") for snapshot in present(root)]
    runs += [(root, name) for name in OTHERS if (root / name).is_dir()]
    failed = [f"{folder.name}/{what}" for folder, what in runs if _mypy(root, folder, what, cache)]
    failed += [f"{FOLDER}/{demo.name}.py" for demo in DEMOS if _mypy_demo(root, demo, cache)]
    if failed:
        print(f"mypy: faults in {', '.join(failed)}")
    return 1 if failed else 0


def _mypy_demo(root: Path, demo: Demo, cache: Path) -> int:
    places = [find(root, demo.steps[-1]).path, root / EXAMPLES]
    extra = {"MYPYPATH": os.pathsep.join(map(str, places))}
    return _mypy(root, root / FOLDER, f"{demo.name}.py", cache, extra)


def _mypy(
    root: Path, folder: Path, what: str, cache: Path, extra: Mapping[str, str] | None = None
) -> int:
    name = folder.name if what == "." else what
    print(f"{name}: ", end="", flush=True)
    options: list[str | Path] = [
        "--config-file",
        root / "pyproject.toml",
        "--cache-dir",
        cache / name,
    ]
    return processes.run([sys.executable, "-m", "mypy", *options, what], folder, extra)


if __name__ == "__main__":
    sys.exit(main(Path(__file__).parents[1], Path(sys.argv[1]).resolve()))
