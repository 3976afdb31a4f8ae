"""Who asks over HTTP: an API token, a deploy hook, or a workflow of GitHub Actions. Pure.

Whoever proved to be somebody becomes a `Caller`; what it may do is said by its scopes and by nothing else.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.access import scopes
from bot.states import ActorKind, Cause

LOCAL = "local"
"""By this name the service's own user is known who comes from the same machine; no stored token has it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """`name` is what history calls it: `token:NAME`, `hook:JOB/NAME`, `actions:OWNER/REPO@REF`.

    `scopes` are those of `bot.access.scopes`. Whoever calls by one name shares its idempotency keys, so no
    two callers may have the same. Of a person with this `login` the scopes say what was found a moment ago:
    GitHub is asked besides, as for their comments. `sender` is the login by whose doing a workflow runs;
    that gives it nothing, but takes from them that they say yes to what it asks for.
    """

    name: str
    scopes: frozenset[str]
    cause: Cause = Cause.API
    login: str | None = None
    sender: str = ""

    def may_run(self, job: str) -> bool:
        """Whether it may start, stop and repeat runs of this job; single commands are a job called `exec`."""
        return scopes.may_run(self.scopes, job)

    @property
    def sees(self) -> frozenset[str] | None:
        """The jobs that it is told of; None for all."""
        return scopes.seen_jobs(self.scopes)

    def may_run_any(self, jobs: Iterable[str]) -> bool:
        """Whether it may do so with one of these jobs, or with every job, whichever there are."""
        return scopes.may_run_any(self.scopes, jobs)


def of_token(name: str, scopes: frozenset[str]) -> Caller:
    """The holder of an API token."""
    return Caller(ActorKind.TOKEN.named(name), scopes)


def of_person(login: str, scopes: frozenset[str]) -> Caller:
    """A person who has logged in with GitHub."""
    return Caller(ActorKind.GITHUB.named(login), scopes, Cause.API, login)


def of_workflow(name: str, scopes: frozenset[str], sender: str = "") -> Caller:
    """A workflow of GitHub Actions, which is called what it is in `allow`: `actions:OWNER/REPO@REF`."""
    return Caller(name, scopes, Cause.ACTIONS, sender=sender)


def of_hook(job: str, name: str) -> Caller:
    """The holder of the token of a deploy hook, who may start that job only."""
    return Caller(ActorKind.HOOK.named(f"{job}/{name}"), frozenset({scopes.RUN + job}), Cause.HOOK)
