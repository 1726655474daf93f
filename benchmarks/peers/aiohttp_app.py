"""What `final` is measured beside: aiohttp, one process, on uvloop, without an access log."""

# mypy: disable-error-code="import-not-found,misc,untyped-decorator"
# The environment that checks types has no aiohttp in it.

import asyncio
import json
from typing import Any

import uvloop
from aiohttp import web

from benchmarks.peers.checks import MAX_BODY, Refusal, Tasks, check_token, utc_now

tasks = Tasks()
routes = web.RouteTableDef()


@web.middleware
async def guard(request: web.Request, handler: Any) -> web.StreamResponse:
    """Check the token, and make refusals answers."""
    try:
        if request.path != "/health":
            check_token(request.method, request.headers.get("Authorization", ""))
        response: web.StreamResponse = await handler(request)
    except Refusal as refusal:
        headers = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else None
        return web.json_response({"error": str(refusal)}, status=refusal.status, headers=headers)
    return response


async def body_of(request: web.Request) -> object:
    """Return what the body holds."""
    if request.content_type not in ("application/json", "application/octet-stream"):
        raise Refusal(415, "the body must be application/json")
    try:
        return await request.json()
    except json.JSONDecodeError as error:
        raise Refusal(400, f"this is not JSON: {error}") from None


@routes.get("/health")
async def health(request: web.Request) -> web.Response:
    """Say that the server answers."""
    return web.json_response({"status": "healthy", "timestamp": utc_now()})


@routes.get("/tasks")
async def list_tasks(request: web.Request) -> web.Response:
    """Answer the first tasks."""
    return web.json_response(tasks.first(request.query.get("limit", "1000")))


@routes.post("/tasks")
async def create(request: web.Request) -> web.Response:
    """Add a task."""
    task = tasks.create(await body_of(request))
    return web.json_response(task, status=201, headers={"Location": f"/tasks/{task['id']}"})


@routes.get("/tasks/{task_id}")
async def read(request: web.Request) -> web.Response:
    """Answer one task."""
    return web.json_response(tasks.get(request.match_info["task_id"]))


@routes.put("/tasks/{task_id}")
@routes.patch("/tasks/{task_id}")
async def change(request: web.Request) -> web.Response:
    """Merge the given fields into a task."""
    return web.json_response(tasks.change(request.match_info["task_id"], await body_of(request)))


@routes.delete("/tasks/{task_id}")
async def delete(request: web.Request) -> web.Response:
    """Drop a task."""
    tasks.delete(request.match_info["task_id"])
    return web.Response(status=204)


async def main() -> None:
    """Serve until killed, on a port that the system chooses."""
    app = web.Application(middlewares=[guard], client_max_size=MAX_BODY)
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=512).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
