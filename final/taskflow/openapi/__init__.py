"""The document at `/openapi.json`, which describes every route (OpenAPI 3.1)."""

from taskflow.openapi.document import openapi_routes

__all__ = ["openapi_routes"]
