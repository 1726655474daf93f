"""The tour, concepts 1 to 6: what a task is, and how a server answers."""

import re
from itertools import pairwise
from uuid import uuid4

from taskflow.demo_show import tree
from taskflow.demo_talk import NO_DEMOS, NOBODY, Skipped, Talk


def http(talk: Talk) -> None:
    """Two requests in one stream of bytes, cut anywhere; then what is refused at once."""
    one = f"{{}} /health HTTP/1.1\r\nHost: {talk.name}\r\n{{}}\r\n"
    sent = one.format("GET", "") + one.format("HEAD", "Connection: close\r\n")
    got = talk.send_raw(sent.encode(), 7)
    statuses = re.findall(rb"HTTP/1\.1 (\d{3}) ", got)
    talk.check("two requests in pieces of 7 bytes get two answers", [b"200"] * 2, statuses)
    talk.check("HEAD is answered without a body", b"\r\n\r\n", got[-4:])
    doubtful = f"POST /tasks HTTP/1.1\r\nHost: {talk.name}\r\nContent-Length: 5\r\n"
    got = talk.send_raw((doubtful + "Content-Length: 50\r\n\r\nhello").encode(), 1000)
    talk.check("of two lengths neither is believed: 400, and close", b" 400 ", got[8:13])
    allowed = talk.ask("PATCH", "/health", wants=405).headers.get("allow")
    talk.check("405 says which methods there are", "GET, HEAD", allowed)


def storage(talk: Talk) -> None:
    """A task lives in a hash map: found, changed and deleted without a look at the others."""
    made = talk.ask("POST", "/tasks", {"title": "Tour: wash the car"}, wants=201)
    task, path = made.json, f"/tasks/{made.json['id']}"
    talk.created.append(task["id"])
    talk.check("a new task says where it is", path, made.headers.get("location"))
    talk.check("there it is", task, talk.ask("GET", path).json)
    changed = talk.ask("PATCH", path, {"priority": 7}).json
    talk.check(
        "a change merges: the title stays",
        (task["title"], 7),
        (changed["title"], changed["priority"]),
    )
    again = talk.ask("PATCH", path, {"priority": 7}).json
    talk.check("a change that changes nothing leaves no trace", changed, again)
    talk.task("dry the car")
    link = talk.ask("GET", "/tasks?limit=1").headers.get("link", "")
    talk.check("a list comes in pages, with a link to the next", True, 'rel="next"' in link)
    talk.ask("DELETE", path, wants=204)
    talk.check(
        "what is deleted is gone",
        "TASK_NOT_FOUND",
        talk.ask("GET", path, wants=404).json["error"]["code"],
    )


def heap(talk: Talk) -> None:
    """Four tasks by urgency; of equals the older one comes first."""
    given = (1, 5, 9, 5)
    tasks = [talk.task(f"urgency {one}", priority=talk.urgent(one)) for one in given]
    expected = [tasks[place]["id"] for place in (2, 1, 3, 0)]
    first = talk.ask("GET", "/tasks/next").json
    if not talk.alone and first["id"] not in expected:
        raise Skipped("claims, for another task here is as urgent as can be")
    talk.check("the most urgent task is next", expected[0], first["id"])
    if talk.many:
        talk.skip("the picture of the heap, for it is large here")
    else:
        keys = [task["priority"] for task in talk.ask("GET", "/tasks/queue").json]
        for line in tree(keys[:7]):
            talk.screen.line("    " + line)
        falls = all(keys[(place - 1) // 2] >= keys[place] for place in range(1, len(keys)))
        talk.check("no task in the heap is more urgent than the one above it", True, falls)
    claimed = [talk.claim() for _ in tasks]
    talk.check("claims come by urgency", expected, [task["id"] for task in claimed])
    talk.check(
        "a claimed task is in progress", {"in-progress"}, {task["status"] for task in claimed}
    )
    if talk.alone:
        talk.ask("POST", "/tasks/claim", wants=204)
        talk.screen.as_told("nothing is handed out twice")


def deps(talk: Talk) -> None:
    """Tasks that wait for tasks: a graph without cycles."""
    plan = talk.task("plan", priority=talk.urgent(1))["id"]
    build = talk.task("build", priority=talk.urgent(8), dependencies=[plan])["id"]
    ship = talk.task("ship", priority=talk.urgent(9), dependencies=[build])["id"]
    order = talk.ask("GET", f"/tasks/{ship}/resolve").json["orderedTaskIds"]
    talk.check("each task comes after what it depends on", [plan, build, ship], order)
    refused = talk.ask("PATCH", f"/tasks/{plan}", {"dependencies": [ship]}, wants=409).json
    talk.check("a cycle is refused", "CYCLE_DETECTED", refused["error"]["code"])
    path = refused["error"]["details"]["cyclePath"]
    steps = set(pairwise(path))
    talk.check(
        "and its path is told: plan, ship, build, plan",
        True,
        steps == {(plan, ship), (ship, build), (build, plan)} and len(path) == 4,
    )
    unknown = str(uuid4())
    refused = talk.ask("PATCH", f"/tasks/{plan}", {"dependencies": [unknown]}, wants=422).json
    talk.check(
        "so is a task that nobody knows", unknown, refused["error"]["details"]["missingTaskId"]
    )
    talk.check(
        "a refusal changes nothing", [], talk.ask("GET", f"/tasks/{plan}").json["dependencies"]
    )
    first = talk.ask("GET", "/tasks/next").json["id"]
    if talk.alone or first in (plan, build, ship):
        talk.check("only the one that waits for nothing is served", plan, first)
        talk.ask("PATCH", f"/tasks/{plan}", {"status": "completed"})
        first = talk.ask("GET", "/tasks/next").json["id"]
        talk.check("when it is done the one behind it is", build, first)
    else:
        talk.skip("which task is served, for another one here is as urgent as can be")
    talk.ask("DELETE", f"/tasks/{build}", wants=204)
    left = talk.ask("GET", f"/tasks/{ship}").json["dependencies"]
    talk.check("nobody waits for what is deleted", [], left)


def middleware(talk: Talk) -> None:
    """A chain of links before the handlers: who asks, what may they, is it well-formed."""
    nobody = talk.ask("GET", "/tasks/next", wants=401, headers=NOBODY)
    wanted = nobody.headers.get("www-authenticate", "")
    talk.check("without a token: 401, and what kind is wanted", "Bearer", wanted[:6])
    talk.ask("GET", "/tour/nowhere", wants=401, headers=NOBODY)
    talk.screen.as_told("a stranger does not even learn which paths there are")
    talk.ask("GET", "/tour/nowhere", wants=404)
    talk.ask("GET", "/tasks?limit=1")
    refused = talk.ask("POST", "/tasks", {"title": "Tour"}, wants=403, headers=talk.fields("GET"))
    code = refused.json["error"]["code"]
    talk.check("users read, and admins write", "INSUFFICIENT_PERMISSIONS", code)
    foreign = {"Origin": "https://elsewhere.example"}
    refused = talk.ask("POST", "/tasks", {"title": "Tour"}, wants=403, headers=foreign)
    code = refused.json["error"]["code"]
    talk.check("a page of another site changes nothing", "FORBIDDEN_ORIGIN", code)
    plain = {"Content-Type": "text/plain"}
    talk.ask("POST", "/tasks", {"title": "Tour"}, wants=415, headers=plain)
    refused = talk.ask("POST", "/tasks", {"title": "Tour", "priority": "high"}, wants=422)
    field = refused.json["error"]["details"]["field"]
    talk.check("the handler sees good fields only", "priority", field)


ERRORS = (
    ("GET", "/demo/error/unauthorized", 401, "INVALID_TOKEN"),
    ("GET", "/demo/error/forbidden", 403, "INSUFFICIENT_PERMISSIONS"),
    ("GET", "/demo/error/notfound", 404, "NOT_FOUND"),
    ("POST", "/demo/error/validation", 422, "VALIDATION_ERROR"),
    ("POST", "/demo/error/missingfield", 422, "MISSING_REQUIRED_FIELD"),
    ("GET", "/demo/error/internal", 500, "INTERNAL_ERROR"),
)


def errors(talk: Talk) -> None:
    """One shape for everything that goes wrong, and an id to find it in the log."""
    own = {"X-Request-Id": "tour-6"}
    answer = talk.ask("GET", f"/tasks/{uuid4()}", wants=404, headers=own)
    told = answer.json["error"]
    shape = {"code", "message", "requestId", "timestamp", "details"}
    talk.check("an error has one shape", shape, set(told))
    ids = (answer.headers.get("x-request-id"), told["requestId"])
    talk.check("it carries the id of its request", ("tour-6", "tour-6"), ids)
    talk.ask("POST", "/tasks", b'{"title": ', wants=400)
    if not talk.demos:
        talk.skip(f"an example of each error: {NO_DEMOS}")
        return
    for method, path, status, code in ERRORS:
        answer = talk.ask(method, path, wants=status)
        told = answer.json["error"]
        talk.check(f"{status} {code}", (shape, code), (set(told), told["code"]))
    leaked = [word for word in ("ZeroDivision", "Traceback", ".py") if word in str(told)]
    talk.check("a bug answers 500, and tells nothing of the inside", [], leaked)
