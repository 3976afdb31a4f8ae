"""Who asks, from where, and whether they may: asks GitHub and Slack, decides by `policy`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from bot.access.callers import Caller
from bot.access.people import OUTSIDE, Membership
from bot.access.policy import Subject, Verdict, judge
from bot.access.questions import Question
from bot.access.rules import Asker, Rule
from bot.access.scopes import EXEC, may_change
from bot.catalog.catalog import Catalog, Job, ownerless
from bot.errors import AskerError, Missing, NotAllowed, ProblemType
from bot.github import PullRequest
from bot.handlers.facts import FactFinder
from bot.handlers.places import Chat, GitHubPlace, HttpPlace, Place, SlackPlace, TerminalPlace
from bot.registry import Registry
from bot.states import Cause
from bot.tables import OccurrenceSeen, Run
from bot.text.wording import listed, quoted

ADMINS = "pages.admins"
"""The setting that says which people may do what a token with `admin` may."""

OF_REPOSITORY = Rule()
"""Who may run things of a repository where nothing else is said: whoever may write to it."""
_RULES = {"rule": "allow", "token not named": "allow"}
"""What refused, by the reason of a verdict, where that says no more."""
_HERE = Verdict(True, "", "allowed", "terminal")

TERMINAL = "errand"
"""The first word of commands on the command line, by which callers over HTTP are spoken to."""


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One request of a person. `key` is unique to it; a command's own key adds its place in the request.

    `login` is the GitHub account whose rights count, None for somebody in Slack whom nobody mapped. `place`
    is None where nobody waits for an answer: a push, a schedule, an `occurrence`.
    """

    key: str
    cause: Cause
    actor: str
    login: str | None
    place: Place | None = None
    occurrence: OccurrenceSeen | None = None
    """What happened on GitHub and led to it, without anybody's asking."""
    line: str = ""
    """The command as it was typed, where it was."""
    membership: Membership = Membership.MEMBER
    """Why nobody knows the login of somebody in Slack."""
    users: frozenset[str] = frozenset()
    """By what Slack calls who asks there, whether or not an account of GitHub is known."""
    seen: frozenset[str] | None = None
    """The jobs that exist for who asks, where that is not all: for somebody whom the rules of some let in."""
    facts: dict[Question, str | bool] = field(default_factory=dict)
    """What GitHub and Slack were asked for this request: once, however many commands it has."""
    rules: dict[str, str] = field(default_factory=dict)
    """By which entry of its rule each job or repository was opened to them, for the journal."""

    @property
    def repository(self) -> str | None:
        """The repository in which it was asked."""
        return self.place.repository if isinstance(self.place, GitHubPlace | TerminalPlace) else None

    @property
    def pull(self) -> PullRequest | None:
        """The pull request in which it was asked, once GitHub has said what that is."""
        return self.place.pull if isinstance(self.place, GitHubPlace) else None

    @property
    def public(self) -> bool:
        """Whether anyone may read the place."""
        return isinstance(self.place, GitHubPlace) and self.place.public

    @property
    def chat(self) -> Chat | None:
        """The place, where every command is answered in words."""
        return self.place if isinstance(self.place, Chat) else None

    @property
    def caller(self) -> Caller | None:
        """Who asked over HTTP."""
        return self.place.caller if isinstance(self.place, HttpPlace) else None

    @property
    def scoped(self) -> Caller | None:
        """Who asked over HTTP, if what its scopes say is all that counts: for a person GitHub's word does."""
        return None if self.caller is None or self.caller.login is not None else self.caller


class Authorization:
    """Answers whether somebody may."""

    def __init__(self, registry: Registry, facts: FactFinder, nonce: Callable[[], str]) -> None:
        self._registry = registry
        self._facts = facts
        self._nonce = nonce

    def of_caller(self, caller: Caller) -> RequestContext:
        """The request of a caller; its key is its own, so nothing but an idempotency key makes two one."""
        key = f"{caller.cause}:{self._nonce()}"
        return RequestContext(key, caller.cause, caller.name, caller.login, HttpPlace(caller))

    def catalog(self, context: RequestContext) -> Catalog:
        """The jobs and images that exist for the asker; the others are not spoken of, nor proposed.

        In a public place those are the place's own, over HTTP those that the caller's scopes show.
        """
        catalog = self._registry.catalog
        if context.seen is not None:
            catalog = catalog.only(context.seen)
        if context.caller is not None and (seen := context.caller.sees) is not None:
            return catalog.only(seen, all_images=context.caller.may_run(EXEC))
        if context.public and context.repository is not None:
            return catalog.seen_from(context.repository)
        return catalog

    @property
    def all_jobs(self) -> Catalog:
        """Today's jobs and images, whoever sees which."""
        return self._registry.catalog

    def first_word(self, context: RequestContext) -> str:
        """What a command begins with where the asker types: answers tell them so what to type next."""
        if isinstance(context.place, SlackPlace) and context.place.mention is not None:
            return context.place.mention
        return self._registry.config.command if context.caller is None else TERMINAL

    def latest_word(self, context: RequestContext) -> str:
        """By which the asker says that all of today's definition counts (Markdown)."""
        return "`--latest`" if context.caller is None else "`latest`"

    def asker(self, context: RequestContext) -> Asker:
        """Who asks, under all names by which they are known here."""
        users = context.users
        if context.login is not None:
            users |= self._registry.config.members(context.login)
        return Asker(context.login, users, context.membership, context.scoped)

    @property
    def overriders(self) -> Sequence[str]:
        """Who may start something in spite of a freeze, as the file says it."""
        return self._registry.config.override

    @property
    def admins(self) -> Sequence[str]:
        """Who may do what a token with `admin` may, as the file says it."""
        return [str(each) for each in self._registry.config.pages.admins]

    def rule(self, names: Sequence[str]) -> Rule:
        """The rule that lets in nobody but whom `names` names, such as an approval's."""
        return self._registry.rules.people.rule(names, default=None)

    async def decide(
        self, context: RequestContext, rule: Rule, subject: Subject, *, fresh: bool = False
    ) -> Verdict:
        """Whether the asker may by `rule`; `RetryLater` where that is not known now.

        `fresh`: nothing counts that was asked a while ago. In a chat on the command line whoever sits there
        may everything.
        """
        if isinstance(context.place, TerminalPlace):
            return _HERE
        asker = self.asker(context)
        facts = {} if fresh else context.facts
        while (verdict := judge(rule, asker, subject, facts)).questions:
            facts |= await self._facts.answers(asker, verdict.questions, fresh=fresh)
        context.facts.update(facts)
        return verdict

    async def require_admin(self, context: RequestContext, what: str) -> None:
        """Raise `NotAllowed` unless the asker may do what a token with `admin` may, such as `what`.

        Of people those of `pages.admins`, asked anew each time; nobody where that names nobody.
        """
        if (caller := context.scoped) is not None:
            if not may_change(caller.scopes):
                raise NotAllowed(f"{quoted(caller.name)} needs the scope `admin` for {what}.")
            return
        admins = self.admins
        if not admins and not isinstance(context.place, TerminalPlace):
            raise NotAllowed(f"Only those of `pages.admins` are for {what}, and that names nobody here.")
        verdict = await self.decide(
            context, self.rule(admins), Subject(what, public=context.public), fresh=True
        )
        _require(context, ADMINS, verdict)

    async def require(self, context: RequestContext, repository: str) -> None:
        """Raise `NotAllowed` unless the asker may run things of `repository`; `RetryLater` if unknown now."""
        self.require_place(context, repository)
        if context.scoped is None:
            verdict = await self.decide(context, OF_REPOSITORY, _repository(repository))
            _require(context, repository, verdict)

    def require_place(self, context: RequestContext, repository: str) -> None:
        """Raise `NotAllowed` where nothing of `repository` is run here, or may be told of where they ask."""
        if not self._registry.config.allows(repository):
            raise NotAllowed(f"Jobs of {quoted(repository)} are not run here.", "github.repositories")
        if context.public and repository != context.repository:
            # What is posted here is read by everybody, and the other repository may be private.
            raise NotAllowed(
                "On a public pull request only jobs of that same repository can be asked for.", "public"
            )

    def check(self, context: RequestContext, repository: str) -> None:
        """The same from what is known for this request, where nobody can be asked: no without that."""
        self.require_place(context, repository)
        if context.scoped is None:
            _require(context, repository, self._judged(context, OF_REPOSITORY, _repository(repository)))

    def _judged(self, context: RequestContext, rule: Rule, subject: Subject) -> Verdict:
        if isinstance(context.place, TerminalPlace):
            return _HERE
        return judge(rule, self.asker(context), subject, context.facts)

    # Jobs -----------------------------------------------------------------------------------------

    async def verdict(self, context: RequestContext, job: Job, *, fresh: bool = False) -> Verdict:
        """Whether the asker may run `job`, and by which entry of its rule; raises as `admit` does."""
        return await self.decide(context, self.rule_of(job), self.subject(context, job), fresh=fresh)

    async def admit(self, context: RequestContext, job: Job) -> Verdict:
        """Raise `AskerError` unless the asker may run `job` from where they ask; `RetryLater` if unknown now.

        Of callers the scopes were asked: a rule narrows tokens by name. For a job that needs a yes nothing
        counts that was asked a while ago.
        """
        verdict = await self.verdict(context, job, fresh=job.approval is not None)
        _require(context, job.name, verdict)
        return verdict

    async def may(self, context: RequestContext, job: Job) -> bool:
        """Whether `admit` lets them."""
        try:
            await self.admit(context, job)
        except AskerError:
            return False
        return True

    def refusal(self, context: RequestContext, jobs: Iterable[str]) -> NotAllowed | None:
        """Why they may not run the first of `jobs` that has a rule of its own, by what was asked for this."""
        if context.membership in OUTSIDE:
            return None  # who hear what they are, and not how it is called here
        catalog = self.catalog(context)
        for job in (catalog.jobs[name] for name in jobs if name in catalog.jobs):
            if self.rule_of(job).personal:
                try:
                    verdict = self._judged(context, self.rule_of(job), self.subject(context, job))
                except AskerError:
                    continue
                return None if verdict.allowed else _refused(verdict)
        return None

    def rule_of(self, job: Job) -> Rule:
        """Who may run `job`: its `allow` and `deny`, else whoever may write to its repository."""
        return self._registry.rules.of(job)

    def subject(self, context: RequestContext, job: Job, repository: str | None = None) -> Subject:
        """What running `job` is, where they ask; `repository` is that of a run of it, where one is meant.

        Raises `NotAllowed` where it may not be asked for there, whoever they are.
        """
        here, rule = context.repository, self.rule_of(job)
        own = repository or self._registry.catalog.repository_of(job)
        if own is None and job.image is not None and not rule.personal:
            self._registry.catalog.image(job.image)  # which may have been taken away: it said who may
        if own is not None:
            self.require_place(context, own)
        elif here is not None:
            self.require_place(context, here)
        if isinstance(context.place, GitHubPlace) and not job.is_asked_in(context.place.repository):
            raise NotAllowed(
                f"{quoted(job.name)} is asked for in pull requests of {listed(job.repositories)}."
            )
        repositories = (own or here,) if own or here else tuple(self.homes(job))
        if not repositories and not rule.personal and context.scoped is None:
            raise NotAllowed(
                f"{ownerless(job.image)} says who may do that; ask in a pull request. Its definition could"
                " say who may (`allow`), or where it belongs (`repositories`)."
            )
        return _subject(job.name, rule, [each for each in repositories if each], public=context.public)

    def spelling(self, repository: str) -> str:
        """As a repository is stored and compared."""
        return self._registry.catalog.spelling(repository)

    def homes(self, job: Job) -> list[str]:
        """The repositories that a job without one of its own belongs to, as they are stored."""
        config, catalog = self._registry.config, self._registry.catalog
        names = (name for name in job.repositories if "*" not in name and config.allows(name))
        return [catalog.spelling(name) for name in names]

    async def require_job(self, context: RequestContext, name: str) -> tuple[str | None, bool]:
        """The repository whose runs of the job `name` are meant (None: all), True: also those of none.

        Raises `AskerError` where there is no such job, or the asker may not run it.
        """
        job = self.catalog(context).job(name)
        await self.admit(context, job)
        built = self._registry.catalog.repository_of(job)
        return built or context.repository, built is None

    # Runs -----------------------------------------------------------------------------------------

    async def require_run(self, context: RequestContext, run: Run) -> None:
        """Raise `AskerError` unless the asker may have `run`: whoever may run its job, by today's rule."""
        rule, subject = self._of_run(context, run)
        _require(context, run.job, await self.decide(context, rule, subject))

    async def decide_run(self, context: RequestContext, run: Run, *, fresh: bool = False) -> Verdict:
        """The same as an answer."""
        rule, subject = self._of_run(context, run)
        return await self.decide(context, rule, subject, fresh=fresh)

    def check_run(self, context: RequestContext, run: Run) -> None:
        """The same as far as it is known without the network."""
        rule, subject = self._of_run(context, run)
        _require(context, run.job, self._judged(context, rule, subject))

    def _of_run(self, context: RequestContext, run: Run) -> tuple[Rule, Subject]:
        if context.caller is not None and not context.caller.may_run(run.job):
            raise Missing(f"There is no run #{run.number}.", ProblemType.NO_SUCH_RUN)
        job = self._registry.catalog.jobs.get(run.job)
        rule = self._rule_then(run) if job is None else self.rule_of(job)
        if context.scoped is not None:
            return rule, _subject(run.job, rule, ())
        if job is not None and (run.repository is None or rule.personal):
            return rule, self.subject(context, job, run.repository)
        repository = owner(context, run)
        self.require_place(context, repository)
        return rule, _subject(run.job, rule, (repository,), public=context.public)

    def _rule_then(self, run: Run) -> Rule:
        """What its definition said, of a job that there is no more; nobody where that cannot be read."""
        allow, deny = run.definition.get("allow") or (), run.definition.get("deny") or ()
        try:
            return self._registry.rules.people.rule(tuple(allow), tuple(deny))
        except (TypeError, ValueError, AttributeError):
            return self.rule(())

    def refused_from(self, context: RequestContext, job: str) -> str | None:
        """The repository to whose people `why` may tell that `context` was not allowed to start `job`.

        None for what was asked in another repository, whose name is not told to those of this one.
        """
        catalog = self._registry.catalog
        definition = catalog.jobs.get(job)
        repository = None if definition is None else catalog.repository_of(definition) or context.repository
        return repository if context.repository in (None, repository) else None


def _repository(name: str) -> Subject:
    return Subject(f"running jobs of {quoted(name)}", (name,))


def _subject(job: str, rule: Rule, repositories: Sequence[str], *, public: bool = False) -> Subject:
    """What is told of it: of a rule of the job's own the job, else the repositories that say who may."""
    what = f"running {quoted(job)}" if rule.personal or not repositories else ""
    return Subject(what or f"running jobs of {listed(repositories)}", tuple(repositories), public)


def _require(context: RequestContext, name: str, verdict: Verdict) -> None:
    """Raise `NotAllowed` unless they may; by what they do is noted of the job or the repository `name`."""
    if not verdict.allowed:
        raise _refused(verdict)
    context.rules[name] = verdict.by


def _refused(verdict: Verdict) -> NotAllowed:
    return NotAllowed(verdict.sentence, verdict.by or _RULES.get(verdict.reason, verdict.reason))


def owner(context: RequestContext, run: Run) -> str:
    """The repository of which the asker must be able to run things to have `run`; `AskerError` if none.

    What a schedule started without an image is of none, so the one that is asked from counts.
    """
    if run.job == EXEC and run.repository is None:  # those who write elsewhere have no say in it
        raise Missing(f"There is no run #{run.number}.", ProblemType.NO_SUCH_RUN)
    repository = run.repository or context.repository
    if repository is None:
        raise AskerError(
            f"#{run.number} is of no repository that says who may do that; ask in a pull request."
        )
    return repository
