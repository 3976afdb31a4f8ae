"""Says what is to be said, once per place: a claimed post goes out as its subject stands at that moment.

Creating a comment or a message cannot be repeated, so a post that was tried before and whose end is not
known is first looked for by its marker.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from bot import messages
from bot.context import Context
from bot.errors import DatabaseAway, Refused, RetryLater
from bot.github import GitHub
from bot.messages.view import BUILD_FAILED
from bot.posting.audience import Audience, outward
from bot.slack import Slack
from bot.states import State
from bot.store import Session, builds, posts, runs
from bot.store.leases import LeaseLost
from bot.tables import Build, Post, Run
from bot.telemetry.metrics import POSTS

log = structlog.get_logger()

MAX_TRIES = 40
"""Tries of one post; with the delays below, a place that does not answer for half a day is given up."""
SPACING = 1.0
"""Seconds between two edits of one card, but for its end: GitHub counts content that is made.

https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""
MAX_DELAY = 1200.0
"""Seconds between two tries, at most."""
FAILURES = 3
"""Tries of a post over which Errand itself fails."""
AGAIN = 1.0
"""Seconds after which a database that was away is told once more what came of a post."""

RESPONSE_SECONDS = 1800.0
"""How long Slack takes answers to a command.

https://docs.slack.dev/interactivity/handling-user-interaction
"""
TOLD_ASKER = "asker"
"""The `remote_id` of a card in whose place the asker was told the end."""

Subject = Build | Run | None


class Outbox:
    """Sends claimed posts."""

    def __init__(self, tools: Context) -> None:
        self._tools = tools
        self._audience = Audience(tools.clock)
        self._senders: dict[str, Callable[[Post, Subject], Awaitable[str | None]]] = {
            "github_comment": self._comment,
            "github_check": self._check,
            "github_status": self._status,
            "github_reaction": self._reaction,
            "slack_message": self._message,
            "slack_response": self._response,
        }

    async def send(self, post: Post) -> None:
        """Send one post and store what came of it; what was wanted meanwhile is sent by a later claim.

        Nothing is stored where another bot has the post by now, which finds by its marker what was said.
        """
        try:
            await self._send(post)
        except LeaseLost:
            log.warning("post.lost", **_shown(post))

    async def _send(self, post: Post) -> None:
        try:
            if post.attempts > MAX_TRIES:  # none of them came to an end
                raise Refused("whoever tried to say it was killed")
            rev, subject = await self._subject(post)
            remote_id = await self._senders[post.kind](post, subject)
        except RetryLater as error:
            await self._again(post, error, MAX_TRIES)
        except Refused as error:
            await self._fail(post, "refused", error)
        except Exception as error:
            log.exception("post.failed", **_shown(post))
            await self._again(post, RetryLater(f"Errand failed: {type(error).__name__}"), FAILURES)
        else:
            await self._sent(post, rev, remote_id)

    async def _sent(self, post: Post, rev: int, remote_id: str | None) -> None:
        key = post.identity
        once = post.run_number is None and post.build_number is None
        again_at = self._tools.clock() + SPACING
        said = posts.Said(rev, remote_id, again_at, done=once)
        await self._note(lambda s: posts.sent(s, key, said, owner=self._tools.owner))
        self._ring_in(SPACING)
        POSTS.labels(post.kind, "sent").inc()
        log.info("post.sent", **_shown(post))

    async def _again(self, post: Post, error: RetryLater, tries: int) -> None:
        if post.attempts >= tries:
            await self._fail(post, "given_up", error)
            return
        key, text = post.identity, str(error)
        delay = error.delay or min(2.0 ** (post.attempts - 1), MAX_DELAY)
        owner, due_at = self._tools.owner, self._tools.clock() + delay
        await self._note(lambda s: posts.retry(s, key, owner=owner, due_at=due_at, error=text))
        self._ring_in(delay)
        POSTS.labels(post.kind, "later").inc()
        log.info("post.later", delay=delay, error=text, **_shown(post))

    async def _fail(self, post: Post, outcome: str, error: Exception) -> None:
        key, owner, text = post.identity, self._tools.owner, str(error)
        await self._note(lambda s: posts.fail(s, key, owner=owner, error=text))
        POSTS.labels(post.kind, outcome).inc()
        log.warning(f"post.{outcome}", error=text, **_shown(post))

    async def _note(self, work: Callable[[Session], None]) -> None:
        """Store what came of a post, however long the database is away: forgotten, it would be said again."""
        while True:
            try:
                await self._tools.store.write(work)
                return
            except RetryLater as error:
                if not isinstance(error, DatabaseAway):
                    log.warning("post.waits", error=str(error))
                await asyncio.sleep(AGAIN)

    def _ring_in(self, delay: float) -> None:
        asyncio.get_running_loop().call_later(delay, self._tools.store.wakeup("posts").set)

    async def _subject(self, post: Post) -> tuple[int, Subject]:
        """What the post tells about, and how much of what is wanted that shows."""
        key, run, build = post.identity, post.run_number, post.build_number
        if run is None and build is None:
            return post.wanted, None

        def look(session: Session) -> tuple[int, Subject]:
            # More may be wanted since the claim, which the subject shows already: it is not said twice.
            rev = posts.wanted(session, key)
            return rev, runs.get(session, run) if run is not None else builds.get(session, build or 0)

        rev, found = await self._tools.store.read(look)
        if found is None:
            raise Refused("what it tells about is no longer kept")
        return rev, found

    async def _repeated(self, run: Run, *, is_open: bool) -> Run | None:
        """The run that this one repeats, if it is kept and may be told of in a place that is open or not.

        Of another repository nothing is told.
        """
        number = run.rerun_of
        if number is None:
            return None
        old = await self._tools.store.read(lambda s: runs.get(s, number))
        if old is None or old.repository != run.repository:
            return None
        return None if is_open and not old.public else old

    async def _failed_build(self, run: Run, *, is_open: bool) -> str | None:
        """The page of the build that failed the run."""
        number = run.build_number
        if number is None or run.reason != BUILD_FAILED:
            return None
        build = await self._tools.store.read(lambda s: builds.get(s, number))
        return None if build is None else self._tools.link(build, open_place=is_open)

    async def _view(self, row: Build | Run, *, is_open: bool) -> messages.View:
        """What there is to say of it in a place that is open or not."""
        shown = outward(row) if is_open else row
        match shown:
            case Build():
                return messages.build_view(shown)
            case Run():
                of = await self._repeated(shown, is_open=is_open)
                page = await self._failed_build(shown, is_open=is_open)
                return messages.run_view(shown, messages.Beside(of, page))

    async def _is_open(self, post: Post) -> bool:
        """Whether everybody reads the place of `post`."""
        if "channel" in post.place:
            return await self._audience.reads_channel(self._slack, post.place["channel"])
        return await self._audience.reads_repository(self._github, post.place["repository"])

    async def _facing(self, post: Post, subject: Subject) -> tuple[messages.View, str]:
        """What the place of `post` may read of its subject, and the link; `Refused` where it has none."""
        if subject is None:
            raise Refused(f"a {post.kind} tells about a run or a build")
        is_open = await self._is_open(post)
        return await self._view(subject, is_open=is_open), self._tools.link(subject, open_place=is_open)

    async def _text(self, post: Post) -> str:
        """What was written when it was asked for."""
        if await self._is_open(post) and not post.place.get("public", False):
            raise Refused("it was written for a private repository, which is public by now")
        return messages.with_marker(post.text or "", post.nonce)

    @property
    def _github(self) -> GitHub:
        if self._tools.github is None:
            raise Refused("GitHub is no longer configured")
        return self._tools.github

    @property
    def _slack(self) -> Slack:
        if self._tools.slack is None:
            raise Refused("Slack is no longer configured")
        return self._tools.slack

    # GitHub ---------------------------------------------------------------------------------------

    async def _comment(self, post: Post, subject: Subject) -> str:
        repository, issue = post.place["repository"], post.place["issue"]
        command = self._tools.config.command
        if subject is None:
            body = await self._text(post)
        else:
            view, link = await self._facing(post, subject)
            body = messages.comment(view, link, nonce=post.nonce, command=command)
        known = int(post.remote_id) if post.remote_id else None
        if known is None and post.attempts > 1:
            marker = messages.marker(post.nonce)
            known = await self._github.find_comment(repository, issue, marker, since=post.created_at)
        if known is None:
            return str(await self._github.comment(repository, issue, body))
        await self._github.update_comment(repository, known, body)
        return str(known)

    async def _check(self, post: Post, subject: Subject) -> str:
        repository, commit, now = post.place["repository"], post.place["commit"], self._tools.clock()
        view, link = await self._facing(post, subject)
        fields = messages.check(view, link, nonce=post.nonce, now=now)
        known = int(post.remote_id) if post.remote_id else None
        if known is None and post.attempts > 1:
            known = await self._github.find_check(repository, commit, post.nonce)
        if known is None:
            return str(await self._github.create_check(repository, commit, fields))
        await self._github.update_check(repository, known, fields)
        return str(known)

    async def _status(self, post: Post, subject: Subject) -> None:
        view, link = await self._facing(post, subject)
        fields = messages.status(view, link)
        await self._github.set_status(post.place["repository"], post.place["commit"], fields)

    async def _reaction(self, post: Post, subject: Subject) -> None:
        place = post.place
        await self._github.react(place["repository"], place["comment"], place["content"])

    # Slack ----------------------------------------------------------------------------------------

    async def _message(self, post: Post, subject: Subject) -> str | None:
        if post.remote_id == TOLD_ASKER:
            return None
        channel, command = post.place["channel"], self._tools.config.command
        view, link = await self._facing(post, subject)
        text, blocks = messages.blocks(view, link, command=command)
        known: tuple[str, str] | None = None
        if post.remote_id:
            where, _, ts = post.remote_id.partition(" ")
            known = where, ts
        elif post.attempts > 1:
            known = await self._slack.find(channel, post.nonce, post.created_at)
        if known is None:
            try:
                known = await self._slack.post(channel, text, blocks, post.nonce)
            except Refused as refusal:
                return await self._tell_asker(post, subject, refusal)
        else:
            await self._slack.update(*known, text, blocks)
        return " ".join(known)

    async def _tell_asker(self, post: Post, row: Subject, refusal: Refused) -> str | None:
        """Tell who asked the end where Errand may not post; before that there is time to invite it.

        Slack takes answers for half an hour. Who asked may read the row, so the link is signed.
        """
        url = post.place.get("url")
        if row is None or url is None:
            raise refusal
        if row.state != State.FINISHED:
            return None
        if self._tools.clock() - post.created_at > RESPONSE_SECONDS:
            raise refusal
        link, remedy = self._tools.link(row, open_place=False), messages.remedy(refusal.status, str(refusal))
        view = await self._view(row, is_open=False)
        text = messages.slack_text(messages.end_reply(view, link, remedy))
        await self._slack.respond(url, text)
        return TOLD_ASKER

    async def _response(self, post: Post, subject: Subject) -> None:
        await self._slack.respond(post.place["url"], messages.slack_text(post.text or ""))


def _shown(post: Post) -> dict[str, Any]:
    """What the log tells of a post; the address of a Slack reply is a key to the channel."""
    place = {name: value for name, value in post.place.items() if name != "url"}
    return {"kind": post.kind, "place": place, "run": post.run_number, "build": post.build_number}
