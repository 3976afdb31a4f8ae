"""Which jobs somebody may run, for admins: of the file, of the API and of repositories alike."""

from bisect import bisect_right
from collections.abc import Sequence
from urllib.parse import urlencode

from bot.errors import Elsewhere, RetryLater
from bot.handlers.who_table import WhoTable, asking
from bot.registry import Registry
from webhooks.api import queries
from webhooks.api.operation import ApiRequest
from webhooks.api.problems import Problem
from webhooks.api.shapes import Shape, Url


class WhoRow(Shape):
    """One job: `may` is null where it is not known now; `by` says which entry lets them in, `why` why not."""

    job: str
    may: bool | None
    by: str | None
    why: str | None


class Who(Shape):
    """Whether `actor` may run each job, by name, as it is now; `next` is the address of the next page."""

    actor: str
    login: str | None
    jobs: Sequence[WhoRow]
    next: Url | None


class WhoHandlers:
    """Whoever gets here is an admin."""

    def __init__(self, registry: Registry, table: WhoTable) -> None:
        self._registry = registry
        self._table = table

    async def list_who(self, request: ApiRequest) -> Who:
        """Which jobs somebody may run, by which entry of their rules, or why not."""
        query = dict(request.query)
        try:
            context = asking(query["login"])
        except ValueError as error:
            raise Problem(400, f"login: {error}.") from None
        jobs, limit = self._registry.catalog.jobs, queries.number(query, "limit") or queries.MOST_WHO
        names = sorted(jobs)
        names = names[bisect_right(names, query.get("after", "")) :]
        shown = names[:limit]
        try:
            context = await self._table.person(context)
            rows = await self._table.rows(context, [jobs[name] for name in shown])
        except RetryLater:
            raise Elsewhere(f"Who {query['login']} is cannot be asked now; try again soon.") from None
        more = f"/api/who?{urlencode(query | {'after': shown[-1]})}" if len(names) > limit else None
        answers = [
            WhoRow(job=row.job, may=row.may, by=row.by or None, why=None if row.may else row.why or None)
            for row in rows
        ]
        return Who(actor=context.actor, login=context.login, jobs=answers, next=more)
