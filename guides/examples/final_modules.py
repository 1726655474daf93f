"""The modules of final: in which step each one appeared, and what final did to it."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FINAL = ROOT / "final" / "taskflow"
STEPS = sorted(ROOT.glob("step*/taskflow"))


def first_step(name: str) -> str:
    """Return the number of the first step with this module, "final" if there is none."""
    return next((str(int(step.parent.name[4:6])) for step in STEPS if (step / name).exists()), "")


def source(name: str) -> Path:
    """Return the file with the docstring of a module or of a package."""
    path = FINAL / name
    return path / "__init__.py" if path.is_dir() else path


def is_as_before(name: str) -> bool:
    """Return whether the module is, to the byte, that of the last step."""
    return (FINAL / name).read_bytes() == (STEPS[-1] / name).read_bytes()


def about(name: str) -> str:
    """Return what the module says of itself: the first sentence of its docstring."""
    tree = ast.parse(source(name).read_text(encoding="utf-8"))
    words = " ".join((ast.get_docstring(tree) or "").split("\n\n")[0].split())
    return words.split(". ")[0].rstrip(".")


def link(name: str) -> str:
    """Return a link to the module or package, from the directory of the guides."""
    slash = "/" if (FINAL / name).is_dir() else ""
    return f"[`{name.removesuffix('.py')}`](../final/taskflow/{name}{slash})"


def names() -> list[str]:
    """Return the names of the modules and packages."""
    modules = [file.name for file in FINAL.glob("*.py") if file.name != "__init__.py"]
    packages = [file.parent.name for file in FINAL.glob("*/__init__.py")]
    return sorted(modules + packages)


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
        if not first_step(name):
            print(f"| {link(name)} | {about(name)} |")
