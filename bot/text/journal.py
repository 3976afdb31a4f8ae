"""The words for rows of the journal: what was done, and the facts of it in a line. Pure.

The page and the command line take them from here; the API tells kinds and facts as they are stored.
"""

from collections.abc import Mapping
from typing import Any

from bot.states import EntryKind
from bot.text import vocabulary

KINDS: Mapping[EntryKind, str] = {
    EntryKind.RUN_STARTED: "run asked for",
    EntryKind.RUN_REPEATED: "run repeated",
    EntryKind.RUN_HELD: "run held",
    EntryKind.RUN_RELEASED: "run released",
    EntryKind.RUN_CANCELLED: "run cancelled",
    EntryKind.RUN_FINISHED: "run finished",
    EntryKind.RUN_REMOVED: "run removed",
    EntryKind.APPROVED: "approved",
    EntryKind.DENIED: "denied",
    EntryKind.APPROVAL_VOIDED: "approval void",
    EntryKind.APPROVAL_EXPIRED: "approval expired",
    EntryKind.FROZEN: "frozen",
    EntryKind.THAWED: "thawed",
    EntryKind.OVERRIDDEN: "rule overridden",
    EntryKind.REFUSED: "refused",
    EntryKind.BUILD_REQUESTED: "build asked for",
    EntryKind.BUILD_CANCELLED: "build cancelled",
    EntryKind.BUILD_FINISHED: "build finished",
    EntryKind.PAUSED: "schedule paused",
    EntryKind.RESUMED: "schedule resumed",
    EntryKind.SKIPPED: "time skipped",
    EntryKind.BACKFILLED: "backfill begun",
    EntryKind.LOCKED: "locked",
    EntryKind.UNLOCKED: "unlocked",
    EntryKind.TAG_MOVED: "tag chosen",
    EntryKind.TAG_DROPPED: "tag dropped",
    EntryKind.JOB_DEFINED: "job defined",
    EntryKind.JOB_REMOVED: "job removed",
    EntryKind.CONFIG_CHANGED: "configuration changed",
    EntryKind.HOOK_CREATED: "hook created",
    EntryKind.HOOK_DELETED: "hook deleted",
    EntryKind.TOKEN_CREATED: "token created",
    EntryKind.TOKEN_REVOKED: "token revoked",
    EntryKind.LOGIN_BEGUN: "login begun",
    EntryKind.LOGIN_ENDED: "login ended",
    EntryKind.PIN_DROPPED: "repository's number freed",
    EntryKind.DELIVERY_RETRIED: "delivery retried",
    EntryKind.FILE_READ: "repository's file read",
    EntryKind.FILE_REFUSED: "repository's file refused",
}

_MOMENTS = frozenset({"since", "until", "tick", "expires_at", "created_at", "at"})
_EPOCH = 1e9
"""Seconds since the epoch from which on a number of such a name is a moment."""
MOST = 400
"""Characters of the facts in a line."""


def kind_words(kind: str) -> str:
    """What was done, in words; a kind that this version does not know is said as it came."""
    return next((words for each, words in KINDS.items() if each == kind), kind)


def facts_line(facts: Mapping[str, Any]) -> str:
    """The facts in one line, `reason=moving until=1764457200`; what stands within another follows its name.

    What is long is cut.
    """
    line = " ".join(f"{name}={value}" for name, value in _flat(facts))
    return line if len(line) <= MOST else f"{line[:MOST]}…"


def _text(name: str, value: object) -> str:
    """A value as people read it."""
    if name in _MOMENTS and isinstance(value, int | float) and value > _EPOCH:
        return vocabulary.moment(value)
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _flat(facts: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in facts.items():
        if isinstance(value, Mapping) and value.get("kind") == "answer" and "text" in value:
            pairs.append((f"{before}{name}", str(value["text"])))
        elif isinstance(value, Mapping):
            pairs += _flat(value, f"{before}{name}.")
        elif value != "":
            pairs.append((f"{before}{name}", _text(name, value)))
    return pairs
