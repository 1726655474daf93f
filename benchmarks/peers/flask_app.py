"""What `final` is measured beside: Flask on gunicorn, without an access log.

One worker process, since the tasks are in its memory, with eight threads: gunicorn's `gthread`,
which can keep a connection open, as `sync` cannot. For the same reason it is told to keep it.
"""

# mypy: disable-error-code="import-not-found,import-untyped,attr-defined,misc,untyped-decorator"
# The environment that checks types has no Flask in it.

from typing import Any

from flask import Flask, Response, jsonify, request
from gunicorn.app.base import BaseApplication
from werkzeug.exceptions import BadRequest

from benchmarks.peers.checks import MAX_BODY, Refusal, Tasks, check_token, utc_now

OPTIONS = {
    "bind": "127.0.0.1:0",
    "workers": 1,
    "worker_class": "gthread",
    "threads": 8,
    "keepalive": 30,  # seconds
    "loglevel": "warning",
    "when_ready": lambda server: print(
        f"http://127.0.0.1:{server.LISTENERS[0].sock.getsockname()[1]}", flush=True
    ),
}

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
app.json.sort_keys = False
tasks = Tasks()


@app.before_request
def authorize() -> None:
    """Check the token."""
    if request.path != "/health":
        check_token(request.method, request.headers.get("Authorization", ""))


@app.errorhandler(Refusal)
def refuse(refusal: Refusal) -> tuple[Response, int, dict[str, str]]:
    """Answer with what was wrong."""
    headers = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else {}
    return jsonify(error=str(refusal)), refusal.status, headers


def body() -> object:
    """Return what the body holds."""
    if request.content_type and not request.is_json:
        raise Refusal(415, "the body must be application/json")
    try:
        return request.get_json(force=True)
    except BadRequest as error:
        raise Refusal(400, f"this is not JSON: {error}") from None


@app.get("/health")
def health() -> Response:
    """Say that the server answers."""
    return jsonify(status="healthy", timestamp=utc_now())


@app.get("/tasks")
def list_tasks() -> Response:
    """Answer the first tasks."""
    return jsonify(tasks.first(request.args.get("limit", "1000")))


@app.post("/tasks")
def create() -> tuple[Response, int, dict[str, str]]:
    """Add a task."""
    task = tasks.create(body())
    return jsonify(task), 201, {"Location": f"/tasks/{task['id']}"}


@app.get("/tasks/<task_id>")
def read(task_id: str) -> Response:
    """Answer one task."""
    return jsonify(tasks.get(task_id))


@app.route("/tasks/<task_id>", methods=["PUT", "PATCH"])
def change(task_id: str) -> Response:
    """Merge the given fields into a task."""
    return jsonify(tasks.change(task_id, body()))


@app.delete("/tasks/<task_id>")
def delete(task_id: str) -> tuple[str, int]:
    """Drop a task."""
    tasks.delete(task_id)
    return "", 204


class Gunicorn(BaseApplication):
    """gunicorn, started from here (https://docs.gunicorn.org/en/stable/custom.html)."""

    def load_config(self) -> None:
        """Take our settings."""
        for name, value in OPTIONS.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Return what it serves."""
        return app


if __name__ == "__main__":
    Gunicorn().run()
