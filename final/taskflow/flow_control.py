"""Flow control: a writer waits while the client is not reading (backpressure).

The transport buffers what the kernel does not take. When its buffer is too full, it calls
`pause_writing` of its protocol, and `resume_writing` when there is room again (asyncio
documentation, Streaming Protocols). Between the two calls, `drain` waits.
"""

import asyncio


class FlowControl:
    """Whether a connection may write, as one event that a writer can await."""

    def __init__(self) -> None:
        self._writable = asyncio.Event()
        self._writable.set()

        # Kept beside the event, so that the usual case costs one look.
        self.is_paused = False

    def pause(self) -> None:
        """Make writers wait."""
        self.is_paused = True
        self._writable.clear()

    def resume(self) -> None:
        """Let writers continue."""
        self.is_paused = False
        self._writable.set()

    async def drain(self) -> None:
        """Wait until writing is allowed."""
        await self._writable.wait()
