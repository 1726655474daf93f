"""What the chain of links costs: one GET in step 4, and with token, id and access log behind it."""

from __future__ import annotations

import json
import os

from benchmarks import wrk
from benchmarks.cases import Case, Row
from benchmarks.client import AUTHORIZATION, Client
from benchmarks.http import SERVER_CPU, WRK_CPU
from benchmarks.processes import CannotMeasure, processor_seconds, program, serving

TITLE = "Answers from 32 connections, with the links of later steps"
UNIT = "requests/s"
IN_WORKER = False
REFERENCES = {"to_step_4": {"label": "step 4"}}

SECONDS = 5.0
FIRST_WITH_TOKENS = 5
FIRST_WITH_LOG = 6


def cases(quick: bool) -> list[Case]:
    """Step 4, which has no links, and two that have them."""
    program("wrk")
    needs = {10: "psutil websockets"}
    return [
        Case(f"step {step}", wrk.CONNECTIONS, step, needs.get(step, ""))
        for step in ((4, 6) if quick else (4, 6, 10))
    ]


def measure(case: Case, quick: bool) -> list[Row]:
    """Read one task over and over."""
    headers = [AUTHORIZATION] if case.step >= FIRST_WITH_TOKENS else []
    with serving(["-m", "taskflow", "--port", "0"], case.step, SERVER_CPU) as server:
        with Client(server.port) as client:
            task_id = client.create(json.loads(wrk.BODY), headers=headers)[0]["id"]
        before = processor_seconds(server.pid)
        rate, count = wrk.load(
            f"http://127.0.0.1:{server.port}/tasks/{task_id}",
            1.0 if quick else SECONDS,
            post=False,
            cpu=WRK_CPU,
            headers=headers,
        )
        after = processor_seconds(server.pid)
        if case.step >= FIRST_WITH_LOG and not os.fstat(server.log.fileno()).st_size:
            raise CannotMeasure("the server has logged nothing")
    row: Row = {"operation": "GET", "value": rate}
    if before is not None and after is not None:
        row["cpu_us"] = (after - before) / count * 1e6
    return [row]
