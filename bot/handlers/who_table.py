"""Who may what, as a table: what every door would say to one person, and by which entry of a rule."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.catalog.catalog import Job
from bot.errors import AskerError, Refused, RetryLater
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.visibility import Visibility


@dataclass(frozen=True, slots=True)
class WhoRow:
    """One job. `may` is None where it is not known now; `by` the entry that decided, `why` not."""

    job: str
    may: bool | None
    by: str = ""
    why: str = ""


class WhoTable:
    """Asks GitHub and Slack once for all jobs alike, and decides each as its doors do."""

    def __init__(self, authorization: Authorization, visibility: Visibility) -> None:
        self._authorization = authorization
        self._visibility = visibility

    async def rows(self, context: RequestContext, jobs: Iterable[Job]) -> list[WhoRow]:
        """A row for each of these jobs, in order."""
        context.facts.update((await self._visibility.known(context)).facts)
        return [await self._row(context, job) for job in jobs]

    async def _row(self, context: RequestContext, job: Job) -> WhoRow:
        try:
            verdict = await self._authorization.verdict(context, job)
        except AskerError as refusal:
            return WhoRow(job.name, False, "", str(refusal))
        except (RetryLater, Refused) as away:
            return WhoRow(job.name, None, "", str(away))
        return WhoRow(job.name, verdict.allowed, verdict.by, verdict.sentence)
