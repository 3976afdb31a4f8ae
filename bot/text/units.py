"""Durations and sizes as people write them: `30m`, `1h30m`, `64Mi`."""

import re
from contextlib import suppress
from datetime import UTC, datetime

_DURATION = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", re.ASCII)
_SECONDS = (86400, 3600, 60, 1)

_SIZE = re.compile(r"(\d{1,15})(k|Ki|M|Mi|G|Gi)?B?", re.ASCII)
_BYTES = {"k": 10**3, "Ki": 2**10, "M": 10**6, "Mi": 2**20, "G": 10**9, "Gi": 2**30}


def seconds(text: str) -> float:
    """Seconds of a duration such as `30s`, `1h30m`, `2d` or `90`; ValueError says what is expected."""
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return float(text)
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise ValueError("expected a duration such as 30s, 15m, 1h30m or 2d")
    return float(sum(int(part) * unit for part, unit in zip(match.groups("0"), _SECONDS, strict=True)))


def size(text: str) -> int:
    """Bytes of a size such as `512k`, `64Mi` or `1000`; ValueError says what is expected."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError("expected a size such as 512k, 64Mi or 1Gi")
    number, unit = match.groups()
    return int(number) * _BYTES.get(unit or "", 1)


def duration_text(value: float) -> str:
    """A duration as `seconds` reads it, without zero parts: `1h30m`; fractions of a second are cut."""
    rest, parts = int(value), []
    for unit, name in zip(_SECONDS, "dhms", strict=True):
        count, rest = divmod(rest, unit)
        if count:
            parts.append(f"{count}{name}")
    return "".join(parts) or "0s"


def size_text(value: int) -> str:
    """Bytes as `size` reads them, in the largest unit that needs no fraction: `512Mi`, `1Gi`, `1000`."""
    names = ("Gi", "Mi", "Ki")
    name = next((each for each in names if value and value % _BYTES[each] == 0), "")
    return f"{value // _BYTES.get(name, 1)}{name}"


def moment(text: str, now: float) -> float:
    """Seconds since the epoch of a date or a moment (ISO 8601), or of a duration before `now`.

    It is in UTC where it does not say otherwise. ValueError says what is expected.
    """
    with suppress(ValueError):
        return now - seconds(text)
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise ValueError(
            "expected a date, a moment such as 2026-12-24T18:00:00Z, or how long ago, as in 7d"
        ) from None
