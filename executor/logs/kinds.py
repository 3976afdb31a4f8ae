"""Which kinds of bytes stand in a buffer: a quick look that tells what there is no need to look for. Pure."""

from executor.logs import controls

_WORD = b"x"
_SUSPECT = b"!"


def _table() -> bytes:
    kinds = bytearray(b" " * 256)
    for byte in range(256):
        if bytes((byte,)).isalnum():
            kinds[byte] = ord(_WORD)
    for byte in controls.SUSPECTS:
        kinds[byte] = ord(_SUSPECT)
    return bytes(kinds)


_TABLE = _table()


def has_run(buffer: bytes, length: int) -> bool:
    """Whether so many letters and digits, of ASCII, stand in a row."""
    return _WORD * length in buffer.translate(_TABLE)


class Kinds:
    """Looks at a buffer once, however many ask, as long as it is the same object."""

    __slots__ = ("_buffer", "_kinds")

    def __init__(self) -> None:
        self._buffer = b""
        self._kinds = b""

    def has_run(self, buffer: bytes, length: int) -> bool:
        """The same, of what others look at as well."""
        return _WORD * length in self._of(buffer)

    def has_suspects(self, buffer: bytes) -> bool:
        """Whether there is a byte without which nothing is a gap."""
        return _SUSPECT in self._of(buffer)

    def forget(self) -> None:
        """Hold no buffer while nothing comes."""
        self._buffer = self._kinds = b""

    def _of(self, buffer: bytes) -> bytes:
        if buffer is not self._buffer:
            self._buffer, self._kinds = buffer, buffer.translate(_TABLE)
        return self._kinds
