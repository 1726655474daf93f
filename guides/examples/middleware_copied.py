"""The wrong turn of step 5: each handler checks the token itself. Who finds the mistakes?"""

from collections.abc import Callable

from middleware_ask import ADMIN, TOKENS, USER, ask, build

from taskflow.errors import InsufficientPermissions, InvalidToken
from taskflow.http import Handler, Request, Response
from taskflow.middleware import ErrorBoundary, SameOrigin, chain
from taskflow.router import Router
from taskflow.routes import TaskRoutes, health
from taskflow.store import Store


def need_token(request: Request, *accepted: str) -> None:
    """Raise unless the request carries one of these tokens."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token not in (TOKENS.admin, TOKENS.user):
        raise InvalidToken("a valid token is needed")
    if token not in accepted:
        raise InsufficientPermissions("the admin token is needed")


class CheckedRoutes(TaskRoutes):
    """The same nine handlers, each with a line of its own in front."""

    async def list_tasks(self, request: Request) -> Response:
        need_token(request, ADMIN, USER)
        return await super().list_tasks(request)

    async def create(self, request: Request) -> Response:
        need_token(request, ADMIN)
        return await super().create(request)

    async def read(self, request: Request) -> Response:
        need_token(request, ADMIN, USER)
        return await super().read(request)

    async def update(self, request: Request) -> Response:
        need_token(request, ADMIN)
        return await super().update(request)

    async def delete(self, request: Request) -> Response:
        need_token(request, ADMIN, USER)
        return await super().delete(request)

    async def next_task(self, request: Request) -> Response:
        need_token(request, ADMIN, USER)
        return await super().next_task(request)

    async def queue(self, request: Request) -> Response:
        need_token(request, ADMIN, USER)
        return await super().queue(request)

    async def claim(self, request: Request) -> Response:
        return await super().claim(request)

    async def resolve(self, request: Request) -> Response:
        need_token(request, ADMIN, USER)
        return await super().resolve(request)


def copied(store: Store) -> Handler:
    """Build the application whose handlers look after themselves."""
    routes = {"GET /health": health, **CheckedRoutes(store).routes()}
    return chain(Router(routes), ErrorBoundary, SameOrigin)


def first_answer(build_app: Callable[[Store], Handler], route: str, token: str) -> int:
    """Return the status of a route in a store with one task, which `{id}` stands for."""
    store = Store()
    task = store.create({"title": "Wash"})
    return ask(build_app(store), route.replace("{id}", task.id), token, b"{}").status


def answers(token: str) -> None:
    """Print the routes that give this client another answer than the chain does."""
    print("| route | checks in each handler | the chain |\n| --- | ---: | ---: |")
    for route in TaskRoutes(Store()).routes():
        theirs, ours = (first_answer(how, route, token) for how in (copied, build))
        if ours != theirs:
            print(f"| `{route}` | **{theirs}** | {ours} |")


def stranger() -> None:
    """Print the routes that answer without a token."""
    answers("")


def user() -> None:
    """Print the routes that differ for a client with the user token."""
    answers(USER)


def admin() -> None:
    """Print how many routes answer the admin as the chain does."""
    routes = TaskRoutes(Store()).routes()
    same = [first_answer(copied, one, ADMIN) == first_answer(build, one, ADMIN) for one in routes]
    print(f"{sum(same)} of {len(routes)} routes answer the admin as the chain does")
