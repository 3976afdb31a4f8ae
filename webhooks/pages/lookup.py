"""Which run or build a page is of, and whose log of it is shown."""

from dataclasses import dataclass, replace

from starlette.requests import Request

from bot.catalog.chains import Link
from bot.messages.chains import Step, steps
from bot.states import ActorKind, attempt_name
from bot.states import State as RunState
from bot.store import Session, approvals, attempts, builds, chains, relations, runs
from bot.store.relations import BuildRelations, RunRelations
from bot.store.watchers import Subject
from bot.tables import Attempt, Build, Run
from executor.logs.store import LogStore
from webhooks.access import Visitor
from webhooks.attempts import RunAttempt, run_attempts
from webhooks.pages.parts import Pages, number_of
from webhooks.view import Summary, build_summary, run_summary


@dataclass(frozen=True, slots=True)
class PageSubject:
    """One run or build with what its page needs of the row.

    A link was made for one page, so what is `related` has nothing of other runs for who comes by one; nor
    for who sees of the job no more than what waits for their yes.
    """

    row: Run | Build
    related: RunRelations | BuildRelations
    summary: Summary
    logs: LogStore
    log_key: str
    subjects: tuple[Subject, ...]
    attempts: tuple[RunAttempt, ...] = ()
    chosen: int = 1  # the attempt whose log is shown
    sidecars: tuple[str, ...] = ()  # of that attempt, as far as there are logs of them
    sidecar: str | None = None  # whose log is shown instead of the job's
    times: bool = False  # lines of the log say when they were kept
    chain: tuple[Step, ...] = ()  # that the run is of

    @property
    def file_name(self) -> str:
        """What the log is called where it is kept."""
        name = self.summary.file_name
        return f"{name.removesuffix('.log')}-{self.sidecar}.log" if self.sidecar else name


class SubjectLookup:
    """Finds what a request for a page, its events or its log is of; None for what a visitor may not see."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def find(self, request: Request, visitor: Visitor) -> PageSubject | None:
        """The run or build that the path names, as it is now."""
        number = number_of(request.path_params["number"])
        if number is None or not await self._may_see(request, visitor, number):
            return None
        if request.url.path.startswith("/builds/"):
            subject = await self._build(number, visitor)
        else:
            subject = await self._run(request, number, visitor)
        if subject is not None and request.query_params.get("times") == "1":
            return replace(subject, times=True)
        return subject

    async def _build(self, number: int, visitor: Visitor) -> PageSubject | None:
        def read(session: Session) -> tuple[Build | None, BuildRelations]:
            alone = visitor.how == "link"
            return builds.get(session, number), relations.of_build(session, number, alone=alone)

        build, related = await self._pages.store.read(read)
        if build is None:
            return None
        subjects: tuple[Subject, ...] = (("build", number),)
        return PageSubject(build, related, build_summary(build), self._pages.logs, build.name, subjects)

    async def _run(self, request: Request, number: int, visitor: Visitor) -> PageSubject | None:
        found = await self._pages.store.read(lambda s: _run_with_relations(s, number, visitor))
        if found is None:
            return None
        run, old, ended, related, chain = found
        chosen = run.attempt
        if "attempt" in request.query_params:
            chosen = number_of(request.query_params["attempt"]) or 0
        if not 1 <= chosen <= run.attempt:
            return None
        subjects: tuple[Subject, ...] = (("run", number),)
        if run.build_number is not None and run.state in (RunState.WAITING, RunState.BUILDING):
            subjects += (("build", run.build_number),)
        if run.chain is not None:
            subjects += (("run", run.chain),)
        logs, key = self._pages.logs, attempt_name(run.name, chosen)
        sidecars = tuple(await logs.beside(key).names())
        sidecar = request.query_params.get("container")
        if sidecar is not None:
            if sidecar not in sidecars:
                return None
            logs, key = logs.beside(key), sidecar
        rows = tuple(run_attempts(run, ended))
        summary = run_summary(run, old)
        subject = PageSubject(run, related, summary, logs, key, subjects, rows, chosen, sidecars, sidecar)
        return replace(subject, chain=steps(chain))

    async def _may_see(self, request: Request, visitor: Visitor, number: int) -> bool:
        """Whether it is of a job that the visitor sees; a link was made for this very page.

        Whose yes a run waits for, or waited for, sees what the link on its card shows.
        """
        if visitor.how == "link" or visitor.jobs is None:
            return True
        kind, access = request.url.path.split("/")[1], self._pages.access
        jobs = await access.jobs_of(kind, number)
        if not visitor.jobs.isdisjoint(jobs):
            return True
        if kind != "runs" or visitor.login is None or visitor.approves.isdisjoint(jobs):
            return False
        actor = ActorKind.GITHUB.named(visitor.login)
        return await self._pages.store.read(lambda session: approvals.concerns(session, number, actor))

    def query(self, subject: PageSubject, visitor: Visitor, attempt: int, sidecar: str | None = None) -> str:
        """What follows the path of this page and what belongs to it: whose log, and the signature."""
        parts = [f"attempt={attempt}"] if subject.summary.attempts > 1 else []
        if sidecar is not None:
            parts.append(f"container={sidecar}")
        if subject.times:
            parts.append("times=1")
        if visitor.how == "link" and visitor.expires:
            parts.append(self._pages.access.link(subject.summary.path, visitor.expires).partition("?")[2])
        return "?" + "&".join(parts) if parts else ""


def _run_with_relations(
    session: Session, number: int, visitor: Visitor
) -> tuple[Run, Run | None, list[Attempt], RunRelations, list[Link]] | None:
    """The run, the one that it repeats, its attempts, and the rest; None where there is no such run."""
    run = runs.get(session, number)
    if run is None:
        return None
    alone = not visitor.sees(run.job)
    old = runs.get(session, run.rerun_of) if run.rerun_of else None
    ended = attempts.of_runs(session, [number])[number]
    chain = [] if alone else chains.of_run(session, run)
    return run, old, ended, relations.of_run(session, run, alone=alone), chain
