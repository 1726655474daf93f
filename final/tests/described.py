"""Holds answers against the document at `/openapi.json`.

The client in `in_process.py` does that with every answer that any test provokes. So a status, a
code, a header or a media type that nobody described fails the test that came upon it.
"""

import json
from typing import Any

from taskflow.http import Request, Response
from taskflow.openapi import DESCRIBED, HEADERS, document

DOCUMENT = document(DESCRIBED)
WITHOUT_BODY = {101, 204, 304}


def resolved(piece: dict[str, Any]) -> dict[str, Any]:
    """Return a piece of the document, or what it refers to."""
    if "$ref" in piece:
        _, _, kind, name = piece["$ref"].split("/")
        piece = DOCUMENT["components"][kind][name]
    return piece


def check_described(request: Request, response: Response) -> None:
    """Fail if the document does not tell of such an answer to such a request."""
    route = request.context.get("route")
    if route is None:
        return  # refused before it got anywhere, or a test of a part
    method = request.method.lower().replace("head", "get")
    what = f"{request.method} {route} {response.status}"
    if method in DOCUMENT["paths"][route]:
        told = DOCUMENT["paths"][route][method]["responses"].get(str(response.status))
        assert told, f"{what} is not described"
        told = resolved(told)
    else:
        told = DOCUMENT["components"]["responses"]["METHOD_NOT_ALLOWED.Allow"]
    check_headers(what, told["headers"], response)
    content = told.get("content", {})
    if response.status not in WITHOUT_BODY:
        media_type = response.content_type.partition(";")[0]
        assert media_type in {name.partition(";")[0] for name in content}, f"{what}: {media_type}"
    if response.status >= 400:
        assert isinstance(response.body, bytes)
        code = json.loads(response.body)["error"]["code"]
        schema = content["application/json"]["schema"]["allOf"][1]
        known = schema["properties"]["error"]["properties"]["code"]["enum"]
        assert code in known, f"{what}: {code} is not described"


def check_headers(what: str, told: dict[str, Any], response: Response) -> None:
    """Fail if a header is missing that is told of, or there and not told of."""
    for name, (_, always, _) in HEADERS.items():
        if name in response.headers:
            assert name in told, f"{what}: the header {name} is not described"
        elif always:
            assert name not in told, f"{what}: the header {name} is missing"
