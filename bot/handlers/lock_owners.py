"""A word to who closed a target, once for each lock, when somebody else's run begins to wait for it."""

from collections.abc import Callable

from bot.access import people
from bot.catalog.notify import Notify
from bot.config import Config
from bot.messages import waits
from bot.posting import targets
from bot.states import Wait
from bot.store import Session, posts
from bot.tables import Lock, Post, Run


def tell_owner(
    session: Session, run: Run, notify: Notify, config: Config, *, now: float, nonce: Callable[[], str]
) -> None:
    """Tell them in the pull request with which the lock ends, else in the job's channel, for their eyes only.

    Nothing where `run` waits for something else, or is theirs, or nobody is known there.
    """
    if run.waiting_for != Wait.CLOSED or run.waiting_on is None:
        return
    lock = session.get(Lock, run.waiting_on.get("lock"))
    if lock is None or lock.told_at is not None or people.is_same(lock.actor, run.actor):
        return
    post = _word(lock, run, notify, config, now, nonce)
    if post is not None:
        lock.told_at = now
        posts.add(session, [post])


def _word(
    lock: Lock, run: Run, notify: Notify, config: Config, now: float, nonce: Callable[[], str]
) -> Post | None:
    key = f"lock:{lock.target}:{lock.created_at:.3f}:awaited"
    kind, _, login = people.identity(lock.actor).partition(":")
    if kind != "github":
        return None
    if lock.repository is not None and lock.pull_request is not None and not run.public:
        there = targets.PullPlace(lock.repository, lock.pull_request)
        text = f"@{login}: {waits.awaited(lock, run)}"
        return targets.comment_reply(key, there, text, now=now, nonce=nonce())
    user = config.member(login)
    if user is None or notify.slack is None:
        return None
    spot = targets.ChannelPlace(notify.slack)
    return targets.slack_ephemeral(key, spot, user, waits.awaited(lock, run), now=now, nonce=nonce())
