"""Who asked for a run or said yes to it, asked anew: what they may by now, not what they might then."""

from collections.abc import Callable
from dataclasses import replace

from bot.access import callers, people
from bot.access.workflows import Workflow
from bot.catalog.catalog import Job
from bot.errors import NotAllowed
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.places import GitHubPlace, HttpPlace
from bot.registry import Registry
from bot.states import ActorKind, Cause
from bot.store import Session, Store, hooks, runs, tokens
from bot.tables import Run
from bot.text.wording import quoted

_BY_ITSELF = frozenset({ActorKind.SCHEDULE, ActorKind.TERMINAL})
"""What app.yaml or whoever sits at the machine started has no account whose rights could be gone."""


class Askers:
    """Finds who somebody is today of whom the history keeps an actor."""

    def __init__(
        self, authorization: Authorization, registry: Registry, store: Store, clock: Callable[[], float]
    ) -> None:
        self._authorization = authorization
        self._registry = registry
        self._store = store
        self._clock = clock

    def person(self, actor: str) -> str:
        """By what somebody is known today: whom `slack.people` names is their account of GitHub."""
        kind, _, name = actor.partition(":")
        if kind == ActorKind.SLACK and people.is_member_id(name):
            login = self._registry.config.person(name)
            if login is not None:
                return people.identity(ActorKind.GITHUB.named(login))
        return people.identity(actor)

    def is_another(self, one: str, other: str) -> bool:
        """Whether two actors are certainly two people.

        Of an account of GitHub and somebody in Slack of whom no account is known nobody can say that.
        """
        first, second = self.person(one), self.person(other)
        if first == second:
            return False
        kinds = {first.partition(":")[0], second.partition(":")[0]}
        return kinds != {ActorKind.GITHUB, ActorKind.SLACK}

    async def context(self, actor: str, cause: str, key: str) -> RequestContext | None:
        """A request of theirs as of now; None for a token or a hook that is no more."""
        kind, _, name = actor.partition(":")
        through = Cause(cause)
        if kind in (ActorKind.GITHUB, ActorKind.SLACK):
            return self._of_person(actor, through, key)
        if kind in (ActorKind.TOKEN, ActorKind.HOOK):
            caller = await self._store.read(lambda session: self._caller(session, kind, name))
            return None if caller is None else RequestContext(key, through, actor, None, HttpPlace(caller))
        return RequestContext(key, through, actor, None)

    def _of_person(self, actor: str, cause: Cause, key: str) -> RequestContext:
        kind, _, name = actor.partition(":")
        if kind == ActorKind.SLACK and people.is_member_id(name):
            login = self._registry.config.person(name)
            return RequestContext(key, cause, actor, login, users=frozenset({name}))
        return RequestContext(key, cause, actor, name)

    def _caller(self, session: Session, kind: str, name: str) -> callers.Caller | None:
        if kind == ActorKind.HOOK:
            job, _, hook = name.rpartition("/")
            there = any(each.name == hook for each in hooks.list(session, job=job))
            return callers.of_hook(job, hook) if there else None
        if name == callers.LOCAL:
            return callers.of_token(name, frozenset({"admin"}))
        token = tokens.named(session, name)
        if token is None or (token.expires_at is not None and token.expires_at <= self._clock()):
            return None
        return callers.of_token(name, frozenset(token.scopes))

    async def admitted(self, origin: Run, job: Job, key: str) -> RequestContext:
        """A request for `job` of who asked for the run `origin`; `AskerError` unless they may today.

        What happened, or became due, and started that run starts what follows it as well. Tokens and hooks
        need the scope for it, workflows a rule that lets in what is known of them: a repository and a ref.
        """
        kind, cause = origin.actor.partition(":")[0], await self._cause(origin)
        context = await self.context(origin.actor, cause, key)
        if context is None:
            raise NotAllowed(f"{quoted(origin.actor)} is no more.")
        if context.scoped is not None and not context.scoped.may_run(job.name):
            raise NotAllowed(f"{quoted(origin.actor)} may not start {quoted(job.name)}.", "scopes")
        if kind == ActorKind.ACTIONS:
            self._admit_workflow(job, origin.actor)
        elif kind not in _BY_ITSELF and cause in _REQUESTS:
            if context.place is None and cause in _ON_GITHUB and origin.repository is not None:
                context = replace(context, place=GitHubPlace(origin.repository, public=origin.public))
            await self._authorization.admit(context, job)
        return context

    def _admit_workflow(self, job: Job, actor: str) -> None:
        """What asks for its file, environment or number lets in none: that is not known any more."""
        repository, _, ref = actor.partition(":")[2].rpartition("@")
        workflow, rule = Workflow(repository, "", ref, "", ""), self._authorization.rule_of(job)
        allow, deny = (
            [each for names in side for each, _ in names.workflows] for side in (rule.allow, rule.deny)
        )
        known = [replace(each, repository_id=None, file=None, environment=None) for each in deny]
        if not any(each.fits(workflow) for each in allow) or any(each.fits(workflow) for each in known):
            raise NotAllowed(f"{quoted(actor)} may not start {quoted(job.name)}.", "allow")

    async def require(self, run: Run) -> None:
        """Raise `AskerError` where who asked for `run` may not have it run any more."""
        kind = run.actor.partition(":")[0]
        if kind in _BY_ITSELF:
            return
        context = await self.context(run.actor, run.cause, f"anew:{run.number}")
        if context is None:
            raise NotAllowed(f"{quoted(run.actor)} is no more.")
        if kind == ActorKind.ACTIONS:
            self._require_workflow(run.job, run.actor)
        elif await self._cause(run) in _REQUESTS:
            await self._authorization.require_run(context, run)

    async def _cause(self, run: Run) -> str:
        """How it was asked for, of one that follows others how the first of them was."""
        first = run.chain
        if run.cause != Cause.CHAIN or first is None:
            return run.cause
        origin = await self._store.read(lambda session: runs.get(session, first))
        return Cause.API if origin is None else origin.cause

    def _require_workflow(self, name: str, actor: str) -> None:
        """A workflow is known by its repository and ref; the job has to name any of the repository still."""
        job = self._registry.catalog.jobs.get(name)
        repository = actor.partition(":")[2].rpartition("@")[0]
        named = (rule.partition(":")[2].partition("@")[0] for rule in job.allow) if job else ()
        if not any(_fits(each, repository) for each in named):
            raise NotAllowed(f"{quoted(name)} lets no workflow of {quoted(repository)} start it any more.")


def _fits(pattern: str, repository: str) -> bool:
    from bot.text.globs import matches

    return matches(pattern.partition("#")[0].partition(":")[0].casefold(), repository.casefold())


_ON_GITHUB = frozenset({Cause.COMMENT, Cause.CHECK})
"""What was asked for in a repository, which says who may where a job has none of its own."""

_REQUESTS = frozenset(
    {Cause.COMMENT, Cause.CHECK, Cause.SLACK, Cause.CHAT, Cause.PAGE, Cause.API, Cause.HOOK}
)
"""What people and programs asked for; everything else happened, and is started by what app.yaml says."""
