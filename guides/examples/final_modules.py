"""The modules of final: in which step each one appeared, and what final did to it."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FINAL = ROOT / "final" / "taskflow"
STEPS = sorted(ROOT.glob("step*/taskflow"))


def first_step(name: str) -> str:
    """Return the number of the first step with this module, "final" if there is none."""
    return next((str(int(step.parent.name[4:6])) for step in STEPS if (step / name).exists()), "")


def is_as_before(name: str) -> bool:
    """Return whether the module is, to the byte, that of the last step."""
    return (FINAL / name).read_bytes() == (STEPS[-1] / name).read_bytes()


def about(name: str) -> str:
    """Return what the module says of itself: the first sentence of its docstring."""
    tree = ast.parse((FINAL / name).read_text(encoding="utf-8"))
    words = " ".join((ast.get_docstring(tree) or "").split("\n\n")[0].split())
    return words.split(". ")[0].rstrip(".")


def link(name: str) -> str:
    """Return a link to the module, from the directory of the guides."""
    return f"[`{name.removesuffix('.py')}`](../final/taskflow/{name})"


def names() -> list[str]:
    """Return the modules that there are."""
    found = sorted(file.name for file in FINAL.glob("*.py"))
    return [name for name in found if not name.startswith("__init__")]


def from_steps() -> None:
    """Print, for each step, the modules that it gave."""
    print("| step | as they were | changed |\n| ---: | --- | --- |")
    for number in map(str, range(1, len(STEPS) + 1)):
        mine = [name for name in names() if first_step(name) == number]
        same = ", ".join(link(name) for name in mine if is_as_before(name))
        changed = ", ".join(link(name) for name in mine if not is_as_before(name))
        print(f"| {number} | {same or '–'} | {changed or '–'} |")


def new() -> None:
    """Print the modules that no step has, in their own words."""
    print("| module | in its own words |\n| --- | --- |")
    for name in names():
        if not first_step(name) and not name.startswith("demo_"):
            print(f"| {link(name)} | {about(name)} |")
