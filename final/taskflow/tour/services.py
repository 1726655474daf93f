"""The concepts 7 to 10: memory, workers, streams and WebSockets.

The tour shows the docstring of each concept as its title.
"""

from typing import Any

from taskflow.tour.listen import listening
from taskflow.tour.screen import mib, milliseconds
from taskflow.tour.session import NEEDS_DEMOS, Session, Skipped

# The iterations of a sum, on the event loop and in a worker.
ITERATIONS = 5_000_000
# The rows of a stream.
ROWS = 300_000
# The number and size of the values that the cache and the leak are given.
VALUES = 500
SIZE_KB = 64
# More than the leak accepts.
TOO_MUCH = "count=1000&sizeKb=1024"


def memory(session: Session) -> None:
    """Compare a bounded cache with a leak."""
    bounded = session.request("GET", "/tasks/system/memory").json["bounded"]
    exceeded = {name: part for name, part in bounded.items() if part["size"] > part["limit"]}
    session.check("no history exceeds its bound", {}, exceeded)
    if not session.has_demos:
        session.skip(f"the comparison with a leak: {NEEDS_DEMOS}")
        return
    query = f"count={VALUES}&sizeKb={SIZE_KB}"
    session.request("POST", "/tasks/memory/clear")
    try:
        cached = session.request("POST", f"/tasks/memory/safe?{query}", status=201).json
        leaked = session.request("POST", f"/tasks/memory/leak?{query}", status=201).json
        session.request("POST", f"/tasks/memory/leak?{TOO_MUCH}", status=422)
    finally:
        cleared = session.request("POST", "/tasks/memory/clear").json
    compare_memory(session, cached, leaked)
    sizes = (cleared["cache"]["size"], cleared["leakedBytes"]["size"])
    session.check("both can be cleared", (0, 0), sizes)


def compare_memory(session: Session, cached: Any, leaked: Any) -> None:
    """Show and check the sizes of the cache, the leak and the process."""
    count = cached["cache"]["size"]
    limit = cached["cache"]["limit"]
    cache_bytes = count * SIZE_KB * 1024
    leaked_bytes = leaked["leakedBytes"]["size"]
    resident_bytes = leaked["process"]["residentBytes"]
    session.screen.say(f"Each received {VALUES} values of {SIZE_KB} KiB:")
    session.screen.bars(
        (
            ("the bounded cache holds", cache_bytes, mib(cache_bytes)),
            ("the leaking list holds", leaked_bytes, mib(leaked_bytes)),
            ("the whole process uses", resident_bytes, mib(resident_bytes)),
        )
    )
    session.check(f"the cache keeps {limit} of {VALUES} values", limit, count)
    session.check("the leak keeps all values", VALUES * SIZE_KB * 1024, leaked_bytes)
    session.check("the leak is in the memory of the process", True, resident_bytes >= leaked_bytes)


def workers(session: Session) -> None:
    """Compute in another process, so that the event loop stays free."""
    for priority in (1, 5, 9):
        session.create_task(f"of urgency {priority}", priority=priority)
    response = session.request("POST", "/tasks/reports/start?heavyIterations=100000", status=202)
    path = response.json["statusPath"]
    session.check("a started report has a path", path, response.headers.get("location"))
    job = session.poll(path, lambda job: job["status"] in ("completed", "failed"))
    session.check("a worker completes the report", "completed", job["status"])
    total = job["output"]["summary"]["totalTasks"]
    complete = total >= 3 if session.has_other_tasks else total == 3
    session.check("the report counts the three tasks", True, complete)
    if session.has_demos:
        compare_waits(session)
    else:
        session.skip(f"the same sum on the event loop and in a worker: {NEEDS_DEMOS}")


def compare_waits(session: Session) -> None:
    """Measure how long /health waits during a sum on the event loop, and during one in a worker."""
    target = f"/demo/cpu/blocking?iterations={ITERATIONS}"
    loop_wait, on_loop = session.longest_health_wait(target)
    target = f"/demo/cpu/worker/run?iterations={ITERATIONS}"
    worker_wait, in_worker = session.longest_health_wait(target)
    session.check("both compute the same sum", on_loop["result"], in_worker["result"])
    session.screen.say("The longest wait of another request during the sum:")
    session.screen.bars(
        (
            ("on the event loop", loop_wait, milliseconds(loop_wait)),
            ("in a worker", worker_wait, milliseconds(worker_wait)),
        )
    )
    seconds = on_loop["durationMs"] / 1000
    session.check("a sum on the event loop delays every client", True, loop_wait > seconds / 2)
    # On a busy machine a request may wait for other programs, but not for nearly the whole sum.
    seconds = in_worker["durationMs"] / 1000
    session.check("a sum in a worker delays none", True, worker_wait < seconds * 0.8)


def streaming(session: Session) -> None:
    """Stream responses and request bodies of any length without holding them in memory."""
    if session.has_demos:
        # A CSV table has one line more, its header.
        ndjson_rate = show_stream(session, f"/demo/stream/ndjson?count={ROWS}", ROWS)
        csv_rate = show_stream(session, f"/demo/stream/csv?count={ROWS}", ROWS + 1)
        session.screen.say("Rows per second:")
        session.screen.bars(
            (("ndjson", ndjson_rate, f"{ndjson_rate:,.0f}"), ("csv", csv_rate, f"{csv_rate:,.0f}"))
        )
    else:
        session.skip(f"streams of made-up rows: {NEEDS_DEMOS}")
    if session.has_many_tasks:
        raise Skipped("export and import, because there are many tasks here")
    export_and_import(session)


def show_stream(session: Session, target: str, lines: int) -> float:
    """Read a stream, check its length and the server's memory; return the rows per second."""
    result = session.stream(target, lines)
    encoding = result.headers.get("transfer-encoding")
    session.check("the response is chunked, without a length", "chunked", encoding)
    session.check(f"all {ROWS:,} rows arrive", lines, result.lines)
    session.screen.bars(
        (
            ("the size of the stream", result.size, mib(result.size)),
            ("the server's memory grew by", result.growth, mib(result.growth)),
        )
    )
    session.check("the server never holds the whole stream", True, result.growth < result.size)
    return ROWS / result.seconds


def export_and_import(session: Session) -> None:
    """Export two tasks, delete them, import them again, and compare the bytes."""
    first = session.create_task("exported", description='é, "quoted"\nand in two lines')
    second = session.create_task("exported too", dependencies=[first["id"]])
    ids = [first["id"], second["id"]]
    exported = lines_of(session.request("GET", "/tasks/stream.ndjson").body, ids)
    session.check("an export has one line per task", 2, len(exported))
    for task_id in reversed(ids):
        session.request("DELETE", f"/tasks/{task_id}", status=204)
    body = b"\n".join([*exported, b"nonsense"])
    ndjson = {"Content-Type": "application/x-ndjson"}
    result = session.request("POST", "/tasks/import", body, headers=ndjson).json
    counts = (result["created"], result["failedCount"], result["failed"][0]["line"])
    session.check("an import adds valid lines and names invalid ones", (2, 1, 3), counts)
    exported_again = lines_of(session.request("GET", "/tasks/stream.ndjson").body, ids)
    session.check("a second export has the same bytes", exported, exported_again)


def lines_of(body: bytes, ids: list[str]) -> list[bytes]:
    """Return the lines of the tasks with these ids."""
    prefixes = tuple(f'{{"id":"{task_id}"'.encode() for task_id in ids)
    return [line for line in body.splitlines() if line.startswith(prefixes)]


def websockets(session: Session) -> None:
    """Follow events over a WebSocket, and catch up on those that were missed."""
    session.request("GET", "/ws/tasks", status=426)
    subscription = {"type": "subscribe", "rooms": ["tasks", "reports"]}
    with listening(session) as listener:
        epoch = listener.receive("connection.ready")["epoch"]
        listener.send(subscription)
        listener.receive("subscription.confirmed")
        task = session.create_task("watched")
        path = f"/tasks/{task['id']}"
        own_id = {"X-Request-Id": "tour-10"}
        changed = session.request("PATCH", path, {"priority": 7}, headers=own_id).json
        events, numbers = listener.events_of(task["id"], 2)
        kinds = [event["type"] for event in events]
        session.check("both changes are events", ["task.created", "task.updated"], kinds)
        content = (events[1]["task"], events[1]["requestId"])
        session.check("an event has its task and its request", (changed, "tour-10"), content)
        listener.send({"type": "ping"})
        listener.receive("pong")
    session.screen.say("The task is deleted while no client listens.")
    session.request("DELETE", path, status=204)
    with listening(session) as listener:
        listener.receive("connection.ready")
        listener.send({**subscription, "since": numbers[-1], "epoch": epoch})
        listener.receive("subscription.confirmed")
        events, later_numbers = listener.events_of(task["id"], 1)
    session.check("a missed event is sent later", "task.deleted", events[0]["type"])
    numbers += later_numbers
    consecutive = list(range(numbers[0], numbers[0] + len(numbers)))
    session.check("the numbers of events have no gap", consecutive, numbers)
