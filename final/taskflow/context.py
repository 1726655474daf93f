"""The context of a request: what the links of the chain learn about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Role(StrEnum):
    """What a client has proved to be."""

    ADMIN = "admin"
    USER = "user"


@dataclass(slots=True)
class Context:
    """What is known about one request so far. Each link adds its part."""

    # From RequestLog. It appears in the log, and in the header of the response.
    request_id: str = ""

    # From Router: the path of the route, such as /tasks/{id}.
    route: str = ""

    # From Auth. None on an open path, which needs no token.
    role: Role | None = None

    # From Validation: the fields of the body, checked.
    fields: Mapping[str, Any] = field(default_factory=dict)
