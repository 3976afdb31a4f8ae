"""The posts that answer whoever asked, in the place where they asked."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from bot import events, messages
from bot.handlers.authorization import RequestContext
from bot.handlers.places import GitHubPlace
from bot.posting import targets
from bot.tables import Post

WENT_WRONG = "This did not work, and the fault is not yours. Whoever runs Errand finds the cause in its log."


class Answers:
    """Makes them; nothing is stored here."""

    def __init__(self, clock: Callable[[], float], nonce: Callable[[], str]) -> None:
        self._clock = clock
        self._nonce = nonce

    def github(self, comment: events.Comment, key: str, texts: Sequence[str], *, failed: bool) -> list[Post]:
        """A reaction and a reply; `key` is of what is answered."""
        now, nonce = self._clock(), self._nonce
        where, content = comment.repository, "confused" if failed else "rocket"
        about = (f"reaction:{key}:{content}", where, comment.comment, content)
        answers = [targets.reaction(*about, now=now, nonce=nonce())]
        if texts:
            reply, public = (f"reply:{key}", where, comment.pull, messages.joined(texts)), comment.public
            answers.append(targets.comment_reply(*reply, public=public, now=now, nonce=nonce()))
        return answers

    def button(self, context: RequestContext, texts: Sequence[str]) -> list[Post]:
        """A reply in the pull request where the check's run is told of; elsewhere no place takes one."""
        place = context.place
        if not texts or not isinstance(place, GitHubPlace) or place.number is None:
            return []
        reply = f"reply:{context.key}", place.repository, place.number, messages.joined(texts)
        now, nonce = self._clock(), self._nonce()
        return [targets.comment_reply(*reply, public=place.public, now=now, nonce=nonce)]

    def slack(self, command: events.SlackCommand, texts: Sequence[str]) -> list[Post]:
        """A reply to who typed the command; none where Slack gave no address for it."""
        if not texts or not command.response_url:
            return []
        key, text = f"reply:slack:{command.trigger}", messages.joined(texts)
        now, nonce = self._clock(), self._nonce()
        return [targets.slack_reply(key, command.response_url, text, now=now, nonce=nonce)]


def by_number(comment: events.Comment) -> events.Comment:
    """The same with the address of just that repository, whatever its name means here."""
    return comment if comment.number is None else replace(comment, repository=f"#{comment.number}")
