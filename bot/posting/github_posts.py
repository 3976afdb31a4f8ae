"""Posts on GitHub: comments, checks, statuses and reactions.

Creating a comment or a check cannot be repeated, so one that was tried before and whose end is not known is
first looked for by its marker.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from bot import messages
from bot.errors import Refused
from bot.github import GitHub
from bot.posting.annotations import LogAnnotations
from bot.posting.facing import Facing, Subject
from bot.registry import Registry
from bot.states import State
from bot.store.posts import Remote
from bot.tables import Post, Run


class GitHubPosts:
    """Sends them; each raises `Refused` and `RetryLater`."""

    def __init__(
        self,
        github: GitHub | None,
        facing: Facing,
        annotations: LogAnnotations,
        registry: Registry,
        clock: Callable[[], float],
    ) -> None:
        self._github = github
        self._facing = facing
        self._annotations = annotations
        self._registry = registry
        self._clock = clock

    async def comment(self, post: Post, subject: Subject) -> Remote:
        """A reply, or the card of a run or a build; gives the comment's ids."""
        repository, issue, thread = post.place["repository"], post.place["issue"], post.place.get("thread")
        command, on_line = self._registry.config.command, thread is not None
        if subject is None:
            body = await self._text(post)
        else:
            view, link = await self._facing.in_repository(self._client, post, subject)
            # The summary that a hostile job wrote takes a tenth of a second.
            write = partial(messages.comment, view, link, nonce=post.nonce, command=command)
            body = await asyncio.to_thread(write)
        known = int(post.remote_id) if post.remote_id else None
        if known is None and post.attempts > 1:
            marker, since = messages.marker(post.nonce), post.created_at
            find = self._client.find_comment
            found = await find(repository, issue, marker, since=since, on_line=on_line)
            known = None if found is None else found.number
        if known is None:
            made = await self._client.comment(repository, issue, body, thread=thread)
        else:
            made = await self._client.update_comment(repository, known, body, on_line=on_line)
        return Remote(str(made.number), made.node)

    async def check(self, post: Post, subject: Subject) -> Remote:
        """The check run of a commit; gives its id, and how many annotations were sent."""
        repository, commit, now = post.place["repository"], post.place["commit"], self._clock()
        view, link = await self._facing.in_repository(self._client, post, subject)
        notes = await self._notes(post, subject)
        write = partial(messages.check, view, link, nonce=post.nonce, now=now, notes=notes)
        fields = await asyncio.to_thread(write)
        known = int(post.remote_id) if post.remote_id else None
        if known is None and post.attempts > 1:
            known = await self._client.find_check(repository, commit, fields.external_id)
        sent = int(post.remote_note or 0)
        if notes.placed and known is not None and post.attempts > 1:  # an interrupted try may have sent some
            sent = await self._client.annotations(repository, known)
        for request in messages.in_requests(fields, notes.placed, sent):
            if known is None:
                known = await self._client.create_check(repository, commit, request)
            else:
                await self._client.update_check(repository, known, request)
        return Remote(str(known), str(len(notes.placed)) if notes.placed else None)

    async def _notes(self, post: Post, subject: Subject) -> messages.CheckNotes:
        """What the log of a run that has ended says of the code, where it may stand there."""
        if not isinstance(subject, Run) or subject.state != State.FINISHED:
            return messages.CheckNotes()
        if not await self._facing.shows_log(self._client, post, subject):
            return messages.CheckNotes()
        return await self._annotations.of(subject)

    async def status(self, post: Post, subject: Subject) -> None:
        """The status of a commit, of which the last one counts."""
        view, link = await self._facing.in_repository(self._client, post, subject)
        fields = messages.status(view, link)
        await self._client.set_status(post.place["repository"], post.place["commit"], fields)

    async def reaction(self, post: Post, subject: Subject) -> None:
        """A reaction to a comment; GitHub keeps one of each."""
        place = post.place
        about = (place["repository"], place["comment"], place["content"])
        await self._client.react(*about, on_line=place.get("on_line", False))

    async def minimize(self, post: Post, subject: Subject) -> None:
        """A comment of ours is folded away: a newer one says what there is to say."""
        await self._client.minimize(post.place["repository"], post.place["node"])

    async def _text(self, post: Post) -> str:
        """What was written when it was asked for."""
        if await self._facing.is_open(self._client, post) and not post.place.get("public", False):
            raise Refused("it was written for a private repository, which is public by now")
        return messages.with_marker(post.text or "", post.nonce)

    @property
    def _client(self) -> GitHub:
        if self._github is None:
            raise Refused("GitHub is no longer configured")
        return self._github
