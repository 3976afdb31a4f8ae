"""Says what is to be said, once per place: a claimed post goes out as its subject stands at that moment."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from bot.errors import DatabaseAway, KnownFault, Refused, RetryLater
from bot.posting import targets
from bot.posting.deployments import DeploymentPosts
from bot.posting.digest_posts import DigestPosts
from bot.posting.facing import Subject
from bot.posting.file_posts import FilePosts
from bot.posting.github_posts import GitHubPosts
from bot.posting.pace import Pace
from bot.posting.slack_posts import SlackPosts
from bot.posting.storms import ChannelTurns, Turn
from bot.states import State
from bot.store import Session, posts
from bot.store.holder import LeaseHolder
from bot.store.leases import LeaseLost
from bot.tables import Post, Run
from bot.telemetry.metrics import POSTS, count_answer

log = structlog.get_logger()

MAX_TRIES = 40
"""Tries of one post; with the delays below, a place that does not answer for half a day is given up."""
AT_ONCE = 16
"""Posts that are sent at the same time."""
SPACING = 1.0
"""Seconds between two edits of one card, but for its end: GitHub counts content that is made.

https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""
MOVING, MOVING_MOST = 5.0, 60.0
"""Seconds between two edits of a card with a job's progress: at first, and of one that runs for an hour."""
TICKING, TICKING_MOST = 15.0, 600.0
"""Seconds between two edits of a card in Slack that tells for how long its run goes on; a tenth of that."""
TICKING_MOVING = 10.0
"""The same at least, where the job tells how far it is."""
STORMING = 3.0
"""Seconds between two edits of a message that tells of a storm."""
BEGINNING = 0.6
"""Seconds for which a new card waits at most for its run to begin: then one comment says both."""
ENDING = 0.6
"""Seconds for which a new check waits at most for its run to end; other places show the run by then."""
PATIENT = 32
"""Posts that wait so at the same time: the places of the others are for what is urgent."""
MAX_DELAY = 1200.0
"""Seconds between two tries, at most."""
FAILURES = 3
"""Tries of a post over which Errand itself fails."""
AWAITED = frozenset({"github_deployment", "github_review", "github_verdict"})
"""Posts for which a deploy or a merge waits, so that corrections of cards come after all of them."""
PASSING = frozenset({"slack_ephemeral"})
"""Answers that nobody waits for any more when a token has been put right."""
AGAIN = 1.0
"""Seconds after which a database that was away is told once more what came of a post."""


class Outbox:
    """Sends claimed posts."""

    def __init__(
        self,
        holder: LeaseHolder,
        senders: tuple[GitHubPosts, DeploymentPosts, FilePosts, SlackPosts, DigestPosts],
        pace: Pace,
        channels: ChannelTurns,
    ) -> None:
        github, deployments, files, slack, digests = senders
        self._holder = holder
        self._pace = pace
        self._channels = channels
        self._free = asyncio.Semaphore(AT_ONCE)
        self._patient = 0
        self._senders: dict[str, Callable[[Post, Subject], Awaitable[posts.Remote | None]]] = {
            "github_comment": github.comment,
            "github_check": github.check,
            "github_status": github.status,
            "github_reaction": github.reaction,
            "github_deployment": deployments.status,
            "github_minimize": github.minimize,
            "github_review": deployments.review,
            "github_verdict": deployments.verdict,
            "github_file": files.report,
            "github_file_plan": files.plan,
            "slack_message": slack.message,
            "slack_thread": slack.thread,
            "slack_response": slack.response,
            "slack_ephemeral": slack.ephemeral,
            "slack_digest": digests.digest,
            "slack_note": digests.note,
            "slack_slow": digests.slow,
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
        answers = _answers(post)
        try:
            if post.attempts > MAX_TRIES:  # none of them came to an end
                raise Refused("whoever tried to say it was killed")
            await self._begun(post)
            is_own = await self._turn(post)
            remote = await self._say(post) if is_own else None
        except RetryLater as error:
            await self._again(post, error, MAX_TRIES)
        except KnownFault as error:
            if error.delay is None or post.kind in PASSING:
                await self._fail(post, "refused", error)
            else:
                await self._again(post, error, MAX_TRIES)
        except Refused as error:
            await self._fail(post, "refused", error)
        except Exception as error:
            log.exception("post.failed", **_shown(post))
            await self._again(post, RetryLater(f"Errand failed: {type(error).__name__}"), FAILURES)
        else:
            await self._sent(post, remote, is_own=is_own)
            if answers:
                count_answer(post.kind, post.subject, self._holder.clock())

    async def _begun(self, post: Post) -> None:
        """Let the run of a new card begin, and that of a new check perhaps end: then it is written once."""
        store, number = self._holder.store, post.run_number
        is_check = post.kind == "github_check"
        if post.sent > 0 or number is None or self._patient >= PATIENT:
            return
        until = asyncio.get_running_loop().time() + (ENDING if is_check else BEGINNING)
        self._patient += 1
        try:
            with store.changes.listen(("run", number)) as changes:
                while _goes_on(post.subject, to_end=is_check):
                    await store.read(lambda s: posts.refresh(s, post))  # to its end, whatever the time
                    async with asyncio.timeout_at(until):
                        if _goes_on(post.subject, to_end=is_check):
                            await changes.wait()
        except TimeoutError:
            return
        finally:
            self._patient -= 1

    async def _say(self, post: Post) -> posts.Remote | None:
        async with self._free:
            return await self._senders[post.kind](post, _subject(post))

    async def _turn(self, post: Post) -> bool:
        """Wait until GitHub takes something more for whoever has the repository, or Slack in the channel.

        What changed meanwhile is said with it, and not once more. False where another post tells of it.
        """
        if post.kind == "slack_slow":
            return True  # it says nothing itself
        repository: str | None = post.place.get("repository")
        channel: str | None = post.place.get("channel")
        if repository is not None:
            account = repository.partition("/")[0].casefold()
            first = post.sent == 0 or post.kind in AWAITED
            waited = await self._pace.turn(account, post.identity, first=first)
        elif channel is not None:
            turn = await self._channels.turn(post)
            if turn is Turn.FOLDED:
                return False
            waited = turn is Turn.WAITED
        else:
            return True
        if waited:
            await self._holder.store.read(lambda s: posts.refresh(s, post))
        return True

    async def _sent(self, post: Post, remote: posts.Remote | None, *, is_own: bool) -> None:
        """Store that it was said; with its end told, it takes the place of older posts of its topic.

        `is_own`: by itself, and not by another post.
        """
        key, topic, owner, subject = post.identity, post.topic, self._holder.owner, post.subject
        once = (post.run_number is None and post.build_number is None) or post.kind == "slack_slow"
        now = self._holder.clock()
        pause = STORMING if post.place.get("about") == "storm" else _pause(subject, now)
        tick = _tick(post, now) if is_own and remote is not None else None
        refresh_at = None if tick is None else now + tick
        state = posts.PostedState(post.wanted, remote, now + pause, done=once, refresh_at=refresh_at)
        is_over = subject is None or subject.state == State.FINISHED

        def note(session: Session) -> None:
            posts.sent(session, key, state, owner=owner)
            posts.add(session, _below(post, remote, now))
            if topic is not None and post.kind == "github_comment" and is_over:
                old = posts.outdated(session, topic)
                posts.add(session, [targets.minimizing(each, now=now) for each in old])

        await self._note(note)
        self._ring_in(pause)
        if tick is not None:
            self._ring_in(tick)
        POSTS.labels(post.kind, "sent").inc()
        log.info("post.sent", **_shown(post))

    async def _again(self, post: Post, error: RetryLater | KnownFault, tries: int) -> None:
        if post.attempts >= tries:
            await self._fail(post, "given_up", error)
            return
        key, text = post.identity, str(error)
        delay = error.delay or min(2.0 ** (post.attempts - 1), MAX_DELAY)
        owner, due_at = self._holder.owner, self._holder.clock() + delay
        await self._note(lambda s: posts.retry(s, key, owner=owner, due_at=due_at, error=text))
        self._ring_in(delay)
        POSTS.labels(post.kind, "later").inc()
        if isinstance(error, KnownFault):
            log.debug("post.later", delay=delay, error=text, **_shown(post))
        else:
            log.info("post.later", delay=delay, error=text, **_shown(post))

    async def _fail(self, post: Post, outcome: str, error: Exception) -> None:
        key, owner, text = post.identity, self._holder.owner, str(error)
        await self._note(lambda s: posts.fail(s, key, owner=owner, error=text))
        POSTS.labels(post.kind, outcome).inc()
        # What an operator has to mend stands there once, not for each post that it stops.
        if isinstance(error, KnownFault):
            log.debug(f"post.{outcome}", error=text, **_shown(post))
        else:
            log.warning(f"post.{outcome}", error=text, **_shown(post))

    async def _note(self, work: Callable[[Session], None]) -> None:
        """Store what came of a post, however long the database is away: forgotten, it would be said again."""
        while True:
            try:
                await self._holder.store.write(work)
                return
            except RetryLater as error:
                if not isinstance(error, DatabaseAway):
                    log.warning("post.waits", error=str(error))
                await asyncio.sleep(AGAIN)

    def _ring_in(self, delay: float) -> None:
        asyncio.get_running_loop().call_later(delay, self._holder.store.wakeup("posts").set)


def _subject(post: Post) -> Subject:
    """What the post tells about, as it was when the post was claimed."""
    if post.subject is None and (post.run_number is not None or post.build_number is not None):
        raise Refused("what it tells about is no longer kept")
    return post.subject


def _goes_on(subject: Subject, *, to_end: bool) -> bool:
    """Whether it is a run that nothing keeps from beginning, or (`to_end`) from going on to its end."""
    if not isinstance(subject, Run) or subject.waiting_for is not None:
        return False
    return subject.state != State.FINISHED if to_end else subject.state in (State.WAITING, State.STARTING)


def _pause(subject: Subject, now: float) -> float:
    """Seconds before the card is edited again, but for its end."""
    if not isinstance(subject, Run) or subject.progress is None or subject.started_at is None:
        return SPACING
    return min(max((now - subject.started_at) / 60, MOVING), MOVING_MOST)


def _tick(post: Post, now: float) -> float | None:
    """Seconds after which a card that tells for how long its run goes on is edited, whatever happens."""
    run = post.subject
    if post.kind != "slack_message" or not isinstance(run, Run) or run.state != State.RUNNING:
        return None
    gone = now - run.started_at if run.started_at is not None else 0.0
    tick = min(max(gone / 10, TICKING), TICKING_MOST)
    return tick if run.progress is None else min(tick, max(_pause(run, now), TICKING_MOVING))


def _below(post: Post, remote: posts.Remote | None, now: float) -> list[Post]:
    """What hangs below a card of Slack once that tells an end of which there is more to show."""
    subject = post.subject
    if post.kind != "slack_message" or subject is None or subject.state != State.FINISHED:
        return []
    has_more = subject.tail or (isinstance(subject, Run) and subject.summary)
    channel, _, ts = (remote.id if remote is not None else "").partition(" ")
    return [targets.thread(post, channel, ts, now=now)] if has_more and ts else []


def _answers(post: Post) -> bool:
    """Whether it says the end of its run for the first time, if that has ended when it is said.

    What has ended is urgent once; what failed is said in another try.
    """
    if post.subject is None or post.subject.state != State.FINISHED:
        return True
    return post.sent == 0 or post.due_at == posts.AT_ONCE or post.error is not None


def _shown(post: Post) -> dict[str, Any]:
    """What the log tells of a post: no address of a Slack reply, which is a key, and not what was typed.

    Nor what a message is made of, which is long.
    """
    hidden = ("url", "line", "blocks", "facts", "report")
    place = {name: value for name, value in post.place.items() if name not in hidden}
    return {"kind": post.kind, "place": place, "run": post.run_number, "build": post.build_number}
