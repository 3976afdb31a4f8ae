"""Connections that send no request: uvicorn waits for the end of a request's head for ever, however long.

Here a head has a time and a size. Bodies are the doors' own matter, idle connections uvicorn's.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S = 10.0
"""Seconds from a connection, or from the beginning of a request that is cut, to the end of its head."""

HEAD_BYTES = 64 * 1024
"""Bytes of a head that has not ended; one that comes as a whole is as large as one read of a socket."""


class Connection(HttpToolsProtocol):
    """What uvicorn is given as `http`."""

    _in_head = True
    _head_bytes = 0
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request, but not for ever."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; most requests come in one piece, and for those no timer is set."""
        super().data_received(data)
        if not self._in_head:
            self._head_bytes = 0
            self._stop_waiting()
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_BYTES:
            self._close()
        elif self._late is None:
            self._wait()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The body is next."""
        self._in_head = False
        super().on_headers_complete()

    def _wait(self) -> None:
        self._late = self.loop.call_later(HEAD_S, self._close)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _close(self) -> None:
        """Without an answer to this request; those to earlier ones that were pipelined are cut too."""
        self._stop_waiting()
        self.transport.close()
