"""The files in `deploy/`: that they are well-formed, and speak of this server as it is."""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
from as_process import ADMIN, DEADLINE, TOKENS, USER, command, environment, running

from taskflow.command_line import load_settings
from taskflow.config import ConfigError, Settings, Tokens
from taskflow.tour.screen import Screen
from taskflow.tour.walk import find_concepts, walk

FINAL = Path(__file__).resolve().parents[1]
DEPLOY = FINAL / "deploy"
PROGRAM = "/opt/taskflow/bin/taskflow"
NO_FILE = Path("there is none")


def program(name: str) -> str:
    """Return where a program of the system is; the test is skipped if it is nowhere."""
    # Debian keeps servers where only root looks for them.
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"there is no {name} here")
    return found


def without_comments(text: str) -> str:
    """Return the lines that are no comments, with those joined that are continued."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    return "\n".join(lines).replace("\\\n", " ")


# The Dockerfile.


@pytest.fixture
def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile, each with what is behind it."""
    text = without_comments((DEPLOY / "Dockerfile").read_text(encoding="utf-8"))
    parts = [line.partition(" ") for line in text.splitlines() if line.strip()]
    return [(name, rest.strip()) for name, _, rest in parts]


def values(instructions: list[tuple[str, str]], wanted: str) -> list[str]:
    """Return what is behind each of the instructions of a kind."""
    return [rest for name, rest in instructions if name == wanted]


def test_an_image_starts_with_settings_that_are_good(instructions: list[tuple[str, str]]) -> None:
    [entry] = values(instructions, "ENTRYPOINT")
    assert json.loads(entry) == [PROGRAM]
    project = tomllib.loads((FINAL / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert Path(PROGRAM).name in project["scripts"]
    environment = dict(pair.split("=", 1) for pair in shlex.split(values(instructions, "ENV")[0]))
    settings = load_settings([], environment | TOKENS, NO_FILE)
    assert (settings.host, f"{settings.port}") == (("0.0.0.0",), values(instructions, "EXPOSE")[0])
    for file in settings.data, settings.address_file:
        assert Path(file).parent == Path(values(instructions, "VOLUME")[0])
    assert settings.grace < 10  # which is what `docker stop` waits
    with pytest.raises(ConfigError, match="there are no tokens"):
        load_settings([], environment, NO_FILE)


def test_an_image_runs_as_nobody_in_particular(instructions: list[tuple[str, str]]) -> None:
    names = [name for name, _ in instructions]
    [user] = values(instructions, "USER")
    assert int(user) > 0  # a number, so that Kubernetes can tell that it is not root
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert f"--uid {user}" in values(instructions, "RUN")[-1]
    assert all(image.startswith("python:3.13-slim") for image in values(instructions, "FROM"))


def test_what_is_copied_into_an_image_is_there(instructions: list[tuple[str, str]]) -> None:
    copied = [rest.split() for rest in values(instructions, "COPY")]
    sources = [name for parts in copied if "--from=build" not in parts for name in parts[:-1]]
    assert sources
    assert [name for name in sources if not (FINAL / name).exists()] == []


def checked(folder: Path, instructions: list[tuple[str, str]]) -> subprocess.CompletedProcess[str]:
    """Run the health check of the image, where every request to a proxy would fail."""
    [check] = values(instructions, "HEALTHCHECK")
    words = json.loads(check.partition(" CMD ")[2])
    assert words[0] == "/opt/taskflow/bin/python"
    proxies = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy")
    return subprocess.run(
        [sys.executable, *words[1:]],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment()
        | dict.fromkeys(proxies, "http://127.0.0.1:9")
        | {"no_proxy": "", "TASKFLOW_ADDRESS_FILE": str(folder / "address")},
        timeout=DEADLINE,
        check=False,
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "::", "localhost"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_the_health_check_finds_the_server_whatever_the_environment(
    tmp_path: Path, instructions: list[tuple[str, str]], host: str, tls: bool
) -> None:
    """Also with a proxy, another port, and a certificate for another name."""
    certificate = trustme.CA().issue_cert("tasks.example.org")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    flags = ("--data", ":memory:", "--address-file", "address", "--host", host)
    secure = ("--tls-cert", "cert.pem", "--tls-key", "key.pem") if tls else ()
    with subprocess.Popen(
        command(*flags, *secure),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline().startswith("Taskflow listening on http")

            done = checked(tmp_path, instructions)

            assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
            address = (tmp_path / "address").read_text()
            server.terminate()
            assert server.wait(DEADLINE) == 0
        finally:
            server.kill()
    done = checked(tmp_path, instructions)
    assert done.returncode == 1
    assert re.fullmatch(r"taskflow\.health: [^\n]+\n", done.stderr)
    # The file that a killed server leaves behind does not make it healthy.
    (tmp_path / "address").write_text(address)
    assert checked(tmp_path, instructions).returncode == 1


# The unit of systemd.


def unit() -> dict[str, list[str]]:
    """Return the settings of the unit; some come more than once."""
    found: dict[str, list[str]] = {}
    for line in without_comments((DEPLOY / "taskflow.service").read_text("utf-8")).splitlines():
        if "=" in line:
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def test_a_unit_starts_the_server_with_good_flags_and_waits_for_its_end() -> None:
    [words] = map(shlex.split, unit()["ExecStart"])
    assert words[0] == PROGRAM
    settings = load_settings(words[1:], TOKENS, NO_FILE)
    assert settings.grace + 5 < float(unit()["TimeoutStopSec"][0])
    assert settings.data.startswith("${STATE_DIRECTORY}/")
    assert unit()["RestartPreventExitStatus"] == ["2"]
    assert int(unit()["LimitNOFILE"][0]) > 2 * Settings().max_connections


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    analyze = program("systemd-analyze")
    text = (DEPLOY / "taskflow.service").read_text(encoding="utf-8")
    file = tmp_path / "taskflow.service"
    file.write_text(text.replace(PROGRAM, sys.executable), encoding="utf-8")
    done = subprocess.run(
        [analyze, "verify", "--man=no", str(file)],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if "taskflow" in line]
    assert (done.returncode, said) == (0, []), done.stderr


# nginx.


@contextmanager
def in_front(nginx: str, folder: Path, port: int) -> Iterator[str]:
    """Run nginx with our file in front of a server; give its address.

    Without HTTPS, whose certificates the test does not have, and on a free port.
    """
    with socket.create_server(("127.0.0.1", 0)) as one:
        own = one.getsockname()[1]
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    text = text.replace("127.0.0.1:3000", f"127.0.0.1:{port}")
    text = re.sub(r"server \{\s+listen 80;.*?\n\}", "", text, flags=re.DOTALL)
    text = re.sub(r"ssl_\w+ .*;|listen \[::\].*;", "", text)
    text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{own};")
    (folder / "site.conf").write_text(text, encoding="utf-8")
    paths = "".join(
        f"{name}_temp_path {folder / name};" for name in ("client_body", "proxy", "fastcgi")
    )
    paths += f"uwsgi_temp_path {folder / 'uwsgi'}; scgi_temp_path {folder / 'scgi'};"
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {folder / 'pid'}; error_log stderr;"
        f"events {{}} http {{ access_log off; {paths} include {folder / 'site.conf'}; }}",
        encoding="utf-8",
    )
    with (folder / "nginx.log").open("w") as log:
        words = [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")]
        process = subprocess.Popen(words, stderr=log)
    with process:
        try:
            while process.poll() is None:
                try:
                    socket.create_connection(("127.0.0.1", own), DEADLINE).close()
                    break
                except ConnectionRefusedError:
                    pass  # it listens soon
            assert process.poll() is None, (folder / "nginx.log").read_text()
            yield f"http://127.0.0.1:{own}"
        finally:
            process.terminate()
            process.wait(DEADLINE)


def test_nginx_passes_on_what_the_tour_shows(tmp_path: Path) -> None:
    nginx = program("nginx")
    with (
        running(tmp_path, "--data", ":memory:", "--demos") as server,
        in_front(nginx, tmp_path, server.port) as url,
        (tmp_path / "shown.txt").open("w+", encoding="utf-8") as shown,
    ):
        concepts = find_concepts(["storage", "middleware", "errors", "streaming", "websockets"])
        status = walk(url, Tokens(ADMIN, USER), concepts, Screen(shown))
        shown.seek(0)
        assert status == 0, shown.read()
