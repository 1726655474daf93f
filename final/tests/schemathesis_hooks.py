"""Hooks for Schemathesis: rules that no schema can express, and limits on expensive requests.

Schemathesis loads this file itself (see test_schemathesis.py).
"""

import json
from typing import Any

import schemathesis
from schemathesis.core.failures import Failure, ServerError
from schemathesis.core.transport import Response
from schemathesis.openapi.checks import RejectedPositiveData

# Expected refusals of requests that match their schemas, by their code.
BY_CODE = {
    # A random id names no existing task.
    "MISSING_DEPENDENCY",
    # Schemathesis sends no WebSocket handshake.
    "UPGRADE_REQUIRED",
}
# Expected refusals, by their field and the beginning of their reason.
BY_REASON = {
    # A random id names no existing task, and a page cannot begin at two places.
    "after": ("there is no task ", "must not be combined with cursor"),
    "count": "would leak more than ",
    # JSON Schema accepts 1.0 as an integer; this server does not.
    "priority": "must be an integer",
}
# These endpoints always respond with an error.
EXAMPLES = "/demo/error/"

# Larger valid values are replaced by these, since more work would not test anything else.
CHEAP = {"iterations": 1_000, "heavyIterations": 1_000, "count": 1_000, "sizeKb": 8}


@schemathesis.serializer("application/x-ndjson")
def lines(context: Any, value: object) -> bytes:
    """Return a value as lines of JSON: one for each item of a list, or a single line."""
    items = value if isinstance(value, list) else [value]
    return b"".join(json.dumps(item).encode() + b"\n" for item in items)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Replace expensive values by cheap ones."""
    for parameter in case.operation.query:
        value = str((case.query or {}).get(parameter.name))
        if parameter.name in CHEAP and value.isascii() and value.isdigit():
            highest = parameter.definition["schema"]["maximum"]
            if CHEAP[parameter.name] < int(value) <= highest:
                case.query[parameter.name] = CHEAP[parameter.name]


@schemathesis.hook
def filter_failure(context: Any, failure: Failure, case: Any, response: Response) -> bool:
    """Return whether the failure is a real one."""
    if not isinstance(failure, RejectedPositiveData | ServerError):
        return True
    if case.operation.path.startswith(EXAMPLES) and response.status_code != 501:
        return False
    error = response.json()["error"]
    details = error["details"]
    expected = BY_REASON.get(details.get("field"))
    return error["code"] not in BY_CODE and not (
        expected and details["reason"].startswith(expected)
    )
