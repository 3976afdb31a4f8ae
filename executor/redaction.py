"""Masks secrets in a stream of bytes before anything of it is kept or sent.

Pure. Every occurrence of every form of a secret is masked, also where occurrences overlap; what
overlaps or touches is one mask. So the result depends on the bytes alone, never on how they were cut.
Imports next to nothing, because every supervisor of the process engine carries it.
"""

import binascii
from collections.abc import Iterable, Iterator

MASK = b"***"

_SHORTEST = 4
"""Bytes. Lines and encoded forms shorter than this would mask half of every log, so they stay."""

_WRAPS = (64, 76)
"""Columns at which `openssl base64` and `base64` break their lines."""

_JSON_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}

_URL_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~")


class Redactor:
    """Masks `secrets` in what is fed to it piece by piece, holding back only what could become one."""

    def __init__(self, secrets: Iterable[bytes]) -> None:
        self._patterns = sorted({form for secret in secrets for form in forms(secret)})
        self._held = b""
        # How far into `_held` the mask written last reaches; 0: just up to it; -1: it ended before.
        self._covered = -1

    @property
    def is_settled(self) -> bool:
        """Whether what comes is masked as if nothing had come before."""
        return not self._held and self._covered < 0

    def feed(self, data: bytes) -> bytes:
        """Give all of the stream so far that is certain, masked."""
        if not self._patterns:
            return data
        buffer = self._held + data
        return self._emit(buffer, self._undecided(buffer))

    def flush(self) -> bytes:
        """Give what was held back: the stream has ended, it became no secret."""
        return self._emit(self._held, len(self._held))

    def _undecided(self, buffer: bytes) -> int:
        """Where the longest suffix begins that is the beginning of a pattern."""
        first = len(buffer)
        for pattern in self._patterns:
            at = buffer.find(pattern[:1], max(0, len(buffer) - len(pattern) + 1), first)
            while at >= 0:
                if pattern.startswith(buffer[at:]):
                    first = at
                    break
                at = buffer.find(pattern[:1], at + 1, first)
        return first

    def _occurrences(self, buffer: bytes) -> list[tuple[int, int]]:
        found = []
        for pattern in self._patterns:
            at = buffer.find(pattern)
            while at >= 0:
                found.append((at, at + len(pattern)))
                at = buffer.find(pattern, at + 1)
        found.sort()
        return found

    def _emit(self, buffer: bytes, keep: int) -> bytes:
        masked_to = self._covered
        written_to = max(masked_to, 0)
        out: list[bytes] = []
        for start, end in self._occurrences(buffer):
            if start >= keep:
                break
            if start > masked_to:
                out += (buffer[written_to:start], MASK)
            masked_to = written_to = max(masked_to, end)
        out.append(buffer[written_to:keep])
        self._held = buffer[keep:]
        self._covered = masked_to - keep if masked_to >= keep else -1
        return b"".join(out)


def masked(text: str, secrets: Iterable[bytes]) -> str:
    """Mask a sentence that is for other places than the log."""
    redactor = Redactor(secrets)
    data = text.encode(errors="replace")
    return (redactor.feed(data) + redactor.flush()).decode(errors="replace")


def forms(secret: bytes) -> set[bytes]:
    """Every way in which `secret` is looked for; nothing for one of white space only."""
    bare = secret.strip()
    if not bare:
        return set()
    found = {secret, bare}
    found.update(line for line in map(bytes.strip, bare.splitlines()) if len(line) >= _SHORTEST)
    if len(bare) >= _SHORTEST:
        found.update(_base64(bare), _url(bare), _shell(bare), _json(bare), _python(bare))
    return found


def _base64(secret: bytes) -> Iterator[bytes]:
    """Give what of the encoding depends on `secret` alone, whatever stands before and after it."""
    for before, touched in ((0, 0), (1, 2), (2, 3)):
        encoded = binascii.b2a_base64(bytes(before) + secret, newline=False)
        core = encoded[touched : (before + len(secret)) * 8 // 6]
        yield core
        yield core.replace(b"+", b"-").replace(b"/", b"_")
    encoded = binascii.b2a_base64(secret, newline=False).rstrip(b"=")
    for width in _WRAPS:
        if len(encoded) > width:
            pieces = (encoded[at : at + width] for at in range(0, len(encoded), width))
            yield from (piece for piece in pieces if len(piece) >= 2 * _SHORTEST)


def _url(secret: bytes) -> Iterator[bytes]:
    for safe in (_URL_SAFE, _URL_SAFE | frozenset(b"/")):
        for digits in (b"%%%02X", b"%%%02x"):
            quoted = b"".join(bytes((byte,)) if byte in safe else digits % byte for byte in secret)
            yield quoted
            yield quoted.replace(b"%20", b"+")


def _shell(secret: bytes) -> Iterator[bytes]:
    yield secret.replace(b"'", b"'\\''")  # as `set -x` shows it


def _json(secret: bytes) -> Iterator[bytes]:
    try:
        text = secret.decode()
    except UnicodeDecodeError:
        return
    for ascii_only, more in ((True, ""), (False, ""), (False, "<>&")):  # the last as Go writes it
        yield "".join(_json_character(char, ascii_only, more) for char in text).encode()
    yield "".join(_json_character(char, True, "") for char in text).replace("/", "\\/").encode()


def _python(secret: bytes) -> Iterator[bytes]:
    """As a traceback shows it."""
    yield repr(secret)[2:-1].encode()
    text = secret.decode(errors="surrogateescape")
    yield from (ascii(text)[1:-1].encode(), repr(text)[1:-1].encode())


def _json_character(char: str, ascii_only: bool, more: str) -> str:
    if char in _JSON_SHORT:
        return _JSON_SHORT[char]
    if char < " " or char in more or (ascii_only and char > "~"):
        units = char.encode("utf-16-be")
        return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
    return char
