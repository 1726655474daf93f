"""The router: from a method and a path to the one handler that answers."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from in_process import body_of

from taskflow.errors import MethodNotAllowed, NotFound
from taskflow.http import Handler, Request, Response
from taskflow.router import Router

ROUTES = [
    "GET /tasks",
    "POST /tasks",
    "GET /tasks/next",
    "GET /tasks/{id}",
    "DELETE /tasks/{id}",
    "GET /tasks/{id}/parts/{part}",
]
SEGMENTS = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=10)


def named(route: str) -> Handler:
    """Return a handler that answers with its route and the parameters."""

    async def handler(request: Request) -> Response:
        return Response(200, route.encode(), dict(request.params))

    return handler


ROUTER = Router({route: named(route) for route in ROUTES})


def routed(method: str, path: str) -> tuple[str, dict[str, str]]:
    """Return the route that answers, and what it read from the path."""
    response = asyncio.run(_answer(Request(method, path)))
    return body_of(response).decode(), response.headers


async def _answer(request: Request) -> Response:
    return await ROUTER(request)


def test_method_and_path_choose_the_handler() -> None:
    assert routed("GET", "/tasks") == ("GET /tasks", {})
    assert routed("POST", "/tasks") == ("POST /tasks", {})
    assert routed("GET", "/tasks/7") == ("GET /tasks/{id}", {"id": "7"})
    assert routed("DELETE", "/tasks/7") == ("DELETE /tasks/{id}", {"id": "7"})


def test_a_literal_path_wins_over_a_parameter() -> None:
    assert routed("GET", "/tasks/next") == ("GET /tasks/next", {})
    with pytest.raises(MethodNotAllowed):
        routed("DELETE", "/tasks/next")


@given(SEGMENTS, SEGMENTS)
def test_a_parameter_is_a_whole_segment_whatever_is_in_it(first: str, second: str) -> None:
    route, params = routed("GET", f"/tasks/{first}/parts/{second}")
    assert route == "GET /tasks/{id}/parts/{part}"
    assert params == {"id": first.lower(), "part": second.lower()}


def test_head_is_answered_wherever_get_is() -> None:
    assert routed("HEAD", "/tasks/7") == ("GET /tasks/{id}", {"id": "7"})


@pytest.mark.parametrize(
    "path",
    ["", "/", "/task", "/tasks/", "/Tasks", "/tasks//", "/tasks/7/", "/tasks/7/parts", "/x/tasks"],
)
def test_an_unknown_path_is_not_found(path: str) -> None:
    with pytest.raises(NotFound):
        routed("GET", path)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/tasks", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("POST", "/tasks/7", {"GET", "HEAD", "DELETE", "OPTIONS"}),
        ("", "/tasks/next", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_a_known_path_says_which_methods_it_has(method: str, path: str, allowed: set[str]) -> None:
    with pytest.raises(MethodNotAllowed) as caught:
        routed(method, path)
    assert set(dict(caught.value.headers)["Allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/tasks", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("/tasks/7", {"GET", "HEAD", "DELETE", "OPTIONS"}),
        ("*", {"OPTIONS"}),
    ],
)
def test_options_lists_the_methods_of_a_known_path(path: str, allowed: set[str]) -> None:
    response = asyncio.run(_answer(Request("OPTIONS", path)))
    assert response.status == 204
    assert set(response.headers["Allow"].split(", ")) == allowed


def test_options_on_an_unknown_path_is_not_found() -> None:
    with pytest.raises(NotFound):
        routed("OPTIONS", "/nowhere")


def test_a_path_that_is_not_found_is_shown_in_part() -> None:
    with pytest.raises(NotFound) as caught:
        routed("GET", "/" + "x" * 10_000)
    assert len(str(caught.value)) < 200
