"""Each measurement in small, so that none is broken on the day when it is wanted."""

from __future__ import annotations

import json
import shutil
import sys
import time
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks import final_http, kills, loops, report, rounds, wrk
from benchmarks.__main__ import NEED_WRK, SUBJECTS, main
from benchmarks.cases import Case, Row
from benchmarks.client import AUTHORIZATION, Client, body_of, encode
from benchmarks.clock import stopwatch
from benchmarks.drain import drain
from benchmarks.listeners import frame_end
from benchmarks.probe import percentile, probe
from benchmarks.processes import FINAL_NEEDS, CannotMeasure, run, serving
from benchmarks.streaming import draining, finished
from course.book import results

WITHOUT_WRK = [name for name in SUBJECTS if name not in NEED_WRK]
LIBRARIES = (
    *("heapdict", "pqdict", "networkx", "fastapi", "aiohttp", "flask", "gunicorn"),
    *("psutil", "websockets", "prometheus-client", "uvloop"),
)

needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="needs wrk: apt-get install wrk")
needs_step_10 = pytest.mark.skipif(
    not (find_spec("psutil") and find_spec("websockets")), reason="needs psutil and websockets"
)
needs_final = pytest.mark.skipif(
    not all(map(find_spec, FINAL_NEEDS.split())), reason=f"needs {FINAL_NEEDS}"
)
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="needs node")


@pytest.mark.parametrize("name", WITHOUT_WRK)
def test_a_quick_run_shows_a_table_and_writes_nothing(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)

    assert main(["--quick", name]) == 0

    shown = capsys.readouterr().out
    assert shown.startswith(rounds.subject_of(name).TITLE)
    assert list(tmp_path.iterdir()) == []


@needs_wrk
def test_requests_per_second_of_step_4_and_its_peers() -> None:
    rows, _ = rounds.measure("http", rounds=1, quick=True)

    rate = {(row["label"], row["operation"]): row["value"] for row in rows}
    assert rate["bare protocol", "GET"] > rate["step 4", "GET"] > 100
    assert rate["streams", "GET"] > 100
    assert ("FastAPI", "GET") in rate or find_spec("fastapi") is None


@needs_wrk
def test_requests_per_second_with_the_links_of_step_6() -> None:
    rows, _ = rounds.measure("chain", rounds=1, quick=True)

    found = {row["label"]: row for row in rows}
    assert found.keys() == {"step 4", "step 6"}
    assert found["step 6"]["value"] > 100
    assert found["step 6"]["to_step_4"] > 0


@needs_wrk
@needs_node
@needs_final
def test_requests_per_second_of_final_and_its_peers() -> None:
    rows, _ = rounds.measure("final_http", rounds=1, quick=True)

    found = {(row["label"], row["operation"]): row for row in rows}
    assert found["final", "GET"]["value"] > 100
    assert found["final, durable", "POST"]["value"] > 10
    assert found["final", "POST"]["to_node"] > 0
    assert all(row["cpu_us"] > 0 for row in rows)


GOOD = {"title": " Wash the car ", "priority": 5}
BAD: tuple[dict[str, object], ...] = (
    {},
    {"title": ""},
    {"title": "x" * 201},
    {"title": "a\0b"},
    {"title": "a", "description": "x" * 10_001},
    {"title": "a", "priority": True},
    {"title": "a", "priority": 1.5},
    {"title": "a", "priority": "1"},
    {"title": "a", "priority": 1_000_000_001},
    {"title": "a", "status": "done"},
    {"title": "a", "dependencies": ["nobody"]},
    {"title": "a", "id": "mine"},
)


@needs_final
@pytest.mark.parametrize(
    "case", [*final_http.ASKED, *final_http.OTHERS], ids=lambda case: str(case.label)
)
def test_a_peer_checks_what_final_checks(case: Case) -> None:
    if not all(map(find_spec, case.needs.split())):
        pytest.skip(f"needs {case.needs}")
    if case.argument == final_http.NODE and shutil.which("node") is None:
        pytest.skip("needs node")
    user = "Authorization: Bearer benchmark-user-token"
    post = partial(encode, "POST", "/tasks", json.dumps(GOOD).encode())

    with (
        final_http.contestant(case) as server,
        Client(server.port, refusals=True) as client,
    ):
        (task,) = client.create(GOOD, headers=[AUTHORIZATION])
        path = f"/tasks/{task['id']}"
        assert task.keys() == TASK
        assert task["title"] == "Wash the car"
        assert body_of(client.exchange(encode("GET", path, headers=[user]))) == task
        assert client.ask("GET", "/tasks") == [task]
        for headers, status in (([], 401), (["Authorization: Bearer nobody"], 401), ([user], 403)):
            assert _status(client.exchange(post(headers))) == status
        for fields in BAD:
            request = encode("POST", "/tasks", json.dumps(fields).encode(), [AUTHORIZATION])
            assert (_status(client.exchange(request)), fields) == (422, fields)
        change = encode("PATCH", path, b'{"status":"completed"}', [AUTHORIZATION])
        assert body_of(client.exchange(change))["status"] == "completed"
        delete = encode("DELETE", path, headers=[AUTHORIZATION])
        assert [_status(client.exchange(delete)) for _ in range(2)] == [204, 404]
        assert _status(client.exchange(encode("PUT", "/tasks", b"{}", [AUTHORIZATION]))) == 405
        assert _status(client.exchange(encode("GET", "/health"))) == 200


TASK = {"id", "title", "description", "status", "priority", "dependencies"} | {
    "createdAt",
    "updatedAt",
}


def _status(answer: bytes) -> int:
    return int(answer[9:12])


@needs_final
def test_nothing_is_lost_by_a_kill() -> None:
    rows, _ = rounds.measure("kills", rounds=1, quick=True)

    assert rows[0]["value"] > 0
    assert (rows[0]["lost"], rows[0]["half"]) == (0, 0)


def _stored(title: str, *waits_for: str, priority: int = 1) -> dict[str, object]:
    dependencies = list(waits_for)
    return {"id": f"id of {title}", "title": title, "priority": priority} | {
        "dependencies": dependencies
    }


FIRST = "w, first 1"
SECOND = "w, second 1"
BOTH = [_stored(FIRST), _stored(SECOND, f"id of {FIRST}")]


@pytest.mark.parametrize(
    ("stored", "found"),
    [
        (BOTH, (0, 0)),  # the deletion on its way has not happened
        ([_stored(SECOND)], (0, 0)),  # it has
        ([_stored(FIRST), _stored(SECOND)], (0, 1)),
        ([BOTH[1]], (0, 1)),
        ([], (1, 0)),  # the second task was acknowledged, and nobody deletes it
        ([BOTH[0], _stored(SECOND, f"id of {FIRST}", priority=7)], (1, 0)),
        ([*BOTH, _stored("w, first 0")], (1, 0)),  # it was deleted
        ([*BOTH, _stored("other, first 1")], (0, 0)),
    ],
)
def test_what_is_lost_and_what_is_half_there(
    stored: list[dict[str, object]], found: tuple[int, int]
) -> None:
    writer = kills.Writer("w")
    writer.compare(BOTH)
    writer.deleting(FIRST)

    assert writer.compare(stored) == found


def test_what_wrk_posts_is_a_task() -> None:
    assert f"wrk.body = '{wrk.BODY.decode()}'" in wrk.POST_SCRIPT.read_text(encoding="utf-8")


def test_without_wrk_the_rest_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)

    assert main(["--quick", "http", "chain"]) == 0
    shown = capsys.readouterr().out
    assert "http: skipped, wrk is not installed: apt-get install wrk" in shown
    assert "chain: skipped, wrk is not installed: apt-get install wrk" in shown


def test_without_what_a_server_needs_its_cases_are_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(rounds, "find_spec", lambda name: None)
    monkeypatch.setattr(report, "RESULTS", tmp_path)

    assert main(["memory"]) == 0
    assert "without psutil, which is not installed" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []  # nothing was measured, and what was, is kept


def test_contestants_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    monkeypatch.setattr(rounds, "_tell", order.append)

    rounds.measure("list_dict", rounds=2, quick=True)

    turns = [text.split(": ")[1] for text in order if text]
    assert turns == turns[:4] * 2
    assert len(set(turns[:4])) == 4


def test_the_median_of_the_rounds_counts() -> None:
    taken: list[list[Row]] = [[{"label": "a", "n": 1, "value": value}] for value in (3.0, 9.0, 4.0)]

    assert rounds.medians(taken) == [
        {"label": "a", "n": 1, "value": 4.0, "samples": [3.0, 9.0, 4.0]}
    ]


def test_a_ratio_is_to_the_same_size_and_operation() -> None:
    rows: list[Row] = [
        {"label": label, "n": n, "operation": operation, "value": value * n}
        for label, value in (("ours", 1.0), ("other", 2.5))
        for n in (10, 100)
        for operation in ("push", "pop")
    ]

    rounds.add_ratios(rows, {"to_ours": {"label": "ours"}})

    assert {row["to_ours"] for row in rows if row["label"] == "other"} == {2.5}
    assert {row["to_ours"] for row in rows if row["label"] == "ours"} == {1.0}


def test_a_ratio_of_the_processors_time_too_where_it_is_known() -> None:
    rows: list[Row] = [
        {"label": "ours", "n": 1, "value": 100.0, "cpu_us": 10.0},
        {"label": "other", "n": 1, "value": 50.0, "cpu_us": 30.0},
        {"label": "third", "n": 1, "value": 10.0},
    ]

    rounds.add_ratios(rows, {"to_ours": {"label": "ours"}})

    assert [row["to_ours"] for row in rows] == [1.0, 0.5, 0.1]
    assert [row.get("cpu_to_ours") for row in rows] == [1.0, 3.0, None]


def test_what_is_written_is_what_the_guides_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / results.RESULTS).mkdir(parents=True)
    monkeypatch.setattr(report, "RESULTS", tmp_path / results.RESULTS)
    rows: list[Row] = [{"label": "dict", "n": 100, "value": 2e-07, "samples": [2e-07]}]

    path = report.write("list_dict", rounds.subject_of("list_dict"), rows, rounds=3)

    read = results.load(tmp_path, "list_dict")
    assert read == json.loads(path.read_text(encoding="utf-8"))
    assert read["rows"] == rows
    assert read["rounds"] == 3
    assert read["machine"]["cores"] >= 1


def test_the_watch_counts_the_work_of_this_process_alone() -> None:
    with stopwatch() as watch:
        begin = time.process_time()
        while time.process_time() - begin < 0.01:
            pass

    assert 0.01 <= watch.seconds < 1


def test_a_program_that_fails_is_an_error() -> None:
    with pytest.raises(CannotMeasure, match="ended with status 3"):
        run([sys.executable, "-c", "raise SystemExit(3)"])


def test_a_server_that_ends_at_once_is_an_error() -> None:
    with (
        pytest.raises(CannotMeasure, match="does not become ready: no luck"),
        serving(["-c", "raise SystemExit('no luck')"]),
    ):
        pytest.fail("there is nothing to talk to")


@needs_step_10
def test_a_slow_reader_is_closed_and_the_others_read_on() -> None:
    rows, _ = rounds.measure("websockets", rounds=1, quick=True)

    paced = {row["label"]: row for row in rows if row["operation"] == "paced"}
    assert paced.keys() == {"all read", "one does not"}
    assert all(0 < row["p50_ms"] <= row["p99_ms"] for row in paced.values())


@needs_step_10
def test_the_bare_loops_have_the_rows_of_the_server() -> None:
    with serving(["-m", "taskflow", "--port", "0"], step=10) as server:
        _, tail = drain(server.port, "/demo/stream/ndjson?count=12")

    lines = next(piece for piece in tail.split(b"\r\n") if piece.startswith(b"{")).splitlines()
    assert [tuple(json.loads(line).values()) for line in lines] == list(loops.made_up(12))


@needs_step_10
def test_an_answer_that_is_no_stream_is_an_error() -> None:
    with (
        serving(["-m", "taskflow", "--port", "0"], step=10) as server,
        draining(server.port, "/demo/stream/ndjson?count=0", times=1) as client,
        pytest.raises(CannotMeasure, match="the stream ended with"),
    ):
        finished(client)


STANDS_STILL = """
import asyncio, time

requests = 0

async def serve(reader, writer):
    global requests
    while await reader.readline():
        requests += 1
        if requests == 80:
            time.sleep(0.5)
        if requests % 3 == 0:  # a request is three lines
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.sleep(30)

asyncio.run(main())
"""


def test_a_server_that_stands_still_has_many_slow_answers() -> None:
    with serving(["-c", STANDS_STILL]) as server:
        end = time.monotonic() + 1
        answers = probe(server.port, until=lambda: time.monotonic() > end)

    slow = [answer for answer in answers if answer.seconds > 0.1]
    assert 20 < len(slow) < len(answers)


def test_frames_are_told_apart_by_their_lengths() -> None:
    short, long = b"\x81\x03abc", b"\x81\x7e\x01\x00" + b"x" * 256

    assert frame_end(short + long, 0) == len(short)
    assert frame_end(short + long, len(short)) == len(short + long)
    for cut in (b"", b"\x81", long[:3], long[:100]):
        assert frame_end(short + cut, len(short)) > len(short + cut)


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(number) for number in range(100, 0, -1)]

    assert percentile(values, 0.99) == 99.0
    assert percentile(values, 0.50) == 50.0
    assert percentile([7.0], 0.99) == 7.0


def test_an_unknown_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["nothing"])

    assert exit_.value.code == 2
    assert "there is no nothing; there are list_dict, heap" in capsys.readouterr().err


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_library_is_pinned(library: str) -> None:
    pinned = (Path(report.__file__).parent / "requirements.txt").read_text(encoding="utf-8")

    assert f"\n{library}==" in pinned
