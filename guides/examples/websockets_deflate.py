"""What compression would cost (RFC 7692): memory for each connection, and a bound on what comes."""

import tracemalloc
import zlib

CLIENTS = 50
LARGE, SMALL = 250, 70  # KiB
MIB = 1024 * 1024


def memory() -> None:
    """Print what the two halves of one connection hold when each has seen a message."""
    message = b'{"type":"task.updated"}' * 100
    tracemalloc.start()
    held = []
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(CLIENTS):
        outward, inward = zlib.compressobj(wbits=-15), zlib.decompressobj(wbits=-15)
        inward.decompress(outward.compress(message) + outward.flush(zlib.Z_SYNC_FLUSH))
        held.append((outward, inward))
    each = (tracemalloc.get_traced_memory()[0] - before) / CLIENTS / 1024
    assert each > LARGE, each
    print(f"held for each client: more than {LARGE} KiB")


def bomb() -> None:
    """Print how small a message can be that is large when it is inflated."""
    size = len(zlib.compress(bytes(64 * MIB), 9)) / 1024
    assert size < SMALL, size
    print(f"64 MiB of zeros, compressed: less than {SMALL} KiB")


def cost() -> None:
    """Print both."""
    memory()
    bomb()


if __name__ == "__main__":
    cost()
