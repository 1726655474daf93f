"""The leak demo over HTTP: what the server holds, by its own count and by that of the system.

    python3 guides/examples/memory_watch.py localhost:3000

Resident memory is never the same twice, so it is compared with what it should be, and shown as
that. The script fails if it is more than 12 MiB away from it.
"""

import sys

from memory_talk import MIB, Client

NEAR = 12  # MiB
STEPS = (
    # what is asked, and by how much the server should be larger than at first, in MiB
    ("leak?count=100&sizeKb=1024", 100),
    ("leak?count=100&sizeKb=1024", 200),
    ("safe?count=1000&sizeKb=100", 210),
    ("safe?count=1000&sizeKb=100", 210),
    ("clear", 0),
)


def main() -> None:
    """Ask, and look."""
    client = Client(sys.argv[1])
    first = client.resident()
    print(
        "POST /tasks/memory/…         leaked     in the cache   resident memory, against the start"
    )
    for target, expected in STEPS:
        report = client.ask("POST", f"/tasks/memory/{target}")
        grown = report["process"]["residentBytes"] / MIB - first
        assert abs(grown - expected) < NEAR, f"it is {grown:.1f} MiB more"
        leaked = report["leakedBytes"]["size"] // MIB
        print(
            f"{target:28} {leaked:3} MiB    {report['cache']['size']:3} values"
            f"     + about {expected} MiB"
        )
    client.close()


if __name__ == "__main__":
    main()
