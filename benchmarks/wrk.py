"""`wrk`, the load generator: https://github.com/wg/wrk."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from benchmarks.processes import CannotMeasure, program, run

CONNECTIONS = 32
POST_SCRIPT = Path(__file__).parent / "post.lua"
BODY = b'{"title":"Wash the car","description":"Inside and outside","priority":5}'  # as in it
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_COUNT = re.compile(r"(\d+) requests in")
_TROUBLE = re.compile(r"Non-2xx.*|Socket errors.*")


def load(
    url: str, seconds: float, post: bool, cpu: int, headers: Sequence[str] = ()
) -> tuple[float, int]:
    """Send requests from 32 connections in one thread; return their rate and number."""
    script = ["-s", str(POST_SCRIPT)] if post else []
    script += [option for header in headers for option in ("-H", header)]
    options = ["-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s"]
    output = run([program("wrk"), *options, *script, url], cpu=cpu, timeout=seconds + 30)
    rate, count = _RATE.search(output), _COUNT.search(output)
    if rate is None or count is None:
        raise CannotMeasure(f"wrk says {output!r}")
    if trouble := _TROUBLE.search(output):
        raise CannotMeasure(f"{url}: {trouble[0]}")
    return float(rate[1]), int(count[1])
