"""Commands in a guide are run, and nothing of them is left."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from course.book import terminal
from course.book.guide import Guide, child_environment
from course.book.servers import server
from course.tests.book_course import PYPROJECT, Course


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path)


def refuses(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_server_and_a_client(course: Course) -> None:
    before = course.files()

    text = course.made("server(1)", 'shell("curl -i localhost:3000/health")')

    assert "```console\n$ python3 -m course serve 1\n" in text
    assert "\nTaskflow listening on http://127.0.0.1:3000\n```" in text
    assert "$ curl -i localhost:3000/health\nHTTP/1.0 200 OK\n" in text
    assert "Date: Thu, 01 Jan 2026 12:00:00 GMT\n" in text
    assert '"id": "00000000-0000-4000-8000-000000000001"' in text
    assert '"self": "http://localhost:3000/health"' in text
    assert course.files() - before == {"guides/02-storage.md"}


def test_a_second_run_says_the_same(course: Course) -> None:
    markers = "server(1)", 'shell("curl -i localhost:3000/a", "curl localhost:3000/b")'

    assert course.made(*markers) == course.made(*markers)


def test_the_server_stops_with_the_guide(course: Course) -> None:
    guide = course.put("guides/01-http.md", "")
    with Guide(guide, course.root) as made:
        server(made, 1)
        port = made.port
        assert port is not None
        assert not refuses(port)

    assert refuses(port)
    assert not made.scratch.exists()


def test_the_server_stops_when_a_marker_fails(course: Course) -> None:
    ports: list[int] = []

    def fail_beside_a_server() -> None:
        with Guide(course.put("guides/01-http.md", ""), course.root) as made:
            server(made, 1)
            ports.append(made.port or 0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_beside_a_server()
    assert refuses(ports[0])


def test_the_server_stops_when_the_maker_is_killed(course: Course) -> None:
    path = course.put("guides/01-http.md", "")
    script = (
        "import os, pathlib, signal\n"
        "from course.book.guide import Guide\n"
        "from course.book.servers import server\n"
        f"guide = Guide(pathlib.Path({str(path)!r}), pathlib.Path({str(course.root)!r}))\n"
        "server(guide, 1)\n"
        "print(guide.port, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    command = [sys.executable, "-c", script]
    environment = {**os.environ, "TMPDIR": str(course.root)}  # which nobody is left to remove
    done = subprocess.run(command, stdout=subprocess.PIPE, env=environment, check=False)

    port, end = int(done.stdout), time.monotonic() + 5
    while not refuses(port) and time.monotonic() < end:
        time.sleep(0.01)
    assert refuses(port)


def test_final_is_shown_with_where_its_board_is(course: Course) -> None:
    course.put("final/pyproject.toml", PYPROJECT)
    course.put("final/taskflow/__init__.py", "")
    course.put(
        "course/__main__.py",
        "import http.server, sys\n"
        'port = int(sys.argv[sys.argv.index("--port") + 1])\n'
        'address = f"http://127.0.0.1:{port}"\n'
        'print(f"course: making .venv\\ncourse: the board: {address}/", file=sys.stderr)\n'
        "Handler = http.server.BaseHTTPRequestHandler\n"
        'with http.server.HTTPServer(("127.0.0.1", port), Handler) as server:\n'
        '    print(f"Taskflow listening on {address}", flush=True)\n'
        "    server.serve_forever()\n",
    )

    text = course.made('server("final", "--data", ":memory:")')

    assert (
        "$ python3 -m course serve final --data :memory:\n"
        "course: the board: http://127.0.0.1:3000/\n"
        "Taskflow listening on http://127.0.0.1:3000\n"
    ) in text


def test_a_script_as_server(course: Course) -> None:
    course.put(
        "guides/examples/tiny.py",
        "import socket\n"
        's = socket.create_server(("127.0.0.1", 3000))\n'
        'print("tiny on port 3000", flush=True)\n'
        'while True:\n    c, _ = s.accept()\n    c.sendall(b"hello"); c.close()\n',
    )

    text = course.made(
        'server("guides/examples/tiny.py", ready="tiny on")',
        'shell("exec 5<>/dev/tcp/localhost/3000; cat <&5")',
    )

    assert "$ python3 guides/examples/tiny.py\ntiny on port 3000\n" in text
    assert "cat <&5\nhello\n" in text


def test_a_server_that_does_not_start_says_why(course: Course) -> None:
    course.put("guides/examples/bad.py", "raise SystemExit('no such luck')\n")

    complaint = course.refused('server("guides/examples/bad.py")')

    assert complaint == "the server did not start\nno such luck"


def test_variables_stay(course: Course) -> None:
    text = course.made('shell("ID=17")', 'shell("echo $ID")')

    assert "$ echo $ID\n17\n" in text


def test_output_is_set_off_from_the_next_command(course: Course) -> None:
    text = course.made('shell("A=1", "B=2", "echo $A", "echo $B")')

    assert "\n$ A=1\n$ B=2\n$ echo $A\n1\n\n$ echo $B\n2\n```" in text


def test_the_status_of_the_last_command_can_be_asked_for(course: Course) -> None:
    text = course.made(
        'shell("ls /none", status=2, replace={"ls: .*": "ls: …"})', 'shell("echo $?")'
    )

    assert "ls: …" in text
    assert "$ echo $?\n2\n" in text


@pytest.mark.parametrize(
    ("marker", "complaint"),
    [
        ('shell("false")', "exit status 1, not 0: false"),
        ('shell("true", status=1)', "exit status 0, not 1: true"),
        ('shell("exit 3")', "the shell ended with: exit 3"),
        ('shell("echo \'")', "exit status"),
        ('shell("curl localhost:3000")', "no server runs yet, start one with server()"),
        ("shell()", "shell() needs a command"),
        ('question("Why?", answer="So.")', "a question needs a command"),
        ('python("1/0")', "ZeroDivisionError"),
        ('python("1", step=7)', "step 7"),
    ],
)
def test_what_fails_is_an_error(course: Course, marker: str, complaint: str) -> None:
    assert complaint in course.refused(marker)


def test_a_command_has_a_deadline(course: Course) -> None:
    bash = terminal.Terminal(course.root, child_environment(course.root))
    with pytest.raises(terminal.TerminalError, match="deadline: sleep 60"):
        bash.run("sleep 60", deadline=0.1)
    with pytest.raises(terminal.TerminalError, match="has ended"):
        bash.run("true")
    bash.close()


def test_long_output_is_cut(course: Course) -> None:
    text = course.made('shell("seq 5000", head=2)')

    assert "$ seq 5000\n1\n2\n…\n```" in text


def test_a_skipped_command_carries_its_reason(course: Course) -> None:
    text = course.made('shell("sudo reboot", skip="it would end the check")')

    assert "$ sudo reboot\n```\n\n*Not run by the checks: it would end the check.*" in text


def test_python_runs_beside_the_step_of_the_guide(course: Course) -> None:
    text = course.made('python("import taskflow\\nprint(taskflow.STEP)")')
    other = course.made('python("import taskflow; print(taskflow.STEP)", step=1, code=False)')

    assert "print(taskflow.STEP)\n```\n\n```text\n2\n```" in text
    assert "```text\n1\n```" in other
    assert other.count("```") == 2


def test_an_example_prints_what_is_inserted(course: Course) -> None:
    text = course.made('generated("count", "up_to", 3)', 'generated("count", "up_to", 1, step=1)')

    assert "\n| step | 2 | 0 1 2\n" in text
    assert "\n| step | 1 | 0\n" in text


def test_questions_are_numbered_and_closed(course: Course) -> None:
    text = course.made(
        'question("What is 1+1?", "echo $((1+1))", answer="Two.")',
        'question("And 2+2?", python="print(2+2)", answer="Four.")',
    )

    assert re.search(
        r"\*\*1\.\*\* What.*?<details>.*?\$ echo .*?\n2\n.*?Two\..*</details>", text, re.DOTALL
    )
    assert re.search(r"\*\*2\.\*\* And.*?<details>.*?print\(2\+2\).*?\n4\n", text, re.DOTALL)
