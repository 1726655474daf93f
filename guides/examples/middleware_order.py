"""Which refusal comes first, and what leaks when two links change places (step 5).

PYTHONPATH=step05_middleware python3 guides/examples/middleware_order.py
"""

from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from middleware_ask import ADMIN, AUTH, LINKS, USER, Link, all_routes, ask, build, head_of, place

from taskflow.errors import TaskflowError
from taskflow.http import REASONS, Handler, Request, Response
from taskflow.middleware import ErrorBoundary, Permission, SameOrigin, Validation, chain
from taskflow.parser import parse_head
from taskflow.router import Router
from taskflow.store import Store
from taskflow.tasks import check_fields

TOO_LARGE = b"x" * (1024 * 1024 + 1)
NO_TASK = "/tasks/none"


@dataclass(frozen=True)
class Spy:
    """A link that notes who raised what passes it."""

    seen: list[str]
    next: Handler

    async def __call__(self, request: Request) -> Response:
        """Pass on, both ways."""
        try:
            return await self.next(request)
        except TaskflowError as error:
            self.seen.append(place(error))
            raise


def ladder() -> list[tuple[str, int, str, str]]:
    """Return what is mended, the status then, who refused, and the message."""
    store, seen = Store(), list[str]()
    task = store.create({"title": "Wash"}).id
    app = chain(Router(all_routes(store)), LINKS[0], partial(Spy, seen), *LINKS[1:])
    bad = {"Host": "a b", "Origin": "http://evil.example", "Content-Type": "text/plain"}
    no_host = {name: value for name, value in bad.items() if name != "Host"}
    plain = {"Content-Type": "text/plain"}
    cycle = b'{"dependencies": ["%b"]}' % task.encode()
    rungs = [
        ("nothing yet", ask(app, "POST /nope", "", TOO_LARGE, bad)),
        ("the `Host` header", ask(app, "POST /nope", "", TOO_LARGE, no_host)),
        ("a token, a user's", ask(app, "POST /nope", USER, TOO_LARGE, no_host)),
        ("the `Origin` header", ask(app, "POST /nope", USER, TOO_LARGE, plain)),
        ("the token is an admin's", ask(app, "POST /nope", ADMIN, TOO_LARGE, plain)),
        ("the path", ask(app, f"POST {NO_TASK}", ADMIN, TOO_LARGE, plain)),
        ("the method", ask(app, f"PATCH {NO_TASK}", ADMIN, TOO_LARGE, plain)),
        ("the body's length", ask(app, f"PATCH {NO_TASK}", ADMIN, b"{", plain)),
        ("its media type", ask(app, f"PATCH {NO_TASK}", ADMIN, b"{")),
        ("its JSON", ask(app, f"PATCH {NO_TASK}", ADMIN, b'{"priority": "high"}')),
        ("its fields", ask(app, f"PATCH {NO_TASK}", ADMIN, b'{"priority": 5}')),
        ("the task, but a cycle", ask(app, f"PATCH /tasks/{task}", ADMIN, cycle)),
        ("the cycle", ask(app, f"PATCH /tasks/{task}", ADMIN, b'{"priority": 5}')),
    ]
    places = iter([place_in_parser(bad), *seen])
    return [
        (mended, asked.status, next(places) if asked.status >= 400 else "", asked.message)
        for mended, asked in rungs
    ]


def place_in_parser(headers: dict[str, str]) -> str:
    """Return the function of the parser that refuses this head.

    The refusal in a request has no traceback any more, so the head is parsed once again.
    """
    try:
        parse_head(bytearray(head_of("POST", "/nope", "", headers, TOO_LARGE)))
    except TaskflowError as refusal:
        return place(refusal)
    raise AssertionError("the head is valid")


def ladder_table() -> None:
    """Print the ladder as a table."""
    print("| mended last | answer | raised by |\n| --- | --- | --- |")
    for mended, status, who, _ in ladder():
        print(f"| {mended} | {status} {REASONS[status]} | {f'`{who}`' if who else ''} |")


PASSED = ["ErrorBoundary", "Auth", "SameOrigin", "Permission", "Router", "Validation", "handler"]


def picture() -> None:
    """Print the chain as a drawing, with the statuses that each link answered in the ladder."""
    refusals: dict[str, list[int]] = {name: [] for name in PASSED}
    owners = {"Request": "Validation", "Store": "handler", "decode_object": "Validation"}
    owners |= {"_parse_headers": "ErrorBoundary", "_priority": "Validation"}
    owners["check_media_type"] = "Validation"
    for _, status, who, _ in ladder():
        if who:
            first = who.split(".")[0]
            refusals[owners.get(first, first)].append(status)
    print("```mermaid\nflowchart LR")
    print('    client(["client"]) --> ErrorBoundary')
    for name, following in pairwise(PASSED):
        print(f"    {name} --> {following}")
    for name, statuses in refusals.items():
        numbers = ", ".join(str(status) for status in dict.fromkeys(statuses))
        print(f'    {name}["{name}<br/>{numbers}"]')
    print("```")


@dataclass(frozen=True)
class Tracer:
    """A link that prints when a request comes to the one behind it, and what comes back."""

    name: str
    depth: int
    next: Handler

    async def __call__(self, request: Request) -> Response:
        """Pass on, both ways."""
        indent = "  " * self.depth
        print(f"{indent}{self.name}")
        try:
            response = await self.next(request)
        except TaskflowError as error:
            print(f"{indent}raises {type(error).__name__}")
            raise
        print(f"{indent}returns {response.status}")
        return response


def trace(target: str, token: str) -> None:
    """Print the way of one request through the chain and back."""
    links: list[Link] = []
    names = ["ErrorBoundary", "Auth", "SameOrigin", "Permission"]
    for depth, (name, link) in enumerate(zip(names, LINKS, strict=True)):
        links += [partial(Tracer, name, depth), link]
    app = chain(Router(all_routes(Store())), *links, partial(Tracer, "Router", len(names)))
    ask(app, target, token)


def guarded(handler: Handler) -> Handler:
    """Put Auth and Permission right before a handler, behind its Validation if it has one."""
    if isinstance(handler, Validation):
        return Validation(handler.check, guarded(handler.next))
    return chain(handler, AUTH, Permission)


def router_first(store: Store) -> Handler:
    """Build the application inside out: Router and Validation come before Auth."""
    routes = {route: guarded(handler) for route, handler in all_routes(store).items()}
    return chain(Router(routes), ErrorBoundary, SameOrigin)


def orders() -> dict[str, Handler]:
    """Return the step's order, and others."""
    store = Store()
    return {
        "as it is": build(store),
        "Router and Validation before Auth": router_first(store),
        "Permission before Auth": build(store, (ErrorBoundary, Permission, AUTH, SameOrigin)),
        "Auth before ErrorBoundary": build(store, (AUTH, ErrorBoundary, SameOrigin, Permission)),
    }


def status(app: Handler, target: str, token: str = "", body: bytes = b"") -> str:
    """Return the status, or what flies out of the application in its place."""
    try:
        return str(ask(app, target, token, body).status)
    except TaskflowError as error:
        return f"none: {type(error).__name__}"


def body_read(app: Handler) -> str:
    """Return how many bytes of a stranger's body are read before the answer."""
    try:
        return f"{ask(app, 'POST /tasks', '', b' ' * 1024 * 1024).body_read:,}"
    except TaskflowError:
        return "0"


def leaks() -> None:
    """Print what each order answers to a stranger and to a user."""
    print("| order | stranger: `GET /none` | `DELETE /tasks` | `GET /tasks` ", end="")
    print("| bytes read of a stranger's 1 MiB | user: `POST /tasks/claim` |")
    print("| --- | --- | --- | --- | ---: | --- |")
    for name, app in orders().items():
        cells = [
            *(status(app, target) for target in ("GET /none", "DELETE /tasks", "GET /tasks")),
            body_read(app),
            status(app, "POST /tasks/claim", USER),
        ]
        print(f"| {name} | {' | '.join(cells)} |")


def half_changed() -> None:
    """Print what is left of a change that is checked field by field, while it is made."""
    body = {"title": "Iron", "priority": "high"}
    store = Store()
    task = store.create({"title": "Wash"}).id
    try:
        for name, value in body.items():
            store.update(task, check_fields({name: value}))
    except TaskflowError as error:
        print(f"while changing: {error.status}, title {store.get(task).title!r}")
    store = Store()
    task = store.create({"title": "Wash"}).id
    asked = ask(build(store), f"PATCH /tasks/{task}", ADMIN, b'{"title": "Iron", "priority": "x"}')
    print(f"Validation:     {asked.status}, title {store.get(task).title!r}")


if __name__ == "__main__":
    ladder_table()
    print()
    leaks()
