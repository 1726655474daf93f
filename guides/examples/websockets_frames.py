"""Frames, byte by byte (RFC 6455, 5.2)."""

from websockets_wire import MASK, PING, TEXT, frame, masked

OPCODES = {0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}


def dissect(data: bytes) -> None:
    """Print what each byte of a frame says."""
    first, second = data[0], data[1]
    fin = "the last of its message" if first >> 7 else "more of the message follows"
    is_masked, length, at = second >> 7, second & 127, 2
    name = OPCODES[first & 15]
    line(data[:1], f"fin {first >> 7}, opcode {first & 15}: {name}, {fin}", f"{first:08b}")
    longer = ", which means: see the next bytes" if length > 125 else ""
    line(data[1:2], f"mask {is_masked}, length {length}{longer}", f"{second:08b}")
    if length > 125:
        size = 2 if length == 126 else 8
        length = int.from_bytes(data[at : at + size], "big")
        line(data[at : at + size], f"the length: {length:,}")
        at += size
    if is_masked:
        line(data[at : at + 4], "the mask")
        at += 4
    payload = data[at : at + length]
    line(payload, "the payload" + (", masked" if is_masked else f": {payload.decode()}"))
    if is_masked:
        clear = masked(payload, data[at - 4 : at])
        line(clear, f"each byte XOR one of the mask: {clear.decode()}")


def line(data: bytes, meaning: str, bits: str = "") -> None:
    """Print some bytes, and what they mean."""
    print(f"{data.hex(' '):16} {bits:8}  {meaning}".rstrip())


def hello() -> None:
    """Print a short message of a client, and of a server."""
    print("from a client:")
    dissect(frame(TEXT, b"Hello"))
    print("\nfrom a server:")
    dissect(frame(TEXT, b"Hello", mask=False))


def lengths() -> None:
    """Print how many bytes go before messages of these lengths."""
    print("| payload | bytes before it, from a server | from a client |")
    print("| ---: | ---: | ---: |")
    for length in (0, 125, 126, 65_535, 65_536):
        plain = len(frame(TEXT, bytes(length), mask=False)) - length
        print(f"| {length:,} | {plain} | {plain + len(MASK)} |")


def disguise() -> None:
    """Print what a proxy that knows no WebSockets would see of a message, without and with mask."""
    evil = b"GET /jquery.js HTTP/1.1\r\nHost: cdn.example\r\n\r\n"
    for title, mask in (("without a mask", False), ("with one", True)):
        print(f"{title + ':':16}{frame(TEXT, evil, mask=mask)[:42]!r} …")


def pieces() -> None:
    """Print a message in two fragments, with a ping between them."""
    dissect(frame(TEXT, b"Hel", fin=False, mask=False))
    print()
    dissect(frame(PING, b"?", mask=False))
    print()
    dissect(frame(0, b"lo", mask=False))
