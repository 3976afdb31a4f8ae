"""Checks of the files in which repositories define jobs: what came of one, and what a pull request changes.

The plan is made when its turn comes, of the pull request as it is then; nothing of it is put in force.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from bot import messages
from bot.config import FILE, Owner, WrongFile, prefix_of, repository_definitions
from bot.config.repository_files import LIMIT
from bot.errors import Refused
from bot.github import FileAt, GitHub, Unusable
from bot.messages.repository_files import Defined, FileNote, FileReport
from bot.posting.facing import Subject
from bot.registry import Registry
from bot.store.posts import Remote
from bot.tables import Post

NAME = f"errand / {FILE}"
"""What the checks are called."""


class FilePosts:
    """Sends them; raises `Refused` and `RetryLater`."""

    def __init__(self, github: GitHub | None, registry: Registry, clock: Callable[[], float]) -> None:
        self._github = github
        self._registry = registry
        self._clock = clock
        # What anybody proposes may be made to take long, so one of them is read at a time.
        self._turn = asyncio.Semaphore(1)

    async def report(self, post: Post, subject: Subject) -> Remote | None:
        """What came of the file of a commit of the default branch."""
        return await self._tell(post, FileReport.of_stored(post.place["report"]))

    async def plan(self, post: Post, subject: Subject) -> Remote | None:
        """What a pull request would change; None where that is nothing, or the head another by now."""
        report = await self._proposal(post)
        return None if report is None else await self._tell(post, report)

    async def _tell(self, post: Post, report: FileReport) -> Remote | None:
        client, place = self._client, post.place
        if not client.is_app:
            status = messages.file_status(NAME, report)
            await client.set_status(place["repository"], place["commit"], status)
            return None
        of = messages.FileCheckName(post.identity, post.nonce)
        check = messages.file_check(NAME, report, of, now=self._clock())
        known, sent = None, 0
        if post.attempts > 1:
            known = await client.find_check(place["repository"], place["commit"], check.external_id)
            sent = 0 if known is None else await client.annotations(place["repository"], known)
        for request in messages.in_requests(check, messages.file_annotations(FILE, report), sent):
            if known is None:
                known = await client.create_check(place["repository"], place["commit"], request)
            else:
                await client.update_check(place["repository"], known, request)
        return Remote(str(known))

    # The plan -------------------------------------------------------------------------------------

    async def _proposal(self, post: Post) -> FileReport | None:
        """What is said of the file of a pull request, as its head is in the post."""
        client, place = self._client, post.place
        repository, commit = place["repository"], place["commit"]
        rules = self._registry.config.repository_rules(repository)
        pull = await client.pull(repository, place["pull"])
        if rules is None or pull.state != "open" or pull.head_sha != commit:
            return None
        if pull.base_ref != place["branch"]:
            return None  # it is not for the branch that counts
        base = await client.files.merge_base(repository, pull.base_ref, commit)
        before, after = await self._entry(repository, base), await self._entry(repository, commit)
        if before == after:
            return None
        owner = Owner(repository, rules, rules.prefix or place["prefix"] or prefix_of(rules, repository))
        old = self._registry.defined_by(place["number"])
        if isinstance(after, str):
            return messages.wrong_file([FileNote(1, 1, after)], kept=bool(old.jobs), proposed=True)
        content = b"" if after is None else await client.files.content(repository, after)
        free = await self._registry.free_for(place["number"], owner)
        read = partial(repository_definitions, content, owner, self._registry.config, free)
        try:
            async with self._turn:
                found = await asyncio.to_thread(read)
        except WrongFile as wrong:
            return messages.wrong_file(notes_of(wrong), kept=bool(old.jobs), proposed=True)
        return messages.changed_file(old, Defined(found.jobs, found.images), proposed=True)

    async def _entry(self, repository: str, commit: str | None) -> FileAt | str | None:
        """The file at a commit, or the sentence why it cannot be used; None where there is none."""
        if commit is None:
            return None
        try:
            file = await self._client.files.find(repository, commit, FILE)
        except Unusable as unusable:
            return str(unusable)
        return f"it is larger than {LIMIT // 1024} KiB" if file and file.size > LIMIT else file

    @property
    def _client(self) -> GitHub:
        if self._github is None:
            raise Refused("GitHub is no longer configured")
        return self._github


def notes_of(wrong: WrongFile) -> list[FileNote]:
    """Its mistakes, as messages have them."""
    return [
        FileNote(each.place.line, each.place.column, f"{each.path}: {each.what}" if each.path else each.what)
        for each in wrong.mistakes
    ]
