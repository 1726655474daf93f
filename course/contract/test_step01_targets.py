"""Step 1: what a request asks for: forms of the target, decoding, paths, methods."""

from __future__ import annotations

import uuid

import pytest

from .api import Api


def test_an_absolute_target_is_understood(api: Api) -> None:
    """As a proxy would send it (RFC 9112, 3.2.2)."""
    api.ask("GET", f"{api.origin}/health").expect(200)
    api.ask("GET", f"{api.origin}/tasks?unknown=1").expect(200)
    api.refused(api.ask("GET", f"{api.origin}/nowhere"), "NOT_FOUND")


def test_an_absolute_target_does_not_replace_the_host(api: Api) -> None:
    connection = api.say(f"GET {api.origin}/health HTTP/1.1\r\n\r\n".encode())
    api.refused(connection.answer(), "BAD_REQUEST")


@pytest.mark.parametrize("path", ["/%74asks", "/tas%6Bs", "/tas%6bs", "/%74%61%73%6b%73"])
def test_the_path_is_percent_decoded(api: Api, path: str) -> None:
    assert isinstance(api.ask("GET", path).expect(200).json(), list)


def test_the_path_is_decoded_only_once(api: Api) -> None:
    api.refused(api.ask("GET", "/%2574asks"), "NOT_FOUND")


@pytest.mark.parametrize(
    "path",
    [
        "/%",
        "/tasks%",
        "/tasks/%4",
        "/tasks/%zz",
        "/tasks/%4g",
        "/tasks/%+1",
        "/tasks/%ff",
        "/tasks/%c3%28",
        "/tasks/%c0%af",
        "/tasks/%ed%a0%80",
        "/tasks/%e2%82",
        "/tasks/%00",
        "/health%00",
    ],
)
def test_bad_escapes_bad_utf_8_and_nul_are_refused(api: Api, path: str) -> None:
    api.refused(api.ask("GET", path), "BAD_REQUEST")


@pytest.mark.parametrize(
    "path",
    [
        "/..",
        "/../etc/passwd",
        "/../../../../etc/passwd",
        "/..%2f..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/tasks/..",
        "/tasks/../health",
        "/tasks/../../etc/passwd",
        "/tasks/..%2f..%2fetc%2fpasswd",
        "/./health",
        "/taskflow/__init__.py",
        "//etc/passwd",
    ],
)
def test_no_trick_with_dots_reaches_a_file(api: Api, path: str) -> None:
    assert b"root:" not in api.ask("GET", path).expect(404).body


@pytest.mark.parametrize(
    "path", ["/nowhere", "/health/", "//health", "/HEALTH", "/task", "/tasksx", "/health/more"]
)
def test_any_other_path_is_not_found(api: Api, path: str) -> None:
    api.refused(api.ask("GET", path), "NOT_FOUND")


@pytest.mark.parametrize(
    "path", ["/tasks%2f", "/%2ftasks", "/%2Ftasks", "/health%2F", "/tasks%252F"]
)
def test_an_encoded_slash_separates_nothing(api: Api, path: str) -> None:
    api.refused(api.ask("GET", path), "NOT_FOUND")


@pytest.mark.parametrize("slash", ["%2f", "%2F"])
def test_a_task_is_not_found_behind_an_encoded_slash(api: Api, slash: str) -> None:
    api.refused(api.ask("GET", f"/tasks{slash}{api.create()['id']}"), "NOT_FOUND")


def test_the_id_of_a_task_is_compared_without_regard_to_case(api: Api) -> None:
    task = api.create(title="in lower case")
    assert api.ask("GET", f"/tasks/{task['id'].upper()}").expect(200).json() == task
    assert task["id"] == task["id"].lower()


@pytest.mark.parametrize("task_id", [str(uuid.UUID(int=0)), "nonsense", "1", "%C3%A4", "a%20b"])
def test_an_unknown_task_is_not_found(api: Api, task_id: str) -> None:
    api.refused(api.ask("GET", f"/tasks/{task_id}"), "TASK_NOT_FOUND")


@pytest.mark.parametrize("target", ["/health?", "/health?x=1", "/tasks?x=1&x=2&y", "/tasks?%41=b"])
def test_unknown_query_parameters_are_ignored(api: Api, target: str) -> None:
    api.ask("GET", target).expect(200)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_health_knows_only_get_and_head(api: Api, method: str) -> None:
    answer = api.ask(method, "/health")
    api.refused(answer, "METHOD_NOT_ALLOWED")
    assert answer.options("allow") == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_the_list_of_tasks_knows_get_head_and_post(api: Api, method: str) -> None:
    answer = api.ask(method, "/tasks")
    api.refused(answer, "METHOD_NOT_ALLOWED")
    assert answer.options("allow") == {"GET", "HEAD", "POST", "OPTIONS"}


@pytest.mark.parametrize("task_id", [str(uuid.UUID(int=0)), "nonsense"])
def test_a_task_says_which_methods_it_knows(api: Api, task_id: str) -> None:
    """Also one that does not exist: the path is judged before the task is looked up."""
    answer = api.ask("POST", f"/tasks/{task_id}")
    api.refused(answer, "METHOD_NOT_ALLOWED")
    assert answer.options("allow") == api.expected.task_methods


@pytest.mark.parametrize("path", ["/health", "/tasks", "/tasks/nonsense"])
def test_options_lists_the_methods_of_a_known_path(api: Api, path: str) -> None:
    """Also of a task that does not exist. No page of another origin is invited."""
    methods = {"/health": {"GET", "HEAD", "OPTIONS"}, "/tasks": {"GET", "HEAD", "POST", "OPTIONS"}}
    for origin in ([], ["Origin: http://evil.example", "Access-Control-Request-Method: POST"]):
        answer = api.ask("OPTIONS", path, *origin).expect(204)
        assert answer.options("allow") == methods.get(path, api.expected.task_methods)
        assert answer.every("access-control-allow-origin") == []


def test_options_on_an_unknown_path_is_not_found(api: Api) -> None:
    api.refused(api.ask("OPTIONS", "/nowhere"), "NOT_FOUND")


def test_options_may_ask_about_the_server_as_a_whole(api: Api) -> None:
    """In the asterisk form (RFC 9112, 3.2.4), which no other method has."""
    api.ask("OPTIONS", "*").expect(204)
    api.refused(api.ask("GET", "*"), "BAD_REQUEST")


@pytest.mark.parametrize("method", ["TRACE", "CONNECT"])
def test_a_method_that_no_path_supports_is_not_allowed(api: Api, method: str) -> None:
    answer = api.ask(method, "/tasks")
    api.refused(answer, "METHOD_NOT_ALLOWED")
    assert answer.options("allow") == {"GET", "HEAD", "POST", "OPTIONS"}


@pytest.mark.parametrize("target", ["/health", "/tasks", "/tasks/{id}", "/tasks/x", "/nowhere"])
def test_head_is_get_without_the_body(api: Api, target: str) -> None:
    target = target.replace("{id}", api.create(title="asked for by HEAD")["id"])
    connection = api.say(api.request("HEAD", target) + api.request("GET", target))
    head, get = connection.answer("HEAD"), connection.answer("GET")
    assert head.status == get.status
    names = sorted(name for name, _ in head.fields)
    assert names == sorted(name for name, _ in get.fields)
    vary = api.expected.fields_that_vary
    if target == "/health":  # tells the time: two answers differ
        vary = vary | {"content-length"}
    for name in set(names) - vary:
        assert head.every(name) == get.every(name)


@pytest.mark.parametrize(
    ("target", "field", "code"),
    [
        ("/%zz", "X-Name: a", "BAD_REQUEST"),
        ("/health", "Content-Length: -1", "BAD_REQUEST"),
        ("/health", "Host: again", "BAD_REQUEST"),
        ("/health", "Transfer-Encoding: gzip", "NOT_IMPLEMENTED"),
        ("/health", "X-Name: " + "a" * 20_000, "HEADERS_TOO_LARGE"),
    ],
    ids=["target", "length", "host", "coding", "size"],
)
def test_head_has_no_body_even_when_its_head_is_refused(
    api: Api, target: str, field: str, code: str
) -> None:
    connection = api.say(api.head("HEAD", target, field))
    api.refused(connection.answer("HEAD"), code)
    connection.ended()
