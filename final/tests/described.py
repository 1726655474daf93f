"""Compares responses with the document at `/openapi.json`.

The client in `in_process.py` checks the response to each of its requests here. So a status, a
code, a header or a media type that is not in the document fails the test that received it.
"""

import json
from typing import Any

from taskflow.app import OPEN_PATHS
from taskflow.http import Request, Response
from taskflow.openapi.document import DESCRIBED, HEADERS, build_document

DOCUMENT = build_document(DESCRIBED, OPEN_PATHS)
WITHOUT_BODY = {101, 204, 304}


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """Return a part of the document, or the component that it refers to."""
    if "$ref" in part:
        _, _, kind, name = part["$ref"].split("/")
        part = DOCUMENT["components"][kind][name]
    return part


def check_described(request: Request, response: Response) -> None:
    """Fail if the document does not describe such a response to such a request."""
    route = request.context.route
    if not route or route == "*":
        # The request was refused before it was routed, the test has no router, or the request
        # concerns the server as a whole, which a document about paths does not describe.
        return
    method = request.method.lower().replace("head", "get")
    label = f"{request.method} {route} {response.status}"
    if method in DOCUMENT["paths"][route]:
        described = DOCUMENT["paths"][route][method]["responses"].get(str(response.status))
        assert described, f"{label} is not described"
        described = resolved(described)
    elif method == "options":
        assert response.status == 204, label
        described = {"headers": dict.fromkeys(("X-Request-Id", "Allow"))}
    else:
        described = DOCUMENT["components"]["responses"]["METHOD_NOT_ALLOWED.Allow"]
    check_headers(label, described["headers"], response)
    content = described.get("content", {})
    if response.status not in WITHOUT_BODY:
        media_type = response.content_type.partition(";")[0]
        assert media_type in {name.partition(";")[0] for name in content}, f"{label}: {media_type}"
    if response.status >= 400:
        assert isinstance(response.body, bytes)
        code = json.loads(response.body)["error"]["code"]
        schema = content["application/json"]["schema"]["allOf"][1]
        codes = schema["properties"]["error"]["properties"]["code"]["enum"]
        assert code in codes, f"{label}: {code} is not described"


def check_headers(label: str, described: dict[str, Any], response: Response) -> None:
    """Fail if a described header is missing, or a header of the response is not described."""
    for name, (_, always, _) in HEADERS.items():
        if name in response.headers:
            assert name in described, f"{label}: the header {name} is not described"
        elif always:
            assert name not in described, f"{label}: the header {name} is missing"
