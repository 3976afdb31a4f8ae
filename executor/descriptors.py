"""How many files this process may have open: raised for itself, and as it was for what it starts.

A job that inherited a high limit would close, or look through, as many descriptors as it allows.
"""

import resource

_LIMIT = resource.RLIMIT_NOFILE

_before: list[int] = []


def raise_limit(most: int) -> int:
    """Raise the soft limit up to `most`, where the machine allows so many; gives what holds now."""
    soft, hard = resource.getrlimit(_LIMIT)
    if soft == resource.RLIM_INFINITY:
        return most
    limit = most if hard == resource.RLIM_INFINITY else min(hard, most)
    if soft < limit:
        _before[:1] = _before[:1] or [soft]
        resource.setrlimit(_LIMIT, (limit, hard))
    return max(soft, limit)


def before() -> int | None:
    """The soft limit that jobs should have; None where nothing was changed."""
    return _before[0] if _before else None
