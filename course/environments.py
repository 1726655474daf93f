"""Virtual environments under `.venv/`: one per snapshot, one for the tools.

Two snapshots never share one: each installs its own dependencies. An
environment is made when something needs it, and made anew only when what it
was made from (the requirements, the Python) has changed; a stamp file, written
last, remembers that, so one that was interrupted is never taken for whole.
"""

import importlib.util
import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from course.errors import CourseError
from course.terminal import note

TOOLS = ("tox>=4.24,<5", "pytest>=8.3,<10")
STAMP = "made-from.txt"


def tools_python(root: Path) -> Path:
    """The Python of the environment that holds tox and pytest."""
    return python_with(root, "tools", TOOLS)


def python_with(root: Path, name: str, requirements: Sequence[str]) -> Path:
    """The Python of `.venv/name`, which has `requirements`; makes it where needed."""
    folder = root / ".venv" / name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / STAMP
    recipe = "\n".join([sys.version, *requirements, ""])
    # exists() follows the link: false when the Python that it was made with is gone.
    if python.exists() and stamp.is_file() and stamp.read_text("utf-8") == recipe:
        return python
    _demand_venv()
    shown = folder.relative_to(root).as_posix()
    note(f"making {shown} with {', '.join(requirements)} (once; needs the network)")
    _quietly([sys.executable, "-m", "venv", "--clear", str(folder)], f"could not make {shown}")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _quietly([*pip, *requirements], f"could not install into {shown}")
    stamp.write_text(recipe, "utf-8")
    return python


def declared(snapshot: Path) -> tuple[str, ...]:
    """The run-time dependencies that a snapshot's own pyproject.toml declares."""
    file = snapshot / "pyproject.toml"
    try:
        project = tomllib.loads(file.read_text("utf-8"))["project"]
    except (OSError, ValueError, KeyError) as error:
        raise CourseError(f"cannot read the dependencies of {snapshot.name}: {error}") from error
    return tuple(project.get("dependencies", ()))


def _demand_venv() -> None:
    """Debian ships Python without these two; say which package has them."""
    if all(importlib.util.find_spec(module) for module in ("venv", "ensurepip")):
        return
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    raise CourseError(
        "this Python cannot make virtual environments: on Debian or Ubuntu install"
        f" the package python3-venv (or python{version}-venv)"
    )


def _quietly(command: Sequence[str], complaint: str) -> None:
    """Run; where it fails, its own last word goes into our one line."""
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        faults = [line for line in said if line.startswith("ERROR:")]
        raise CourseError(f"{complaint}: {(faults or said or ['no reason given'])[-1]}")
