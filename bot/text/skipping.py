"""What people write into a commit's message so that nothing runs for it.

https://docs.github.com/actions/managing-workflow-runs/skipping-workflow-runs
"""

import re

LOOKED_AT = 64 * 1024
"""Characters of a message that are looked at."""

_MARK = re.compile(r"\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]", re.IGNORECASE)
_TRAILER = re.compile(r"^skip-checks: ?true[ \t]*$", re.IGNORECASE | re.MULTILINE)


def skip_mark(message: object) -> str:
    """What a message says nothing is to run by, such as `[skip ci]`; empty where it says no such thing."""
    if not isinstance(message, str):
        return ""
    found = _MARK.search(message[:LOOKED_AT])
    if found is not None:
        return found[0]
    trailers = message[-LOOKED_AT:].rstrip().rpartition("\n\n")[2]
    found = _TRAILER.search(trailers) if "\n\n" in message.strip() else None
    return "skip-checks: true" if found is not None else ""
