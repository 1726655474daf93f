"""The concepts 1 to 6: what a task is, and how the server responds to requests.

The tour shows the docstring of each concept as its title.
"""

import re
from itertools import pairwise
from uuid import uuid4

from taskflow.tour.client import NO_TOKEN
from taskflow.tour.screen import tree
from taskflow.tour.session import NEEDS_DEMOS, Session, Skipped

# How many keys of the heap are drawn: three levels of the tree.
DRAWN = 7

ERROR_SHAPE = {"code", "message", "requestId", "timestamp", "details"}
ERROR_EXAMPLES = (
    ("GET", "/demo/error/unauthorized", 401, "INVALID_TOKEN"),
    ("GET", "/demo/error/forbidden", 403, "INSUFFICIENT_PERMISSIONS"),
    ("GET", "/demo/error/notfound", 404, "NOT_FOUND"),
    ("POST", "/demo/error/validation", 422, "VALIDATION_ERROR"),
    ("POST", "/demo/error/missingfield", 422, "MISSING_REQUIRED_FIELD"),
)
INTERNAL_DETAILS = ("ZeroDivision", "Traceback", ".py")


def http(session: Session) -> None:
    """Send two requests as one stream of bytes, and see an ambiguous request refused."""
    host = f"Host: {session.client.authority}\r\n"
    get = f"GET /health HTTP/1.1\r\n{host}\r\n"
    head = f"HEAD /health HTTP/1.1\r\n{host}Connection: close\r\n\r\n"
    received = session.send_bytes((get + head).encode(), 7)
    statuses = re.findall(rb"HTTP/1\.1 (\d{3}) ", received)
    session.check("two requests in pieces of 7 bytes get two responses", [b"200"] * 2, statuses)
    session.check("the response to HEAD has no body", b"\r\n\r\n", received[-4:])
    lengths = "Content-Length: 5\r\nContent-Length: 50\r\n"
    ambiguous = f"POST /tasks HTTP/1.1\r\n{host}{lengths}\r\nhello"
    received = session.send_bytes(ambiguous.encode(), 1000)
    session.check("a request with two different lengths gets 400", b" 400 ", received[8:13])
    allowed = session.request("PATCH", "/health", status=405).headers.get("allow")
    session.check("a 405 response lists the allowed methods", "GET, HEAD, OPTIONS", allowed)


def storage(session: Session) -> None:
    """Find, change and delete a task in a hash map, without a search through the others."""
    response = session.request("POST", "/tasks", {"title": "Tour: wash the car"}, status=201)
    task = response.json
    path = f"/tasks/{task['id']}"
    session.created.append(task["id"])
    session.check("a new task comes with its path", path, response.headers.get("location"))
    session.check("the task is at this path", task, session.request("GET", path).json)
    changed = session.request("PATCH", path, {"priority": 7}).json
    session.check(
        "a change merges, so the title stays the same",
        (task["title"], 7),
        (changed["title"], changed["priority"]),
    )
    repeated = session.request("PATCH", path, {"priority": 7}).json
    session.check("a change to the same values leaves the task as it was", changed, repeated)
    session.create_task("dry the car")
    link = session.request("GET", "/tasks?limit=1").headers.get("link", "")
    session.check("a page of a list links to the next page", True, 'rel="next"' in link)
    session.request("DELETE", path, status=204)
    missing = session.request("GET", path, status=404).json["error"]
    session.check("a deleted task is not found", "TASK_NOT_FOUND", missing["code"])


def heap(session: Session) -> None:
    """Claim four tasks by urgency; of two equally urgent tasks, the older one is first."""
    levels = (1, 5, 9, 5)
    ids = [
        session.create_task(f"urgency {level}", priority=session.urgent(level))["id"]
        for level in levels
    ]
    expected = [ids[2], ids[1], ids[3], ids[0]]
    first = session.request("GET", "/tasks/next").json
    if session.has_other_tasks and first["id"] not in expected:
        raise Skipped("claims, because another task here has the highest priority")
    session.check("the most urgent task is next", expected[0], first["id"])
    draw_heap(session)
    claimed = [session.claim() for _ in ids]
    session.check("tasks are claimed by urgency", expected, [task["id"] for task in claimed])
    session.check(
        "a claimed task is in progress", {"in-progress"}, {task["status"] for task in claimed}
    )
    if not session.has_other_tasks:
        session.request("POST", "/tasks/claim", status=204)
        session.screen.passed("no task is claimed twice")


def draw_heap(session: Session) -> None:
    """Draw the upper levels of the heap, and check the order of all levels."""
    if session.has_many_tasks:
        session.skip("the picture of the heap, because it is large here")
        return
    keys = [task["priority"] for task in session.request("GET", "/tasks/queue").json]
    for line in tree(keys[:DRAWN]):
        session.screen.line("    " + line)
    ordered = all(keys[(index - 1) // 2] >= keys[index] for index in range(1, len(keys)))
    session.check("no task in the heap is more urgent than its parent", True, ordered)


def deps(session: Session) -> None:
    """Make tasks depend on each other, and see a cycle refused."""
    plan = session.create_task("plan", priority=session.urgent(1))["id"]
    build = session.create_task("build", priority=session.urgent(8), dependencies=[plan])["id"]
    ship = session.create_task("ship", priority=session.urgent(9), dependencies=[build])["id"]
    order = session.request("GET", f"/tasks/{ship}/resolve").json["orderedTaskIds"]
    session.check("each task comes after its dependencies", [plan, build, ship], order)
    change = {"dependencies": [ship]}
    error = session.request("PATCH", f"/tasks/{plan}", change, status=409).json["error"]
    session.check("a cycle is refused", "CYCLE_DETECTED", error["code"])
    path = error["details"]["cyclePath"]
    steps = set(pairwise(path))
    session.check(
        "the error contains the cycle: plan, ship, build, plan",
        True,
        steps == {(plan, ship), (ship, build), (build, plan)} and len(path) == 4,
    )
    unknown = str(uuid4())
    change = {"dependencies": [unknown]}
    error = session.request("PATCH", f"/tasks/{plan}", change, status=422).json["error"]
    session.check("an unknown task is refused", unknown, error["details"]["missingTaskId"])
    dependencies = session.request("GET", f"/tasks/{plan}").json["dependencies"]
    session.check("a refused change changes nothing", [], dependencies)
    show_ready_task(session, plan, build, ship)
    session.request("DELETE", f"/tasks/{build}", status=204)
    dependencies = session.request("GET", f"/tasks/{ship}").json["dependencies"]
    session.check("no task depends on a deleted task", [], dependencies)


def show_ready_task(session: Session, plan: str, build: str, ship: str) -> None:
    """Check that only a task without open dependencies is next."""
    first = session.request("GET", "/tasks/next").json["id"]
    if session.has_other_tasks and first not in (plan, build, ship):
        session.skip("which task is ready, because another task here has the highest priority")
        return
    session.check("only a task without open dependencies is next", plan, first)
    session.request("PATCH", f"/tasks/{plan}", {"status": "completed"})
    first = session.request("GET", "/tasks/next").json["id"]
    session.check("after it is completed, its dependent task is next", build, first)


def middleware(session: Session) -> None:
    """Pass the links before a handler: token, permission, origin and validation."""
    refused = session.request("GET", "/tasks/next", status=401, headers=NO_TOKEN)
    scheme = refused.headers.get("www-authenticate", "")[:6]
    session.check("a 401 response names the required kind of token", "Bearer", scheme)
    session.request("GET", "/tour/nowhere", status=401, headers=NO_TOKEN)
    session.screen.passed("without a token, even unknown paths get 401")
    session.request("GET", "/tour/nowhere", status=404)
    session.request("GET", "/tasks?limit=1")
    new_task = {"title": "Tour"}
    user = session.client.authorization("GET")
    error = session.request("POST", "/tasks", new_task, 403, user).json["error"]
    code = error["code"]
    session.check("users read and admins write", "INSUFFICIENT_PERMISSIONS", code)
    foreign = {"Origin": "https://elsewhere.example"}
    error = session.request("POST", "/tasks", new_task, 403, foreign).json["error"]
    session.check("a page of another site changes nothing", "FORBIDDEN_ORIGIN", error["code"])
    plain_text = {"Content-Type": "text/plain"}
    session.request("POST", "/tasks", new_task, 415, plain_text)
    invalid = {"title": "Tour", "priority": "high"}
    error = session.request("POST", "/tasks", invalid, status=422).json["error"]
    session.check("an invalid field is named", "priority", error["details"]["field"])


def errors(session: Session) -> None:
    """See the one shape of all errors, and the id that finds an error in the log."""
    own_id = {"X-Request-Id": "tour-6"}
    response = session.request("GET", f"/tasks/{uuid4()}", status=404, headers=own_id)
    error = response.json["error"]
    session.check("an error has one shape", ERROR_SHAPE, set(error))
    ids = (response.headers.get("x-request-id"), error["requestId"])
    session.check("an error has the id of its request", ("tour-6", "tour-6"), ids)
    session.request("POST", "/tasks", b'{"title": ', status=400)
    if not session.has_demos:
        session.skip(f"an example of each error: {NEEDS_DEMOS}")
        return
    for method, path, status, code in ERROR_EXAMPLES:
        show_error(session, method, path, status, code)
    text = show_error(session, "GET", "/demo/error/internal", 500, "INTERNAL_ERROR")
    leaked = [word for word in INTERNAL_DETAILS if word in text]
    session.check("a bug gets 500, without internal details", [], leaked)


def show_error(session: Session, method: str, path: str, status: int, code: str) -> str:
    """Check the shape and the code of an example; return the error as text."""
    error = session.request(method, path, status=status).json["error"]
    session.check(f"{status} {code}", (ERROR_SHAPE, code), (set(error), error["code"]))
    return str(error)
