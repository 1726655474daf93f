"""Refusals: the exceptions that become responses with a status of 4xx or 5xx.

An error carries the status that its response will have and a code that programs can test for. It
knows nothing about requests, responses or sockets, so the parser and the store can raise the same
kinds. The one place where errors become responses is `ErrorBoundary` in `middleware.py`.
"""


class TaskflowError(Exception):
    """A refusal whose message may be shown to the client."""

    status = 500
    code = "INTERNAL_ERROR"
    headers: tuple[tuple[str, str], ...] = ()

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        # What the message says, in a form that programs can use.
        self.details = details


class BadRequest(TaskflowError):
    """The bytes are not a valid HTTP request (RFC 9110, 15.5.1)."""

    status = 400
    code = "BAD_REQUEST"


class InvalidJson(TaskflowError):
    """The body is not one well-formed JSON object (RFC 8259)."""

    status = 400
    code = "INVALID_JSON"


class InvalidToken(TaskflowError):
    """The request carries no token, or none that is known (RFC 9110, 15.5.2)."""

    status = 401
    code = "INVALID_TOKEN"
    headers = (("WWW-Authenticate", "Bearer"),)


class InsufficientPermissions(TaskflowError):
    """The token is known, but its role may not do this."""

    status = 403
    code = "INSUFFICIENT_PERMISSIONS"


class ForbiddenOrigin(TaskflowError):
    """A page of another origin tried to change something (RFC 6454)."""

    status = 403
    code = "FORBIDDEN_ORIGIN"


class NotFound(TaskflowError):
    """No route has this path."""

    status = 404
    code = "NOT_FOUND"


class TaskNotFound(TaskflowError):
    """The path is right, but there is no task with this id."""

    status = 404
    code = "TASK_NOT_FOUND"


class JobNotFound(TaskflowError):
    """There is no job with this id, or it has been forgotten."""

    status = 404
    code = "JOB_NOT_FOUND"


class MethodNotAllowed(TaskflowError):
    """The path exists, but not with this method. `Allow` lists the methods (RFC 9110, 15.5.6)."""

    status = 405
    code = "METHOD_NOT_ALLOWED"

    def __init__(self, method: str, allowed: str) -> None:
        super().__init__(f"{method} is not allowed here; try {allowed}")
        self.headers = (("Allow", allowed),)


class RequestTimeout(TaskflowError):
    """The client was too slow to say what it wants (RFC 9110, 15.5.9)."""

    status = 408
    code = "REQUEST_TIMEOUT"


class CycleDetected(TaskflowError):
    """The change would make a task wait for itself."""

    status = 409
    code = "CYCLE_DETECTED"


class PayloadTooLarge(TaskflowError):
    """The body is over its limit (RFC 9110, 15.5.14)."""

    status = 413
    code = "PAYLOAD_TOO_LARGE"


class UnsupportedMediaType(TaskflowError):
    """The body has a media type that the route does not read (RFC 9110, 15.5.16)."""

    status = 415
    code = "UNSUPPORTED_MEDIA_TYPE"


class UnsupportedCoding(UnsupportedMediaType):
    """The body is compressed. `Accept-Encoding` lists the codings allowed (RFC 9110, 12.5.3)."""

    headers = (("Accept-Encoding", "identity"),)


class ValidationError(TaskflowError):
    """A field or a query parameter has a value that is not allowed."""

    status = 422
    code = "VALIDATION_ERROR"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}", field=field, reason=reason)


class MissingRequiredField(ValidationError):
    """A field that must be there is not."""

    code = "MISSING_REQUIRED_FIELD"


class MissingDependency(TaskflowError):
    """A dependency is not the id of a task."""

    status = 422
    code = "MISSING_DEPENDENCY"


class ResultTooLarge(TaskflowError):
    """The response would be over its limit."""

    status = 422
    code = "RESULT_TOO_LARGE"


class UpgradeRequired(TaskflowError):
    """The path accepts only WebSockets (RFC 9110, 15.5.22; RFC 6455, 4.2.2)."""

    status = 426
    code = "UPGRADE_REQUIRED"
    headers = (("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"))


class HeadersTooLarge(TaskflowError):
    """The head is over one of its limits (RFC 6585, 5)."""

    status = 431
    code = "HEADERS_TOO_LARGE"


class NotImplementedYet(TaskflowError):
    """The server does not know this method or this transfer coding (RFC 9110, 15.6.2)."""

    status = 501
    code = "NOT_IMPLEMENTED"


class ServiceUnavailable(TaskflowError):
    """The server has reached a limit for the moment (RFC 9110, 15.6.4)."""

    status = 503
    code = "SERVICE_UNAVAILABLE"


class QueueFull(ServiceUnavailable):
    """The queue of jobs is full. The client should try again (RFC 9110, 10.2.3)."""

    headers = (("Retry-After", "1"),)


class StoreFull(TaskflowError):
    """There is no room for another task."""

    status = 503
    code = "STORE_FULL"


class HttpVersionNotSupported(TaskflowError):
    """The request is not HTTP/1.x (RFC 9110, 15.6.6)."""

    status = 505
    code = "HTTP_VERSION_NOT_SUPPORTED"


# In logs only: the client left before its response. The number is that of nginx.
CLIENT_LEFT = 499


class NoResponse(Exception):
    """Nothing true can be said, so the connection is closed without a response."""

    # In logs only. The number is that of nginx.
    status = 444
