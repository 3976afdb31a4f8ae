"""Who may: `allow` and `deny` of a job, or another rule such as an approval's, compiled and decided. Pure.

A rule is asked about people, tokens and workflows apart: where `allow` names none of a kind, that kind is as
it would be without `allow`. `deny` wins always. What has to be asked of GitHub or Slack first comes back as
questions, of names that the rule itself has and no others.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.access.callers import LOCAL, Caller
from bot.access.people import OUTSIDE, Membership
from bot.access.principals import LEVELS, PERSONAL, Kind, Principal, member
from bot.access.questions import UNKNOWABLE, Facts, InGroup, MemberOf, PermissionOn, Question
from bot.access.workflows import Rule as WorkflowRule
from bot.access.workflows import rule as workflow_rule
from bot.states import ActorKind, Cause
from bot.text.globs import matches

MOST_RULES = 20_000
"""Compiled rules that are kept; jobs that say the same share one."""

_NO_MEMBER = OUTSIDE | {Membership.UNKNOWN}
"""Whom a user group of Slack, which its members may change, lets in nowhere."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: an account of GitHub, somebody in Slack by their ids, both, or a caller over HTTP."""

    login: str | None = None
    users: frozenset[str] = frozenset()
    membership: Membership = Membership.MEMBER
    caller: Caller | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a rule says: `by` is the entry that decided, empty where none let them in.

    While `questions` are open it is a no that may become a yes once they are answered.
    """

    allowed: bool
    by: str = ""
    denied: bool = False
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """The principals of one list as they are looked up; `of` is the set of `people` that it is."""

    of: str | None
    logins: Mapping[str, str]
    users: Mapping[str, str]
    questions: tuple[tuple[MemberOf | InGroup, str], ...]
    levels: tuple[str, ...]
    tokens: tuple[str, ...]
    workflows: tuple[tuple[WorkflowRule, str], ...]
    sets: tuple[str, ...] = ()

    @property
    def personal(self) -> bool:
        """Whether people are named, or nobody at all."""
        people = self.logins or self.users or self.questions or self.levels
        return bool(people) or not (self.tokens or self.workflows or self.sets)

    @property
    def of_github(self) -> bool:
        """Whether teams or organisations are named."""
        return any(isinstance(question, MemberOf) for question, _ in self.questions)

    def cite(self, text: str) -> str:
        """How it is told that `text` decided."""
        return text if self.of is None else f"{self.of} ({text})"


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One compiled rule; who writes the same has the same one.

    `default` is the level that people need on the repository where `allow` names no people; None: nobody
    may then, and no token that `allow` does not name.
    """

    allow: tuple[Names, ...] = ()
    deny: tuple[Names, ...] = ()
    default: str | None = "write"
    written: tuple[str, ...] = ()
    """The entries of `allow` that name people, as they are told to whoever is none of them."""
    tokens: bool = False
    """Whether `allow` names tokens."""

    @property
    def personal(self) -> bool:
        """Whether it says itself which people may, and does not leave it to the repository."""
        return bool(self.written) or self.default is None

    @property
    def workflows(self) -> Iterator[WorkflowRule]:
        """Those that let workflows in."""
        return (rule for names in self.allow for rule, _ in names.workflows)

    @property
    def levels(self) -> bool:
        """Whether somebody's permission on the repository counts."""
        return not self.personal or any(names.levels for names in self.allow)


_AT_LEAST = {level: (Names(None, {}, {}, (), (level,), (), ()),) for level in LEVELS}
"""What stands in the place of an `allow` that names no people."""


def decide(rule: Rule, asker: Asker, repositories: Sequence[str], facts: Facts) -> Decision:
    """Whether `asker` may, by what is known; a permission counts on any of `repositories`."""
    if asker.caller is not None:
        return _of_caller(rule, asker.caller)
    denied, unsure = _match(rule.deny, asker, repositories, facts, denying=True)
    if denied is not None:
        return Decision(False, f"deny: {denied}", denied=True)
    allow = rule.allow if rule.personal or rule.default is None else _AT_LEAST[rule.default]
    admitted, open_ = _match(allow, asker, repositories, facts, denying=False)
    questions = tuple(dict.fromkeys(unsure if admitted is not None else (*open_, *unsure) if open_ else ()))
    if admitted is None or questions:
        return Decision(False, questions=questions)
    return Decision(True, f"allow: {admitted}" if rule.personal else admitted)


def _match(
    side: Sequence[Names], asker: Asker, repositories: Sequence[str], facts: Facts, *, denying: bool
) -> tuple[str | None, list[Question]]:
    """The entry that fits, else what would have to be known."""
    login = asker.login.casefold() if asker.login is not None else None
    for names in side:
        if login is not None and (text := names.logins.get(login)) is not None:
            return names.cite(text), []
        for user in asker.users:
            if user in names.users:
                return names.cite(names.users[user]), []
    open_: list[Question] = []
    for names in side:
        for question, text in names.questions:
            if not _concerns(question, asker, denying=denying):
                continue
            answer = facts.get(question)
            if answer is True:
                return names.cite(text), []
            if answer == UNKNOWABLE and denying:
                return names.cite(f"{text}, of which nobody can be asked"), []
            if answer is None:
                open_.append(question)
        for level in names.levels if login is not None else ():
            for repository in repositories:
                permission = PermissionOn(repository)
                answer = facts.get(permission)
                if answer is None:
                    open_.append(permission)
                elif isinstance(answer, str) and reaches(answer, level):
                    return names.cite(f"github:permission/{level} on {repository}"), []
    return None, open_


def _concerns(question: MemberOf | InGroup, asker: Asker, *, denying: bool) -> bool:
    """Whether an answer could be about them; being in a group lets in only who is known as a member."""
    if isinstance(question, MemberOf):
        return asker.login is not None
    return bool(asker.users) and (denying or asker.login is not None or asker.membership not in _NO_MEMBER)


def reaches(permission: str, level: str) -> bool:
    """Whether `permission` includes `level`."""
    return permission in LEVELS and LEVELS.index(permission) >= LEVELS.index(level)


def _of_caller(rule: Rule, caller: Caller) -> Decision:
    """Of callers their scopes decide first, elsewhere; a rule narrows tokens by name."""
    if caller.cause is not Cause.API:  # a hook is of one job, and a workflow was let in by its rule
        return Decision(False) if rule.default is None else Decision(True, caller.name)
    name = caller.name.partition(":")[2]
    for names in rule.deny:
        for pattern in names.tokens:
            if matches(pattern, name):
                return Decision(False, f"deny: {names.cite(ActorKind.TOKEN.named(pattern))}", denied=True)
    for names in rule.allow:
        for pattern in names.tokens:
            if matches(pattern, name):
                return Decision(True, f"allow: {names.cite(ActorKind.TOKEN.named(pattern))}")
    if rule.default is None or (rule.tokens and name != LOCAL):
        return Decision(False)
    return Decision(True, f"scopes of {caller.name}")


@dataclass
class People:
    """The sets of `people`, and what rules come to with them; each is compiled once."""

    sets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    _names: dict[str, Names] = field(default_factory=dict)
    _rules: dict[tuple[object, ...], Rule] = field(default_factory=dict)

    def rule(self, allow: Sequence[str], deny: Sequence[str] = (), *, default: str | None = "write") -> Rule:
        """The rule that `allow` and `deny` write; `default` None: nobody whom it does not name."""
        key = (tuple(allow), tuple(deny), default)
        found = self._rules.get(key)
        if found is None:
            if len(self._rules) >= MOST_RULES:
                self._rules.clear()
            found = self._rules[key] = self._compile(tuple(allow), tuple(deny), default)
        return found

    def reached(self, names: Iterable[str]) -> list[str]:
        """These sets and those that they name in turn, each once; names of none are among them."""
        found: dict[str, None] = {}
        left = list(names)
        while left:
            name = left.pop()
            if name in found:
                continue
            found[name] = None
            left.extend(self._set(name).sets)
        return list(found)

    def _compile(self, allow: tuple[str, ...], deny: tuple[str, ...], default: str | None) -> Rule:
        allowed = self._side(allow)
        return Rule(
            allow=allowed,
            deny=self._side(deny),
            default=default,
            written=tuple(text for text in allow if self._is_personal(member(text))),
            tokens=any(names.tokens for names in allowed),
        )

    def _side(self, texts: tuple[str, ...]) -> tuple[Names, ...]:
        every = [member(text) for text in texts]
        sets = self.reached(each.name for each in every if each.kind is Kind.SET)
        return (_names(None, every), *(self._set(name) for name in sets)) if every else ()

    def _set(self, name: str) -> Names:
        found = self._names.get(name)
        if found is None:
            found = _names(name, [member(text) for text in self.sets.get(name, ())])
            self._names[name] = found
        return found

    def _is_personal(self, principal: Principal) -> bool:
        """Whether it names people: a set that is gone lets nobody in, rather than whom it did not name."""
        if principal.kind is not Kind.SET:
            return principal.kind in PERSONAL
        return any(self._set(name).personal for name in self.reached([principal.name]))


def _names(of: str | None, every: Sequence[Principal]) -> Names:
    def named(kind: Kind) -> list[Principal]:
        return [each for each in every if each.kind is kind]

    questions: list[tuple[MemberOf | InGroup, str]] = [
        (MemberOf(each.name.lower(), each.team), each.text) for each in named(Kind.ORG)
    ]
    questions += [(InGroup(each.name.lower()), each.text) for each in named(Kind.GROUP)]
    return Names(
        of=of,
        logins={each.name.casefold(): each.text for each in named(Kind.LOGIN)},
        users={each.name: each.text for each in named(Kind.USER)},
        questions=tuple(questions),
        levels=tuple(each.name for each in named(Kind.LEVEL)),
        tokens=tuple(each.name for each in named(Kind.TOKEN)),
        workflows=tuple((workflow_rule(each.name), each.text) for each in named(Kind.ACTIONS)),
        sets=tuple(each.name for each in named(Kind.SET)),
    )
