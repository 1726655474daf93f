"""Each measurement in small, so that none is broken on the day when it is wanted."""

from __future__ import annotations

import json
import shutil
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks import report, rounds, wrk
from benchmarks.__main__ import SUBJECTS, main
from benchmarks.cases import Row
from benchmarks.clock import stopwatch
from benchmarks.processes import CannotMeasure, run, serving
from course.book import results

WITHOUT_WRK = [name for name in SUBJECTS if name != "http"]
LIBRARIES = ("heapdict", "pqdict", "networkx", "fastapi")


@pytest.mark.parametrize("name", WITHOUT_WRK)
def test_a_quick_run_shows_a_table_and_writes_nothing(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)

    assert main(["--quick", name]) == 0

    shown = capsys.readouterr().out
    assert shown.startswith(rounds.subject_of(name).TITLE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(shutil.which("wrk") is None, reason="needs wrk: apt-get install wrk")
def test_requests_per_second_of_step_4_and_its_peers() -> None:
    rows, _ = rounds.measure("http", rounds=1, quick=True)

    rate = {(row["label"], row["operation"]): row["value"] for row in rows}
    assert rate["bare protocol", "GET"] > rate["step 4", "GET"] > 100
    assert rate["streams", "GET"] > 100
    assert ("FastAPI", "GET") in rate or find_spec("fastapi") is None


def test_what_wrk_posts_is_a_task() -> None:
    assert f"wrk.body = '{wrk.BODY.decode()}'" in wrk.POST_SCRIPT.read_text(encoding="utf-8")


def test_without_wrk_the_rest_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)

    assert main(["--quick", "http"]) == 0
    assert "http: skipped, wrk is not installed: apt-get install wrk" in capsys.readouterr().out


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
        pytest.raises(CannotMeasure, match="does not become ready"),
        serving(["-c", "raise SystemExit"]),
    ):
        pytest.fail("there is nothing to talk to")


def test_an_unknown_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["nothing"])

    assert exit_.value.code == 2
    assert "there is no nothing; there are list_dict, heap" in capsys.readouterr().err


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_library_is_pinned(library: str) -> None:
    pinned = (Path(report.__file__).parent / "requirements.txt").read_text(encoding="utf-8")

    assert f"\n{library}==" in pinned
