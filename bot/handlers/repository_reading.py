"""Reads what repositories define for themselves, from their default branches only, and puts it in force.

What has a mistake changes nothing: what was in force stays so.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from bot import messages
from bot.access.repository_pins import Identity
from bot.config import FILE, Owner, RepositoryDefinitions, WrongFile, prefix_of, repository_definitions
from bot.config.repository_files import LIMIT
from bot.errors import NotAllowed, Refused, RetryLater
from bot.github import Repository, Unusable
from bot.messages.repository_files import Defined, FileNote
from bot.posting import targets
from bot.posting.file_posts import notes_of
from bot.registry import Registry
from bot.repositories import CodeHost
from bot.repository_jobs import in_force
from bot.states import EntryKind
from bot.store import Session, journal, posts, repository_files, versions
from bot.store.holder import LeaseHolder
from bot.tables import JournalEntry, Post, RepositoryFile

log = structlog.get_logger()

SOMEBODY = "repository"
"""The actor of what is read when nobody has just pushed it."""
_UNSEEN = (403, 404, 451, "not_installed")
"""What GitHub answers of a repository that it does not show."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found: `definitions` where something is to be in force from now on, else that stays as it is.

    `facts` are columns of the row, `notes` the mistakes of the file, `why` is told where there is no file.
    """

    state: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    definitions: RepositoryDefinitions | None = None
    notes: Sequence[FileNote] = ()
    why: str | None = None

    @property
    def outcome(self) -> tuple[str, str | None, str | None]:
        """What tells it from what was read before."""
        return self.state, self.facts.get("blob"), self.problem

    @property
    def problem(self) -> str | None:
        """What is wrong, in lines."""
        lines = [f"{note.line}:{note.column}: {note.text}" for note in self.notes]
        return "\n".join(lines) or self.why


class RepositoryFileReader:
    """Reads one file, and stores what comes of it."""

    def __init__(
        self, registry: Registry, host: CodeHost, holder: LeaseHolder, nonce: Callable[[], str]
    ) -> None:
        self._registry = registry
        self._host = host
        self._holder = holder
        self._nonce = nonce

    async def read(self, row: RepositoryFile) -> None:
        """Read the file of a claimed row, and store what comes of it. `RetryLater`, `LeaseLost`."""
        try:
            reading = await self._reading(row)
        except NotAllowed as refusal:
            reading = _gone(str(refusal))
        except Refused as refused:
            if refused.status not in _UNSEEN:
                raise RetryLater(str(refused)) from refused
            reading = _gone(f"GitHub does not show it: {refused}")
        await self._settle(row, reading)

    # Asking ---------------------------------------------------------------------------------------

    async def _reading(self, row: RepositoryFile) -> Reading:
        repository, number = await self._host.about(row.repository), row.repository_number
        if repository.number != number:
            return _gone("another repository has its name by now")
        # By what it is known here: a name that the server's file has, or what it is called today.
        seen = Identity(repository.name, number, repository.owner_number)
        name = await self._host.repositories.admit(seen, door="answer")
        rules = self._registry.config.repository_rules(name)
        if rules is None:
            return _gone("the server's file lets it define nothing")
        if repository.archived:
            return _gone("it is archived")
        owner = Owner(name, rules, rules.prefix or row.prefix or prefix_of(rules, name))
        return await self._at_head(repository, owner)

    async def _at_head(self, repository: Repository, owner: Owner) -> Reading:
        """What the default branch has now."""
        github, branch, name = self._host.required, repository.default_branch, owner.repository
        head = await github.branch_if_any(name, branch)
        facts: dict[str, Any] = {"branch": branch, "repository": name, "prefix": owner.prefix, "blob": None}
        if head is None:
            return Reading("none", facts | {"seen": None}, RepositoryDefinitions())
        facts["seen"] = head.sha
        try:
            file = await github.files.find(name, head.sha, FILE)
            if file is None:
                return Reading("none", facts, RepositoryDefinitions())
            facts["blob"] = file.blob
            if file.size > LIMIT:
                raise Unusable(f"it is larger than {LIMIT // 1024} KiB")
        except Unusable as unusable:
            return Reading("wrong", facts, notes=[FileNote(1, 1, str(unusable))])
        content = await github.files.content(name, file)
        free = await self._registry.free_for(repository.number or 0, owner)
        read = partial(repository_definitions, content, owner, self._registry.config, free)
        try:
            found = await asyncio.to_thread(read)
        except WrongFile as wrong:
            return Reading("wrong", facts, notes=notes_of(wrong))
        return Reading("good", facts, found)

    # Storing --------------------------------------------------------------------------------------

    async def _settle(self, row: RepositoryFile, reading: Reading) -> None:
        holder, found, now = self._holder, reading.definitions, self._holder.clock()
        commit, name = reading.facts.get("seen"), reading.facts.get("repository", row.repository)
        facts = {"state": reading.state, "problem": reading.problem, "read_at": now, **reading.facts}
        actor = row.pusher if row.pusher is not None and row.pushed == commit else SOMEBODY
        checks = self._checks(row, reading, commit or "")
        changed: list[str] = []

        def write(session: Session) -> None:
            changed.clear()
            posts.add(session, checks)
            if found is not None:
                versions.hold(session)
                new = in_force(row, name, commit or row.commit or "", found)
                changed.extend(repository_files.install(session, new, actor=actor, now=now))
                kept = {"commit": commit, "written": dict(found.written), "lines": dict(found.lines)}
                repository_files.put_images(session, row, new.images)
                repository_files.settle(session, row, owner=holder.owner, **facts, **kept)
            else:
                repository_files.settle(session, row, owner=holder.owner, **facts)
            if changed or reading.outcome != (row.state, row.blob, row.problem):
                journal.record(session, [_entry(name, reading, actor, changed, now)])

        try:
            await holder.store.write(write)
        except repository_files.NameTaken as taken:
            raise RetryLater(f"the name {taken.name} was taken a moment ago") from taken
        await self._registry.refresh()
        shown = {"repository": name, "commit": commit, "why": reading.problem}
        if reading.state == "wrong":
            log.warning("repository.wrong", **shown)
        else:
            log.info("repository.read", state=reading.state, changed=changed, **shown)

    def _checks(self, row: RepositoryFile, reading: Reading, commit: str) -> list[Post]:
        """The check of the commit: of every one that has a mistake, and of those that change something."""
        old, found = self._registry.defined_by(row.repository_number), reading.definitions
        if reading.state == "wrong":
            is_new = (row.seen, row.problem) != (commit, reading.problem)
            report = messages.wrong_file(reading.notes, kept=bool(old.jobs))
        elif found is None or reading.state == "gone":
            return []
        else:
            is_new = reading.outcome != (row.state, row.blob, row.problem)
            is_new &= reading.state == "good" or bool(old.jobs) or row.state == "wrong"
            report = messages.changed_file(old, Defined(found.jobs, found.images))
        if not is_new or not commit:
            return []
        name = reading.facts.get("repository", row.repository)
        place = targets.FilePlace(name, row.repository_number, commit)
        return [targets.file_report(place, report.stored(), now=self._holder.clock(), nonce=self._nonce())]


def _gone(why: str) -> Reading:
    """Nothing of it holds any more."""
    return Reading("gone", {"seen": None, "blob": None}, RepositoryDefinitions(), why=why)


def _entry(repository: str, reading: Reading, actor: str, changed: Sequence[str], now: float) -> JournalEntry:
    """What the journal says of a file that was read."""
    facts = {
        "file": FILE,
        "commit": reading.facts.get("seen"),
        "state": reading.state,
        "jobs": list(changed),
        "mistakes": len(reading.notes),
        "why": reading.why,
    }
    return JournalEntry(
        at=now,
        kind=EntryKind.FILE_REFUSED if reading.state == "wrong" else EntryKind.FILE_READ,
        actor=actor,
        subject=f"repository:{repository}",
        repository=repository,
        rule=f"repository_jobs of {repository}",
        facts={name: value for name, value in facts.items() if value},
    )
