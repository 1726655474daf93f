"""Final: the names by which it can be reached."""

from __future__ import annotations

import pytest

from .api import Api
from .conftest import Launch


def answered(api: Api, host: str, method: str = "GET", target: str = "/health") -> int:
    """The status of the answer to a request that was meant for this host."""
    token = f"Authorization: Bearer {api.token}"
    connection = api.say(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{token}\r\n\r\n".encode())
    return connection.answer(method).status


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:3000", "127.0.0.1", "[::1]:80", "10.1.2.3"]
)
def test_addresses_and_localhost_are_always_ours(api: Api, host: str) -> None:
    assert answered(api, host) == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:3000", "localhost.evil.example", "127.0.0.1.nip.example"]
)
@pytest.mark.parametrize("target", ["/health", "/tasks", "/", "/openapi.json", "http://{}/tasks"])
def test_a_name_that_is_not_ours_is_refused_on_every_path(api: Api, host: str, target: str) -> None:
    """However good the token is: the page that a browser shows may be another's."""
    assert answered(api, host, target=target.format(host)) == 400


def test_an_absolute_target_has_the_last_word(api: Api) -> None:
    assert answered(api, "127.0.0.1", target="http://evil.example/health") == 400
    assert answered(api, "evil.example", target="http://127.0.0.1/health") == 200


def test_names_can_be_allowed(launch: Launch) -> None:
    api, _ = launch("--allowed-hosts", "tasks.example, box.local")
    assert answered(api, "tasks.example") == answered(api, "BOX.local:443") == 200
    assert answered(api, "example") == 400


def test_a_client_of_1_0_needs_no_name(api: Api) -> None:
    api.say(b"GET /health HTTP/1.0\r\n\r\n").answer().expect(200)


def test_behind_https_a_page_of_ours_is_one_of_https(launch: Launch) -> None:
    api, _ = launch("--behind-https")
    https = api.origin.replace("http:", "https:")
    api.ask("POST", "/tasks", f"Origin: {https}", value={"title": "t"}).expect(201)
    foreign = api.ask("POST", "/tasks", f"Origin: {api.origin}", value={"title": "t"})
    api.refused(foreign, "FORBIDDEN_ORIGIN")
