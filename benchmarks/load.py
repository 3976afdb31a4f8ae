"""The load: `python -m benchmarks.load PORT SECONDS CONNECTIONS [RATE]` prints a `Load` as JSON.

With RATE, so many are sent each second, on whichever connections are free; without it each connection sends
as soon as it was answered. Plain sockets and one selector, so that it takes a fraction of what any HTTP
server takes for the same requests: here about a quarter of a core at 10,000 a second.
"""

import json
import selectors
import socket
import sys
import time
from collections import deque
from uuid import uuid4

from benchmarks.harness import push_of, sign

SIZE = 8192
"""Bytes of a push."""


class Connection:
    """One connection that sends a push whenever the last one was answered."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._begun = 0.0
        self._answer = b""

    def send(self, request: bytes) -> None:
        """Send one request and note the time."""
        self._begun = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> tuple[float, bool] | None:
        """Seconds and success of the answer, None while it is not complete."""
        got = self.socket.recv(65536)
        if not got:
            raise ConnectionError("the server hung up")
        self._answer += got
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if not end:
            return None
        _, named, after = head.lower().partition(b"content-length:")
        if len(body) < (int(after.split(b"\r\n", 1)[0]) if named else 0):
            return None
        accepted = self._answer.startswith(b"HTTP/1.1 2")
        self._answer = b""
        return time.perf_counter() - self._begun, accepted


def main(port: int, seconds: float, connections: int, rate: float | None = None) -> None:
    """Load the server and print what was found."""
    body = push_of(SIZE)
    before = (
        f"POST /webhooks/github HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"User-Agent: GitHub-Hookshot/1\r\nX-GitHub-Event: push\r\nX-Hub-Signature-256: {sign(body)}\r\n"
        f"Content-Length: {len(body)}\r\nX-GitHub-Delivery: "
    ).encode()
    batch, sent = uuid4().hex[:20], 0

    def request() -> bytes:
        nonlocal sent
        sent += 1
        return b"%s%s-%012d\r\n\r\n%s" % (before, batch.encode(), sent, body)

    selector = selectors.DefaultSelector()
    free = deque(Connection(port) for _ in range(connections))  # in turns: who is idle for long is hung up on
    for connection in free:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    begun, refused = time.perf_counter(), 0
    took: list[float] = []
    while (now := time.perf_counter() - begun) < seconds or len(free) < connections:
        due = connections if rate is None else int(now * rate) - sent
        while now < seconds and free and due > 0:
            free.popleft().send(request())
            due -= 1
        for key, _ in selector.select(None if rate is None else 1 / rate):
            answer = key.data.receive()
            if answer is not None:
                took.append(answer[0])
                refused += not answer[1]
                free.append(key.data)
    answered = len(took) / (time.perf_counter() - begun)
    took.sort()
    p50, p99 = took[len(took) // 2] * 1e3, took[int(len(took) * 0.99)] * 1e3
    print(json.dumps({"rate": answered, "p50": p50, "p99": p99, "refused": refused}))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), *(float(each) for each in sys.argv[4:]))
