"""Who may do what, and the sentence that says why not and whom to ask. Pure: the facts are given here."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.access.people import SENTENCES
from bot.access.questions import Facts, Question
from bot.access.rules import Asker, Decision, Rule, decide, reaches
from bot.text.wording import listed, quoted

SHOWN = 5
"""Entries of a rule that are told to whoever is none of them."""


def may_write(permission: str | None) -> bool:
    """Whether this permission includes writing. A custom role comes as the base role it was made from.

    https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
    """
    return permission is not None and reaches(permission, "write")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer: `sentence` is for the person who asked (Markdown), `reason` one word or two for the log.

    `by` is the entry of the rule that decided, empty where none let them in. While `questions` are open it is
    a no that may become a yes.
    """

    allowed: bool
    sentence: str
    reason: str
    by: str = ""
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked for: `what` in words that go on after `Sorry, bob:` (Markdown), such as "running `x`".

    A permission counts on any of `repositories`. `public`: everybody reads the answer, so it names no teams.
    """

    what: str
    repositories: Sequence[str] = ()
    public: bool = False


_YES = Verdict(True, "", "allowed")


def judge(rule: Rule, asker: Asker, subject: Subject, facts: Facts) -> Verdict:
    """May they: the one decision of every door."""
    decision = decide(rule, asker, subject.repositories, facts)
    if decision.allowed:
        return Verdict(True, "", "allowed", decision.by)
    sentence, reason = _refusal(rule, asker, subject, facts, decision)
    return Verdict(False, sentence, reason, decision.by, decision.questions)


def _refusal(rule: Rule, asker: Asker, subject: Subject, facts: Facts, decision: Decision) -> tuple[str, str]:
    sorry = f"Sorry, {quoted(_name(asker))}: {subject.what}"
    if decision.denied:
        entry = "" if subject.public else f" ({quoted(decision.by.removeprefix('deny: '))})"
        return f"{sorry} is closed to you by `deny`{entry}. {_whom_to_ask(rule, subject)}", decision.by
    if asker.caller is not None:
        return f"{sorry} is for other tokens, which `allow` names.", "token not named"
    if rule.personal:
        known = "" if asker.login is not None or not _of_github(rule) else f" {SENTENCES[asker.membership]}"
        if subject.public or not rule.written:
            return f"{sorry} is for those whom its rule names. {_whom_to_ask(rule, subject)}{known}", "rule"
        return f"{sorry} is for {listed(rule.written, SHOWN)}; ask one of them.{known}", "rule"
    if asker.login is None:
        return SENTENCES[asker.membership], "unknown Slack user"
    levels = [str(facts.get(question, "none")) for question in _permissions(subject, facts)]
    return f"{sorry} needs {rule.default} access to it.", f"permission {', '.join(levels) or 'none'}"


def _permissions(subject: Subject, facts: Facts) -> list[Question]:
    return [question for question in facts if getattr(question, "repository", None) in subject.repositories]


def _whom_to_ask(rule: Rule, subject: Subject) -> str:
    if subject.public or not rule.written:
        return "Ask somebody who maintains it."
    return f"Ask one of {listed(rule.written, SHOWN)}."


def _of_github(rule: Rule) -> bool:
    """Whether an account of GitHub could be what is missing."""
    return any(names.logins or names.levels or names.of_github for names in rule.allow)


def _name(asker: Asker) -> str:
    if asker.caller is not None:
        return asker.caller.name
    return asker.login or next(iter(sorted(asker.users)), "nobody")


def may_build(*, fork: bool, forks: bool) -> Verdict:
    """May the code of a pull request be built and run, which is that of a `fork` or not?"""
    if forks or not fork:
        return _YES
    sentence = "This is the code of a fork, and code of forks is not run here."
    return Verdict(False, sentence, "fork")


def may_build_foreign(*, ref: str, repository: str, forks: bool) -> Verdict:
    """May a commit that is on no branch and no tag of `repository` be built and run for it?

    GitHub keeps the commits of forks and of pull requests there too, and finds them by their SHA.
    """
    if forks:
        return _YES
    sentence = (
        f"{quoted(ref)} is on no branch and no tag of {quoted(repository)}, so it counts as the code of a"
        " fork, and code of forks is not run here."
    )
    return Verdict(False, sentence, "fork")
