"""Which run is meant, and whether the asker may have it: one answer for every door."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.errors import AskerError, Missing, ProblemType, Refused
from bot.handlers.authorization import Authorization, RequestContext
from bot.store import Session, Store, runs
from bot.tables import Run
from bot.text.wording import quoted


@dataclass(frozen=True, slots=True)
class RunReference:
    """The run that is meant: by number, else the newest of the job `name`, else the newest of the asker."""

    number: int | None = None
    name: str | None = None

    def missing(self, context: RequestContext) -> Missing:
        """What to say where there is none."""
        if self.number is not None:
            return Missing(f"There is no run #{self.number}.", ProblemType.NO_SUCH_RUN)
        if self.name is not None:
            return Missing(f"There is no run of {quoted(self.name)}.", ProblemType.NO_SUCH_RUN)
        return Missing(
            f"There is no run {'here' if context.caller is None else 'that you started'}.",
            ProblemType.NO_SUCH_RUN,
        )


class RunSelection:
    """Finds the run that a reference means; nobody gets one that is not theirs to have."""

    def __init__(self, authorization: Authorization, store: Store) -> None:
        self._authorization = authorization
        self._store = store

    async def find(self, context: RequestContext, reference: RunReference) -> Run:
        """The run; `AskerError` where there is none that the asker may have, `RetryLater` if unknown now."""
        run = await self.prepare(context, reference)
        if run is None:
            raise reference.missing(context)
        return run

    async def prepare(self, context: RequestContext, reference: RunReference) -> Run | None:
        """Ask whether the asker may have the run that is meant as things stand, so that `look` need not."""
        if reference.name is not None:
            self._authorization.catalog(context).job(reference.name)
        run = await self._store.read(lambda s: self._meant(s, context, reference))
        if run is not None:
            await self._authorization.require_run(context, run)
        return run

    async def prepare_all(self, context: RequestContext, rows: Callable[[Session], Sequence[Run]]) -> None:
        """Ask which of these runs the asker may have, so that `may_have` need not; `RetryLater`."""
        for run in await self._store.read(rows):
            try:
                await self._authorization.require_run(context, run)
            except (AskerError, Refused):  # also where GitHub shows us no such repository
                continue

    def may_have(self, context: RequestContext, run: Run) -> bool:
        """Whether the asker may have the run, by what was asked."""
        try:
            self._authorization.check_run(context, run)
        except AskerError:
            return False
        return True

    def look(self, session: Session, context: RequestContext, reference: RunReference) -> Run:
        """The run within the transaction: an earlier command of the same comment may have made it."""
        run = self._meant(session, context, reference)
        if run is None:
            raise reference.missing(context)
        self._authorization.check_run(context, run)
        return run

    def _meant(self, session: Session, context: RequestContext, reference: RunReference) -> Run | None:
        if reference.number is not None:
            return runs.get(session, reference.number)
        if reference.name is not None:
            return runs.latest(session, job=reference.name)
        return runs.latest(session, repository=context.repository, actor=newest_of(context))


def newest_of(context: RequestContext) -> str | None:
    """The actor whose runs are meant where nothing is named; None: everybody's of the place asked from."""
    return None if context.repository else context.actor
