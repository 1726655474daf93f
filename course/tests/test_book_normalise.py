"""Output that differs from run to run is shown the same."""

from __future__ import annotations

import pytest

from course.book.normalise import Normaliser

ONE = "3f0c1c52-9a51-4f3e-8b0e-0c4f2f6f0001"
TWO = "3f0c1c52-9a51-4f3e-8b0e-0c4f2f6f0002"


@pytest.fixture
def normaliser() -> Normaliser:
    return Normaliser({"/home/ann": "~", "/home/ann/course": "~/taskflow"})


def test_ids_are_numbered_in_order_of_appearance(normaliser: Normaliser) -> None:
    shown = normaliser.shown(f"{TWO} {ONE} {TWO}")

    first, second, third = shown.split()
    assert first == third == "00000000-0000-4000-8000-000000000001"
    assert second == "00000000-0000-4000-8000-000000000002"


def test_an_id_keeps_its_number_in_later_outputs(normaliser: Normaliser) -> None:
    assert normaliser.shown(ONE) == normaliser.shown(ONE)


def test_a_placeholder_in_a_command_becomes_the_real_id(normaliser: Normaliser) -> None:
    placeholder = normaliser.shown(ONE)

    assert normaliser.real(f"curl localhost/tasks/{placeholder}").endswith(ONE)


def test_a_placeholder_that_stands_for_nothing_is_left_alone(normaliser: Normaliser) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"

    assert normaliser.real(nobody) == nobody
    assert normaliser.shown(nobody) == nobody


@pytest.mark.parametrize(
    ("real", "shown"),
    [
        ("2031-12-24T08:15:30.123Z", "2026-01-01T12:00:00.000Z"),
        ("2031-12-24 08:15:30,123", "2026-01-01 12:00:00,000"),
        ("2031-12-24T08:15:30Z", "2026-01-01T12:00:00Z"),
        ("Date: Wed, 24 Dec 2031 08:15:30 GMT", "Date: Thu, 01 Jan 2026 12:00:00 GMT"),
        ("at /home/ann/course/x.py", "at ~/taskflow/x.py"),
        ("<Heap object at 0x7f3a90b1c2d0>", "<Heap object at 0x7f0000000000>"),
        ("User-Agent: curl/7.88.1", "User-Agent: curl/8"),
        ("a  \r\nb", "a\nb"),
    ],
)
def test_what_changes_is_fixed(normaliser: Normaliser, real: str, shown: str) -> None:
    assert normaliser.shown(real) == shown


def test_the_length_follows_the_uptime(normaliser: Normaliser) -> None:
    answer = 'Content-Length: {}\r\n\r\n{{"uptimeSeconds":{}}}'

    short = normaliser.shown(answer.format(22, "0.25"))
    long = normaliser.shown(answer.format(27, "12.345678"))

    assert short == long == 'Content-Length: 21\n\n{"uptimeSeconds":1.5}'


def test_durations_are_hidden_only_when_asked_for(normaliser: Normaliser) -> None:
    line = "sorted in 12.3 ms, heap in 870 µs, 3 s, 5 tasks, v1.2s"

    assert normaliser.shown(line) == line
    assert normaliser.shown(line, durations=True) == (
        "sorted in … ms, heap in … ms, … s, 5 tasks, v1.2s"
    )


@pytest.mark.parametrize(
    "command",
    [
        "curl localhost:{}/health",
        "curl http://127.0.0.1:{}/tasks?limit=3000",
        "nc localhost {}",
        "exec 3<>/dev/tcp/localhost/{}",
        'socket.create_connection(("localhost", {}))',
        "python3 -m taskflow --port {}",
    ],
)
def test_the_port_is_exchanged_both_ways(normaliser: Normaliser, command: str) -> None:
    reader, real = command.format(3000), command.format(45123)

    assert normaliser.real(reader, 45123) == real
    assert normaliser.shown(real, 45123) == reader


def test_a_number_that_equals_the_port_is_no_port(normaliser: Normaliser) -> None:
    assert normaliser.real("echo 3000 tasks", 45123) == "echo 3000 tasks"
