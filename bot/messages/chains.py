"""A chain of runs in words: each run as it stands, and what was to follow and does not, or not yet. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.catalog.chains import After, Link, Then
from bot.messages import verdicts
from bot.messages.text import code
from bot.text import vocabulary
from bot.text.vocabulary import Word

_TO_COME = Word("to come", "is to follow", "⏳", "○")
_NOT_STARTED = Word("not started", "is not started", "🚫", "✕")


@dataclass(frozen=True, slots=True)
class Step:
    """One of a chain: `number` is None where there is no run, `why` what kept it from being started."""

    job: str
    number: int | None
    word: Word
    why: str | None = None
    after: int | None = None


def steps(links: Sequence[Link]) -> tuple[Step, ...]:
    """The chain as people are told of it; nothing where it is one run alone."""
    found = []
    for link in links:
        if link.number is not None:
            word = vocabulary.standing(link.state or "", link.result)
            found.append(Step(link.job, link.number, word, after=link.after))
        elif link.why is None:
            found.append(Step(link.job, None, _TO_COME, after=link.after))
        else:
            found.append(Step(link.job, None, _NOT_STARTED, verdicts.reason(link.why), link.after))
    return tuple(found) if len(found) > 1 else ()


def in_open(links: Sequence[Link], repository: str | None) -> list[Link]:
    """What everybody may read of it: the runs of that repository that are everybody's."""
    return [
        link for link in links if link.number is not None and link.public and link.repository == repository
    ]


def order_lines(after: Sequence[After], then: Sequence[Then], *, public: bool) -> list[str]:
    """What a job comes after, and what follows it (Markdown); in `public` no other job is named."""
    lines = []
    for each in after:
        name = "another job" if public else code(each.job, 60)
        within = "" if each.within is None else f", in the last {vocabulary.duration(each.within)}"
        lines.append(f"it runs only where {name} has succeeded for the same {each.of}{within}")
    if then and public:
        lines.append("other jobs follow its success")
    elif then:
        lines.append(f"its success starts {', '.join(_follower(each) for each in then)}")
    return lines


def _follower(then: Then) -> str:
    values = " ".join(code(f"{name}={value}", 120) for name, value in then.parameters.items())
    return f"{code(then.job, 60)}{' with ' + values if values else ''}"
