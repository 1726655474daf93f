"""What a measurement is made of.

A subject is a module of this package. It names its cases, and measures one of them at a time:

    TITLE, UNIT     for tables and plots
    IN_WORKER       whether each case gets a fresh process with the step on its path
    REFERENCES      ratios to work out, by the name of the field that they get
    cases(quick)    what is measured in each round, in this order
    measure(case)   one row for each operation, with its `value`
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One contestant at one size."""

    label: str
    n: int
    step: int = 0  # the snapshot whose `taskflow` it imports or serves, 0 for none
    needs: str = ""  # modules from PyPI, without which the case is left out
    argument: str = ""  # what else the subject has to know


class Subject(Protocol):
    """What every subject's module has."""

    TITLE: str
    UNIT: str
    IN_WORKER: bool
    # {"to_ours": {"label": "ours"}}: each row's value divided by that of the row which differs
    # from it in these fields alone. Worked out in every round, so that both were measured
    # under the same conditions.
    REFERENCES: Mapping[str, Mapping[str, object]]

    def cases(self, quick: bool) -> list[Case]:
        """Return the cases of a round; small ones if `quick`."""
        ...

    def measure(self, case: Case, quick: bool) -> list[Row]:
        """Measure one case once."""
        ...
