"""The tour, concepts 7 to 10: what goes on beside the answers, and answers that go on."""

from taskflow.demo_listen import listening
from taskflow.demo_show import mib, milliseconds
from taskflow.demo_talk import NO_DEMOS, Skipped, Talk

ITERATIONS = 5_000_000  # of a sum, on the loop and in a worker
ROWS = 300_000  # of a stream
VALUES = 500  # to be kept
SIZE_KB = 64  # of each
TOO_MUCH = "count=1000&sizeKb=1024"


def memory(talk: Talk) -> None:
    """What grows with use has a bound; what has none is a leak."""
    bounded = talk.ask("GET", "/tasks/system/memory").json["bounded"]
    over = {name: one for name, one in bounded.items() if one["size"] > one["limit"]}
    talk.check("no history is over its bound", {}, over)
    if not talk.demos:
        talk.skip(f"the leak beside the cache: {NO_DEMOS}")
        return
    wanted = f"count={VALUES}&sizeKb={SIZE_KB}"
    talk.ask("POST", "/tasks/memory/clear")
    try:
        kept = talk.ask("POST", f"/tasks/memory/safe?{wanted}", wants=201).json
        leaked = talk.ask("POST", f"/tasks/memory/leak?{wanted}", wants=201).json
        talk.ask("POST", f"/tasks/memory/leak?{TOO_MUCH}", wants=422)
    finally:
        cleared = talk.ask("POST", "/tasks/memory/clear").json
    cache, limit = kept["cache"]["size"], kept["cache"]["limit"]
    lost, resident = leaked["leakedBytes"]["size"], leaked["process"]["residentBytes"]
    held = cache * SIZE_KB * 1024
    talk.screen.say(f"Both were given {VALUES} values of {SIZE_KB} KiB:")
    rows = (
        ("the bounded cache holds", held, mib(held)),
        ("the list that leaks holds", lost, mib(lost)),
    )
    talk.screen.bars((*rows, ("the whole process", resident, mib(resident))))
    talk.check(f"the cache keeps {limit} of {VALUES} values", limit, cache)
    talk.check("the leak keeps them all", VALUES * SIZE_KB * 1024, lost)
    talk.check("what leaks takes memory of the process", True, resident >= lost)
    left = cleared["cache"]["size"], cleared["leakedBytes"]["size"]
    talk.check("both let go", (0, 0), left)


def workers(talk: Talk) -> None:
    """What computes for long belongs into another process; the event loop stays free."""
    for urgency in (1, 5, 9):
        talk.task(f"of urgency {urgency}", priority=urgency)
    answer = talk.ask("POST", "/tasks/reports/start?heavyIterations=100000", wants=202)
    path = answer.json["statusPath"]
    talk.check("a report is promised, and where it will be", path, answer.headers.get("location"))
    ended = ("completed", "failed")
    job = talk.until(path, lambda job: job["status"] in ended)
    talk.check("a worker has made it", "completed", job["status"])
    total = job["output"]["summary"]["totalTasks"]
    talk.check("it knows our three tasks", True, total == 3 if talk.alone else total >= 3)
    if not talk.demos:
        talk.skip(f"the same sum on the loop and in a worker: {NO_DEMOS}")
        return
    on_loop, there = talk.longest_wait(f"/demo/cpu/blocking?iterations={ITERATIONS}")
    beside, here = talk.longest_wait(f"/demo/cpu/worker/run?iterations={ITERATIONS}")
    talk.check("both find the same sum", there["result"], here["result"])
    talk.screen.say("the longest wait of others for /health meanwhile:")
    rows = ("on the event loop", on_loop), ("in a worker", beside)
    talk.screen.bars([(name, wait, milliseconds(wait)) for name, wait in rows])
    took = there["durationMs"] / 1000
    talk.check("on the loop, everybody waits until it is done", True, on_loop > took / 2)
    took = here["durationMs"] / 1000
    # A machine that is busy with other things lets people wait too, but not for that long.
    talk.check("in a worker, nobody does", True, beside < took * 0.8)


def streaming(talk: Talk) -> None:
    """Answers and bodies of any length, in memory that does not grow with them."""
    rates = []
    if talk.demos:
        for kind, head in ("ndjson", 0), ("csv", 1):
            flow = talk.stream(f"/demo/stream/{kind}?count={ROWS}", ROWS)
            coded = flow.headers.get("transfer-encoding")
            talk.check("it comes in chunks, with no length said before", "chunked", coded)
            talk.check(f"all {ROWS:,} rows of it", ROWS, flow.lines - head)
            sizes = ("the stream", flow.size), ("the server's memory grew by", flow.growth)
            talk.screen.bars([(name, size, mib(size)) for name, size in sizes])
            talk.check("the server never holds it whole", True, flow.growth < flow.size)
            rates.append((kind, ROWS / flow.seconds, f"{ROWS / flow.seconds:,.0f}"))
        talk.screen.say("rows a second:")
        talk.screen.bars(rates)
    else:
        talk.skip(f"streams of made-up rows: {NO_DEMOS}")
    if talk.many:
        raise Skipped("export and import, for here are many tasks")
    first = talk.task("exported", description='é, "quoted"\nand in two lines')
    second = talk.task("exported too", dependencies=[first["id"]])
    ids = [first["id"].encode(), second["id"].encode()]
    before = ours(talk.ask("GET", "/tasks/stream.ndjson").body, ids)
    talk.check("an export has a line for each task", 2, len(before))
    for task in second, first:
        talk.ask("DELETE", f"/tasks/{task['id']}", wants=204)
    lines = {"Content-Type": "application/x-ndjson"}
    done = talk.ask("POST", "/tasks/import", b"\n".join([*before, b"nonsense"]), headers=lines).json
    counts = (done["created"], done["failedCount"], done["failed"][0]["line"])
    talk.check("an import takes what is good, and names the line that is not", (2, 1, 3), counts)
    after = ours(talk.ask("GET", "/tasks/stream.ndjson").body, ids)
    talk.check("what is exported again is the same, to the byte", before, after)


def ours(body: bytes, ids: list[bytes]) -> list[bytes]:
    """Return the lines of the tasks with these ids."""
    begin = tuple(b'{"id":"' + one + b'"' for one in ids)
    return [line for line in body.splitlines() if line.startswith(begin)]


def websockets(talk: Talk) -> None:
    """What happens is told to those who listen; who was away is told what they missed."""
    talk.ask("GET", "/ws/tasks", wants=426)
    rooms = {"type": "subscribe", "rooms": ["tasks", "reports"]}
    with listening(talk) as listener:
        epoch = listener.receive("connection.ready")["epoch"]
        listener.send(rooms)
        listener.receive("subscription.confirmed")
        task = talk.task("watched")
        path, own = f"/tasks/{task['id']}", {"X-Request-Id": "tour-10"}
        changed = talk.ask("PATCH", path, {"priority": 7}, headers=own).json
        events, numbers = listener.events_of(task["id"], 2)
        kinds = [event["type"] for event in events]
        talk.check("creating and changing is heard", ["task.created", "task.updated"], kinds)
        told = (events[1]["task"], events[1]["requestId"])
        talk.check("with the task, and by which request", (changed, "tour-10"), told)
        listener.send({"type": "ping"})
        listener.receive("pong")
    talk.screen.say("Now nobody listens, and the task is deleted.")
    talk.ask("DELETE", path, wants=204)
    with listening(talk) as listener:
        listener.receive("connection.ready")
        listener.send({**rooms, "since": numbers[-1], "epoch": epoch})
        listener.receive("subscription.confirmed")
        events, more = listener.events_of(task["id"], 1)
    talk.check("what was missed is told later", "task.deleted", events[0]["type"])
    numbers += more
    counted = list(range(numbers[0], numbers[0] + len(numbers)))
    talk.check("and no number of an event is left out", counted, numbers)
