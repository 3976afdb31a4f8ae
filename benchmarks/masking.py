"""What masking leaves of the speed of a log: the redactor alone, with three secrets, on pieces as of a pipe.

The peer looks for every way to write the secrets, one after the other, and masks nothing.
"""

import statistics
import time
from collections.abc import Callable

from benchmarks.harness import Row, median_ratio
from executor.logs.encodings import forms
from executor.logs.redaction import Redactor

PIECE, PIECES, ROUNDS = 64 * 1024, 100, 7

SECRETS = (
    b"ghp_U8JZpDE0iGXlD6gNCFbaEPFjbD0kH8Oool8D",
    b"klZDOCj2ISaJiHkTj0rLGlkoMXGjtEkD",
    b"sk-live-nNfribxUdl7d",
)

LINES = {
    "plain lines": (b"2026-11-29T08:41:59Z INFO shop.orders: order %d was paid and shipped\n", 0.4),
    "coloured lines": (b"\x1b[2m08:41:59\x1b[0m \x1b[32mINFO\x1b[0m shop.orders: order %d was paid\n", 0.12),
    "lines of JSON": (b'{"time":"2026-11-29T08:41:59Z","level":"info","event":"paid","order":%d}\n', 0.3),
}
"""What is printed, and the least ratio: without what hides colours there would be none."""


async def rows() -> list[Row]:
    """Megabytes a second of processor time."""
    return [_row(name, line, aim) for name, (line, aim) in LINES.items()]


def _row(name: str, line: bytes, aim: float) -> Row:
    text = b"".join(line % (4711 + number) for number in range(2 * PIECE // len(line)))
    pieces = [
        text[at : at + PIECE] for at in range(0, len(line) * PIECES, len(line)) if at + PIECE <= len(text)
    ]
    patterns = [form for secret in SECRETS for form in forms(secret)]
    redactor = Redactor(SECRETS)
    ours: list[float] = []
    peer: list[float] = []
    for _ in range(ROUNDS):
        ours.append(_rate(pieces, redactor.feed))
        peer.append(_rate(pieces, lambda piece: [pattern in piece for pattern in patterns]))
    redactor.flush()
    note = "megabytes a second of one core; the peer masks nothing"
    return Row(
        f"masking: {name}",
        statistics.median(ours),
        statistics.median(peer),
        median_ratio(ours, peer),
        "MB/s",
        aim,
        note=note,
    )


def _rate(pieces: list[bytes], work: Callable[[bytes], object]) -> float:
    began = time.process_time()
    for piece in pieces:
        work(piece)
    return sum(map(len, pieces)) / 1e6 / (time.process_time() - began)
