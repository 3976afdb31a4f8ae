"""The head of a run's or build's page: everything but its log, the same on the page and as it goes on."""

from typing import Any

from bot.access.scopes import EXEC
from bot.messages.chains import Step as ChainStep
from bot.posting.relations import Relations
from bot.store.relations import BuildRelations, RunRelations
from bot.tables import Build, Run
from webhooks.access import Visitor
from webhooks.attempts import RunAttempt
from webhooks.pages import timeline
from webhooks.pages.lookup import PageSubject, SubjectLookup
from webhooks.pages.parts import Pages
from webhooks.pages.timeline import Step
from webhooks.view import Summary


class Heads:
    """Gives what `head.html` shows to a visitor."""

    def __init__(self, pages: Pages, lookup: SubjectLookup) -> None:
        self._pages = pages
        self._lookup = lookup

    async def of(self, subject: PageSubject, visitor: Visitor) -> dict[str, Any]:
        """The template's values."""
        name = subject.summary.name
        return {
            "summary": subject.summary,
            "related": subject.related,
            "wanting": self._wanting(subject, visitor),
            "addresses": await self._addresses(subject),
            "chain": [each for each in subject.chain if self._may_see(each, visitor)],
            "steps": self._steps(subject, visitor),
            "attempts": self._attempts(subject, visitor),
            "sidecars": self._sidecars(subject, visitor),
            "build_link": self._build_link(subject.summary, visitor),
            "visitor": visitor,
            "may_run": visitor.may_run(name) and (name == EXEC or name in self._pages.registry.catalog.jobs),
        }

    def _may_see(self, link: ChainStep, visitor: Visitor) -> bool:
        """Whether a visitor is told of it: of a run of a job that they see, and of a job that is gone."""
        if visitor.jobs is None or link.job in visitor.jobs:
            return True
        return link.number is None and link.job not in self._pages.registry.catalog.jobs

    async def _addresses(self, subject: PageSubject) -> Relations:
        row, finder, cards = subject.row, self._pages.relations, subject.related.cards
        return await finder.of_run(row, cards) if isinstance(row, Run) else finder.of_build(row, cards)

    @staticmethod
    def _steps(subject: PageSubject, visitor: Visitor) -> list[Step]:
        row, related = subject.row, subject.related
        if isinstance(row, Build):
            return timeline.of_build(row)
        build = related.build if isinstance(related, RunRelations) else None
        return timeline.of_run(row, build, subject.attempts, alone=not visitor.sees(row.job))

    @staticmethod
    def _wanting(subject: PageSubject, visitor: Visitor) -> list[int]:
        """The runs that wanted a build, of the jobs that the visitor sees."""
        related, jobs = subject.related, visitor.jobs
        runs = related.runs if isinstance(related, BuildRelations) else ()
        return [number for number, job in runs if jobs is None or job in jobs]

    def _attempts(self, subject: PageSubject, visitor: Visitor) -> list[tuple[RunAttempt, str, bool]]:
        """Each attempt, where its page is, and whether its log is shown; none where there was only one."""
        if len(subject.attempts) < 2:
            return []
        path = subject.summary.path
        return [
            (each, path + self._lookup.query(subject, visitor, each.attempt), each.attempt == subject.chosen)
            for each in subject.attempts
        ]

    def _sidecars(self, subject: PageSubject, visitor: Visitor) -> list[tuple[str, str, bool]]:
        """Each container of the pod that has a log, where that is, and whether it is shown."""
        if not subject.sidecars:
            return []
        path, names = subject.summary.path, (None, *subject.sidecars)
        return [
            (
                name or "job",
                path + self._lookup.query(subject, visitor, subject.chosen, name),
                name == subject.sidecar,
            )
            for name in names
        ]

    def _build_link(self, summary: Summary, visitor: Visitor) -> str | None:
        """Where the build of a run is: it is part of the run, so a link to one opens the other as long."""
        if summary.build_number is None or not (visitor.how == "link" or visitor.sees(summary.name)):
            return None
        path = f"/builds/{summary.build_number}"
        return (
            self._pages.access.link(path, visitor.expires)
            if visitor.how == "link" and visitor.expires
            else path
        )
