"""What becomes of a run while others of its job are under way, in words."""

from bot.catalog.concurrency import Concurrency
from bot.text.vocabulary import OVERLAPS
from bot.text.wording import listed

_FURTHER = {
    "queue": "a further one waits for its turn",
    "forbid": "a further one is refused",
    "replace": "a further one takes the place of the oldest",
}


def overlap(rules: str | Concurrency) -> str | None:
    """What a definition says (Markdown); None where it lets any number run."""
    if isinstance(rules, str):
        return OVERLAPS.get(rules)
    same = f" of those with the same {listed(rules.key)}" if rules.key else ""
    return f"{rules.limit} at a time{same}; {_FURTHER[rules.over]}"
