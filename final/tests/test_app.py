"""The application as a whole: building and calling it starts nothing beside it."""

import subprocess
import sys
from threading import Thread
from typing import NoReturn

import pytest
from in_process import Client


def forbidden(*_: object, **__: object) -> NoReturn:
    """Fail the test."""
    pytest.fail("the application started something")


@pytest.fixture
def _nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Thread, "start", forbidden)
    monkeypatch.setattr(subprocess, "Popen", forbidden)
    monkeypatch.setitem(sys.modules, "psutil", None)  # an import of it fails


@pytest.mark.usefixtures("_nothing_starts")
async def test_building_and_calling_an_application_starts_nothing(client: Client) -> None:
    task = await client.created(title="Read the guide")

    assert (await client.shown("/tasks"))[0]["id"] == task["id"]
    assert (await client.shown("/health"))["status"] == "healthy"
