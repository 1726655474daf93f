"""A finding of a check: the breach of a law, or a warning before it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One breach: of which law, where, and what is wrong. A warning breaks no law yet."""

    law: str
    where: str
    text: str
    is_warning: bool = False

    def __str__(self) -> str:
        return f"{'warning: ' * self.is_warning}{self.law}: {self.where}: {self.text}"
