"""Posts on GitHub: comments, checks, statuses and reactions.

Creating a comment or a check cannot be repeated, so one that was tried before and whose end is not known is
first looked for by its marker.
"""

from collections.abc import Callable

from bot import messages
from bot.errors import Refused
from bot.github import GitHub
from bot.posting.annotations import LogAnnotations
from bot.posting.facing import Facing, Subject
from bot.registry import Registry
from bot.states import State
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

    async def comment(self, post: Post, subject: Subject) -> str:
        """A reply, or the card of a run or a build; gives the comment's id."""
        repository, issue = post.place["repository"], post.place["issue"]
        command = self._registry.config.command
        if subject is None:
            body = await self._text(post)
        else:
            view, link = await self._facing.in_repository(self._client, post, subject)
            body = messages.comment(view, link, nonce=post.nonce, command=command)
        known = int(post.remote_id) if post.remote_id else None
        if known is None and post.attempts > 1:
            marker = messages.marker(post.nonce)
            known = await self._client.find_comment(repository, issue, marker, since=post.created_at)
        if known is None:
            return str(await self._client.comment(repository, issue, body))
        await self._client.update_comment(repository, known, body)
        return str(known)

    async def check(self, post: Post, subject: Subject) -> str:
        """The check run of a commit; gives its id, and how many annotations it has where those were sent."""
        repository, commit, now = post.place["repository"], post.place["commit"], self._clock()
        view, link = await self._facing.in_repository(self._client, post, subject)
        notes = await self._notes(post, subject)
        fields = messages.check(view, link, nonce=post.nonce, now=now, notes=notes)
        remote, _, count = (post.remote_id or "").partition(" ")
        known = int(remote) if remote else None
        if known is None and post.attempts > 1:
            known = await self._client.find_check(repository, commit, fields.external_id)
        sent = int(count or 0)
        if notes.placed and known is not None and post.attempts > 1:  # an interrupted try may have sent some
            sent = await self._client.annotations(repository, known)
        for request in messages.in_requests(fields, notes.placed, sent):
            if known is None:
                known = await self._client.create_check(repository, commit, request)
            else:
                await self._client.update_check(repository, known, request)
        return f"{known} {len(notes.placed)}" if notes.placed else str(known)

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
        await self._client.react(place["repository"], place["comment"], place["content"])

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
