"""Connections that are no use to anybody: `python -m benchmarks.crowd PORT`, until it is ended.

A thousand stand without a request, and fifty stop in the middle of a body. What the server closes is opened
again. A line on standard output says that all of them are there.
"""

import asyncio
import sys

IDLE, STALLED = 1000, 50

_HEAD = (
    b"POST /webhooks/github HTTP/1.1\r\nHost: errand\r\nContent-Type: application/json\r\n"
    b"X-Hub-Signature-256: sha256=" + b"0" * 64 + b"\r\nContent-Length: 100000\r\n\r\n"
)


async def _stand(port: int, begin: bytes, standing: asyncio.Semaphore) -> None:
    first = True
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(begin)
            if first:
                standing.release()
                first = False
            await reader.read()
            writer.close()
        except OSError:
            await asyncio.sleep(0.1)


async def main(port: int) -> None:
    """Keep them open."""
    standing = asyncio.Semaphore(0)
    begins = [b""] * IDLE + [_HEAD + b"x" * 50_000] * STALLED
    async with asyncio.TaskGroup() as group:
        for begin in begins:
            group.create_task(_stand(port, begin, standing))
        for _ in begins:
            await standing.acquire()
        print("standing", flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
