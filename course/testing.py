"""`test`: runs tox, from an environment that this helper makes itself.

`tox.ini` says what there is to run. Known here is only which of its envs need
programs from outside PyPI, since those cannot be demanded of everybody.
"""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from course import processes
from course.environments import tools_python
from course.snapshots import find
from course.terminal import note


@dataclass(frozen=True, slots=True)
class SystemEnv:
    """A tox env outside the default list, and what it needs of the system."""

    name: str
    programs: tuple[str, ...]  # any one of them will do
    package: str  # the Debian package that brings one


SYSTEM_ENVS: tuple[SystemEnv, ...] = (
    SystemEnv("browser", ("chromium", "chromium-browser", "google-chrome"), "chromium"),
    SystemEnv("deploy", ("npx",), "npm"),
)


def test(root: Path, word: str | None, everything: bool) -> int:
    """Run the tests of one snapshot, or all; returns the first exit status that is not 0."""
    if word not in (None, "all"):
        return _tox(root, ["-e", find(root, word).lesson.tox_env])
    statuses = [_tox(root, [])]
    if everything:
        runnable, missing = sort_out(SYSTEM_ENVS)
        statuses += [_tox(root, ["-e", ",".join(runnable)])] if runnable else []
        statuses += [1] if missing and on_ci() else []
    return next(filter(None, statuses), 0)


def sort_out(envs: Sequence[SystemEnv]) -> tuple[list[str], list[str]]:
    """Names of the envs that can run here, and of those that cannot, each said aloud."""
    runnable, missing = [], []
    for env in envs:
        if any(shutil.which(program) for program in env.programs):
            runnable.append(env.name)
            continue
        missing.append(env.name)
        verdict = "FAILED" if on_ci() else "SKIPPED"
        programs = " or ".join(env.programs)
        note(f"{verdict} {env.name}: no {programs} here (Debian package {env.package})")
    return runnable, missing


def on_ci() -> bool:
    """Whether a build server runs us: there, skipping would hide a hole."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def _tox(root: Path, arguments: Sequence[str]) -> int:
    extra = {}
    if on_ci() and "HYPOTHESIS_PROFILE" not in os.environ:
        extra["HYPOTHESIS_PROFILE"] = "ci"
    command: list[str | Path] = [
        tools_python(root),
        "-m",
        "tox",
        "run",
        "-c",
        root / "tox.ini",
        *arguments,
    ]
    return processes.run(command, root, extra)
