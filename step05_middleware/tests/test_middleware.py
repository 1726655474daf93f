"""The links of the chain: errors, tokens, origins, permissions and validation."""

import asyncio
import hmac
import json
import logging
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from in_process import TOKENS, Client, body_of, error_of

from taskflow.context import Context, Role
from taskflow.errors import (
    BadRequest,
    ForbiddenOrigin,
    InsufficientPermissions,
    InvalidJson,
    InvalidToken,
    MethodNotAllowed,
    PayloadTooLarge,
    TaskflowError,
    TaskNotFound,
    UnsupportedMediaType,
    ValidationError,
)
from taskflow.http import MAX_BODY_BYTES, Handler, Request, Response
from taskflow.middleware import Auth, ErrorBoundary, Permission, SameOrigin, Validation, chain
from taskflow.parser import METHODS


class Inner:
    """The innermost callable: remembers its requests, and answers or raises."""

    def __init__(self, outcome: Response | BaseException | None = None) -> None:
        self.outcome = outcome or Response(200, b"inner")
        self.requests: list[Request] = []

    async def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


# ErrorBoundary.


async def test_an_answer_passes_the_boundary_as_it_is() -> None:
    inner = Inner()
    assert await ErrorBoundary(inner)(Request()) is inner.outcome


async def test_a_refusal_becomes_an_answer() -> None:
    response = await ErrorBoundary(Inner(TaskNotFound("no such task")))(Request())
    assert (response.status, response.body) == (404, b'{"error":"no such task"}')


async def test_the_headers_of_a_refusal_are_answered_too() -> None:
    response = await ErrorBoundary(Inner(MethodNotAllowed("PUT", "GET, HEAD")))(Request())
    assert (response.status, response.headers) == (405, {"Allow": "GET, HEAD"})


async def test_a_refusal_of_the_parser_does_not_reach_what_is_inside() -> None:
    inner = Inner()
    response = await ErrorBoundary(inner)(Request(refusal=BadRequest("no HTTP")))

    assert (response.status, error_of(response)) == (400, "no HTTP")
    assert inner.requests == []


async def test_a_bug_answers_500_and_is_logged_but_not_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    response = await ErrorBoundary(Inner(KeyError("secret")))(Request("GET", "/tasks"))

    assert response.status == 500
    assert b"secret" not in body_of(response)
    assert b"KeyError" not in body_of(response)
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "GET '/tasks' failed"
    assert "KeyError: 'secret'" in caplog.text


async def test_a_path_cannot_control_the_terminal_that_shows_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = "/\x1b[31m\n\x9b1m\x85\u202e"
    await ErrorBoundary(Inner(KeyError("a bug")))(Request("GET", path))

    [record] = caplog.records
    assert record.getMessage().isprintable()


async def test_a_cancelled_request_is_not_answered() -> None:
    with pytest.raises(asyncio.CancelledError):
        await ErrorBoundary(Inner(asyncio.CancelledError()))(Request())


# SameOrigin.


def from_page(method: str, origin: str | None, host: str = "localhost:3000") -> Request:
    """Return a request as a browser sends it for a page of this origin."""
    headers = {"host": host} if origin is None else {"host": host, "origin": origin}
    return Request(method, "/tasks", headers=headers)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "CONNECT"])
@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "http://evil.example",
        "https://localhost:3000",
        "http://localhost:3001",
        "http://localhost",
        "http://localhost:30000",
        "http://localhost:3000.evil.example",
        "http://127.0.0.1:3000",
        "localhost:3000",
    ],
)
async def test_a_page_of_another_origin_changes_nothing(method: str, origin: str) -> None:
    inner = Inner()
    with pytest.raises(ForbiddenOrigin):
        await SameOrigin(inner)(from_page(method, origin))
    assert inner.requests == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_what_only_reads_passes_from_anywhere(method: str) -> None:
    inner = Inner()
    await SameOrigin(inner)(from_page(method, "http://evil.example"))
    assert len(inner.requests) == 1


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "localhost:3000"),  # no browser
        ("http://localhost:3000", "localhost:3000"),
        ("http://LOCALHOST:3000", "localhost:3000"),
        ("http://localhost", "localhost:80"),
        ("http://localhost:80", "localhost"),
        ("http://[::1]:3000", "[::1]:3000"),
    ],
)
async def test_a_page_of_our_own_may_change_tasks(origin: str | None, host: str) -> None:
    inner = Inner()
    await SameOrigin(inner)(from_page("POST", origin, host))
    assert len(inner.requests) == 1


# The whole.


async def test_everything_inside_becomes_an_answer(client: Client) -> None:
    assert (await client.ask("GET", "/nowhere")).status == 404
    assert (await client.ask("PUT", "/tasks")).status == 405
    assert (await client.ask("BREW", "/tasks")).status == 501
    assert (await client.ask("GET", "/tasks", host="a b")).status == 400
    foreign = await client.ask("POST", "/tasks", {"title": "x"}, origin="http://evil.example")
    assert foreign.status == 403
    assert await client.shown("/tasks") == []


async def test_a_foreign_origin_is_refused_before_the_path_is_looked_at(client: Client) -> None:
    assert (await client.ask("POST", "/nowhere", origin="null")).status == 403


# The chain itself.


class Recording:
    """A link that writes down when a request passes, on its way in and on its way out."""

    def __init__(self, name: str, record: list[str], refuses: bool = False) -> None:
        self.name = name
        self.record = record
        self.refuses = refuses

    def around(self, following: Handler) -> Handler:
        async def link(request: Request) -> Response:
            self.record.append(f"into {self.name}")
            if self.refuses:
                raise TaskflowError(f"{self.name} refuses")
            response = await following(request)
            self.record.append(f"out of {self.name}")
            return response

        return link


async def test_the_first_link_is_the_outermost() -> None:
    record: list[str] = []
    inner = Inner()
    links = [Recording(name, record).around for name in ("first", "second", "third")]

    response = await chain(inner, *links)(Request())

    ways_in = ["into first", "into second", "into third"]
    assert record == [*ways_in, "out of third", "out of second", "out of first"]
    assert (response.body, len(inner.requests)) == (b"inner", 1)


async def test_nothing_behind_a_link_that_refuses_is_reached() -> None:
    record: list[str] = []
    inner = Inner()
    first, second = Recording("first", record), Recording("second", record, refuses=True)
    app = chain(inner, first.around, second.around, Recording("third", record).around)

    with pytest.raises(TaskflowError, match=r"^second refuses"):
        await app(Request())

    assert record == ["into first", "into second"]
    assert inner.requests == []


async def test_a_chain_without_links_is_the_handler() -> None:
    inner = Inner()
    assert chain(inner) is inner


# Auth.


def carrying(authorization: str | None, path: str = "/tasks", method: str = "GET") -> Request:
    """Return a request with this header."""
    headers = {} if authorization is None else {"authorization": authorization}
    return Request(method, path, headers=headers)


async def role_of(authorization: str | None) -> object:
    """Return what the handler learns of who asks."""
    inner = Inner()
    await Auth(TOKENS, {"/health"}, inner)(carrying(authorization))
    [request] = inner.requests
    return request.context.role


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER   {}", "Bearer {} ", "{}"])
async def test_a_token_proves_a_role_with_its_scheme_or_bare(form: str) -> None:
    assert await role_of(form.format(TOKENS.admin)) is Role.ADMIN
    assert await role_of(form.format(TOKENS.user)) is Role.USER


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer unknown",
        TOKENS.admin[:-1],
        TOKENS.admin + "x",
        TOKENS.admin.upper(),
        f"Basic {TOKENS.admin}",
        f"Bearer Bearer {TOKENS.admin}",
        f"Bearer {TOKENS.admin} {TOKENS.user}",
        f"Bearer {TOKENS.admin},{TOKENS.user}",
        f"Bearer\t{TOKENS.admin}",
        f"Bearer{TOKENS.admin}",
    ],
)
async def test_no_token_or_an_unknown_one_is_refused(authorization: str | None) -> None:
    inner = Inner()
    with pytest.raises(InvalidToken) as caught:
        await Auth(TOKENS, {"/health"}, inner)(carrying(authorization))
    assert dict(caught.value.headers) == {"WWW-Authenticate": "Bearer"}
    assert inner.requests == []


@given(st.text(st.characters(codec="latin-1"), max_size=30))
def test_a_refusal_does_not_tell_what_was_carried(text: str) -> None:
    with pytest.raises(InvalidToken) as caught:
        asyncio.run(role_of(text))
    assert str(caught.value) == "a valid token is needed: Authorization: Bearer TOKEN"


@pytest.mark.parametrize("token", [TOKENS.admin, TOKENS.user, "unknown", ""])
async def test_every_token_is_compared_with_both_in_constant_time(
    monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    compared: list[tuple[str, str]] = []
    compare = hmac.compare_digest

    def counting(given: str, expected: str) -> bool:
        compared.append((given, expected))
        return compare(given, expected)

    monkeypatch.setattr(hmac, "compare_digest", counting)
    anonymous = Client(Auth(TOKENS, {"/health"}, Inner()), token="")
    if token in {TOKENS.admin, TOKENS.user}:
        await anonymous.ask("GET", "/tasks", authorization=token)
    else:
        with pytest.raises(InvalidToken):
            await anonymous.ask("GET", "/tasks", authorization=token)

    assert sorted(compared) == sorted((token, expected) for expected in (TOKENS.admin, TOKENS.user))


async def test_only_the_path_for_load_balancers_needs_no_token() -> None:
    inner = Inner()
    await Auth(TOKENS, {"/health"}, inner)(carrying(None, "/health"))
    await Auth(TOKENS, {"/health"}, inner)(carrying("Bearer unknown", "/health"))
    assert [request.context.role for request in inner.requests] == [None, None]
    for path in "/health/", "/Health", "/healthy", "/tasks/health", "//health", "":
        with pytest.raises(InvalidToken):
            await Auth(TOKENS, {"/health"}, inner)(carrying(None, path))


# Permission.


async def permitted(method: str, role: Role | None) -> bool:
    """Return whether the link passes this on; if not, nothing may come through."""
    inner = Inner()
    context = Context(role=role)
    try:
        await Permission(inner)(Request(method, "/tasks", context=context))
    except InsufficientPermissions:
        assert inner.requests == []
        return False
    assert len(inner.requests) == 1
    return True


@pytest.mark.parametrize("method", sorted(METHODS))
async def test_users_read_and_admins_also_write(method: str) -> None:
    assert await permitted(method, Role.ADMIN)
    assert await permitted(method, Role.USER) == (method in {"GET", "HEAD", "OPTIONS"})
    assert await permitted(method, None)  # an open path, where nobody was asked


# Validation.


class Form:
    """A handler behind the link, and the check that the link is given."""

    def __init__(self) -> None:
        self.handled: list[object] = []
        self.reads = 0
        self.body = b'{"title":"x"}'
        self.link = Validation(self.check, self.handle)

    def check(self, values: Mapping[str, object]) -> dict[str, object]:
        if "title" not in values:
            raise ValidationError("title", "is required")
        return {"checked": values["title"]}

    async def handle(self, request: Request) -> Response:
        self.handled.append(request.context.fields)
        return Response(201)

    async def receive(self) -> bytes:
        self.reads += 1
        piece, self.body = self.body, b""
        return piece

    async def ask(self, length: int = 1, **headers: str) -> Response:
        request = Request("POST", "/tasks", content_length=length, receive=self.receive)
        request.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.link(request)


async def test_a_handler_finds_the_checked_fields() -> None:
    form = Form()
    assert (await form.ask()).status == 201
    assert form.handled == [{"checked": "x"}]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"title":1,"title":2}', b"{}"])
async def test_a_handler_is_not_called_with_bad_input(body: bytes) -> None:
    form = Form()
    form.body = body
    with pytest.raises((InvalidJson, ValidationError)):
        await form.ask()
    assert form.handled == []


@pytest.mark.parametrize(
    "head", [{"content_encoding": "gzip"}, {"content_type": "application/json; charset=utf-16"}]
)
async def test_a_body_in_another_coding_is_refused_before_it_is_read(head: dict[str, str]) -> None:
    form = Form()
    with pytest.raises(UnsupportedMediaType):
        await form.ask(1, **head)
    assert form.reads == 0


async def test_what_the_head_tells_is_refused_without_a_look_at_the_body() -> None:
    form = Form()
    with pytest.raises(PayloadTooLarge):
        await form.ask(MAX_BODY_BYTES + 1, content_type="text/plain")
    with pytest.raises(UnsupportedMediaType):
        await form.ask(content_type="text/plain")
    assert (form.reads, form.handled) == (0, [])


@given(st.binary(max_size=40) | st.from_regex(rb'\{("title"|"x"):[0-9"{}]*\}', fullmatch=True))
def test_whatever_comes_is_refused_or_handled(body: bytes) -> None:
    form = Form()
    form.body = body
    try:
        status = asyncio.run(form.ask()).status
    except TaskflowError as refusal:
        status = refusal.status
    assert status in {201, 400, 422}
    assert len(form.handled) == (status == 201)


# The whole: when several refusals apply, the first in the order of the contract.

UNKNOWN = "a00f3a1e-1111-4111-8111-111111111111"


async def test_the_order_of_refusals(client: Client) -> None:
    """Each request has all the faults of those after it, and one more."""
    task = await client.created()
    anonymous, user = Client(client.app, token=""), Client(client.app, TOKENS.user)
    good, bad, no_type = f"/tasks/{task['id']}", f"/tasks/{UNKNOWN}", "text/plain"
    too_long = str(MAX_BODY_BYTES + 1)
    itself = {"dependencies": [task["id"]]}

    async def status(asking: Client, method: str, target: str, body: object, **more: str) -> int:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return (await asking.ask(method, target, body=data, **more)).status

    long = {"content_length": too_long, "content_type": no_type}
    found = [
        await status(anonymous, "POST", "/nowhere", b"{", host="a b", origin="null", **long),
        await status(anonymous, "BREW", "/nowhere", b"{", origin="null", **long),
        await status(anonymous, "POST", "/nowhere", b"{", origin="null", **long),
        await status(user, "POST", "/nowhere", b"{", origin="null", **long),
        await status(user, "POST", "/nowhere", b"{", **long),
        await status(client, "POST", "/nowhere", b"{", **long),
        await status(client, "POST", bad, b"{", **long),
        await status(client, "PATCH", bad, b"{", **long),
        await status(client, "PATCH", bad, b"{", content_type=no_type),
        await status(client, "PATCH", bad, b"{"),
        await status(client, "PATCH", bad, {"title": ""}),
        await status(client, "PATCH", bad, {"title": "x"}),
        await status(client, "PATCH", good, itself),
    ]

    assert found == [400, 501, 401, 403, 403, 404, 405, 413, 415, 400, 422, 404, 409]
    assert await client.shown("/tasks") == [task]


async def test_nobody_without_a_token_learns_anything(client: Client) -> None:
    anonymous = Client(client.app, token="")
    await client.created()
    messages = set()
    for method, target in [
        ("GET", "/tasks"),
        ("HEAD", "/tasks/next"),
        ("GET", "/nowhere"),
        ("PUT", "/tasks"),
        ("DELETE", f"/tasks/{UNKNOWN}"),
        ("OPTIONS", "/tasks"),
    ]:
        response = await anonymous.ask(method, target)
        assert (response.status, response.headers["WWW-Authenticate"]) == (401, "Bearer")
        messages.add(error_of(response))
    assert len(messages) == 1
    assert (await anonymous.ask("GET", "/health")).status == 200
    assert (await anonymous.ask("POST", "/health")).status == 405


async def test_options_needs_a_token_wherever_get_needs_one(client: Client) -> None:
    anonymous = Client(client.app, token="")
    user = Client(client.app, TOKENS.user)

    assert (await anonymous.ask("OPTIONS", "/health")).status == 204
    assert (await anonymous.ask("OPTIONS", "*")).status == 204
    assert (await anonymous.ask("OPTIONS", "/tasks")).status == 401
    assert (await anonymous.ask("OPTIONS", "/*")).status == 401
    assert (await user.ask("OPTIONS", "/tasks")).status == 204
    assert (await user.ask("OPTIONS", "/nowhere")).status == 404


async def test_a_user_reads_and_changes_nothing(client: Client) -> None:
    task = await client.created()
    user = Client(client.app, TOKENS.user)

    assert await user.shown("/tasks") == [task]
    for method, target in [
        ("POST", "/tasks"),
        ("POST", "/tasks/claim"),
        ("PATCH", f"/tasks/{task['id']}"),
        ("PUT", f"/tasks/{task['id']}"),
        ("DELETE", f"/tasks/{task['id']}"),
    ]:
        assert (await user.ask(method, target, {"title": "changed"})).status == 403
    assert await client.shown("/tasks") == [task]
