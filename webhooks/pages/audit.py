"""The journal on a page: who asked, decided and changed what, with filters that are links."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from bot.states import EntryKind
from bot.store import journal
from bot.tables import JournalEntry
from bot.text.journal import facts_line, kind_words
from webhooks.access import Visitor
from webhooks.api import queries
from webhooks.api.audit import selection
from webhooks.api.problems import Problem
from webhooks.pages.parts import Pages, message

RECENT = 50
"""Rows on each page."""

_NAMES = ("since", "until", "actor", "job", "kind", "run", "repository", "before")
_QUERY = tuple(each for each in queries.AUDIT if each.name in _NAMES)
_TIMES = {"": "Ever", "1h": "Last hour", "1d": "Last day", "7d": "Last week", "30d": "Last month"}
GROUPS: Mapping[str, Sequence[EntryKind]] = {
    "Runs": [each for each in EntryKind if each.startswith("run.")],
    "Builds": [each for each in EntryKind if each.startswith("build.")],
    "Yes and no": [each for each in EntryKind if each.startswith("approval.")],
    "Freezes and overrides": [EntryKind.FROZEN, EntryKind.THAWED, EntryKind.OVERRIDDEN],
    "Refused": [EntryKind.REFUSED],
    "Schedules": [each for each in EntryKind if each.startswith("schedule.")],
    "Locks": [each for each in EntryKind if each.startswith("lock.")],
    "Definitions": [
        each for each in EntryKind if each.partition(".")[0] in ("job", "config", "tag", "repository")
    ],
    "Tokens and logins": [each for each in EntryKind if each.partition(".")[0] in ("token", "hook", "login")],
}
"""What the links of kinds say, with the kinds that each shows."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One link of a filter: its words, where it leads, and whether it is chosen."""

    words: str
    path: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One row as the page shows it: what, of what and by whom, each with a link that shows only that."""

    row: JournalEntry
    what: str
    facts: str
    of_kind: str
    of_actor: str
    of_job: str | None

    @property
    def page(self) -> str | None:
        """The page of the run, the build or the job that it is about."""
        kind, _, name = self.row.subject.partition(":")
        if self.row.run is not None:
            return f"/runs/{self.row.run}"
        return f"/{kind}s/{quote(name, safe='')}" if kind in ("run", "build", "job") and name else None


class AuditPage:
    """For whoever may read the journal."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """Rows that the query asks for, newest first."""
        if not visitor.may_audit:
            return message(self._pages, 403, "Not for you", "This page needs `audit` or `admin`.", visitor)
        try:
            query = queries.read(request, _QUERY)
            which = selection(query, self._pages.clock())
        except Problem as problem:
            return message(self._pages, 400, "Not understood", problem.detail, visitor)
        before = queries.number(query, "before")
        rows = await self._pages.store.read(
            lambda s: journal.newest(s, which, limit=RECENT + 1, before=before)
        )
        chosen = {name: value for name, value in query.items() if name != "before"}
        more = rows[RECENT - 1].number if len(rows) > RECENT else None
        return self._pages.renderer.page(
            "audit.html",
            lines=[_line(row, chosen) for row in rows[:RECENT]],
            groups=_groups(chosen),
            times=_times(chosen),
            only=_only(chosen),
            query=query,
            newest=None if before is None else _path(chosen),
            older=None if more is None else _path({**chosen, "before": str(more)}),
            lines_path=f"/api{_path({**chosen, 'format': queries.JSON_LINES})}",
            visitor=visitor,
        )


def _path(query: Mapping[str, str]) -> str:
    return f"/audit?{urlencode(query)}" if query else "/audit"


def _line(row: JournalEntry, chosen: Mapping[str, str]) -> Line:
    return Line(
        row,
        kind_words(row.kind),
        facts_line(row.facts),
        _path({**chosen, "kind": row.kind}),
        _path({**chosen, "actor": row.actor}),
        None if row.job is None else _path({**chosen, "job": row.job}),
    )


def _without(chosen: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in chosen.items() if name not in names}


def _groups(chosen: Mapping[str, str]) -> list[Choice]:
    """The link of a group that is chosen leads back to all."""
    rest, only = _without(chosen, "kind"), chosen.get("kind")
    found = [Choice("All", _path(rest), only is None)]
    for words, kinds in GROUPS.items():
        kind = ",".join(kinds)
        found.append(Choice(words, _path(rest if only == kind else {**rest, "kind": kind}), only == kind))
    return found


def _times(chosen: Mapping[str, str]) -> list[Choice]:
    rest, since = _without(chosen, "since", "until"), chosen.get("since", "")
    return [
        Choice(words, _path({**rest, "since": each} if each else rest), since == each)
        for each, words in _TIMES.items()
    ]


def _only(chosen: Mapping[str, str]) -> list[Choice]:
    """What else is chosen, each with the link that shows the rest as well."""
    shown = dict(chosen)
    if shown.get("kind") in {",".join(kinds) for kinds in GROUPS.values()}:
        del shown["kind"]
    if shown.get("since") in _TIMES and "until" not in shown:
        del shown["since"]
    return [
        Choice(
            f"{name}: {', '.join(map(kind_words, value.split(','))) if name == 'kind' else value}",
            _path(_without(chosen, name)),
            True,
        )
        for name, value in shown.items()
    ]
