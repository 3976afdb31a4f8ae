"""Freezes in words (Markdown): of what, until when, by whom and why; and answers to the two verbs."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.catalog.freezes import Scope, Standing
from bot.messages.text import clean, plain
from bot.text import vocabulary
from bot.text.vocabulary import moment
from bot.text.wording import listed, quoted

FILE = "app.yaml"
"""Who froze what the file says."""


def frozen(why: Mapping[str, Any], shown: Callable[[str, int], str] = plain) -> str:
    """Why nothing starts, as it is stored, in one sentence without its end.

    Markdown, or with `clean` as `shown` a text for whoever makes that of it.
    """
    what = of_what(why.get("jobs", ()), why.get("locks", ()), why.get("environments", ()))
    until = f" until {moment(why['until'])}" if why.get("until") is not None else ""
    by = vocabulary.who(why["by"]) if why.get("by") else FILE
    words = f": {shown(why['why'], 200)}" if why.get("why") else ""
    return f"{what} frozen{until} by {clean(by, 80)}{words}"


def refused(why: Mapping[str, Any]) -> str:
    """The no to who wants to start something."""
    hint = ' Whom `override` names may say `--override "why"`.' if why.get("overridable") else ""
    return f"{quoted(why['job'])} is not started: {frozen(why)}.{hint}"


def despite(why: Mapping[str, Any]) -> str:
    """What is added to a plan that overrides a freeze."""
    return f"It starts in spite of a freeze: {frozen(why)}. That is told in its channel."


def of_what(jobs: Sequence[str], locks: Sequence[str], environments: Sequence[str]) -> str:
    """The subject of a sentence, with its verb: `everything is`."""
    parts = [*(quoted(each) for each in jobs)]
    parts += [f"the lock {quoted(each)}" for each in locks]
    parts += [f"the environment {quoted(each)}" for each in environments]
    if not parts:
        return "everything is"
    return f"{parts[0]} is" if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]} are"


def scope_text(scope: Scope) -> str:
    """Of what a freeze is, in a few plain words: `everything`, `job nightly`, `lock prod`."""
    named = {"job": scope.jobs, "lock": scope.locks, "environment": scope.environments}
    return ", ".join(f"{kind} {each}" for kind, names in named.items() for each in names) or "everything"


def begun(standing: Standing, *, command: str) -> str:
    """The answer to who began a freeze."""
    scope = standing.scope
    what = of_what(scope.jobs, scope.locks, scope.environments)
    until = f" until {moment(standing.end)}" if standing.end is not None else ""
    ends = f"{command} thaw{options(scope)}"
    return f"{_upper(what)} frozen{until}: what has begun goes on, nothing starts. {quoted(ends)} ends it."


def ended(scope: Scope, still: Mapping[str, Any] | None) -> str:
    """The answer to who ended one; `still`: another one is on."""
    what = of_what(scope.jobs, scope.locks, scope.environments)
    sentence = f"{_upper(what)} not frozen any more."
    return sentence if still is None else f"{_upper(what)} thawed, but {frozen(still)}."


def not_frozen(scope: Scope, on: Sequence[Standing], *, command: str) -> str:
    """The answer to who wants to end what nobody began; what is frozen is told."""
    what = of_what(scope.jobs, scope.locks, scope.environments)
    mine = [each for each in on if each.number is not None]
    sentence = f"{_upper(what)} not frozen by anybody."
    if mine:
        ways = [f"{command} thaw{options(each.scope)}" for each in mine]
        return f"{sentence} There is {listed(ways, 5)}."
    if on:
        return f"{sentence} What `app.yaml` freezes ends by itself; its `freeze` says when."
    return sentence


def options(scope: Scope) -> str:
    """By which a command names the scope."""
    named = {"job": scope.jobs, "lock": scope.locks, "environment": scope.environments}
    words = [word for kind, names in named.items() for each in names for word in (f"--{kind}", each)]
    return f" {shlex.join(words)}" if words else ""


def _upper(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
