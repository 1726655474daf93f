"""What was said and answered on a connection, as values that a test can look at.

It knows HTTP, and nothing of sockets, tasks, tokens or steps.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from typing import Any


class ContractError(AssertionError):
    """The server broke the contract; the text says what was expected and what came."""


class Conversation:
    """The last things said on one connection, for a person to read after a failure."""

    def __init__(self) -> None:
        self._said: deque[tuple[str, bytes, int]] = deque(maxlen=16)

    def note(self, who: str, data: bytes) -> None:
        # The beginning is enough for a person; a flood is not kept.
        self._said.append((who, data[:600], len(data)))

    def __str__(self) -> str:
        return "\n".join(self._show(*said) for said in self._said)

    @staticmethod
    def _show(who: str, data: bytes, size: int) -> str:
        lines = [repr(line)[2:-1] for line in data.splitlines(keepends=True)]
        if size > len(data):
            lines.append(f"... {size:,} bytes in all")
        return "\n".join(f"{who if at == 0 else '':9} {line}" for at, line in enumerate(lines))


@dataclass(frozen=True, slots=True)
class Answer:
    """One final answer, with the interim statuses (1xx) that came before it."""

    method: str
    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes
    interim: tuple[int, ...] = ()

    def every(self, name: str) -> list[str]:
        """All values of a field, by its name in lower case."""
        return [value for key, value in self.fields if key == name]

    def field(self, name: str) -> str | None:
        """The value of a field that may come once; `None` without it."""
        values = self.every(name)
        if len(values) > 1:
            raise ContractError(f"expected {name!r} at most once, received {values}")
        return values[0] if values else None

    def options(self, name: str) -> set[str]:
        """The members of a field that is a list, such as `Allow` or `Connection`."""
        return {option.strip() for value in self.every(name) for option in value.split(",")}

    def expect(self, status: int) -> Answer:
        """This answer, if it has the status."""
        __tracebackhide__ = True
        if self.status != status:
            raise ContractError(
                f"expected status {status}, received {self.status}: {self.body[:300]!r}"
            )
        return self

    def json(self) -> Any:
        """The body's value. Its type must be declared as JSON in UTF-8."""
        __tracebackhide__ = True
        declared = (self.field("content-type") or "").lower().replace(" ", "")
        if declared != "application/json;charset=utf-8":
            raise ContractError(
                f"expected a body of application/json; charset=utf-8, not {declared!r}"
            )
        try:
            return json.loads(self.body.decode())
        except ValueError as error:
            raise ContractError(f"expected JSON, received {self.body[:300]!r}: {error}") from None
