"""Who may import what: no circles, and a core that knows no sockets."""

from __future__ import annotations

import pytest

from course import architecture
from course.cli import ROOT
from course.faults import Fault
from course.imports import circles, read
from course.integrity import integrity
from course.tests.small_course import SmallCourse


def circles_of(**modules: str) -> list[tuple[str, ...]]:
    """The circles of a package with these modules, by path without `.py`."""
    files = {f"taskflow/{path}.py": source.encode() for path, source in modules.items()}
    return circles(read({"taskflow/__init__.py": b"", **files}))


def faults(small: SmallCourse) -> list[str]:
    return [str(fault) for fault in architecture.of_snapshot(small.step("4"))]


@pytest.mark.parametrize(
    "back",
    [
        "import taskflow.hub",
        "import taskflow.hub as hub",
        "from taskflow import errors, hub",
        "from taskflow.hub import Hub",
        "from . import hub",
        "from .hub import Hub",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from taskflow.hub import Hub",
        "def later() -> None:\n    from taskflow.hub import Hub",
    ],
)
def test_every_form_of_import_closes_a_circle(back: str) -> None:
    found = circles_of(errors="", hub="from taskflow.websocket import Frame", websocket=back)
    assert found == [("taskflow.hub", "taskflow.websocket")]


def test_a_circle_may_be_long_and_is_listed_once() -> None:
    found = circles_of(
        server="from taskflow import app",
        app="from taskflow import router",
        router="from taskflow import server",
        guide="from taskflow import app",
    )
    assert found == [("taskflow.app", "taskflow.router", "taskflow.server")]


def test_each_of_two_circles_is_listed() -> None:
    found = circles_of(
        listener="from taskflow import server, tls",
        server="from taskflow import listener",
        tls="from taskflow import listener",
    )
    assert found == [
        ("taskflow.listener", "taskflow.server"),
        ("taskflow.listener", "taskflow.tls"),
    ]


def test_modules_that_share_others_form_no_circle() -> None:
    assert circles_of(a="from taskflow import b, c", b="from taskflow import c", c="") == []


def test_a_submodule_is_not_its_package() -> None:
    """`from taskflow.board import page` leads to the page, `… import PAGES` to the package."""
    init = {"board/__init__": "from taskflow.board.page import PAGES"}
    page = {"board/page": "from taskflow.board import dom", "board/dom": ""}
    assert circles_of(**init, **page) == []
    page = {"board/page": "from taskflow.board import TITLE"}
    assert circles_of(**init, **page) == [("taskflow.board", "taskflow.board.page")]


def test_other_packages_and_half_written_files_do_not_matter() -> None:
    assert circles_of(http="import http\nfrom asyncio import http as http2", app="def f(:") == []


def test_a_circle_in_a_snapshot_is_a_fault(small: SmallCourse) -> None:
    integrity(small.root, rewrite=True)
    small.put("step04_deps/taskflow/hub.py", "from taskflow import websocket\n")
    small.put("step04_deps/taskflow/websocket.py", "from taskflow import hub\n")
    report, is_kept = integrity(small.root, rewrite=True)
    assert not is_kept
    assert (
        "imports: step04_deps: a circle of imports:"
        " taskflow.hub -> taskflow.websocket -> taskflow.hub\n"
    ) in report


@pytest.mark.parametrize("package", ["course", "benchmarks"])
def test_a_circle_beside_the_snapshots_is_a_fault(small: SmallCourse, package: str) -> None:
    small.put(f"{package}/__init__.py", "")
    small.put(f"{package}/a.py", f"from {package}.deep import b\n")
    small.put(f"{package}/deep/__init__.py", "")
    small.put(f"{package}/deep/b.py", f"from {package} import a\n")
    report, is_kept = integrity(small.root, rewrite=True)
    assert not is_kept
    circle = f"{package}.a -> {package}.deep.b -> {package}.a"
    assert f"imports: {package}: a circle of imports: {circle}\n" in report


@pytest.mark.parametrize("module", ["http", "parser"])
@pytest.mark.parametrize(
    ("line", "forbidden"),
    [
        ("import asyncio", "asyncio"),
        ("import asyncio.events", "asyncio"),
        ("from asyncio import Protocol", "asyncio"),
        ("from asyncio.transports import Transport", "asyncio"),
        ("import selectors", "selectors"),
        ("import socket", "socket"),
        ("from time import perf_counter", "time"),
        ("if 1 > 0:\n    from time import time", "time"),
    ],
)
def test_the_core_knows_no_loop_and_no_clock(
    small: SmallCourse, module: str, line: str, forbidden: str
) -> None:
    small.put(f"step04_deps/taskflow/{module}.py", f"{line}\n")
    assert faults(small) == [
        f"imports: step04_deps/taskflow/{module}.py:{line.count(chr(10)) + 1}:"
        f" imports {forbidden}, which the table in course/architecture.py forbids"
    ]


@pytest.mark.parametrize("module", ["store", "journal", "database", "logs", "deep/store"])
@pytest.mark.parametrize("forbidden", ["taskflow.http", "taskflow.parser", "taskflow.middleware"])
def test_what_keeps_things_gets_no_messages(
    small: SmallCourse, module: str, forbidden: str
) -> None:
    small.put(f"step04_deps/taskflow/{module}.py", f"from {forbidden} import A, B\n")
    assert faults(small) == [
        f"imports: step04_deps/taskflow/{module}.py:1:"
        f" imports {forbidden}, which the table in course/architecture.py forbids"
    ]


@pytest.mark.parametrize("module", ["heap", "dependencies", "store"])
@pytest.mark.parametrize("line", ["from http import HTTPStatus", "from taskflow import routes"])
def test_data_structures_know_nothing_of_http(small: SmallCourse, module: str, line: str) -> None:
    small.put(f"step04_deps/taskflow/{module}.py", f"{line}\n")
    assert len(faults(small)) == 1


def test_names_that_only_begin_alike_are_allowed(small: SmallCourse) -> None:
    small.put("step04_deps/taskflow/parser.py", "import timeit\nfrom taskflow import http\n")
    small.put("step04_deps/taskflow/store.py", "import asyncio\nfrom taskflow import errors\n")
    assert faults(small) == []


def test_the_helper_and_the_benchmarks_keep_the_law() -> None:
    assert list[Fault](architecture.of_other_packages(ROOT)) == []
