"""Which jobs somebody may run, so that lists and pages show them no others: asked once for all jobs alike."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.access.policy import Subject
from bot.access.questions import Facts, PermissionOn, Question
from bot.access.rules import Asker, Rule, decide, reaches
from bot.catalog.catalog import Catalog, Job
from bot.errors import AskerError, RetryLater
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.facts import Answer, FactFinder
from bot.registry import Registry

MOST = 100
"""Questions to GitHub and Slack for one list, those first that most jobs depend on."""
_LOGGED_IN = frozenset({"page", "api"})
"""Doors of `approval` where people are logged in."""
ROUNDS = 3
"""What is open after the first answers is asked as well: one `deny` at most."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of somebody for lists; of so many `unknown` repositories and teams it is not."""

    facts: Facts = field(default_factory=dict)
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody may run, by name, and the repositories whose runs they may have.

    `unknown` repositories or teams may be theirs as well: nobody said, or so many were not asked about.
    `hidden` jobs are of these repositories and not theirs, `own` ones are theirs whatever the repository of a
    run is. `keys` name what they may run in a few words, see `job_key`.
    """

    jobs: Mapping[str, Job] = field(default_factory=dict)
    repositories: frozenset[str] = frozenset()
    unknown: int = 0
    hidden: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Group:
    """Jobs that the same people may run."""

    rule: Rule
    subject: Subject
    jobs: list[Job]
    key: str
    own: bool
    """Whether the rule is the jobs' own, and not that of the repository of each run."""


class Visibility:
    """Decides for jobs that say the same once, with what GitHub and Slack are asked once."""

    def __init__(self, registry: Registry, authorization: Authorization, finder: FactFinder) -> None:
        self._registry = registry
        self._authorization = authorization
        self._finder = finder
        self._everywhere: tuple[Catalog, Sequence[_Group]] | None = None

    async def of(self, context: RequestContext) -> Sight:
        """What the asker may run now."""
        return self.within(context, await self.known(context))

    async def exactly(self, context: RequestContext, most: int) -> Sight:
        """The same after up to `most` questions; `RetryLater` where one of them is not answered now."""
        asker, groups = self._authorization.asker(context), self._groups(context)
        facts, away = await self._gather(asker, groups, {}, most)
        if away:
            raise away[0]
        return self.within(context, Known(facts))

    async def known(self, context: RequestContext) -> Known:
        """What is to be known for that; without what nobody says now."""
        asker, groups = self._authorization.asker(context), self._groups(context)
        facts, _ = await self._gather(asker, groups, {}, MOST)
        return Known(facts, len(_open(asker, groups, facts)))

    def within(self, context: RequestContext, known: Known) -> Sight:
        """What there is now of that, for somebody of whom this is known."""
        asker, facts = self._authorization.asker(context), known.facts
        jobs: dict[str, Job] = {}
        hidden, own, keys = set[str](), set[str](), set[str]()
        for group in self._groups(context):
            names = [job.name for job in group.jobs]
            if decide(group.rule, asker, group.subject.repositories, facts).allowed:
                jobs |= zip(names, group.jobs, strict=True)
                keys.add(group.key)
                own.update(names if group.own else ())
            elif group.own:
                hidden.update(names)
        writable = {
            question.repository
            for question, level in facts.items()
            if isinstance(question, PermissionOn) and isinstance(level, str) and reaches(level, "write")
        }
        found = (frozenset(writable), known.unknown, frozenset(hidden), frozenset(own), frozenset(keys))
        return Sight(jobs, *found)

    async def by_own_rule(self, context: RequestContext) -> frozenset[str]:
        """The jobs that the asker may run here, or say yes to, though the repository does not let them.

        Their own rules do. `RetryLater` where that is not known now.
        """
        groups = [group for group in self._groups(context) if group.own]
        groups += self._approvals(groups_of=self._groups(context))
        asker = self._authorization.asker(context)
        facts, away = await self._gather(asker, groups, context.facts, MOST)
        allowed = [
            job.name
            for group in groups
            if decide(group.rule, asker, group.subject.repositories, facts).allowed
            for job in group.jobs
        ]
        if not allowed and away:
            raise away[0]
        context.facts.update(facts)
        return frozenset(allowed)

    async def approved(self, context: RequestContext, most: int) -> frozenset[str]:
        """The jobs that name the asker as who says yes at a door where people log in; `RetryLater`.

        After up to `most` questions; nobody is taken for one of whom that is not said.
        """
        groups = self._approvals(groups_of=self._groups(context), on=_LOGGED_IN)
        asker = self._authorization.asker(context)
        facts, away = await self._gather(asker, groups, {}, most)
        if away:
            raise away[0]
        return frozenset(
            job.name
            for group in groups
            if decide(group.rule, asker, group.subject.repositories, facts).allowed
            for job in group.jobs
        )

    def _approvals(self, *, groups_of: Sequence[_Group], on: frozenset[str] | None = None) -> list[_Group]:
        """The jobs to whose runs somebody says yes whom their `approval` names, whoever may run them.

        `on`: at one of these doors.
        """
        found: dict[tuple[Rule, tuple[str, ...]], _Group] = {}
        for group in groups_of:
            for job in group.jobs:
                if job.approval is None or not job.approval.approvers:
                    continue
                if on is not None and on.isdisjoint(job.approval.on):
                    continue
                rule = self._authorization.rule(job.approval.approvers)
                key = (rule, tuple(group.subject.repositories))
                alike = found.setdefault(key, _Group(rule, group.subject, [], group.key, own=True))
                alike.jobs.append(job)
        return list(found.values())

    async def _gather(
        self, asker: Asker, groups: Sequence[_Group], known: Facts, most: int
    ) -> tuple[dict[Question, Answer], list[RetryLater]]:
        """What is `known` with the answers to what is open, and what was in the way of others."""
        facts: dict[Question, Answer] = dict(known)
        tried: set[Question] = set()
        away: list[RetryLater] = []
        for _ in range(ROUNDS):
            batch = [each for each in _open(asker, groups, facts) if each not in tried][: most - len(tried)]
            if not batch:
                break
            tried.update(batch)
            for question, answer in (await self._finder.known_answers(asker, batch)).items():
                if isinstance(answer, RetryLater):
                    away.append(answer)
                else:
                    facts[question] = answer
        return facts, away

    def _groups(self, context: RequestContext) -> Sequence[_Group]:
        """All jobs that may be asked for where they ask; elsewhere than on GitHub these are the same."""
        catalog = self._registry.catalog
        everywhere = context.repository is None and context.caller is None and context.seen is None
        if everywhere and self._everywhere is not None and self._everywhere[0] is catalog:
            return self._everywhere[1]
        groups = self._grouped(context, self._authorization.catalog(context).jobs.values())
        if everywhere:
            self._everywhere = catalog, groups
        return groups

    def _grouped(self, context: RequestContext, jobs: Iterable[Job]) -> Sequence[_Group]:
        alike: dict[tuple[object, ...], _Group | None] = {}
        for job in jobs:
            key = (job.image, job.allow, job.deny, job.repositories)
            if key not in alike:
                alike[key] = self._group(context, job)
            group = alike[key]
            if group is not None:
                group.jobs.append(job)
        return [group for group in alike.values() if group is not None]

    def _group(self, context: RequestContext, job: Job) -> _Group | None:
        """An empty group for jobs that say the same; None where they may not be asked for here at all."""
        try:
            subject = self._authorization.subject(context, job)
        except AskerError:  # which is said when they ask for it
            return None
        rule, repository = self._authorization.rule_of(job), self._registry.catalog.repository_of(job)
        own = rule.personal or bool(rule.deny) or repository is None
        return _Group(rule, subject, [], job_key(job, repository), own)


def job_key(job: Job, repository: str | None) -> str:
    """The repository of a job's image where that says who may run it, else all that does."""
    if repository is not None and not (job.allow or job.deny):
        return repository
    return "\n".join((*job.allow, "", *job.deny, "", repository or "", *job.repositories))


def _open(asker: Asker, groups: Collection[_Group], facts: Facts) -> list[Question]:
    """What is not known and could matter, that first on which most jobs depend."""
    counts: Counter[Question] = Counter()
    for group in groups:
        for question in decide(group.rule, asker, group.subject.repositories, facts).questions:
            counts[question] += len(group.jobs)
    return [question for question, _ in sorted(counts.items(), key=lambda row: (-row[1], str(row[0])))]
