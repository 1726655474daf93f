"""The library's protocol, made to follow a handshake that we have read; in both its states."""

from websockets import Frame, Headers, Request, ServerProtocol, State
from websockets_wire import HANDSHAKE, TEXT, frame


def frames(state: State) -> list[str]:
    """Accept a handshake, then receive one message; return what the protocol makes of it."""
    protocol = ServerProtocol(state=state)
    lines = (line.split(": ") for line in HANDSHAKE.strip().split("\r\n")[1:])
    answer = protocol.accept(Request("/ws/tasks", Headers((name, value) for name, value in lines)))
    assert answer.status_code == 101
    protocol.receive_data(frame(TEXT, b"Hello"))
    received = protocol.events_received()
    return [bytes(event.data).decode() for event in received if isinstance(event, Frame)]


def compare() -> None:
    """Print it for the default, and for ours."""
    for state in (State.CONNECTING, State.OPEN):
        print(f"state={state.name + ',':11} received: {', '.join(frames(state)) or 'nothing'}")
