"""What is said in Slack where Errand itself failed."""

from bot import messages
from bot.events import slack
from bot.events.facts import Ignored
from bot.events.slack_facts import SlackCommand, SlackMention, SlackPress
from bot.handlers.answers import WENT_WRONG, Answers
from bot.handlers.slack.contexts import unasked
from bot.tables import Delivery, Post


class SlackApologies:
    """Makes them, as answers to who asked."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    async def of(self, delivery: Delivery) -> list[Post]:
        """None for what nobody waits for."""
        fact = slack.read(slack.payload(delivery.media_type, delivery.body))
        if isinstance(fact, Ignored) or not isinstance(fact, SlackCommand | SlackMention | SlackPress):
            return []
        context = unasked(delivery.key, fact.asker, fact.spot)
        return self._answers.slack(context, [messages.error_reply(WENT_WRONG)])
