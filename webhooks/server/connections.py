"""Connections whose clients do not do their part: uvicorn waits for each of them for ever.

Here the head of a request has a time and a size, an answer has a time to be read in, requests are taken one
after the other, and a body comes in pieces that are worth their cost. The time of a body is its door's own
matter, that of an idle connection uvicorn's.
"""

import asyncio
import socket
import struct
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from webhooks.server.connection_limits import Activity, ConnectionLimit
from webhooks.server.turns import Turns

HEAD_S = 10.0
"""Seconds from a connection, or from the beginning of a request that is cut, to the end of its head."""

HEAD_BYTES = 64 * 1024
"""Bytes of a head that has not ended; one that comes as a whole is as large as one read of a socket."""

HEADERS = 256
"""Headers of a request: whoever looks for one goes through all. Browsers behind proxies send some forty."""

UNREAD_S = 20.0
"""Seconds that a client may leave more unread than the system and uvicorn's 64 KiB keep for it."""

AHEAD_BYTES = 16 * 1024
"""Bytes of further requests that are kept while one is answered; with more, that answer is the last."""

PIECES = 1024
"""Pieces, chunks or packets, that a body of any size may come in."""

PIECE_BYTES = 256
"""And one more for each of so many bytes."""

_SLICE = 16 * 1024
"""Bytes that are parsed at once where it is not known how many requests are in them."""

_END = b"\r\n\r\n"
"""What every head, and every body in chunks, ends with."""

_NO_LINGER = struct.pack("ii", 1, 0)


class Connection(HttpToolsProtocol):
    """What uvicorn is given as `http`, as the class that `limited` makes for one server."""

    limit: ClassVar[ConnectionLimit]
    turns: ClassVar[Turns]

    _in_head = True
    _complete = True  # the last request that began came as a whole
    _deaf = False  # nothing more is taken
    _head_bytes = 0
    _body_bytes = 0
    _pieces = 0
    _ahead = b""
    _late: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    @property
    def is_closing(self) -> bool:
        """Whether only what is left is sent."""
        return self.transport.is_closing()

    @property
    def activity(self) -> Activity:
        """What it does, by which it gives way to others."""
        if self.cycle is None or self.cycle.response_complete:
            return Activity.IDLE
        return Activity.BUSY if self._complete and not self.flow.write_paused else Activity.STALLED

    def abort(self) -> None:
        """Ends it now, and has the system forget as well what it still keeps for the client."""
        peer = self.transport.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Waits for the first request, but not for ever."""
        super().connection_made(transport)
        if not self.limit.enter(self, self.client[0] if self.client else ""):
            self._deaf = True
            self.abort()
            return
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits for nothing more."""
        self.limit.leave(self)
        self._stop_waiting()
        self._stop_unread()
        self._ahead = b""
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Takes what came, up to the end of one request; what follows waits until that is answered."""
        if not self._deaf:
            self._take(self._ahead + data if self._ahead else data)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head, self._complete = True, False
        self._head_bytes = self._pieces = self._body_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The body is next, of which nothing is known where it comes in chunks."""
        self._in_head = False
        if self._late is not None:
            self._stop_waiting()
        if len(self.headers) > HEADERS:
            self._deaf = True
            self._close()
            return
        super().on_headers_complete()
        if self.parser.should_upgrade():  # which is not done, and what follows is not HTTP
            self._be_last()

    def on_body(self, body: bytes) -> None:
        """Takes a piece of the body; smaller ones than anybody sends only keep the loop from its work."""
        if self._deaf:
            return
        self._pieces += 1
        self._body_bytes += len(body)
        if self._pieces > PIECES + self._body_bytes // PIECE_BYTES:
            self._deaf = True
            self._close()
            return
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is there as a whole."""
        self._complete = True
        if self._late is not None:
            self._stop_waiting()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Goes on with what came meanwhile, after others had their turn."""
        super().on_response_complete()
        if self._ahead:
            self.turns.add(self._go_on)
        elif not self._complete and self._late is None:
            self._wait()  # for the rest of a body that nobody needs any more
        self.limit.rest(self)

    def pause_writing(self) -> None:
        """The client does not read; wait for it, but not for ever."""
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(UNREAD_S, self.abort)

    def resume_writing(self) -> None:
        """The client reads."""
        super().resume_writing()
        self._stop_unread()

    def _take(self, data: bytes) -> None:
        self._ahead = b""
        while data and not self._deaf and not self.transport.is_closing():
            if self._complete and self.cycle is not None and not self.cycle.response_complete:
                self._keep(data)
                return
            size = self._slice(data)
            super().data_received(data[:size] if size < len(data) else data)
            if self._in_head and not self._complete:
                self._head_bytes += size
                if self._head_bytes > HEAD_BYTES:
                    self._close()
                elif self._late is None:
                    self._wait()
            data = data[size:]

    def _slice(self, data: bytes) -> int:
        """How much of `data` is parsed at once: no more than one request is whole in it."""
        if not self._complete and not self._in_head:
            left = self._body_left()
            if left:
                return min(left, len(data))
        end = data.find(_END, 0, _SLICE)
        if end < 0:
            return min(len(data), _SLICE)
        # Most often a request comes alone and with its body, where JSON has no such end of a line.
        is_alone = len(data) <= HEAD_BYTES and data.find(b"\r", end + 4) < 0
        return len(data) if is_alone else end + 4

    def _keep(self, data: bytes) -> None:
        if len(data) > AHEAD_BYTES:
            self._be_last()
        else:
            self._ahead = data
            self.flow.pause_reading()

    def _be_last(self) -> None:
        """Ends the connection with the answer to this request."""
        self._deaf = True
        if self.cycle is not None:
            self.cycle.keep_alive = False

    def _go_on(self) -> None:
        if not self.transport.is_closing():
            self.data_received(b"")

    def _body_left(self) -> int:
        """How much of the body is to come; 0 where the request did not say."""
        declared = (int(value) for name, value in self.headers if name == b"content-length")
        return next(declared, self._body_bytes) - self._body_bytes

    def _wait(self) -> None:
        self._late = self.loop.call_later(HEAD_S, self._close)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _stop_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _close(self) -> None:
        """Without an answer to this request."""
        self._stop_waiting()
        self.transport.close()


def limited(limit: ConnectionLimit) -> type[Connection]:
    """The class for one server, whose connections `limit` counts."""
    return type("LimitedConnection", (Connection,), {"limit": limit, "turns": Turns()})
