"""Refusals: every way in which the server says no.

An error knows the status it should become and the code that programs can test for. It knows
nothing of requests, answers or sockets, so the store may raise one as well as the parser; the
one place where errors become answers is `ErrorBoundary` in `app.py`.
"""


class TaskflowError(Exception):
    """A refusal with a message that is fit to be shown to the client."""

    status, code = 500, "INTERNAL_ERROR"
    headers: tuple[tuple[str, str], ...] = ()

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.details = details  # the same for programs


class BadRequest(TaskflowError):
    """The bytes are not a valid HTTP request (RFC 9110, 15.5.1)."""

    status, code = 400, "BAD_REQUEST"


class InvalidJson(TaskflowError):
    """The body is not one well-formed JSON object (RFC 8259)."""

    status, code = 400, "INVALID_JSON"


class InvalidToken(TaskflowError):
    """The request carries no token, or none that is known (RFC 9110, 15.5.2)."""

    status, code = 401, "INVALID_TOKEN"
    headers = (("WWW-Authenticate", "Bearer"),)


class InsufficientPermissions(TaskflowError):
    """The token is known, but its role may not do this."""

    status, code = 403, "INSUFFICIENT_PERMISSIONS"


class ForbiddenOrigin(TaskflowError):
    """A page of another origin tried to change something (RFC 6454)."""

    status, code = 403, "FORBIDDEN_ORIGIN"


class NotFound(TaskflowError):
    """No route has this path."""

    status, code = 404, "NOT_FOUND"


class TaskNotFound(TaskflowError):
    """The path is right, but there is no task with this id."""

    status, code = 404, "TASK_NOT_FOUND"


class JobNotFound(TaskflowError):
    """There is no such job, or it is long forgotten."""

    status, code = 404, "JOB_NOT_FOUND"


class MethodNotAllowed(TaskflowError):
    """The path exists, but not with this method; `Allow` lists those that do (RFC 9110, 15.5.6)."""

    status, code = 405, "METHOD_NOT_ALLOWED"

    def __init__(self, method: str, allowed: str) -> None:
        super().__init__(f"{method} is not allowed here; try {allowed}")
        self.headers = (("Allow", allowed),)


class RequestTimeout(TaskflowError):
    """The client was too slow to say what it wants (RFC 9110, 15.5.9)."""

    status, code = 408, "REQUEST_TIMEOUT"


class CycleDetected(TaskflowError):
    """The change would make a task wait for itself."""

    status, code = 409, "CYCLE_DETECTED"


class PayloadTooLarge(TaskflowError):
    """The body is over its bound (RFC 9110, 15.5.14)."""

    status, code = 413, "PAYLOAD_TOO_LARGE"


class UnsupportedMediaType(TaskflowError):
    """The body is of a type that the route does not read (RFC 9110, 15.5.16)."""

    status, code = 415, "UNSUPPORTED_MEDIA_TYPE"


class ValidationError(TaskflowError):
    """A field or a query parameter has a value that it may not have."""

    status, code = 422, "VALIDATION_ERROR"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}", field=field, reason=reason)


class MissingRequiredField(ValidationError):
    """A field that must be there is not."""

    code = "MISSING_REQUIRED_FIELD"


class MissingDependency(TaskflowError):
    """A task was to depend on one that does not exist."""

    status, code = 422, "MISSING_DEPENDENCY"


class ResultTooLarge(TaskflowError):
    """The answer would be over its bound."""

    status, code = 422, "RESULT_TOO_LARGE"


class UpgradeRequired(TaskflowError):
    """Here only WebSockets are spoken (RFC 9110, 15.5.22; RFC 6455, 4.2.2)."""

    status, code = 426, "UPGRADE_REQUIRED"
    headers = (("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"))


class HeadersTooLarge(TaskflowError):
    """The head is over its bounds (RFC 6585, 5)."""

    status, code = 431, "HEADERS_TOO_LARGE"


class NotImplementedYet(TaskflowError):
    """A method or a transfer coding that this server does not know (RFC 9110, 15.6.2)."""

    status, code = 501, "NOT_IMPLEMENTED"


class ServiceUnavailable(TaskflowError):
    """The server is at a limit for now (RFC 9110, 15.6.4)."""

    status, code = 503, "SERVICE_UNAVAILABLE"


class QueueFull(ServiceUnavailable):
    """More jobs are waiting than may wait (RFC 9110, 10.2.3)."""

    headers = (("Retry-After", "1"),)


class StoreFull(TaskflowError):
    """There is no room for another task."""

    status, code = 503, "STORE_FULL"


class HttpVersionNotSupported(TaskflowError):
    """The request is not of HTTP/1.x (RFC 9110, 15.6.6)."""

    status, code = 505, "HTTP_VERSION_NOT_SUPPORTED"
