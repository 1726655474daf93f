"""Resident memory of a server that answers hundreds of thousands of requests of every kind."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from benchmarks.cases import Case, Row
from benchmarks.client import AUTHORIZATION, Client, body_of, encode
from benchmarks.drain import drain
from benchmarks.listeners import HANDSHAKE
from benchmarks.processes import CannotMeasure, resident_bytes, serving

TITLE = "Resident memory after n requests of every kind"
UNIT = "MiB"
IN_WORKER = False
REFERENCES: dict[str, dict[str, object]] = {}

STRETCH, STRETCHES = 20_000, 10  # requests from one look at the memory to the next
ROUND = 1_000  # requests on one connection; with them come a stream and a WebSocket
AUTH = [AUTHORIZATION]
TITLED = b'{"title":"Wash the car","priority":5}'

START = encode("GET", "/demo/cpu/worker/start?iterations=1", headers=AUTH)  # a job

# What every batch asks for beside creating, changing and deleting, and the status it gets.
PLAIN = (
    (encode("GET", "/health"), 200),
    (encode("GET", "/tasks?limit=10", headers=AUTH), 200),
    (encode("GET", "/tasks/next", headers=AUTH), 200),
    (encode("GET", "/tasks/system/memory", headers=AUTH), 200),
    (encode("GET", "/tasks"), 401),
    (encode("GET", "/nowhere", headers=AUTH), 404),
    (encode("DELETE", "/health", headers=AUTH), 405),
    (encode("POST", "/tasks", b"{", AUTH), 400),
    (encode("POST", "/tasks", b"{}", AUTH), 422),
    (START, 202),
)
JOBS = 100  # that are started at once, to fill their records
BATCH = 50  # requests that are pipelined: PLAIN, and each of four others ten times


@dataclass(frozen=True, slots=True)
class Load:
    """Somebody who asks for everything, and leaves no task behind."""

    port: int

    def fill_the_records(self) -> None:
        """Start as many jobs as are remembered: the one bounded history that fills slowly."""
        limit = 1
        with Client(self.port) as client:
            while (stats := client.ask("GET", "/tasks/reports/stats"))["records"] < limit:
                limit = stats["recordLimit"]
                if stats["queued"] + JOBS < stats["queueLimit"]:
                    client.pipeline([START] * JOBS)

    def round(self, size: int) -> None:
        """Send so many requests on a new connection; then stream, and listen for a moment."""
        with Client(self.port, refusals=True) as client:
            for _ in range(size // BATCH):
                self._batch(client)
        drain(self.port, "/tasks/stream.ndjson")
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(HANDSHAKE)
            connection.recv(4096)

    def _batch(self, client: Client) -> None:
        creations = [(encode("POST", "/tasks", TITLED, AUTH), 201)] * 10
        made = [body_of(answer)["id"] for answer in _sent(client, creations)]
        changes = [
            (encode("PATCH", f"/tasks/{one}", b'{"status":"completed"}', AUTH), 200) for one in made
        ]
        reads = [(encode("GET", f"/tasks/{one}", headers=AUTH), 200) for one in made]
        dropped = [(encode("DELETE", f"/tasks/{one}", headers=AUTH), 204) for one in made]
        _sent(client, [*changes, *reads, *PLAIN, *dropped])


def cases(quick: bool) -> list[Case]:
    """One server, which is looked at after each stretch."""
    return [Case("step 10", 500 if quick else STRETCH, 10, "psutil websockets")]


def measure(case: Case, quick: bool) -> list[Row]:
    """Send requests and look, again and again; each look is a row."""
    rows: list[Row] = []
    with serving(["-m", "taskflow", "--port", "0"], case.step) as server:
        load = Load(server.port)
        if not quick:
            load.fill_the_records()
        for stretch in range(1, 3 if quick else STRETCHES + 1):
            for _ in range(max(1, case.n // ROUND)):
                load.round(min(case.n, ROUND))
            resident = resident_bytes(server.pid) / 2**20
            rows.append({"n": stretch * case.n, "value": resident})
    for row in rows:
        row["grown"] = row["value"] - rows[0]["value"]
    return rows


def _sent(client: Client, requests: list[tuple[bytes, int]]) -> list[bytes]:
    """Send requests at once. Raises CannotMeasure if one does not get its status."""
    answers = client.pipeline([request for request, _ in requests])
    for (request, status), answer in zip(requests, answers, strict=True):
        if not answer.startswith(b"HTTP/1.1 %d " % status):
            raise CannotMeasure(f"{request!r} got {answer[:300]!r}")
    return answers
