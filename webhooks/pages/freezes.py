"""Freezes on the first page: those that a visitor may run into, and the forms that begin and end them."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from starlette.requests import Request

from bot.catalog.catalog import Catalog
from bot.catalog.freezes import Standing, Subject
from bot.commands import parser
from bot.errors import AskerError
from bot.handlers.authorization import RequestContext
from bot.handlers.page_actions import PageActions
from bot.messages.freezes import scope_text
from bot.text.units import seconds

AHEAD = 86400.0
"""Seconds before its beginning from which a freeze is shown."""


class FreezeRow(NamedTuple):
    """A freeze as a page shows it: `what` it is of, and by what a form names it, where somebody began it."""

    what: str
    is_on: bool
    begin: float
    end: float | None
    by: str | None
    why: str | None
    named: Sequence[tuple[str, str]] = ()
    is_manual: bool = False
    is_wide: bool = False


def rows(
    standings: Sequence[Standing], catalog: Catalog, jobs: AbstractSet[str] | None, now: float
) -> list[FreezeRow]:
    """Those that are on or begin within a day, as far as they concern these jobs (None: all)."""
    return [
        _row(each, now)
        for each in standings
        if each.begin - now <= AHEAD and (jobs is None or _concerns(each, catalog, jobs))
    ]


def _concerns(standing: Standing, catalog: Catalog, jobs: AbstractSet[str]) -> bool:
    """Whether it is of one of the jobs; an environment may be of any."""
    if standing.scope.is_all or standing.scope.environments:
        return True
    known = (catalog.jobs.get(name) for name in jobs)
    return any(job is not None and standing.scope.covers(Subject(job.name, job.locks)) for job in known)


def _row(standing: Standing, now: float) -> FreezeRow:
    scope = standing.scope
    kinds = {"job": scope.jobs, "lock": scope.locks, "environment": scope.environments}
    named = [(kind, names[0]) for kind, names in kinds.items() if names]
    return FreezeRow(
        scope_text(scope),
        standing.is_on(now),
        standing.begin,
        standing.end,
        standing.by,
        standing.why,
        named,
        standing.number is not None,
        scope.is_wide,
    )


class FreezeActions:
    """What the forms do; each raises `AskerError` with what there is to say instead."""

    def __init__(self, actions: PageActions) -> None:
        self._actions = actions

    async def freeze(self, request: Request, context: RequestContext, fields: dict[str, str]) -> str:
        """Begins one of everything, or of what is named."""
        written = fields.get("duration", "").strip()
        try:
            duration = seconds(written) if written else None
        except ValueError:
            raise AskerError("For how long, is said as in `30m`, `2h` or `1d`.") from None
        why = fields.get("why", "").strip() or None
        await self._actions.perform(context, parser.Freeze(why, None, duration, *_named(fields)))
        return "/#freezes"

    async def thaw(self, request: Request, context: RequestContext, fields: dict[str, str]) -> str:
        """Ends the one of exactly what is named."""
        await self._actions.perform(context, parser.Thaw(*_named(fields)))
        return "/"


def _named(fields: dict[str, str]) -> tuple[str | None, str | None, str | None]:
    found = [fields.get(name, "").strip() or None for name in ("job", "lock", "environment")]
    if any(each is not None and ("\0" in each or len(each) > 200) for each in found):
        raise LookupError("no such name")
    return found[0], found[1], found[2]
