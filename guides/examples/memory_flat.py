"""Many requests, and how much the server has grown by them; fails if that is too much.

python3 guides/examples/memory_flat.py localhost:3000 20000
"""

import sys

from memory_talk import Client, request

AT_ONCE = 100  # requests in a pipeline
MOST = 5  # MiB


def send(client: Client, task_id: str, count: int) -> None:
    """Read a task and change it, in turn."""
    for start in range(0, count, AT_ONCE):
        requests = []
        for number in range(start, start + AT_ONCE, 2):
            requests.append(request("GET", f"/tasks/{task_id}?number={number}"))
            requests.append(request("PATCH", f"/tasks/{task_id}", {"priority": number}))
        client.pipeline(requests)


def main() -> None:
    """Warm up, so that the histories are full; then measure."""
    client = Client(sys.argv[1])
    count = int(sys.argv[2])
    task_id = client.ask("POST", "/tasks", {"title": "Wash"})["id"]
    send(client, task_id, 4_000)
    before = client.resident()
    send(client, task_id, count)
    grown = client.resident() - before
    bounded = client.ask("GET", "/tasks/system/memory")["bounded"]
    print(f"{count:,} requests, {count // 2:,} of them changes")
    for name in ("requests", "events"):
        print(f"history of {name}: {bounded[name]['size']:,} of at most {bounded[name]['limit']:,}")
    assert grown < MOST, f"the server has grown by {grown:.1f} MiB"
    print(f"resident memory: grown by less than {MOST} MiB")
    client.close()


if __name__ == "__main__":
    main()
