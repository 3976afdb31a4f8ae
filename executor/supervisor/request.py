"""What the fork server is asked: named byte strings, of which none contains a NUL byte.

On the wire: four bytes of length, big-endian, then `name=value` fields parted by NUL bytes. A name
may come more than once. It travels over a socket only, because it carries secrets.
"""

from collections.abc import Iterable

LARGEST = 16 * 1024 * 1024
"""Bytes of one request."""

Fields = dict[str, list[bytes]]


def encode(fields: Iterable[tuple[str, str | bytes]]) -> bytes:
    """Give the request with its length before it; raises ValueError if it cannot be written so."""
    body = b"\0".join(
        name.encode()
        + b"="
        + (value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape"))
        for name, value in fields
    )
    if len(body) > LARGEST:
        raise ValueError(f"the request is larger than {LARGEST} bytes")
    return len(body).to_bytes(4, "big") + body


def decode(body: bytes) -> Fields:
    """Give the fields of a request without its length."""
    fields: Fields = {}
    for field in body.split(b"\0"):
        name, _, value = field.partition(b"=")
        fields.setdefault(name.decode(), []).append(value)
    return fields
