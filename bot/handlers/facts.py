"""What GitHub and Slack say of people, for rules: asked about the names in a rule alone, once at a time."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable

import structlog

from bot.access import policy
from bot.access.questions import UNKNOWABLE, InGroup, MemberOf, PermissionOn, Question
from bot.access.rules import Asker
from bot.caches import ExpiringCache
from bot.errors import AskerError, Refused, RetryLater
from bot.github import GitHub
from bot.repositories import CodeHost
from bot.slack.directory import SlackGroups

REFUSAL_KEPT = 30.0
"""Seconds for which GitHub's no about a person is remembered; a yes is asked for every time."""
MEMBERSHIP_KEPT = 60.0
"""Seconds for which it is remembered who is of an organization or a team; asked anew where that is needed."""
TEAM_KEPT = 600.0
"""Seconds for which it is remembered that there is a team."""
FEW = 3
"""Teams of one organization that are asked about one by one; of more, all teams of a person at once."""
CONCURRENT = 8
"""Questions of one request that are asked at the same time."""
_REFUSALS = 4096
"""How many such answers are remembered."""
_MEMBERSHIPS = 16_384

Answer = str | bool
log = structlog.get_logger()


class Permissions:
    """What GitHub says of people: one question for all who want to know the same at the same time.

    Who may not can ask as often as they like and costs one question in `REFUSAL_KEPT` seconds. What somebody
    may is never remembered, so a right that was taken away is gone at once.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._questions: dict[tuple[str, str], asyncio.Task[str]] = {}
        self._refused: dict[tuple[str, str], tuple[float, str]] = {}

    async def of(self, github: GitHub, repository: str, login: str, *, fresh: bool = False) -> str:
        """A level of `bot.access.principals`; `RetryLater` if GitHub does not say now."""
        key = (repository.casefold(), login.casefold())
        at, level = self._refused.get(key, (None, ""))
        if not fresh and at is not None and 0.0 <= self._clock() - at < REFUSAL_KEPT:
            return level
        question = self._questions.get(key)
        if question is None:
            question = asyncio.create_task(github.permission(repository, login))
            self._questions[key] = question
            question.add_done_callback(lambda done: self._answered(key, done))
        return await asyncio.shield(question)

    def _answered(self, key: tuple[str, str], question: asyncio.Task[str]) -> None:
        del self._questions[key]
        self._refused.pop(key, None)
        if question.cancelled() or question.exception() is not None or policy.may_write(question.result()):
            return
        while len(self._refused) >= _REFUSALS:
            del self._refused[next(iter(self._refused))]
        self._refused[key] = self._clock(), question.result()


class FactFinder:
    """Answers questions about who asks; `groups` are None where Slack is not configured."""

    def __init__(self, host: CodeHost, groups: SlackGroups | None, clock: Callable[[], float]) -> None:
        self._host = host
        self._groups = groups
        self._clock = clock
        self._permissions = Permissions(clock)
        self._members: ExpiringCache[tuple[str, str | None, str], tuple[bool | None]]
        self._members = ExpiringCache(clock, _MEMBERSHIPS)
        self._there: ExpiringCache[tuple[str, str], tuple[bool | None]] = ExpiringCache(clock)
        self._teams_of: ExpiringCache[tuple[str, str], tuple[frozenset[str] | None]] = ExpiringCache(clock)

    async def answers(
        self, asker: Asker, questions: Iterable[Question], *, fresh: bool = False
    ) -> dict[Question, Answer]:
        """The answers to all; `RetryLater` where one is not known now. `fresh`: none from before."""
        turns, every = asyncio.Semaphore(CONCURRENT), list(questions)
        many = self._with_many_teams(asker, every, fresh=fresh)

        async def answer(question: Question) -> Answer:
            async with turns:
                return await self._answer(asker, question, many, fresh=fresh)

        tasks = [asyncio.create_task(answer(question)) for question in every]
        try:
            return dict(zip(every, await asyncio.gather(*tasks), strict=True))
        finally:
            for task in tasks:
                task.cancel()

    async def known_answers(
        self, asker: Asker, questions: Iterable[Question]
    ) -> dict[Question, Answer | RetryLater]:
        """The same for lists: what is not known now stands for itself, what is refused lets nobody in."""
        turns, every = asyncio.Semaphore(CONCURRENT), list(questions)
        many = self._with_many_teams(asker, every, fresh=False)

        async def answer(question: Question) -> Answer | RetryLater:
            async with turns:
                try:
                    return await self._answer(asker, question, many, fresh=False)
                except RetryLater as later:
                    return later
                except (AskerError, Refused):  # also where GitHub shows us no such repository
                    return UNKNOWABLE

        return dict(zip(every, await asyncio.gather(*map(answer, every)), strict=True))

    def _with_many_teams(self, asker: Asker, questions: Iterable[Question], *, fresh: bool) -> frozenset[str]:
        """The organizations of so many teams that all teams of the asker are asked for at once."""
        teams = Counter(each.organization for each in questions if isinstance(each, MemberOf) and each.team)
        many = frozenset(name for name, count in teams.items() if count > FEW)
        if fresh and asker.login is not None:
            for name in many:
                self._teams_of.drop((name, asker.login.casefold()))
        return many

    async def _answer(self, asker: Asker, question: Question, many: frozenset[str], *, fresh: bool) -> Answer:
        match question:
            case PermissionOn():
                return await self._permission(asker, question.repository, fresh=fresh)
            case MemberOf():
                if question.team is not None and question.organization in many:
                    return await self._is_in_one_of_many(asker, question.organization, question.team)
                return await self._is_member(asker, question, fresh=fresh)
            case InGroup():
                return await self._is_in_group(asker, question.handle, fresh=fresh)

    async def _permission(self, asker: Asker, repository: str, *, fresh: bool) -> Answer:
        github = self._host.github
        if github is None or asker.login is None:
            return "none"
        try:
            return await self._permissions.of(github, repository, asker.login, fresh=fresh)
        except Refused as refused:
            raise await self._host.repositories.explained(repository, refused) from None

    async def _is_member(self, asker: Asker, question: MemberOf, *, fresh: bool) -> Answer:
        github, login = self._host.github, asker.login
        if github is None or login is None:
            return UNKNOWABLE if github is None else False
        organizations = github.organizations

        async def ask() -> tuple[tuple[bool | None], float]:
            found = await organizations.has(login, question.organization, question.team)
            if found is False and question.team is not None:
                found = await self._none_of(github, question.organization, question.team)
            return (found,), self._clock() + MEMBERSHIP_KEPT

        key = (question.organization, question.team, login.casefold())
        if fresh:
            self._members.drop(key)
        (found,) = await self._members.get(key, ask)
        return UNKNOWABLE if found is None else found

    async def _none_of(self, github: GitHub, organization: str, team: str) -> bool | None:
        """No, unless there is no such team, or GitHub does not show it: then who is in it is not known."""

        async def ask() -> tuple[tuple[bool | None], float]:
            return (await github.organizations.has_team(organization, team),), self._clock() + TEAM_KEPT

        (there,) = await self._there.get((organization, team), ask)
        return False if there else None

    async def _is_in_one_of_many(self, asker: Asker, organization: str, team: str) -> Answer:
        github, login = self._host.github, asker.login
        if github is None or login is None:
            return UNKNOWABLE if github is None else False
        organizations = github.organizations

        async def ask() -> tuple[tuple[frozenset[str] | None], float]:
            found = await organizations.teams_of(login, organization)
            return (found,), self._clock() + MEMBERSHIP_KEPT

        (found,) = await self._teams_of.get((organization, login.casefold()), ask)
        return UNKNOWABLE if found is None else team in found

    async def _is_in_group(self, asker: Asker, handle: str, *, fresh: bool) -> Answer:
        if self._groups is None:
            return UNKNOWABLE
        try:
            members = await self._groups.members(handle, fresh=fresh)
        except Refused as refused:
            log.warning("slack.group_unknown", group=handle, why=str(refused))
            return UNKNOWABLE
        return not asker.users.isdisjoint(members)
