"""Reads what repositories define for themselves, from their default branches only, and puts it in force.

A push has the file wanted; it is read as it is when its turn comes, so an older push never brings back an
older file. What has a mistake changes nothing: what was in force stays so.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from bot import messages
from bot.config import (
    FILE,
    Owner,
    RepositoryDefinitions,
    WrongFile,
    prefix_of,
    repository_definitions,
)
from bot.config.repository_files import LIMIT
from bot.errors import NotAllowed, Refused, RetryLater
from bot.events import Occurrence, Push
from bot.github import Repository, Unusable
from bot.handlers.decisions import Decision, ignored
from bot.messages.repository_files import Defined, FileNote
from bot.posting import targets
from bot.posting.file_posts import notes_of
from bot.registry import Registry
from bot.repositories import CodeHost
from bot.repository_jobs import in_force
from bot.states import ActorKind
from bot.store import Session, posts, repository_files, versions
from bot.store.holder import LeaseHolder
from bot.tables import Post, RepositoryFile

log = structlog.get_logger()


_PROPOSING = frozenset({"opened", "synchronize", "reopened"})
"""What makes a commit the head of a pull request."""


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
    def problem(self) -> str | None:
        """What is wrong, in lines."""
        told = [f"{note.line}:{note.column}: {note.text}" for note in self.notes]
        return "\n".join(told) or self.why


class RepositoryFileHandler:
    """Decides which files are read, and what comes of them."""

    def __init__(
        self, registry: Registry, host: CodeHost, holder: LeaseHolder, nonce: Callable[[], str]
    ) -> None:
        self._registry = registry
        self._host = host
        self._holder = holder
        self._nonce = nonce

    def pushed(self, push: Push) -> Decision:
        """Have the file read where the default branch was pushed of a repository that may have one."""
        rules = self._registry.config.repository_rules(push.repository)
        if rules is None or push.number is None or push.tag or push.name != push.default_branch:
            return ignored("")
        pusher = ActorKind.GITHUB.named(push.sender)
        wanted = repository_files.Wanted(push.number, push.repository, pusher, push.after)
        now = self._holder.clock()
        return Decision(
            True,
            lambda session: repository_files.want(session, wanted, now=now),
            lambda: f"push of {push.repository}@{push.ref} {push.commit[:12]}: {FILE} is read",
        )

    async def proposed(self, happened: Occurrence) -> Decision:
        """Have a plan made of what a pull request would change of the file."""
        rules = self._registry.config.repository_rules(happened.repository)
        branch, number = happened.facts.get("branch"), happened.number
        if rules is None or number is None or happened.pull is None or branch != happened.default_branch:
            return ignored("")
        if happened.facts.get("action") not in _PROPOSING:
            return ignored("")
        row = await self._holder.store.read(lambda s: repository_files.of_number(s, number))
        place = targets.FilePlace(happened.repository, number, happened.commit, row.prefix if row else "")
        now, nonce = self._holder.clock(), self._nonce()
        post = targets.file_plan(place, happened.pull, happened.default_branch, now=now, nonce=nonce)
        return Decision(
            True,
            lambda session: posts.add(session, [post]),
            lambda: f"{happened.subject} in {happened.repository}: its {FILE} is compared",
        )

    async def read(self, row: RepositoryFile) -> None:
        """Read the file of a claimed row, and store what comes of it. `RetryLater`, `LeaseLost`."""
        try:
            reading = await self._reading(row)
        except NotAllowed as refusal:
            reading = _gone(str(refusal))
        except Refused as refused:
            if refused.status not in (403, 404, 451, "not_installed"):
                raise RetryLater(str(refused)) from refused
            reading = _gone(f"GitHub does not show it: {refused}")
        await self._settle(row, reading)

    # Asking ---------------------------------------------------------------------------------------

    async def _reading(self, row: RepositoryFile) -> Reading:
        repository = await self._host.about(row.repository)
        config = self._registry.config
        rules = config.repository_rules(row.repository)
        if repository.number != row.repository_number:
            return _gone("another repository has its name by now")
        if rules is None:
            return _gone("the server's file lets it define nothing")
        if repository.archived:
            return _gone("it is archived")
        owner = Owner(row.repository, rules, rules.prefix or row.prefix or prefix_of(rules, row.repository))
        return await self._at_head(row, repository, owner)

    async def _at_head(self, row: RepositoryFile, repository: Repository, owner: Owner) -> Reading:
        """What the default branch has now."""
        github, branch = self._host.required, repository.default_branch
        head = await github.branch_if_any(row.repository, branch)
        facts: dict[str, Any] = {"branch": branch, "prefix": owner.prefix, "blob": None}
        if head is None:
            return Reading("none", facts | {"seen": None}, RepositoryDefinitions())
        facts["seen"] = head.sha
        try:
            file = await github.files.find(row.repository, head.sha, FILE)
            if file is None:
                return Reading("none", facts, RepositoryDefinitions())
            facts["blob"] = file.blob
            if file.size > LIMIT:
                raise Unusable(f"it is larger than {LIMIT // 1024} KiB")
        except Unusable as unusable:
            return Reading("wrong", facts, notes=[FileNote(1, 1, str(unusable))])
        content = await github.files.content(row.repository, file)
        free = await self._registry.free_for(row.repository_number, owner)
        read = partial(repository_definitions, content, owner, self._registry.config, free)
        try:
            found = await asyncio.to_thread(read)
        except WrongFile as wrong:
            return Reading("wrong", facts, notes=notes_of(wrong))
        return Reading("good", facts, found)

    # Storing --------------------------------------------------------------------------------------

    async def _settle(self, row: RepositoryFile, reading: Reading) -> None:
        holder, found, now = self._holder, reading.definitions, self._holder.clock()
        facts: dict[str, Any] = {
            **reading.facts,
            "state": reading.state,
            "problem": reading.problem,
            "read_at": now,
        }
        commit = facts.get("seen") or row.commit or ""
        told = self._told(row, reading, commit)
        actor = row.pusher if row.pusher is not None and row.pushed == facts.get("seen") else "repository"
        changed: list[str] = []

        def write(session: Session) -> None:
            changed.clear()
            posts.add(session, told)
            if found is None:
                repository_files.settle(session, row, owner=holder.owner, **facts)
                return
            versions.hold(session)
            new = in_force(row.repository_number, row.repository, commit, found)
            changed.extend(repository_files.install(session, new, actor=actor, now=now))
            held = {
                "commit": facts.get("seen"),
                "written": dict(found.written),
                "images": dict(new.images),
                "lines": dict(found.lines),
                "revision": row.revision + (dict(new.images) != row.images),
            }
            repository_files.settle(session, row, owner=holder.owner, **facts, **held)

        try:
            await holder.store.write(write)
        except repository_files.NameTaken as taken:
            raise RetryLater(f"the name {taken.name} was taken a moment ago") from taken
        await self._registry.refresh()
        commit = facts.get("seen")
        if reading.state == "wrong":
            log.warning("repository.wrong", repository=row.repository, commit=commit, why=reading.problem)
            return
        log.info(
            "repository.read",
            repository=row.repository,
            commit=commit,
            state=reading.state,
            changed=changed,
            why=reading.problem,
        )

    def _told(self, row: RepositoryFile, reading: Reading, commit: str) -> list[Post]:
        """The check of the commit: of every one that has a mistake, and of those that change something."""
        new = (reading.state, reading.facts.get("blob"), reading.problem)
        old = self._registry.defined_by(row.repository_number)
        if reading.state == "wrong":
            if (row.seen, row.problem) == (commit, reading.problem):
                return []
            report = messages.wrong_file(reading.notes, kept=bool(old.jobs))
        elif (
            reading.state == "gone"
            or reading.definitions is None
            or new == (row.state, row.blob, row.problem)
        ):
            return []
        else:
            found = reading.definitions
            if reading.state == "none" and not old.jobs and row.state != "wrong":
                return []
            report = messages.changed_file(old, Defined(found.jobs, found.images))
        place = targets.FilePlace(row.repository, row.repository_number, commit)
        return [targets.file_report(place, report.stored(), now=self._holder.clock(), nonce=self._nonce())]


def _gone(why: str) -> Reading:
    """Nothing of it holds any more."""
    return Reading("gone", {"seen": None, "blob": None}, RepositoryDefinitions(), why=why)
