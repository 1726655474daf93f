"""What Schemathesis has to be told: what no schema can say, and what would only take long.

It loads this file by itself (see schemathesis.toml).
"""

import json
from typing import Any

import schemathesis
from schemathesis.core.failures import Failure, ServerError
from schemathesis.core.transport import Response
from schemathesis.openapi.checks import RejectedPositiveData

# Refusals of what is right by its schema: it is about what is there, or asks for the refusal.
BY_CODE = {
    "MISSING_DEPENDENCY",  # ids of tasks that exist are wanted
    "UPGRADE_REQUIRED",  # only HTTP is spoken by who asks
}
BY_REASON = {
    "after": "there is no task ",  # the same for a page
    "count": "would leak more than ",
    "priority": "must be an integer",  # 1.0 is one to JSON Schema, and none here
}
EXAMPLES = "/demo/error/"  # these fail, whatever they are asked

# What is asked instead of more, as far as more is allowed: a lot of work shows nothing else.
CHEAP = {"iterations": 1_000, "heavyIterations": 1_000, "count": 1_000, "sizeKb": 8}


@schemathesis.serializer("application/x-ndjson")
def lines(context: Any, value: object) -> bytes:
    """Return any value as lines of JSON, in which a task may be."""
    values = value if isinstance(value, list) else [value]
    return b"".join(json.dumps(one).encode() + b"\n" for one in values)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Ask for little work."""
    for parameter in case.operation.query:
        value = str((case.query or {}).get(parameter.name))
        if parameter.name in CHEAP and value.isascii() and value.isdigit():
            highest = parameter.definition["schema"]["maximum"]
            if CHEAP[parameter.name] < int(value) <= highest:
                case.query[parameter.name] = CHEAP[parameter.name]


@schemathesis.hook
def filter_failure(context: Any, failure: Failure, case: Any, response: Response) -> bool:
    """Return whether it is one."""
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
