"""The posts that answer whoever asked, in the place where they asked."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from bot import events, messages
from bot.handlers.authorization import RequestContext
from bot.handlers.places import GitHubPlace, SlackPlace
from bot.posting import targets
from bot.tables import Post

WENT_WRONG = "This did not work, and the fault is not yours. Whoever runs Errand finds the cause in its log."


class Answers:
    """Makes them; nothing is stored here."""

    def __init__(self, clock: Callable[[], float], nonce: Callable[[], str]) -> None:
        self._clock = clock
        self._nonce = nonce

    def github(
        self, comment: events.Comment, key: str, texts: Sequence[str], *, failed: bool, shows: bool = False
    ) -> list[Post]:
        """A reply, and a reaction where something was refused; `key` is of what is answered.

        `shows`: it was asked for nothing but to be shown, so the next such answer takes its place.
        """
        answers = list[Post]()
        if failed and comment.kind != "review":  # GitHub's REST API knows no reactions to those
            answers.append(self._reaction(comment, key, "confused"))
        if texts:
            place = targets.PullPlace(comment.repository, comment.pull, comment.thread)
            reply = self._reply(key, place, texts, public=comment.public)
            reply.topic = place.topic(targets.ANSWERS) if shows else None
            answers.append(reply)
        return answers

    def button(self, context: RequestContext, texts: Sequence[str]) -> list[Post]:
        """A reply in the pull request where the check's run is told of; elsewhere no place takes one."""
        place = context.place
        if not texts or not isinstance(place, GitHubPlace) or place.number is None:
            return []
        there = targets.PullPlace(place.repository, place.number)
        return [self._reply(context.key, there, texts, public=place.public)]

    def _reply(self, key: str, place: targets.PullPlace, texts: Sequence[str], *, public: bool) -> Post:
        text, now, nonce = messages.joined(texts), self._clock(), self._nonce()
        return targets.comment_reply(f"reply:{key}", place, text, public=public, now=now, nonce=nonce)

    def _reaction(self, comment: events.Comment, key: str, content: str) -> Post:
        about = (f"reaction:{key}:{content}", comment.repository, comment.comment, content)
        on_line, now, nonce = comment.thread is not None, self._clock(), self._nonce()
        return targets.reaction(*about, on_line=on_line, now=now, nonce=nonce)

    def slack(self, context: RequestContext, texts: Sequence[str]) -> list[Post]:
        """A reply that only who asked sees, in the thread where they asked; none on Home."""
        place = context.place
        if not texts or not isinstance(place, SlackPlace):
            return []
        key, text = f"reply:{context.key}", messages.joined(texts)
        now, nonce = self._clock(), self._nonce()
        if place.response_url:
            reply = targets.slack_reply(key, place.response_url, text, now=now, nonce=nonce)
        elif place.user is not None:
            spot = targets.ChannelPlace(place.channel, place.thread)
            reply = targets.slack_ephemeral(key, spot, place.user, text, now=now, nonce=nonce)
        else:
            return []
        only = texts[0] if len(texts) == 1 else ""
        return [targets.with_blocks(reply, only.blocks) if isinstance(only, messages.Illustrated) else reply]


def by_number(comment: events.Comment) -> events.Comment:
    """The same with the address of just that repository, whatever its name means here."""
    return comment if comment.number is None else replace(comment, repository=f"#{comment.number}")
