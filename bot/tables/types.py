"""What columns are made of."""

from typing import Any

import lz4.block
from sqlalchemy import BigInteger, Dialect, Integer, LargeBinary, TypeDecorator, text

Number = BigInteger().with_variant(Integer(), "sqlite")
"""A 64-bit key; SQLite only counts up by itself in a column that is called INTEGER."""


AT_THE_GATE = "state <> 'finished' AND hold IS NULL"
"""The runs that have not ended and are not held. Written out, as the index of them is."""


def where(condition: str) -> dict[str, Any]:
    """For an index of those rows only that meet `condition`: the others cost it nothing."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def packed(body: bytes) -> bytes:
    """Compressed: takes microseconds, and a quarter is left to be written, synced and kept of a payload."""
    return bytes(lz4.block.compress(body))


class Packed(TypeDecorator[bytes]):
    """Bytes that are stored compressed."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Compress on the way in."""
        return None if value is None else packed(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Give what was stored."""
        return None if value is None else bytes(lz4.block.decompress(value))
